#!/usr/bin/env bash
# ReduceLogSumExp of ordinary logits is infinite in tract and OpenCV, of either sign: the operator that is there for being safe is computed as its three words.
#
# Versions: tract 0.23.9, opencv-python-headless 5.0.0.93, openvino 2026.4.1, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: the logarithm of a sum of exponentials lies between the largest number and that plus the logarithm of how many there are. Computed by the words, float32 overflows above 88 and is the logarithm of 0 below -104. ONNX Runtime, onnx.reference and OpenVINO take the largest number out before, as everybody does who writes
# the operator instead of its parts. tract and OpenCV compute the parts: inf and -inf. Between -87 and 88 all agree.
#
# Why a good guess is wrong: to have the operator is to have it safe, as with LogSoftmax; its name in PyTorch, SciPy and JAX promises that. Logits of a trained network are rarely beyond 88; those of sums over a path, as CTC's and CRFs' are, are below -104 after a line of
# thirty characters. An infinite score wins every comparison, a NaN (inf - inf, when it is subtracted to normalise) loses all.
#
# What a program like ours must do: export max, subtraction, exponential, sum, logarithm and addition as six nodes, or leave log-sum-exp out of the file; test with logits of 1000 and -1000.
#
# Seen (of x and x + 1):
#   x        ONNX Runtime  onnx.reference  OpenVINO   OpenCV   tract
#   0        1.313         1.313           1.313      1.313    1.313
#   80       81.31         81.31           81.31      81.31    81.31
#   100      101.3         101.3           101.3      inf      inf
#   -200     -198.7        -198.7          -198.7     -inf     -inf
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 tract==0.23.9
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

cd "$dir"
# Libraries write notes on both outputs; the table goes to a file.
env/bin/python - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys

import cv2
import numpy as np
import onnx
import onnxruntime
import openvino
import tract
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


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



def by_tract(file, x):
    onnx.save(file, "model.onnx")
    return tract.onnx().load("model.onnx").into_model().into_runnable().run([x])[0].to_numpy()


WAYS = {"ONNX Runtime": by_onnxruntime, "onnx.reference": by_reference, "OpenVINO": by_openvino, "OpenCV": by_opencv, "tract": by_tract}


def text(way, *arguments):
    values = way(*arguments)
    return " ".join(f"{value + 0.0:.4g}" for value in values.ravel())


def case(x, right, by_two):
    pair = np.array([[x, x + 1]], np.float32)
    return ("ReduceLogSumExp", pair, [], [1, 1], 17, {"axes": [1]}, [right, right, right, by_two, by_two])


CASES = {
    "0": case(0, "1.313", "1.313"),
    "80": case(80, "81.31", "81.31"),
    "100": case(100, "101.3", "inf"),
    "-200": case(-200, "-198.7", "-inf"),
}
same = True
with open("seen", "w") as table:
    for name, (op, x, constants, shape, opset, attributes, described) in CASES.items():
        file = model(op, x, constants, shape, opset, attributes)
        for (way, function), expected in zip(WAYS.items(), described, strict=True):
            seen = text(function, file, x)
            print(f"{name:6}{way:16}{seen}", file=table)
            same &= seen == expected
sys.exit(not same)
PY
cat seen
