#!/usr/bin/env bash
# LogSoftmax is the logarithm of a softmax in onnx.reference and OpenCV: a class that is unlikely enough has minus infinity, and the loss of a mistake is infinite.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: the logarithm of a softmax is x - max - ln(sum), finite for all finite logits; that is why LogSoftmax is an operator of its own. onnx.reference and OpenCV compute the softmax in float32 and take its logarithm. exp(-104) is 0 there,
# and before that, from -88 on, it has fewer and fewer bits in onnx.reference, which makes -99.98 of -100, and none in OpenCV, where it is 0 already. ReduceLogSumExp of OpenCV is infinite above 89, that of onnx.reference is not.
#
# Why a good guess is wrong: every text on the subject says to use log-softmax as it is stable, and a reference is expected to be. Below -88 nothing is likely and argmax is the same, so accuracy agrees to
# the last image. What breaks is what adds logarithms: a beam search over a line of characters, where one step of minus infinity rules a string out; a mean loss, infinite by one image; a temperature fitted to it.
#
# What a program like ours must do: end files in logits and take the log-softmax outside, in float64; test with logits 200 apart. Networks of squared distances (LeNet-5 of 1998) have such logits.
#
# Seen (logits 0 and the one below; the second answer of LogSoftmax, and the log of the sum of exp(100) and exp(0)):
#   runtime         -10   -100   -200   log-sum-exp
#   by hand         -10   -100   -200   100
#   ONNX Runtime    -10   -100   -200   100
#   OpenVINO        -10   -100   -200   100
#   onnx.reference  -10   -99.98 -inf   100
#   OpenCV          -10   -inf   -inf   inf
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

# NumPy warns of the logarithm of 0 on the error output.
"$dir/env/bin/python" - 2> "$dir/errors" <<'PY' || { cat "$dir/errors" >&2; exit 1; }
import sys

import cv2
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

CORE = openvino.Core()
CORE.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def model(operator, shape, **attributes):
    graph = helper.make_graph(
        [helper.make_node(operator, ["x"], ["y"], **attributes)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


SOFTMAX, SUM = model("LogSoftmax", [1, 2], axis=1), model("ReduceLogSumExp", [1, 1], axes=[1])


def by_hand(file, logits):
    total = np.logaddexp.reduce(logits.astype(float), axis=1, keepdims=True)
    return logits - total if file is SOFTMAX else total


def by_onnxruntime(file, logits):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"x": logits})[0]


def by_openvino(file, logits):
    return CORE.compile_model(CORE.read_model(file), "CPU")(logits)[0]


def by_reference(file, logits):
    return ReferenceEvaluator(file).run(None, {"x": logits})[0]


def by_opencv(file, logits):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
    network.setInput(logits)
    return network.forward()


STABLE = "-10 -100 -200 100"
RUNTIMES = {
    "by hand": (by_hand, STABLE),
    "ONNX Runtime": (by_onnxruntime, STABLE),
    "OpenVINO": (by_openvino, STABLE),
    "onnx.reference": (by_reference, "-10 -99.98 -inf 100"),
    "OpenCV": (by_opencv, "-10 -inf -inf inf"),
}
same = True
print(f"{'runtime':16}{'-10':6}{'-100':7}{'-200':7}log-sum-exp")
for name, (run, described) in RUNTIMES.items():
    seen = [f"{run(SOFTMAX, np.array([[0, low]], np.float32)).ravel()[1]:.4g}" for low in (-10, -100, -200)]
    seen.append(f"{run(SUM, np.array([[100, 0]], np.float32)).ravel()[0]:.4g}")
    print(f"{name:16}{seen[0]:6}{seen[1]:7}{seen[2]:7}{seen[3]}")
    same &= " ".join(seen) == described
sys.exit(not same)
PY
