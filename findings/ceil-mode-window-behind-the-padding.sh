#!/usr/bin/env bash
# A pooling with ceil_mode gives a column of -3.4e38, of NaN, or of means that are too small, in OpenVINO and OpenCV.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: ceil_mode rounds the number of windows up, so that the last one may hang over the edge. PyTorch, and ONNX with it, drop a window that would begin behind the
# image and its padding at the start, as it would see nothing. OpenVINO and OpenCV keep it in max pooling, which then has a last column of -3.4e38; OpenCV keeps it in averages, too: a mean of
# nothing, NaN or 0. (The shape inference of ONNX Runtime counts that column as well and warns that the file's shape differs; its kernel does not.) With count_include_pad the divisor
# of a mean is the part of the window that lies on the image or its padding; OpenVINO and OpenCV divide by the whole window.
#
# Why a good guess is wrong: both runtimes compute ceil_mode rightly for the usual window 2, stride 2, and for window 3, stride 2. A window is dropped only where the stride is
# larger than what is left, so a test of one size passes, and the file is valid. A shape that has one row more is either refused much later, by a dense layer, or not at all,
# where a global pooling follows: the largest of -3.4e38 and the rest is right, the mean is not.
#
# What a program like ours must do: not write ceil_mode into a file; write the padding that it amounts to, at the ends, for max pooling, and for average pooling
# pad with zeros first and divide by a map of counts, or refuse.
#
# Seen (a row of 1 to 5; window 2 and stride 3 with a padding of 1 on both sides; and window 3 and stride 2, counting padding, with a row of 1 to 6):
#   runtime         largest       mean      mean, padding counted  window 3
#   ONNX Runtime    1 4           1 3.5     0.5 3.5                1 3 5 3
#   onnx.reference  1 4           1 3.5     0.5 3.5                1 3 5 3
#   OpenVINO        1 4 -3.4e+38  1 3.5     0.5 3.5                1 3 5 2
#   OpenCV          1 4 -3.4e+38  1 3.5 nan 0.5 3.5 0              1 3 5 2
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

# ONNX Runtime warns of shapes on the error output.
"$dir/env/bin/python" - 2> "$dir/errors" <<'PY' || { cat "$dir/errors" >&2; exit 1; }
import sys

import cv2
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

CORE = openvino.Core()
CORE.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def model(operator, size, window, stride, windows, **attributes):
    """Returns a file that pools a row; `windows` is what PyTorch makes of it."""
    shape = dict(kernel_shape=[1, window], strides=[1, stride], pads=[0, 1, 0, 1], ceil_mode=1)
    graph = helper.make_graph(
        [helper.make_node(operator, ["x"], ["y"], **shape, **attributes)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 1, size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, windows])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9).SerializeToString()


def by_onnxruntime(file, row):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"x": row})[0]


def by_reference(file, row):
    return ReferenceEvaluator(file).run(None, {"x": row})[0]


def by_openvino(file, row):
    return CORE.compile_model(CORE.read_model(file), "CPU")(row)[0]


def by_opencv(file, row):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
    network.setInput(row)
    return network.forward()


POOLS = [
    (5, model("MaxPool", 5, 2, 3, 2)),
    (5, model("AveragePool", 5, 2, 3, 2)),
    (5, model("AveragePool", 5, 2, 3, 2, count_include_pad=1)),
    (6, model("AveragePool", 6, 3, 2, 4, count_include_pad=1)),
]
RIGHT = ["1 4", "1 3.5", "0.5 3.5", "1 3 5 3"]
RUNTIMES = {
    "ONNX Runtime": (by_onnxruntime, RIGHT),
    "onnx.reference": (by_reference, RIGHT),
    "OpenVINO": (by_openvino, ["1 4 -3.4e+38", "1 3.5", "0.5 3.5", "1 3 5 2"]),
    "OpenCV": (by_opencv, ["1 4 -3.4e+38", "1 3.5 nan", "0.5 3.5 0", "1 3 5 2"]),
}
same = True
print("{:16}{:14}{:10}{:23}{}".format("runtime", "largest", "mean", "mean, padding counted", "window 3"))
for name, (run, described) in RUNTIMES.items():
    rows = [run(file, np.arange(1, n + 1, dtype=np.float32).reshape(1, 1, 1, n)).ravel() for n, file in POOLS]
    seen = [" ".join(f"{value:.2g}" for value in row) for row in rows]
    print("{:16}{:14}{:10}{:23}{}".format(name, *seen))
    same &= seen == described
sys.exit(not same)
PY
