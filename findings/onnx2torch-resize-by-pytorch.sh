#!/usr/bin/env bash
# onnx2torch makes PyTorch's interpolate of each ONNX Resize: the coordinates, the rounding and the cubic coefficient that the file states are not looked at.
#
# Versions: onnx2torch 1.5.15, onnx 1.23.2, onnxruntime 1.32.0, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: only align_corners is told from the other coordinate transformations. Linear and cubic of any other are computed as half_pixel, nearest always as asymmetric with floor, cubic_coeff_a always as -0.75, and exclude_outside is dropped. An enlargement of nearest pixels by a
# whole number is the same in all of them, which is where such files usually come from. A Resize of operator set 18 or later is refused.
#
# Why a good guess is wrong: a converter that goes from ONNX to PyTorch is used to train a network further, or to look into it, and raises an error for what it cannot do. Files from TensorFlow are asymmetric throughout, and nearest
# as ONNX has it by default is half_pixel with round_prefer_floor, which PyTorch calls nearest-exact: neither is what comes out. The shape is right and the image moved by up to a pixel, which a network partly forgives.
#
# What a program like ours must do: compare the converted module with ONNX Runtime on an image that is not smooth; resize outside of the file.
#
# Seen (a row of 0 10 20 30 made 6 pixels wide, in the first case 3):
#   Resize                      ONNX Runtime                     onnx2torch
#   nearest (half_pixel), to 3  0 10 30                          0 10 20
#   nearest, asymmetric, floor  0 0 10 20 20 30                  0 0 10 20 20 30
#   nearest, asymmetric, ceil   0 10 20 20 30 30                 0 0 10 20 20 30
#   linear (half_pixel)         0 5 11.7 18.3 25 30              0 5 11.7 18.3 25 30
#   linear, asymmetric          0 6.67 13.3 20 26.7 30           0 5 11.7 18.3 25 30
#   linear, align_corners       0 6 12 18 24 30                  0 6 12 18 24 30
#   cubic (half_pixel)          -0.868 4.06 12.1 17.9 25.9 30.9  -0.868 4.06 12.1 17.9 25.9 30.9
#   cubic, coefficient -0.5     -0.579 4.38 11.7 18.3 25.6 30.6  -0.868 4.06 12.1 17.9 25.9 30.9
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 torch==2.13.0
"$dir/env/bin/pip" install -qq --no-deps onnx2torch==1.5.15
# It imports torchvision, for regions of interest alone.
mkdir "$dir/torchvision"
echo 'from . import ops' > "$dir/torchvision/__init__.py"
echo 'roi_align = None' > "$dir/torchvision/ops.py"

cd "$dir"
env/bin/python - <<'PY'
import sys

import numpy as np
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx2torch import convert

ROW = np.array([[[[0, 10, 20, 30]]]], np.float32)


def model(width, **attributes):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, size]) for name, size in (("x", 4), ("y", width))]
    sizes = numpy_helper.from_array(np.array([1, 1, 1, width], np.int64), "s")
    graph = helper.make_graph([helper.make_node("Resize", ["x", "", "", "s"], ["y"], **attributes)], "g", ends[:1], ends[1:], [sizes])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def text(values):
    return " ".join(f"{value + 0.0:.3g}" for value in np.asarray(values).ravel())


PLACE = "coordinate_transformation_mode"
CASES = {
    "nearest (half_pixel), to 3": (3, dict(mode="nearest"), "0 10 30", "0 10 20"),
    "nearest, asymmetric, floor": (6, {"mode": "nearest", PLACE: "asymmetric", "nearest_mode": "floor"}, "0 0 10 20 20 30", ""),
    "nearest, asymmetric, ceil": (6, {"mode": "nearest", PLACE: "asymmetric", "nearest_mode": "ceil"}, "0 10 20 20 30 30", "0 0 10 20 20 30"),
    "linear (half_pixel)": (6, dict(mode="linear"), "0 5 11.7 18.3 25 30", ""),
    "linear, asymmetric": (6, {"mode": "linear", PLACE: "asymmetric"}, "0 6.67 13.3 20 26.7 30", "0 5 11.7 18.3 25 30"),
    "linear, align_corners": (6, {"mode": "linear", PLACE: "align_corners"}, "0 6 12 18 24 30", ""),
    "cubic (half_pixel)": (6, dict(mode="cubic"), "-0.868 4.06 12.1 17.9 25.9 30.9", ""),
    "cubic, coefficient -0.5": (6, dict(mode="cubic", cubic_coeff_a=-0.5), "-0.579 4.38 11.7 18.3 25.6 30.6", "-0.868 4.06 12.1 17.9 25.9 30.9"),
}
same = True
print(f"{'Resize':28}{'ONNX Runtime':33}onnx2torch")
for name, (width, attributes, right, described) in CASES.items():
    file = model(width, **attributes)
    by_runtime = onnxruntime.InferenceSession(file.SerializeToString()).run(None, {"x": ROW})[0]
    with torch.no_grad():
        seen = [text(by_runtime), text(convert(file)(torch.from_numpy(ROW)))]
    print("{:28}{:33}{}".format(name, *seen))
    same &= seen == [right, described or right]
sys.exit(not same)
PY
