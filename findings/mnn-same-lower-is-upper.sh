#!/usr/bin/env bash
# MNN takes auto_pad SAME_LOWER for SAME_UPPER: convolutions and poolings of even kernels or stride 2 move the image by a pixel, without a word.
#
# Versions: MNN 3.6.1, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: where the padding that keeps a size is odd, SAME_UPPER has the extra pixel at the end and SAME_LOWER at the start; that is all the two differ in. MNN knows one "SAME", the upper one, and makes of a file
# with the other the same network. So it is for Conv, ConvTranspose, MaxPool and AveragePool; shapes are equal. Where the padding is even both are one.
#
# Why a good guess is wrong: what reads the attribute reads its two values, one expects, or refuses one. A 3x3 convolution of stride 1 is right, a pooling of 2x2 with stride 2 on an even size is, too: with 28x28
# nothing shows until 7x7 is halved. The answer is the network's on an image shifted by a pixel, which a digit in the middle survives and a character of a line that was cut closely does not.
#
# What a program like ours must do: write pads as numbers, never auto_pad; test an exported network on odd sizes with an even kernel.
#
# Seen (a row of 1 2 3 4 by a kernel of 1 10, and of 1 10 100 transposed with stride 2; poolings of 2x2 and stride 2 over 0 to 8 in 3x3):
#   SAME_UPPER: ONNX Runtime and MNN agree in all four
#   SAME_LOWER       ONNX Runtime                   MNN
#   Conv             10 21 32 43                    21 32 43 4
#   ConvTranspose    10 102 20 203 30 304 40 400    1 10 102 20 203 30 304 40
#   MaxPool          0 2 6 8                        4 5 7 8
#   AveragePool      0 1.5 4.5 6                    2 3.5 6.5 8
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


ROW = np.array([[[[1, 2, 3, 4]]]], np.float32)
SQUARE = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
PAIR = np.array([[[[1, 10]]]], np.float32)
THREE = np.array([[[[1, 10, 100]]]], np.float32)
WINDOW = {"kernel_shape": [2, 2], "strides": [2, 2]}
UPPER, LOWER = {"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER"}
CASES = {
    "Conv, upper": ("Conv", ROW, [PAIR], [1, 1, 1, 4], 17, UPPER, ["21 32 43 4"] * 2),
    "Conv, lower": ("Conv", ROW, [PAIR], [1, 1, 1, 4], 17, LOWER, ["10 21 32 43", "21 32 43 4"]),
    "ConvTranspose, upper": ("ConvTranspose", ROW, [THREE], [1, 1, 1, 8], 17, UPPER | {"strides": [1, 2]}, ["1 10 102 20 203 30 304 40"] * 2),
    "ConvTranspose, lower": (
        "ConvTranspose",
        ROW,
        [THREE],
        [1, 1, 1, 8],
        17,
        LOWER | {"strides": [1, 2]},
        ["10 102 20 203 30 304 40 400", "1 10 102 20 203 30 304 40"],
    ),
    "MaxPool, upper": ("MaxPool", SQUARE, [], [1, 1, 2, 2], 17, UPPER | WINDOW, ["4 5 7 8"] * 2),
    "MaxPool, lower": ("MaxPool", SQUARE, [], [1, 1, 2, 2], 17, LOWER | WINDOW, ["0 2 6 8", "4 5 7 8"]),
    "AveragePool, upper": ("AveragePool", SQUARE, [], [1, 1, 2, 2], 17, UPPER | WINDOW, ["2 3.5 6.5 8"] * 2),
    "AveragePool, lower": ("AveragePool", SQUARE, [], [1, 1, 2, 2], 17, LOWER | WINDOW, ["0 1.5 4.5 6", "2 3.5 6.5 8"]),
}
same = True
with open("seen", "w") as table:
    for name, (op, x, constants, shape, opset, attributes, described) in CASES.items():
        file = model(op, x, constants, shape, opset, attributes)
        for (way, function), expected in zip(WAYS.items(), described, strict=True):
            seen = text(function, file, x)
            print(f"{name:22}{way:14}{seen}", file=table)
            same &= seen == expected
sys.exit(not same)
PY
cat seen
