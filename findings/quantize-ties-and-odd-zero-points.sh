#!/usr/bin/env bash
# Of numbers half-way between two steps, quantisation gives other bytes by OpenVINO and OpenCV, and only if the zero point is odd.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: ONNX's QuantizeLinear divides by the scale, rounds to the nearest integer, a half to the even one, and then adds the zero point. ONNX Runtime and
# onnx.reference do so. OpenVINO and OpenCV add the zero point first and round the sum. With an even zero point that is the same. With an odd one
# the even sum is another number: each half goes the other way, up to a whole step off, as far as the byte goes.
#
# Why a good guess is wrong: the usual first tests, int8 with a zero point of 0 and uint8 with one of 128, have even zero points, and so has a ReLU's 0. Calibration
# gives odd ones as often as even ones. Random floats hardly ever lie half-way; pixels do: bytes times a scale that is a power of two, or the mean
# of an average pooling over 2x2, are half-way in one case of four.
#
# What a program like ours must do: where bytes must agree between runtimes, keep zero points even (symmetric weights, uint8 at 0 or 128); otherwise
# compare quantised outputs with a tolerance of one step, and not the bytes; and test with an odd zero point and halves.
#
# Seen (the numbers 0.5, 1.5, 2.5 and 3.5 with a scale of 1, the zero point taken off again):
#   zero point  ONNX Runtime  onnx.reference  OpenVINO  OpenCV
#   0           0 2 2 4       0 2 2 4         0 2 2 4   0 2 2 4
#   1           0 2 2 4       0 2 2 4         1 1 3 3   1 1 3 3
#   127         0 2 2 4       0 2 2 4         1 1 3 3   1 1 3 3
#   128         0 2 2 4       0 2 2 4         0 2 2 4   0 2 2 4
#
# Ends with 0 while this is so, with 1 once a column has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

"$dir/env/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

HALVES = np.array([[0.5, 1.5, 2.5, 3.5]], np.float32)
CORE = openvino.Core()


def model(zero_point):
    graph = helper.make_graph(
        [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.UINT8, [1, 4])],
        [numpy_helper.from_array(np.float32(1), "scale"), numpy_helper.from_array(np.uint8(zero_point), "zero")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


def by_onnxruntime(file):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"x": HALVES})[0]


def by_reference(file):
    return ReferenceEvaluator(file).run(None, {"x": HALVES})[0]


def by_openvino(file):
    return CORE.compile_model(CORE.read_model(file), "CPU")(HALVES)[0]


def by_opencv(file):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
    network.setInput(HALVES)
    return network.forward()


RUNTIMES = {"ONNX Runtime": by_onnxruntime, "onnx.reference": by_reference, "OpenVINO": by_openvino, "OpenCV": by_opencv}
RIGHT, OTHER = "0 2 2 4", "1 1 3 3"
same = True
print("{:12}{:14}{:16}{:10}{}".format("zero point", *RUNTIMES))
for zero_point in (0, 1, 127, 128):
    file = model(zero_point)
    seen = [" ".join(str(int(v) - zero_point) for v in run(file).ravel()) for run in RUNTIMES.values()]
    print("{:<12}{:14}{:16}{:10}{}".format(zero_point, *seen))
    same &= seen == [RIGHT, RIGHT, *([OTHER if zero_point % 2 else RIGHT] * 2)]
sys.exit(not same)
PY
