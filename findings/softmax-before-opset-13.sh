#!/usr/bin/env bash
# A Softmax of an ONNX file before operator set 13 is three different functions in four runtimes, and LogSoftmax sides otherwise.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: until operator set 12 Softmax has an axis of 1 if none is said, and takes all that stands from that axis on together: of (N, K, H, W) the
# K x H x W numbers of an image sum to 1. Since 13 the axis is the last one, and only that axis is summed over. ONNX Runtime does what the file's
# operator set says. onnx.reference takes the last axis for every file. OpenVINO and OpenCV take axis 1 alone, without what stands behind it. For
# LogSoftmax OpenVINO changes sides and does what the standard says; OpenCV and onnx.reference do not. Shape inference says the same for all, as shapes are equal.
#
# Why a good guess is wrong: for (N, K), behind a dense layer, all four agree, in old files and new. The answers differ where a network ends
# in maps, as NiN's and those of fully convolutional ones do before the last reshape, or with (N, K, 1, 1), where the last axis has one number and its softmax is 1.
#
# What a program like ours must do: say the axis outright, export operator set 13 or newer, and end in (N, K); when reading old files, look at
# the operator set before the axis.
#
# Seen (logits ln 1, ln 2, ln 3, ln 4 of shape 1x2x1x2; operator set 11, no axis given):
#   runtime          Softmax              exp(LogSoftmax)
#   by the standard  0.10 0.20 0.30 0.40  0.10 0.20 0.30 0.40
#   ONNX Runtime     0.10 0.20 0.30 0.40  0.10 0.20 0.30 0.40
#   onnx.reference   0.33 0.67 0.43 0.57  0.33 0.67 0.43 0.57
#   OpenVINO         0.25 0.33 0.75 0.67  0.10 0.20 0.30 0.40
#   OpenCV           0.25 0.33 0.75 0.67  0.25 0.33 0.75 0.67
#
# Ends with 0 while this is so, with 1 once a line has changed.
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
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

LOGITS = np.log(np.array([1, 2, 3, 4], np.float32)).reshape(1, 2, 1, 2)
CORE = openvino.Core()
CORE.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def model(operator):
    shape = list(LOGITS.shape)
    graph = helper.make_graph(
        [helper.make_node(operator, ["x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6).SerializeToString()


def by_the_standard(file):
    whole = LOGITS - np.log(np.exp(LOGITS).sum())
    return whole if b"LogSoftmax" in file else np.exp(whole)


def by_onnxruntime(file):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"x": LOGITS})[0]


def by_reference(file):
    return ReferenceEvaluator(file).run(None, {"x": LOGITS})[0]


def by_openvino(file):
    return CORE.compile_model(CORE.read_model(file), "CPU")(LOGITS)[0]


def by_opencv(file):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
    network.setInput(LOGITS)
    return network.forward()


def words(values):
    return " ".join(f"{value:.2f}" for value in values.ravel())


WHOLE, LAST, FIRST = "0.10 0.20 0.30 0.40", "0.33 0.67 0.43 0.57", "0.25 0.33 0.75 0.67"
LINES = {
    "by the standard": (by_the_standard, WHOLE, WHOLE),
    "ONNX Runtime": (by_onnxruntime, WHOLE, WHOLE),
    "onnx.reference": (by_reference, LAST, LAST),
    "OpenVINO": (by_openvino, FIRST, WHOLE),
    "OpenCV": (by_opencv, FIRST, FIRST),
}
same = True
print(f"{'runtime':17}{'Softmax':21}exp(LogSoftmax)")
for name, (run, *described) in LINES.items():
    seen = [words(run(model("Softmax"))), words(np.exp(run(model("LogSoftmax"))))]
    print(f"{name:17}{seen[0]:21}{seen[1]}")
    same &= seen == described
sys.exit(not same)
PY
