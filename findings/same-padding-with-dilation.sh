#!/usr/bin/env bash
# ONNX's SAME padding forgets the dilation: the row is shorter in tinygrad, and in ONNX Runtime's pooling; moved by a pixel in OpenCV; a convolution is refused by ONNX Runtime.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, tinygrad 0.14.0, numpy 2.4.6.
#
# Behaviour: auto_pad SAME_UPPER pads so that there are as many pixels as before, divided by the stride and rounded up. A kernel of 3 with dilation 2 spans 5 pixels and needs 2 on each side. onnx.reference and OpenVINO give these. tinygrad pads for the 3, and gives 2 pixels of 4. OpenCV gives all
# 4, with the padding of an undilated kernel in front and the rest behind: the row is moved by a pixel, in the pooling as well. ONNX Runtime refuses the convolution by name ("Dilation not supported"), and has a shorter row in the max pooling without saying so.
#
# Why a good guess is wrong: "same" means the size, and one that is not the same is a contradiction in itself; that ONNX Runtime refuses one operator tells that the other one is understood. Behind a global pooling no shape fails, the edges just have no voice. Dilated convolutions
# with "same" are what TensorFlow's segmentation networks are made of.
#
# What a program like ours must do: compute pads from the dilated span, (kernel - 1) x dilation + 1, and write them; read auto_pad by computing pads too.
#
# Seen (a row of 1 2 3 4; a kernel of 1 10 100, a window of 2, both with dilation 2):
#   operator            ONNX Runtime   onnx.reference   OpenVINO        OpenCV         tinygrad
#   Conv                refused        310 420 31 42    310 420 31 42   420 31 42 3    420 31
#   Conv, no dilation   210 321 432 43 everywhere
#   MaxPool             3 4 3          2 3 4 3          2 3 4 3         3 4 3 4        3 4 3
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tinygrad==0.14.0
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

cd "$dir"
# Libraries write notes on both outputs; the table goes to a file.
DEV=PYTHON env/bin/python - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys

import cv2
import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from tinygrad import Tensor
from tinygrad.nn.onnx import OnnxRunner


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



def by_opencv(file, x):
    net = cv2.dnn.readNetFromONNX(np.frombuffer(file.SerializeToString(), np.uint8))
    net.setInput(x)
    return net.forward()



def by_tinygrad(file, x):
    onnx.save(file, "model.onnx")
    return OnnxRunner("model.onnx")({"x": Tensor(x)})["y"].numpy()


WAYS = {"ONNX Runtime": by_onnxruntime, "onnx.reference": by_reference, "OpenVINO": by_openvino, "OpenCV": by_opencv, "tinygrad": by_tinygrad}


def text(way, *arguments):
    try:
        values = way(*arguments)
    except (onnxruntime.capi.onnxruntime_pybind11_state.InvalidArgument, cv2.error):
        return "refused"
    return " ".join(f"{value + 0.0:.4g}" for value in values.ravel())


ROW = np.array([[[[1, 2, 3, 4]]]], np.float32)
KERNEL = np.array([[[[1, 10, 100]]]], np.float32)
DILATED = {"auto_pad": "SAME_UPPER", "dilations": [1, 2]}
CASES = {
    "Conv": ("Conv", ROW, [KERNEL], [1, 1, 1, 4], 17, DILATED, ["refused", "310 420 31 42", "310 420 31 42", "420 31 42 3", "420 31"]),
    "Conv, no dilation": ("Conv", ROW, [KERNEL], [1, 1, 1, 4], 17, {"auto_pad": "SAME_UPPER"}, ["210 321 432 43"] * 5),
    "MaxPool": ("MaxPool", ROW, [], [1, 1, 1, 4], 17, DILATED | {"kernel_shape": [1, 2]}, ["3 4 3", "2 3 4 3", "2 3 4 3", "3 4 3 4", "3 4 3"]),
}
same = True
with open("seen", "w") as table:
    for name, (op, x, constants, shape, opset, attributes, described) in CASES.items():
        file = model(op, x, constants, shape, opset, attributes)
        for (way, function), expected in zip(WAYS.items(), described, strict=True):
            seen = text(function, file, x)
            print(f"{name:19}{way:16}{seen}", file=table)
            same &= seen == expected
sys.exit(not same)
PY
cat seen
