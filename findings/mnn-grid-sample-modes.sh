#!/usr/bin/env bash
# MNN samples every GridSample with at most two of its options: a cubic one is linear, and one that mirrors at the edge repeats the edge.
#
# Versions: MNN 3.6.1, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: GridSample has a mode (linear, nearest, cubic) and says what lies outside the image (zeros, the border, the image mirrored). Converted by MNN, cubic is computed as linear, and reflection as border. Linear and nearest with zeros
# or border are right. The conversion reports success.
#
# Why a good guess is wrong: the file converts, the shapes are right, and what is usual works. Cubic against linear is a matter of a few greys inside of the image. Mirrored against repeated shows only where the
# grid leaves the image: in a spatial transformer or a rectified line, at the ends, and there by anything up to the whole range.
#
# What a program like ours must do: straighten images before the network, or export linear sampling with zeros; compare with ONNX Runtime on a grid that leaves the image on both sides.
#
# Seen (a row of 1 2 3 4 at -2, -1.5, -1, 1, 1.5 and 2, of which -1 to 1 is the image):
#   sampling            ONNX Runtime                     MNN
#   linear, zeros       0 0 0.5 2 0 0                    0 0 0.5 2 0 0
#   linear, border      1 1 1 4 4 4                      1 1 1 4 4 4
#   linear, reflection  2.5 1.5 1 4 3.5 2.5              1 1 1 4 4 4
#   nearest, reflection 2 2 1 4 4 2                      1 1 1 4 4 4
#   cubic, zeros        0 -0.0938 0.406 2.09 -0.375 0    0 0 0.5 2 0 0
#   cubic, border       1 1 0.906 4.09 4 4               1 1 1 4 4 4
#   cubic, reflection   2.5 1.41 0.812 4.19 3.59 2.5     1 1 1 4 4 4
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
    return " ".join(f"{value + 0.0:.3g}" for value in values.ravel())


ROW = np.array([[[[1, 2, 3, 4]]]], np.float32)
GRID = np.zeros((1, 1, 6, 2), np.float32)
GRID[..., 0] = [-2, -1.5, -1, 1, 1.5, 2]


def case(mode, padding, right, described):
    return ("GridSample", ROW, [GRID], [1, 1, 1, 6], 16, {"mode": mode, "padding_mode": padding}, [right, described])


ZEROS, BORDER = "0 0 0.5 2 0 0", "1 1 1 4 4 4"
CASES = {
    "linear, zeros": case("bilinear", "zeros", ZEROS, ZEROS),
    "linear, border": case("bilinear", "border", BORDER, BORDER),
    "linear, reflection": case("bilinear", "reflection", "2.5 1.5 1 4 3.5 2.5", BORDER),
    "nearest, reflection": case("nearest", "reflection", "2 2 1 4 4 2", BORDER),
    "cubic, zeros": case("bicubic", "zeros", "0 -0.0938 0.406 2.09 -0.375 0", ZEROS),
    "cubic, border": case("bicubic", "border", "1 1 0.906 4.09 4 4", BORDER),
    "cubic, reflection": case("bicubic", "reflection", "2.5 1.41 0.812 4.19 3.59 2.5", BORDER),
}
same = True
with open("seen", "w") as table:
    for name, (op, x, constants, shape, opset, attributes, described) in CASES.items():
        file = model(op, x, constants, shape, opset, attributes)
        for (way, function), expected in zip(WAYS.items(), described, strict=True):
            seen = text(function, file, x)
            print(f"{name:21}{way:14}{seen}", file=table)
            same &= seen == expected
sys.exit(not same)
PY
cat seen
