#!/usr/bin/env bash
# The first row and column of an image that MNN doubles cubically are the third ones over again; all others are right.
#
# Versions: MNN 3.6.1, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: with half_pixel, the default of ONNX and what PyTorch's bicubic interpolation is exported to, the first new pixels lie a little before the first old one, at -0.25 for a doubled size. MNN takes the fraction from the pixel
# before, three fourths, and adds it to the first one: what should lie at -0.25 is read at 0.75. At larger factors more lines lie there, and all are wrong. The last row and column, which lie behind the end by as much, are right, and so is all with asymmetric or align_corners coordinates, where nothing lies before the first pixel.
#
# Why a good guess is wrong: a resizing that is wrong is thought to be wrong throughout, by half a pixel, a coefficient. An image with a margin has the same grey there, and hides it. Three fourths of the edges are right, and so is a comparison of means: 1 pixel in 2 x 28 is off.
# In a network that enlarges maps by cubic steps, as those for segmentation do, each step adds a line at the top and left.
#
# What a program like ours must do: not let a runtime resize cubically; where it must, compare pixel by pixel with a ramp, on all four sides.
#
# Seen (a row of 1 2 3 4 enlarged to 8):
#   coordinates    ONNX Runtime                                  MNN
#   half_pixel     0.895 1.19 1.67 2.3 2.7 3.33 3.81 4.11        1.67 1.19 1.67 2.3 2.7 3.33 3.81 4.11
#   asymmetric     1 1.41 2 2.5 3 3.59 4 4.09                    1 1.41 2 2.5 3 3.59 4 4.09
#   align_corners  1 1.34 1.8 2.33 2.67 3.2 3.66 4               1 1.34 1.8 2.33 2.67 3.2 3.66 4
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
NOTHING = np.array([], np.float32)
SIZES = np.array([1, 1, 1, 8], np.int64)


def case(place, right, described):
    attributes = {"mode": "cubic", "coordinate_transformation_mode": place}
    return ("Resize", ROW, [NOTHING, NOTHING, SIZES], [1, 1, 1, 8], 18, attributes, [right, described])


HALF = "0.895 1.19 1.67 2.3 2.7 3.33 3.81 4.11"
ASYMMETRIC, CORNERS = "1 1.41 2 2.5 3 3.59 4 4.09", "1 1.34 1.8 2.33 2.67 3.2 3.66 4"
CASES = {
    "half_pixel": case("half_pixel", HALF, HALF.replace("0.895", "1.67")),
    "asymmetric": case("asymmetric", ASYMMETRIC, ASYMMETRIC),
    "align_corners": case("align_corners", CORNERS, CORNERS),
}
same = True
with open("seen", "w") as table:
    for name, (op, x, constants, shape, opset, attributes, described) in CASES.items():
        file = model(op, x, constants, shape, opset, attributes)
        for (way, function), expected in zip(WAYS.items(), described, strict=True):
            seen = text(function, file, x)
            print(f"{name:15}{way:14}{seen}", file=table)
            same &= seen == expected
sys.exit(not same)
PY
cat seen
