#!/usr/bin/env bash
# MNN's Shrink removes the large negative numbers and keeps the small ones, which it is there to remove.
#
# Versions: MNN 3.6.1, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: Shrink sets numbers between -lambd and lambd to 0, adds bias to those below and subtracts it from those above. MNN is right above 0. Below 0 it compares the other way
# round: -3 becomes 0 with a lambd of 2, and -1 stays, with the bias added. Nothing is said.
#
# Why a good guess is wrong: for positive numbers it is right, and so it is behind a ReLU. PyTorch's Hardshrink and Softshrink are exported to this operator; they are there for the coefficients of a sparse code, or a wavelet, which have both signs. The mean of the answers is still near 0.
#
# What a program like ours must do: write a Shrink as comparisons and a selection; compare each activation on numbers of both signs, near to and far from each threshold.
#
# Seen (of -3 -1 0 1 3):
#   lambd, bias     ONNX Runtime       MNN
#   2, 0            -3 0 0 0 3         0 -1 0 0 3
#   2, 0.5          -2.5 0 0 0 2.5     0 -0.5 0 0 2.5
#   0.5, 0          -3 -1 0 1 3        0 0 0 1 3
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


SIGNS = np.array([[-3, -1, 0, 1, 3]], np.float32)


def case(threshold, bias, right, by_mnn):
    return ("Shrink", SIGNS, [], [1, 5], 17, {"lambd": threshold, "bias": bias}, [right, by_mnn])


CASES = {
    "lambd 2, bias 0": case(2.0, 0.0, "-3 0 0 0 3", "0 -1 0 0 3"),
    "lambd 2, bias 0.5": case(2.0, 0.5, "-2.5 0 0 0 2.5", "0 -0.5 0 0 2.5"),
    "lambd 0.5, bias 0": case(0.5, 0.0, "-3 -1 0 1 3", "0 0 0 1 3"),
}
same = True
with open("seen", "w") as table:
    for name, (op, x, constants, shape, opset, attributes, described) in CASES.items():
        file = model(op, x, constants, shape, opset, attributes)
        for (way, function), expected in zip(WAYS.items(), described, strict=True):
            seen = text(function, file, x)
            print(f"{name:19}{way:14}{seen}", file=table)
            same &= seen == expected
sys.exit(not same)
PY
cat seen
