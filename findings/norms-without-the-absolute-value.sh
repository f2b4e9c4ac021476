#!/usr/bin/env bash
# A sum of absolute values is a sum of values in onnx.reference's LpNormalization and in tract's GlobalLpPool, which takes a mean besides: signs are turned round, or the norm is negative, or NaN.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, tract 0.23.9, openvino 2026.4.1, numpy 2.4.6.
#
# Behaviour: the p-norm is the p-th root of the sum of |x|^p. onnx.reference leaves the absolute value out in LpNormalization: by p = 1 it divides by the sum, and 1 -2 becomes -1 2, with the signs turned round. tract leaves it
# out in GlobalLpPool, and divides the sum by the number of pixels before the root, for each p; of a negative sum the root for p = 3 is NaN. Each is right in the other operator, or does not have it. ONNX Runtime and OpenVINO are right in both.
#
# Why a good guess is wrong: the power 2 needs no absolute value, and behind a ReLU there is nothing negative; a mean instead of a sum is a constant factor, which a normalisation that follows takes out. A reference implementation is what others are tested against: who normalises by p = 1 and compares with it "repairs" the one that is right. Sums
# near 0, which random numbers of both signs have, give large numbers of random sign.
#
# What a program like ours must do: test norms with numbers of both signs, at odd p, against the formula; take no implementation for the standard because of its name.
#
# Seen (1 -2 3 -4 in 2x2; normalised down the columns, 1 3 and -2 -4; pooled):
#   operator                  ONNX Runtime             onnx.reference        OpenVINO                 tract
#   LpNormalization, p=2      0.316 -0.447 0.949 -0.894 everywhere
#   LpNormalization, p=1      0.25 -0.333 0.75 -0.667  0.25 0.333 0.75 0.667 as ONNX Runtime          as ONNX Runtime
#   GlobalLpPool, p=1         10                       refused               10                       -0.5
#   GlobalLpPool, p=2         5.48                     refused               5.48                     2.74
#   GlobalLpPool, p=3         4.64                     refused               4.64                     nan
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9

cd "$dir"
# Libraries write notes on both outputs; the table goes to a file.
env/bin/python - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys

import numpy as np
import onnx
import onnxruntime
import openvino
import tract
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


def model(op, x, constants, shape, opset, attributes):
    names = ["x"] + [f"c{place}" for place in range(len(constants))]
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape), helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)]
    node = helper.make_node(op, names, ["y"], **attributes)
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in zip(names[1:], constants)]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def by_onnxruntime(file, x):
    return onnxruntime.InferenceSession(file.SerializeToString()).run(None, {"x": x})[0]



def by_reference(file, x):
    return ReferenceEvaluator(file).run(None, {"x": x})[0]



def by_openvino(file, x):
    core = openvino.Core()
    return core.compile_model(core.read_model(file.SerializeToString()), "CPU")(x)[0]



def by_tract(file, x):
    onnx.save(file, "model.onnx")
    return tract.onnx().load("model.onnx").into_model().into_runnable().run([x])[0].to_numpy()


WAYS = {"ONNX Runtime": by_onnxruntime, "onnx.reference": by_reference, "OpenVINO": by_openvino, "tract": by_tract}


def text(way, *arguments):
    try:
        values = way(*arguments)
    except NotImplementedError:
        return "refused"
    return " ".join(f"{value + 0.0:.3g}" for value in values.ravel())


SQUARE = np.array([[[[1, -2], [3, -4]]]], np.float32)


def normalised(p, right, by_reference):
    return ("LpNormalization", SQUARE, [], [1, 1, 2, 2], 17, {"p": p, "axis": 2}, [right, by_reference, right, right])


def pooled(p, right, by_tract):
    return ("GlobalLpPool", SQUARE, [], [1, 1, 1, 1], 17, {"p": p}, [right, "refused", right, by_tract])


TWO = "0.316 -0.447 0.949 -0.894"
CASES = {
    "LpNormalization, p=2": normalised(2, TWO, TWO),
    "LpNormalization, p=1": normalised(1, "0.25 -0.333 0.75 -0.667", "0.25 0.333 0.75 0.667"),
    "GlobalLpPool, p=1": pooled(1, "10", "-0.5"),
    "GlobalLpPool, p=2": pooled(2, "5.48", "2.74"),
    "GlobalLpPool, p=3": pooled(3, "4.64", "nan"),
}
same = True
with open("seen", "w") as table:
    for name, (op, x, constants, shape, opset, attributes, described) in CASES.items():
        file = model(op, x, constants, shape, opset, attributes)
        for (way, function), expected in zip(WAYS.items(), described, strict=True):
            seen = text(function, file, x)
            print(f"{name:22}{way:16}{seen}", file=table)
            same &= seen == expected
sys.exit(not same)
PY
cat seen
