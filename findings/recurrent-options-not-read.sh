#!/usr/bin/env bash
# The options of an ONNX LSTM or GRU are passed over: activations, clip and lengths by onnx.reference, peepholes and coupled gates by OpenVINO, and OpenCV returns one step of a GRU.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: the four recurrent inputs of an ONNX file have options that few networks use. onnx.reference computes LSTM and GRU with sigmoid and tanh whatever activations says, without clip, and runs to the end where sequence_lens says that a line is shorter;
# its LSTM has no coupled gates (input_forget). OpenVINO leaves out the peepholes of an LSTM, and input_forget; OpenCV leaves out clip and input_forget, and of a GRU lengths; of an LSTM it refuses them. A GRU of OpenCV returns its last step in the place of all.
# None of them says so.
#
# Why a good guess is wrong: the reference is what one compares other runtimes with, and it refuses operators that it does not have. Lengths are the one option that text readers do need: lines of a batch are padded to the longest,
# and an LSTM that reads on through the padding answers otherwise for short lines, backwards from the first step on. A test with one line, or with lines that are equally long, shows nothing.
#
# What a program like ours must do: run lines of equal length together, or each alone, rather than give lengths; write no option into a recurrent layer; take ONNX Runtime for the reference here.
#
# Seen (largest difference from ONNX Runtime, in the output of each step, by option; weights and inputs are fixed numbers between -1 and 1):
#   layer option         onnx.reference  OpenVINO  OpenCV
#   LSTM  none           0.00            0.00      0.00
#   LSTM  activations    0.74            0.00      refused
#   LSTM  clip           0.59            0.00      0.59
#   LSTM  sequence_lens  0.49            0.00      refused
#   LSTM  peepholes      0.00            0.11      refused
#   LSTM  input_forget   0.15            0.15      0.15
#   GRU   none           0.00            0.00      last step: 0.00
#   GRU   activations    1.69            0.00      refused
#   GRU   clip           0.75            0.00      last step: 0.64
#   GRU   sequence_lens  0.97            0.00      last step: 0.83
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

"$dir/env/bin/python" - 2> "$dir/errors" <<'PY' || { cat "$dir/errors" >&2; exit 1; }
import sys

import cv2
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

STEPS, LINES, SEEN, CELLS = 5, 2, 4, 3
GATES = {"LSTM": 4, "GRU": 3}
CORE = openvino.Core()
CORE.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def numbers(*shape):
    return np.sin(np.arange(np.prod(shape)) * 1.7 + len(shape)).astype(np.float32).reshape(shape)


LINE = numbers(STEPS, LINES, SEEN)


def model(kind, lengths=None, peepholes=False, **attributes):
    gates = GATES[kind] * CELLS
    constants = {"w": numbers(1, gates, SEEN), "r": numbers(1, gates, CELLS), "b": numbers(1, 2 * gates)}
    inputs = ["x", "w", "r", "b"]
    if lengths:
        constants["l"] = np.array(lengths, np.int32)
        inputs.append("l")
    if peepholes:
        constants["p"] = numbers(1, 3 * CELLS)
        inputs += ["", "", "", "p"]
    node = helper.make_node(kind, inputs, ["y"], hidden_size=CELLS, **attributes)
    shapes = {"x": [STEPS, LINES, SEEN], "y": [STEPS, 1, LINES, CELLS]}
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def by_opencv(file):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
    network.setInput(LINE)
    return network.forward()


RUNTIMES = {
    "onnx.reference": lambda file: ReferenceEvaluator(file).run(None, {"x": LINE})[0],
    "OpenVINO": lambda file: CORE.compile_model(CORE.read_model(file), "CPU")(LINE)[0],
    "OpenCV": by_opencv,
}
OPTIONS = {
    "none": {},
    "activations": {},
    "clip": {"clip": 0.3},
    "sequence_lens": {"lengths": [5, 3]},
    "peepholes": {"peepholes": True},
    "input_forget": {"input_forget": 1},
}


def told(right, run, file):
    try:
        seen = run(file)
    except (cv2.error, RuntimeError, ValueError):
        return "refused"
    if seen.shape != right.shape:
        right = right[-1]
        return f"last step: {np.abs(seen - right).max():.2f}"
    return f"{np.abs(seen - right).max():.2f}"


DESCRIBED = {
    "LSTM": {
        "none": ["0.00", "0.00", "0.00"],
        "activations": ["0.74", "0.00", "refused"],
        "clip": ["0.59", "0.00", "0.59"],
        "sequence_lens": ["0.49", "0.00", "refused"],
        "peepholes": ["0.00", "0.11", "refused"],
        "input_forget": ["0.15", "0.15", "0.15"],
    },
    "GRU": {
        "none": ["0.00", "0.00", "last step: 0.00"],
        "activations": ["1.69", "0.00", "refused"],
        "clip": ["0.75", "0.00", "last step: 0.64"],
        "sequence_lens": ["0.97", "0.00", "last step: 0.83"],
    },
}
same = True
print("{:6}{:15}{:16}{:10}{}".format("layer", "option", *RUNTIMES))
for kind, cases in DESCRIBED.items():
    for name, described in cases.items():
        option = OPTIONS[name]
        if name == "activations":
            option = {"activations": ["Sigmoid", "Relu", "Relu"][: GATES[kind] - 1]}
        file = model(kind, **option)
        right = onnxruntime.InferenceSession(file).run(None, {"x": LINE})[0]
        seen = [told(right, run, file) for run in RUNTIMES.values()]
        print("{:6}{:15}{:16}{:10}{}".format(kind, name, *seen))
        same &= seen == described
sys.exit(not same)
PY
