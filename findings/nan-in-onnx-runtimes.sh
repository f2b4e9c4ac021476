#!/usr/bin/env bash
# A NaN in a network comes out as 0, as 1, as 3.4e38 or as NaN: by the runtime, by the layer behind it, and by its place in a window.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, numpy 2.4.6; on x86-64.
#
# Behaviour: OpenVINO's ReLU makes 0 of a NaN, by itself and fused into a convolution. OpenCV's ReLU keeps it; fused into the convolution before it,
# the NaN becomes the largest float, and the sigmoid of it, fused, becomes 1: as sure as can be. OpenCV's ReLU makes a NaN of minus infinity, besides.
# Max pooling keeps or loses the NaN by the place it has in the window, in onnx.reference and OpenCV in opposite ways, and in ONNX Runtime by the stride, too; OpenVINO
# always loses it. The largest of 3, NaN and 1 is NaN for onnx.reference, 3 for ONNX Runtime, and 1 for OpenVINO and OpenCV: the NaN wipes out what came before it.
#
# Why a good guess is wrong: IEEE 754 and PyTorch spread a NaN, so one looks for NaNs in the answer to learn whether a network diverged or an image was
# broken. Each runtime that loses it answers with a class and its probability, and a softmax at the end still sums to 1. Testing one layer tells nothing:
# the same layer differs with what it is fused to, and a pooling with the pixel in which the NaN lies.
#
# What a program like ours must do: look for NaN and infinity in weights when they are loaded and in images before they go in, not in answers. When a
# network is compared with a runtime, do not expect NaN to agree.
#
# Seen (the outputs that a NaN reaches; a pooling has a window of 2x2 with 1, 2 and 3 beside the NaN):
#   layer                         ONNX Runtime  onnx.reference  OpenVINO  OpenCV
#   ReLU                          nan           nan             0         nan
#   ReLU of -inf                  0             0               0         nan
#   convolution and ReLU          nan           nan             0         3.4e+38
#   convolution and sigmoid       nan           nan             nan       1
#   max pooling, NaN first        3             nan             3         3
#   max pooling, NaN last         3             3               3         nan
#   the same at stride 1          nan           3               3         nan
#   largest of 3, NaN, 1          3             nan             1         1
#   ArgMax of 3, NaN, 1           0             1               0         0
#
# Ends with 0 while this is so, with 1 once a column has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

"$dir/env/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

NAN = float("nan")
CORE = openvino.Core()
CORE.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def by_onnxruntime(model, image):
    return onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": image})[0]


def by_reference(model, image):
    return ReferenceEvaluator(model).run(None, {"x": image})[0]


def by_openvino(model, image):
    return CORE.compile_model(CORE.read_model(model), "CPU")(image)[0]


def by_opencv(model, image):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    network.setInput(image)
    return network.forward()


def model(nodes, image, shape, kind):
    weights = [numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "w")]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, image.shape)],
        [helper.make_tensor_value_info("y", kind, shape)],
        [w for w in weights if any("w" in node.input for node in nodes)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


def convolved(then):
    conv = helper.make_node("Conv", ["x", "w"], ["t"])
    return [conv, helper.make_node(then, ["t"], ["y"])], np.full((1, 1, 4, 4), NAN, np.float32), (1, 1, 2, 2)


def pooled(values, stride):
    node = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[stride] * 2)
    return [node], np.array(values, np.float32).reshape(1, 1, 2, 2), (1, 1, 1, 1)


def one(operator, values, shape=(1, 1, 1, 1), **attributes):
    image = np.array(values, np.float32).reshape(1, 1, 1, -1)
    return [helper.make_node(operator, ["x"], ["y"], **attributes)], image, shape


LAYERS = {
    "ReLU": (one("Relu", [NAN]), "nan nan 0 nan"),
    "ReLU of -inf": (one("Relu", [-np.inf]), "0 0 0 nan"),
    "convolution and ReLU": (convolved("Relu"), "nan nan 0 3.4e+38"),
    "convolution and sigmoid": (convolved("Sigmoid"), "nan nan nan 1"),
    "max pooling, NaN first": (pooled([NAN, 1, 2, 3], 2), "3 nan 3 3"),
    "max pooling, NaN last": (pooled([1, 2, 3, NAN], 2), "3 3 3 nan"),
    "the same at stride 1": (pooled([1, 2, 3, NAN], 1), "nan 3 3 nan"),
    "largest of 3, NaN, 1": (one("ReduceMax", [3, NAN, 1]), "3 nan 1 1"),
    "ArgMax of 3, NaN, 1": (one("ArgMax", [3, NAN, 1], axis=3), "0 1 0 0"),
}
RUNTIMES = {"ONNX Runtime": by_onnxruntime, "onnx.reference": by_reference, "OpenVINO": by_openvino, "OpenCV": by_opencv}
same = True
print("{:30}{:14}{:16}{:10}{}".format("layer", *RUNTIMES))
for name, ((nodes, image, shape), described) in LAYERS.items():
    kind = TensorProto.INT64 if nodes[-1].op_type == "ArgMax" else TensorProto.FLOAT
    file = model(nodes, image, shape, kind)
    seen = [f"{float(run(file, image).ravel()[0]):.2g}" for run in RUNTIMES.values()]
    print("{:30}{:14}{:16}{:10}{}".format(name, *seen))
    same &= " ".join(seen) == described
sys.exit(not same)
PY
