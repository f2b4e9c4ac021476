#!/usr/bin/env bash
# MNN drops the axis of a ReduceL1, ReduceL2, ReduceSumSquare or ReduceLogSumExp that does not say keepdims, and keeps that of a ReduceSum: what is divided by the norm afterwards is divided by another one's.
#
# Versions: MNN 3.6.1, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: keepdims is 1 for every reduction of ONNX if a node does not have it. MNN's converter takes it as 1 for ReduceSum, ReduceMean, ReduceMax and ReduceProd, and as 0 for the five that it puts together from others: ReduceL1, ReduceL2,
# ReduceSumSquare, ReduceLogSum, ReduceLogSumExp. The numbers are right, and the shape has an axis less. With keepdims written as 1, all are right.
#
# Why a good guess is wrong: an axis of 1 that is missing mostly fails somewhere. But broadcasting forgives it wherever the batch is as large as the features, or is 1 and followed by something square: (N, N) divided by (N) instead of (N, 1) divides
# each column by the norm of a row. Exporters that leave out attributes which are at their default, as ONNX' own optimisers do, make such files; those that write all of them do not.
#
# What a program like ours must do: write keepdims always; compare shapes with those of the file's shape inference after a conversion.
#
# Seen (shape and values, of 4 2 1 2 in a row, reduced over it):
#   reduction         ONNX Runtime    MNN         MNN, keepdims=1
#   ReduceSum         1x1: 9          1x1: 9      1x1: 9
#   ReduceMean        1x1: 2.25       1x1: 2.25   1x1: 2.25
#   ReduceL1          1x1: 9          1: 9        1x1: 9
#   ReduceL2          1x1: 5          1: 5        1x1: 5
#   ReduceSumSquare   1x1: 25         1: 25       1x1: 25
#   ReduceLogSum      1x1: 2.197      1: 2.197    1x1: 2.197
#   ReduceLogSumExp   1x1: 4.278      1: 4.278    1x1: 4.278
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
    return "x".join(map(str, values.shape)) + ": " + " ".join(f"{value + 0.0:.4g}" for value in values.ravel())


ROW = np.array([[4, 2, 1, 2]], np.float32)
VALUES = {
    "ReduceSum": ("9", "1x1"),
    "ReduceMean": ("2.25", "1x1"),
    "ReduceL1": ("9", "1"),
    "ReduceL2": ("5", "1"),
    "ReduceSumSquare": ("25", "1"),
    "ReduceLogSum": ("2.197", "1"),
    "ReduceLogSumExp": ("4.278", "1"),
}
CASES = {}
for op, (value, shape) in VALUES.items():
    constants, attributes = ([np.array([1])], {}) if op == "ReduceSum" else ([], {"axes": [1]})
    CASES[op] = (op, ROW, constants, [1, 1], 17, attributes, [f"1x1: {value}", f"{shape}: {value}"])
    CASES[op + ", keepdims"] = (op, ROW, constants, [1, 1], 17, attributes | {"keepdims": 1}, [f"1x1: {value}"] * 2)
same = True
with open("seen", "w") as table:
    for name, (op, x, constants, shape, opset, attributes, described) in CASES.items():
        file = model(op, x, constants, shape, opset, attributes)
        for (way, function), expected in zip(WAYS.items(), described, strict=True):
            seen = text(function, file, x)
            print(f"{name:27}{way:14}{seen}", file=table)
            same &= seen == expected
sys.exit(not same)
PY
cat seen
