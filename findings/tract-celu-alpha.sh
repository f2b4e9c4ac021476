#!/usr/bin/env bash
# tract reads the alpha of a Celu as a factor before the exponential, which is Elu: for alpha 0.5 all negative activations are twice as large, for 2 half as large.
#
# Versions: tract 0.23.9, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: ONNX, PyTorch and the paper define Celu as alpha (exp(x / alpha) - 1) below 0, so that its slope has no step at 0. tract computes exp(x / alpha) - 1, without the factor: towards minus infinity it goes to -1, not to -alpha. With alpha = 1, the
# default, it is right, as Elu is for every alpha.
#
# Why a good guess is wrong: the alpha is read, one sees it in the answers: they change with it, and the curve is smooth but for a kink at 0. Celu without an alpha is the same as Elu, and is what is tested. A network's answers are off by what no rounding explains, and the shape
# of the curve in a plot is plausible.
#
# What a program like ours must do: compare activations with the definition at several values of each parameter, at negative inputs of -3 and beyond; write a Celu as its parts if a file is to run everywhere.
#
# Seen (of -3 -1 0 1):
#   alpha    ONNX Runtime           onnx.reference         tract
#   1        -0.95 -0.632 0 1       -0.95 -0.632 0 1       -0.95 -0.632 0 1
#   0.5      -0.499 -0.432 0 1      -0.499 -0.432 0 1      -0.998 -0.865 0 1
#   2        -1.55 -0.787 0 1       -1.55 -0.787 0 1       -0.777 -0.393 0 1
#   Elu, 2   -1.9 -1.26 0 1         -1.9 -1.26 0 1         -1.9 -1.26 0 1
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9

cd "$dir"
# Libraries write notes on both outputs; the table goes to a file.
env/bin/python - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys

import numpy as np
import onnx
import onnxruntime
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



def by_tract(file, x):
    onnx.save(file, "model.onnx")
    return tract.onnx().load("model.onnx").into_model().into_runnable().run([x])[0].to_numpy()


WAYS = {"ONNX Runtime": by_onnxruntime, "onnx.reference": by_reference, "tract": by_tract}


def text(way, *arguments):
    values = way(*arguments)
    return " ".join(f"{value + 0.0:.3g}" for value in values.ravel())


SIGNS = np.array([[-3, -1, 0, 1]], np.float32)


def case(op, alpha, right, by_tract):
    return (op, SIGNS, [], [1, 4], 17, {"alpha": alpha}, [right, right, by_tract])


CASES = {
    "Celu, alpha 1": case("Celu", 1.0, "-0.95 -0.632 0 1", "-0.95 -0.632 0 1"),
    "Celu, alpha 0.5": case("Celu", 0.5, "-0.499 -0.432 0 1", "-0.998 -0.865 0 1"),
    "Celu, alpha 2": case("Celu", 2.0, "-1.55 -0.787 0 1", "-0.777 -0.393 0 1"),
    "Elu, alpha 2": case("Elu", 2.0, "-1.9 -1.26 0 1", "-1.9 -1.26 0 1"),
}
same = True
with open("seen", "w") as table:
    for name, (op, x, constants, shape, opset, attributes, described) in CASES.items():
        file = model(op, x, constants, shape, opset, attributes)
        for (way, function), expected in zip(WAYS.items(), described, strict=True):
            seen = text(function, file, x)
            print(f"{name:17}{way:16}{seen}", file=table)
            same &= seen == expected
sys.exit(not same)
PY
cat seen
