#!/usr/bin/env bash
# A local response normalisation over 4 channels is over two on one side and one on the other: ONNX has the two behind, MNN before, and OpenVINO takes 3 channels and says nothing.
#
# Versions: onnx 1.23.2, tract 0.23.9, openvino 2026.4.1, opencv-python-headless 5.0.0.93, MNN 3.6.1, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: ONNX says that the window of channel c goes from c - floor((size - 1) / 2) to c + ceil((size - 1) / 2): for 4 from c - 1 to c + 2. tract does that. MNN takes c - 2 to c + 1, as PyTorch's own layer does, from which such files come. OpenVINO takes c - 1 to c + 1, and for 2 the channel alone,
# yet divides alpha by the size that the file says. ONNX Runtime and OpenCV refuse.
#
# Why a good guess is wrong: AlexNet and GoogLeNet have 5, where all agree. Even sizes are valid in the standard, which goes to the length of saying floor and ceil, and in PyTorch. An exporter that writes the one operator for the other moves the window by a channel; channels have no order one would see.
#
# What a program like ours must do: refuse even sizes where a network is built; in a file, write the normalisation as square, pooling over channels and power.
#
# Seen (channels of 1 to 6, alpha = size, beta = 1, bias = 1: x / (1 + sum of squares)):
#   size  by the formula, and tract              OpenVINO                                 MNN
#   3     0.167 0.133 0.1 0.0784 0.0641 0.0968   the same                                 the same
#   4     0.0667 0.0645 0.0545 0.046 0.0641 0.0968  0.167 0.133 0.1 0.0784 0.0641 0.0968  0.167 0.133 0.0968 0.0727 0.0575 0.0769
#   2     0.167 0.143 0.115 0.0952 0.0806 0.162  0.5 0.4 0.3 0.235 0.192 0.162            0.5 0.333 0.214 0.154 0.119 0.0968
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 tract==0.23.9 openvino==2026.4.1 MNN==3.6.1
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

cd "$dir"
# Libraries write notes on both outputs; the table goes to a file.
env/bin/python - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys

import _tools
import cv2
import MNN
import MNN.expr as expr
import MNN.nn
import numpy as np
import onnx
import onnxruntime
import openvino
import tract
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



def by_opencv(file, x):
    net = cv2.dnn.readNetFromONNX(np.frombuffer(file.SerializeToString(), np.uint8))
    net.setInput(x)
    return net.forward()



def by_tract(file, x):
    onnx.save(file, "model.onnx")
    return tract.onnx().load("model.onnx").into_model().into_runnable().run([x])[0].to_numpy()



def by_openvino(file, x):
    core = openvino.Core()
    return core.compile_model(core.read_model(file.SerializeToString()), "CPU")(x)[0]



def by_mnn(file, x):
    onnx.save(file, "model.onnx")
    _tools.mnnconvert("mnnconvert -f ONNX --modelFile model.onnx --MNNModel model.mnn --bizCode x".split())
    module = MNN.nn.load_module_from_file("model.mnn", ["x"], ["y"])
    answer = module.forward([expr.const(x, list(x.shape), expr.NCHW, expr.float)])
    answer = answer[0] if isinstance(answer, list) else answer
    return np.array(expr.convert(answer, expr.NCHW).read() if answer.data_format == expr.NC4HW4 else answer.read())


WAYS = {"ONNX Runtime": by_onnxruntime, "OpenCV": by_opencv, "tract": by_tract, "OpenVINO": by_openvino, "MNN": by_mnn}


def text(way, *arguments):
    try:
        values = way(*arguments)
    except (onnxruntime.capi.onnxruntime_pybind11_state.Fail, cv2.error):
        return "refused"
    return " ".join(f"{value + 0.0:.3g}" for value in values.ravel())


CHANNELS = np.arange(1, 7, dtype=np.float32).reshape(1, 6, 1, 1)


def by_formula(size):
    squares = np.pad(CHANNELS.ravel() ** 2, (size, size))
    start = size - (size - 1) // 2
    sums = np.array([squares[place + start : place + start + size].sum() for place in range(6)])
    return " ".join(f"{value:.3g}" for value in CHANNELS.ravel() / (1 + sums))


def case(size, described):
    attributes = {"size": size, "alpha": float(size), "beta": 1.0, "bias": 1.0}
    return ("LRN", CHANNELS, [], [1, 6, 1, 1], 17, attributes, [by_formula(size) if way == "right" else way for way in described])


THREE = "0.167 0.133 0.1 0.0784 0.0641 0.0968"
CASES = {
    "size 3": case(3, ["right"] * 5),
    "size 4": case(4, ["refused", "refused", "right", THREE, "0.167 0.133 0.0968 0.0727 0.0575 0.0769"]),
    "size 2": case(2, ["refused", "refused", "right", "0.5 0.4 0.3 0.235 0.192 0.162", "0.5 0.333 0.214 0.154 0.119 0.0968"]),
}
same = True
with open("seen", "w") as table:
    for name, (op, x, constants, shape, opset, attributes, described) in CASES.items():
        file = model(op, x, constants, shape, opset, attributes)
        for (way, function), expected in zip(WAYS.items(), described, strict=True):
            seen = text(function, file, x)
            print(f"{name:8}{way:14}{seen}", file=table)
            same &= seen == expected
sys.exit(not same)
PY
cat seen
