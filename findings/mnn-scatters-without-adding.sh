#!/usr/bin/env bash
# MNN writes where an ONNX file says that it shall add: ScatterElements and ScatterND lose their reduction, a histogram of pixels is a list of ones.
#
# Versions: MNN 3.6.1, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: since operator set 16 a scatter may say what becomes of the number that is there: reduction add, mul, and since 18 max and min. MNN's converter leaves the attribute out, and each number that comes is put in the place of the one before. GatherElements
# reads a negative index, which counts from the end, as a place before the array, and gives 0. Both report success.
#
# Why a good guess is wrong: a new attribute of an old operator is what a converter must not pass over in silence, as the operator set's number is there to tell. With distinct places and an array of zeros, adding and writing are the same, and a test is like that. Counts by scatter (histograms, a Hough
# transform, a sum by groups) are then all 1.
#
# What a program like ours must do: refuse scatters with a reduction for such a runtime, or count by comparing and summing; make indexes non-negative before they are written.
#
# Seen (10 20 30; 1, 2 and 3 scattered to places 0, 0 and 2; gathered from places -1, 0 and 1):
#   operator               ONNX Runtime   MNN
#   ScatterElements        2 20 3         2 20 3
#   ScatterElements, add   13 20 33       2 20 3
#   ScatterElements, mul   20 20 90       2 20 3
#   ScatterElements, max   10 20 30       2 20 3
#   ScatterND, add         13 20 33       2 20 3
#   GatherElements         30 10 20       0 10 20
#   GatherElements, 2 0 1  30 10 20       30 10 20
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 MNN==3.6.1

cd "$dir"
# Libraries write notes on both outputs; the table goes to a file.
env/bin/python - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys

import _tools
import MNN
import MNN.expr as expr
import MNN.nn
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def model(op, x, constants, shape, opset, attributes):
    names = ["x"] + [f"c{place}" for place in range(len(constants))]
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape), helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)]
    node = helper.make_node(op, names, ["y"], **attributes)
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in zip(names[1:], constants)]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def by_onnxruntime(file, x):
    return onnxruntime.InferenceSession(file.SerializeToString()).run(None, {"x": x})[0]



def by_mnn(file, x):
    onnx.save(file, "model.onnx")
    _tools.mnnconvert("mnnconvert -f ONNX --modelFile model.onnx --MNNModel model.mnn --bizCode x".split())
    module = MNN.nn.load_module_from_file("model.mnn", ["x"], ["y"])
    answer = module.forward([expr.const(x, list(x.shape), expr.NCHW, expr.float)])
    answer = answer[0] if isinstance(answer, list) else answer
    return np.array(expr.convert(answer, expr.NCHW).read() if answer.data_format == expr.NC4HW4 else answer.read())


WAYS = {"ONNX Runtime": by_onnxruntime, "MNN": by_mnn}


def text(way, *arguments):
    values = way(*arguments)
    return " ".join(f"{value + 0.0:.4g}" for value in values.ravel())


ROW = np.array([[10, 20, 30]], np.float32)
NEW = np.array([[1, 2, 3]], np.float32)
PLACES = np.array([[0, 0, 2]])


def scatter(reduction, right):
    attributes = {"axis": 1} | ({"reduction": reduction} if reduction else {})
    return ("ScatterElements", ROW, [PLACES, NEW], [1, 3], 18, attributes, [right, "2 20 3"])


CASES = {
    "ScatterElements": scatter(None, "2 20 3"),
    "ScatterElements, add": scatter("add", "13 20 33"),
    "ScatterElements, mul": scatter("mul", "20 20 90"),
    "ScatterElements, max": scatter("max", "10 20 30"),
    "ScatterND, add": ("ScatterND", ROW, [np.array([[[0, 0], [0, 0], [0, 2]]]), NEW], [1, 3], 18, {"reduction": "add"}, ["13 20 33", "2 20 3"]),
    "GatherElements": ("GatherElements", ROW, [np.array([[-1, 0, 1]])], [1, 3], 18, {"axis": 1}, ["30 10 20", "0 10 20"]),
    "GatherElements, 2 0 1": ("GatherElements", ROW, [np.array([[2, 0, 1]])], [1, 3], 18, {"axis": 1}, ["30 10 20"] * 2),
}
same = True
with open("seen", "w") as table:
    for name, (op, x, constants, shape, opset, attributes, described) in CASES.items():
        file = model(op, x, constants, shape, opset, attributes)
        for (way, function), expected in zip(WAYS.items(), described, strict=True):
            seen = text(function, file, x)
            print(f"{name:23}{way:14}{seen}", file=table)
            same &= seen == expected
sys.exit(not same)
PY
cat seen
