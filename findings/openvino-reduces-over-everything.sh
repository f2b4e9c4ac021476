#!/usr/bin/env bash
# OpenVINO sums over all axes where an ONNX file of operator sets 13 to 17 says ReduceL1, ReduceLogSum or ReduceLogSumExp of some.
#
# Versions: openvino 2026.4.1, onnx 1.23.2, onnxruntime 1.32.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: the axes of the ten reductions were an attribute, and became an input: of ReduceSum in operator set 13, of the other nine in 18. OpenVINO looks for the input of these three from 13 on already, finds none, and takes that for "all axes". The attribute
# that is there is not looked at. With keepdims, the default, the shape has the right number of axes, all of them 1, so the next layer broadcasts it. ReduceMean, Max, Min, Prod, L2 and SumSquare of the same files are right, and so are all ten before 13 and from 18 on.
#
# Why a good guess is wrong: an attribute that is not known is an error, or should be; and a reader that does seven of ten right has been tested. A log-softmax that is written as x - ReduceLogSumExp(x), as exporters do, sums over the whole
# batch too: for one image of one row it is right, and with a batch each answer is too unlikely by the logarithm of how many there are. The class of the largest stays the largest.
#
# What a program like ours must do: write LogSoftmax, and for a mean of absolute values ReduceMean of Abs; export operator set 18 where one of the three is needed; compare a batch of several, not one image.
#
# Seen (two rows: 1 2 and 3 4; reduced over axis 1):
#   operator         operator set  ONNX Runtime  OpenCV     OpenVINO
#   ReduceL1         11            3 7           3 7        3 7
#   ReduceL1         13            3 7           3 7        10
#   ReduceL1         17            3 7           3 7        10
#   ReduceL1         18            3 7           3 7        3 7
#   ReduceLogSum     11            1.1 1.95      1.1 1.95   1.1 1.95
#   ReduceLogSum     13            1.1 1.95      1.1 1.95   2.3
#   ReduceLogSum     17            1.1 1.95      1.1 1.95   2.3
#   ReduceLogSum     18            1.1 1.95      1.1 1.95   1.1 1.95
#   ReduceLogSumExp  11            2.31 4.31     2.31 4.31  2.31 4.31
#   ReduceLogSumExp  13            2.31 4.31     2.31 4.31  4.44
#   ReduceLogSumExp  17            2.31 4.31     2.31 4.31  4.44
#   ReduceLogSumExp  18            2.31 4.31     2.31 4.31  2.31 4.31
#   ReduceL2         17            2.24 5        2.24 5     2.24 5
#   ReduceMean       17            1.5 3.5       1.5 3.5    1.5 3.5
#   ReduceMax        17            2 4           2 4        2 4
#   ReduceSumSquare  17            5 25          5 25       5 25
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
from onnx import TensorProto, helper, numpy_helper

ROWS = np.array([[1, 2], [3, 4]], np.float32)
CORE = openvino.Core()
CORE.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def model(operator, opset):
    axes = [numpy_helper.from_array(np.array([1], np.int64), "axes")] if opset >= 18 else []
    nodes = [helper.make_node(operator, ["x", "axes"][: 1 + len(axes)], ["y"], **({} if axes else {"axes": [1]}))]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", [2, 2]), ("y", [2, 1]))]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], axes)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString()


def by_opencv(file):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
    network.setInput(ROWS)
    return network.forward()


RUNTIMES = {
    "ONNX Runtime": lambda file: onnxruntime.InferenceSession(file).run(None, {"x": ROWS})[0],
    "OpenCV": by_opencv,
    "OpenVINO": lambda file: CORE.compile_model(CORE.read_model(file), "CPU")(ROWS)[0],
}
RIGHT = {
    "ReduceL1": "3 7",
    "ReduceLogSum": "1.1 1.95",
    "ReduceLogSumExp": "2.31 4.31",
    "ReduceL2": "2.24 5",
    "ReduceMean": "1.5 3.5",
    "ReduceMax": "2 4",
    "ReduceSumSquare": "5 25",
}
OF_ALL = {"ReduceL1": "10", "ReduceLogSum": "2.3", "ReduceLogSumExp": "4.44"}
same = True
print("{:17}{:14}{:14}{:11}{}".format("operator", "operator set", *RUNTIMES))
for operator, right in RIGHT.items():
    for opset in (11, 13, 17, 18) if operator in OF_ALL else (17,):
        file = model(operator, opset)
        seen = [" ".join(f"{value:.3g}" for value in run(file).ravel()) for run in RUNTIMES.values()]
        print("{:17}{:<14}{:14}{:11}{}".format(operator, opset, *seen))
        same &= seen == [right, right, OF_ALL[operator] if operator in OF_ALL and opset in (13, 17) else right]
sys.exit(not same)
PY
