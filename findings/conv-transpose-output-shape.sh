#!/usr/bin/env bash
# An ONNX transposed convolution that says how large its output is has it cropped at the wrong end in OpenVINO, not cropped in onnx2torch, and followed by zeros in OpenCV.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, onnx2torch 1.5.15, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: a transposed convolution gives (size - 1) x stride + kernel pixels; output_shape asks for fewer, and the standard says where to cut if an odd number is too many: at the end for auto_pad SAME_UPPER, at
# the start for anything else. ONNX Runtime does that. OpenVINO cuts at the start for SAME_UPPER as well, but only where output_shape is there: auto_pad alone is right. OpenCV takes output_shape for output_padding, so many zeros
# behind the result; auto_pad alone is cut at both ends, one pixel more than was asked. onnx2torch does not look at output_shape. onnx.reference refuses it without auto_pad, though a file may have it so.
#
# Why a good guess is wrong: TensorFlow's and Keras' networks say the output's shape, and their files are where such layers come from; with a kernel as wide as twice the stride, which is usual, the number of pixels to cut is
# even and all but onnx2torch and OpenCV agree. With a kernel of 3 it is one, and the enlarged map is moved by a pixel against the map it is added to. "SAME_UPPER" reads as "more padding at the end", and cropping more at the end is what it is.
#
# What a program like ours must do: write pads and output_padding, never output_shape or auto_pad, and compare each file with the network in the runtime that it is for, at an odd kernel.
#
# Seen (1 2 3 by a kernel of 1 10 100 and stride 2; 7 pixels, or 6 where they are asked for):
#   attributes                ONNX Runtime         onnx.reference       OpenVINO             OpenCV                onnx2torch
#   none                      1 10 102 20 203 30 300 everywhere
#   output_shape              10 102 20 203 30 300 refused              10 102 20 203 30 300 the 7 and 9 zeros     the 7
#   output_shape, SAME_UPPER  1 10 102 20 203 30   1 10 102 20 203 30   10 102 20 203 30 300 refused               refused
#   output_shape, SAME_LOWER  10 102 20 203 30 300 10 102 20 203 30 300 10 102 20 203 30 300 refused               refused
#   SAME_UPPER                1 10 102 20 203 30   1 10 102 20 203 30   1 10 102 20 203 30   10 102 20 203 30      refused
#   SAME_LOWER                10 102 20 203 30 300 10 102 20 203 30 300 10 102 20 203 30 300 10 102 20 203 30      refused
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 torch==2.13.0
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93 onnx2torch==1.5.15
# onnx2torch imports torchvision, for regions of interest alone.
mkdir "$dir/torchvision"
echo 'from . import ops' > "$dir/torchvision/__init__.py"
echo 'roi_align = None' > "$dir/torchvision/ops.py"

cd "$dir"
# OpenCV writes what it refuses on the error output.
env/bin/python - 2> errors <<'PY' || { tail -n 20 errors >&2; exit 1; }
import sys

import cv2
import numpy as np
import onnxruntime
import openvino
import torch
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx2torch import convert

ROW = np.array([[[[1, 2, 3]]]], np.float32)
KERNEL = numpy_helper.from_array(np.array([[[[1, 10, 100]]]], np.float32), "w")


def model(width, attributes):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, size]) for name, size in (("x", 3), ("y", width))]
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[1, 2], **attributes)
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], [KERNEL])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def by_opencv(file):
    net = cv2.dnn.readNetFromONNX(np.frombuffer(file.SerializeToString(), np.uint8))
    net.setInput(ROW)
    return net.forward()


def by_onnx2torch(file):
    with torch.no_grad():
        return convert(file)(torch.from_numpy(ROW)).numpy()


WAYS = {
    "ONNX Runtime": lambda file: onnxruntime.InferenceSession(file.SerializeToString()).run(None, {"x": ROW})[0],
    "onnx.reference": lambda file: ReferenceEvaluator(file).run(None, {"x": ROW})[0],
    "OpenVINO": lambda file: openvino.Core().compile_model(openvino.Core().read_model(file.SerializeToString()), "CPU")(ROW)[0],
    "OpenCV": by_opencv,
    "onnx2torch": by_onnx2torch,
}


def text(way, file):
    try:
        return " ".join(f"{value:g}" for value in way(file).ravel())
    except (ValueError, NotImplementedError, cv2.error):
        return "refused"


ALL = "1 10 102 20 203 30 300"
END, START, BOTH = ALL.removesuffix(" 300"), ALL.removeprefix("1 "), "10 102 20 203 30"
SHAPE = {"output_shape": [1, 6]}
CASES = {
    "none": (7, {}, [ALL] * 5),
    "output_shape": (6, SHAPE, [START, "refused", START, ALL + 9 * " 0", ALL]),
    "output_shape, SAME_UPPER": (6, SHAPE | {"auto_pad": "SAME_UPPER"}, [END, END, START, "refused", "refused"]),
    "output_shape, SAME_LOWER": (6, SHAPE | {"auto_pad": "SAME_LOWER"}, [START, START, START, "refused", "refused"]),
    "SAME_UPPER": (6, {"auto_pad": "SAME_UPPER"}, [END, END, END, BOTH, "refused"]),
    "SAME_LOWER": (6, {"auto_pad": "SAME_LOWER"}, [START, START, START, BOTH, "refused"]),
}
same = True
for name, (width, attributes, described) in CASES.items():
    seen = [text(way, model(width, attributes)) for way in WAYS.values()]
    print(name)
    for way, values in zip(WAYS, seen):
        print(f"  {way:16}{values}")
    same &= seen == described
sys.exit(not same)
PY
