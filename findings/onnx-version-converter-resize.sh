#!/usr/bin/env bash
# onnx.version_converter moves the image by half a pixel: a linear Resize or Upsample that it takes past operator set 10 answers otherwise.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: Upsample (to 9) and Resize of operator set 10 lay pixel x of the result on x / scale of the image. From 11 on there is an attribute for that, coordinate_transformation_mode, whose
# default is half_pixel. The converter takes the node over and leaves the attribute out; so what was asymmetric becomes half_pixel. Where it goes back, from Softmax of 13 to 12, it keeps
# the axis, which there means all axes from this one on. Hardmax, whose axis changed in the same way as that of Softmax, is taken to 13 without the change; Softmax
# is taken there rightly. The checker finds nothing, shapes are the same.
#
# Why a good guess is wrong: a converter that knows what changed in Softmax is taken to know what changed. To the nearest pixel, by whole scales, both ways of laying pixels agree,
# and so the converted file passes a test that has an Upsample of the usual kind. And a linear one gives an image that looks as it did.
#
# What a program like ours must do: compare a converted file with the original, in a runtime, on images; write the attribute oneself; or convert by exporting again.
#
# Seen (ONNX Runtime; the first row of a ramp made twice as large; for Softmax and Hardmax the sum of an output of shape 1x2x1x2):
#   file                         before               after
#   Upsample linear, 9 to 13     1 1.5 2 2.5 3        1 1.25 1.75 2.25 2.75
#   Resize linear, 10 to 13      1 1.5 2 2.5 3        1 1.25 1.75 2.25 2.75
#   Resize nearest, 10 to 13     1 1 2 2 3            1 1 2 2 3
#   Softmax of maps, 11 to 13    1                    1
#   Softmax of maps, 13 to 12    2                    1
#   Hardmax of maps, 11 to 13    1                    2
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0

"$dir/env/bin/python" - <<'PY'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, checker, helper, numpy_helper, version_converter

RAMP = np.tile(np.arange(1, 5, dtype=np.float32), (1, 1, 4, 1))
MAPS = np.zeros((1, 2, 1, 2), np.float32)


def model(node, image, opset, scales=None):
    weights = [] if scales is None else [numpy_helper.from_array(np.array(scales, np.float32), "s")]
    shape = [size * scale for size, scale in zip(image.shape, scales or [1] * 4)]
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, image.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)


def enlarged(operator, mode, opset):
    return model(helper.make_node(operator, ["x", "s"], ["y"], mode=mode), RAMP, opset, [1, 1, 2, 2])


def maps(operator, opset, **attributes):
    return model(helper.make_node(operator, ["x"], ["y"], **attributes), MAPS, opset)


def answer(file, image):
    checker.check_model(file, full_check=True)
    session = onnxruntime.InferenceSession(file.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": image})[0]


def text(file):
    if file.graph.node[-1].op_type in ("Upsample", "Resize"):
        return " ".join(f"{value:g}" for value in answer(file, RAMP)[0, 0, 0, :5])
    return f"{answer(file, MAPS).sum():g}"


RIGHT, MOVED = "1 1.5 2 2.5 3", "1 1.25 1.75 2.25 2.75"
CASES = {
    "Upsample linear, 9 to 13": (enlarged("Upsample", "linear", 9), 13, RIGHT, MOVED),
    "Resize linear, 10 to 13": (enlarged("Resize", "linear", 10), 13, RIGHT, MOVED),
    "Resize nearest, 10 to 13": (enlarged("Resize", "nearest", 10), 13, "1 1 2 2 3", "1 1 2 2 3"),
    "Softmax of maps, 11 to 13": (maps("Softmax", 11), 13, "1", "1"),
    "Softmax of maps, 13 to 12": (maps("Softmax", 13, axis=1), 12, "2", "1"),
    "Hardmax of maps, 11 to 13": (maps("Hardmax", 11), 13, "1", "2"),
}
same = True
print(f"{'file':29}{'before':21}after")
for name, (file, opset, *described) in CASES.items():
    seen = [text(file), text(version_converter.convert_version(file, opset))]
    print(f"{name:29}{seen[0]:21}{seen[1]}")
    same &= seen == described
sys.exit(not same)
PY
