#!/usr/bin/env bash
# tract pads with a number if an ONNX Pad has one, whatever its mode: an edge that is to be repeated or mirrored is then a bar of zeros.
#
# Versions: tract 0.23.9, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: a Pad has a mode (constant, edge, reflect) and, since operator set 11, an optional third input with the number for the mode constant; the standard says that it is used in that mode. A file may have both. tract takes a node with three inputs for one of the mode
# constant and does not look at the mode. With two inputs it does, and is right in all three modes.
#
# Why a good guess is wrong: mode and value belong together, and who writes a Pad by hand writes one of them. Exporters and converters of operator sets have one piece of code for all modes, which writes the value always, 0 in most cases. Mirrored edges are there to spare
# a convolution the black bar: the answer is near, and worse along the edges, as if the network were.
#
# What a program like ours must do: leave the third input out for edge and reflect; compare a file with the network on an image that is not dark at its edges.
#
# Seen (a row of 1 2 3 4, padded by 2 in front and 1 behind):
#   mode, inputs             ONNX Runtime     tract
#   edge, 2 inputs           1 1 1 2 3 4 4    1 1 1 2 3 4 4
#   edge, with a 0           1 1 1 2 3 4 4    0 0 1 2 3 4 0
#   edge, with a 7           1 1 1 2 3 4 4    7 7 1 2 3 4 7
#   reflect, 2 inputs        3 2 1 2 3 4 3    3 2 1 2 3 4 3
#   reflect, with a 0        3 2 1 2 3 4 3    0 0 1 2 3 4 0
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


def model(op, x, constants, shape, opset, attributes):
    names = ["x"] + [f"c{place}" for place in range(len(constants))]
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape), helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)]
    node = helper.make_node(op, names, ["y"], **attributes)
    held = [numpy_helper.from_array(np.asarray(value), name) for name, value in zip(names[1:], constants)]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def by_onnxruntime(file, x):
    return onnxruntime.InferenceSession(file.SerializeToString()).run(None, {"x": x})[0]



def by_tract(file, x):
    onnx.save(file, "model.onnx")
    return tract.onnx().load("model.onnx").into_model().into_runnable().run([x])[0].to_numpy()


WAYS = {"ONNX Runtime": by_onnxruntime, "tract": by_tract}


def text(way, *arguments):
    values = way(*arguments)
    return " ".join(f"{value + 0.0:.4g}" for value in values.ravel())


ROW = np.array([[[[1, 2, 3, 4]]]], np.float32)
PADS = np.array([0, 0, 0, 2, 0, 0, 0, 1], np.int64)


def case(mode, value, right, by_tract):
    constants = [PADS] if value is None else [PADS, np.float32(value)]
    return ("Pad", ROW, constants, [1, 1, 1, 7], 17, {"mode": mode}, [right, by_tract])


CASES = {
    "edge, 2 inputs": case("edge", None, "1 1 1 2 3 4 4", "1 1 1 2 3 4 4"),
    "edge, with a 0": case("edge", 0, "1 1 1 2 3 4 4", "0 0 1 2 3 4 0"),
    "edge, with a 7": case("edge", 7, "1 1 1 2 3 4 4", "7 7 1 2 3 4 7"),
    "reflect, 2 inputs": case("reflect", None, "3 2 1 2 3 4 3", "3 2 1 2 3 4 3"),
    "reflect, with a 0": case("reflect", 0, "3 2 1 2 3 4 3", "0 0 1 2 3 4 0"),
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
