#!/usr/bin/env bash
# OpenCV adds a column to a matrix product as if it were a row: what is meant for each image is added to each class.
#
# Versions: opencv-python-headless 5.0.0.93, onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, numpy 2.4.6.
#
# Behaviour: a MatMul with constant weights and an Add behind it are made one dense layer, with what is added as its bias. Only how many numbers are added is looked at, not how they are laid out: (2, 1), one for each of two rows, is
# taken for (2), one for each of two columns, wherever there are as many rows as columns. The same product and column as a Gemm are right, and so is a column of an Add that stands behind something else.
#
# Why a good guess is wrong: folding an addition into the bias is what all runtimes do, and with a row of numbers it is right; broadcasting of a column is right in OpenCV's Add alone. Rows and columns are as many in square layers, in
# similarity matrices and in attention, where a column is a mask of rows or their largest logit with a minus. With any other sizes the column is added as a column, so a test of another size says nothing.
#
# What a program like ours must do: write Gemm for a dense layer, and put an Identity of some computation between a product and a column, or write the column out as the whole matrix.
#
# Seen (1 0 / 0 1 times 1 2 / 3 4, and 100 200 added; the rows of the answer):
#   written as             added   right, and others  OpenCV
#   MatMul, Add            row     101 202, 103 204   101 202, 103 204
#   MatMul, Add            column  101 102, 203 204   101 202, 103 204
#   MatMul, Add            matrix  101 102, 203 204   101 102, 203 204
#   MatMul, Add of it      row     101 202, 103 204   101 202, 103 204
#   MatMul, Add of it      column  101 102, 203 204   101 202, 103 204
#   MatMul, Add of it      matrix  101 102, 203 204   101 102, 203 204
#   MatMul, Neg, Neg, Add  row     101 202, 103 204   101 202, 103 204
#   MatMul, Neg, Neg, Add  column  101 102, 203 204   101 102, 203 204
#   MatMul, Neg, Neg, Add  matrix  101 102, 203 204   101 102, 203 204
#   Gemm                   row     101 202, 103 204   101 202, 103 204
#   Gemm                   column  101 102, 203 204   101 102, 203 204
#   Gemm                   matrix  101 102, 203 204   101 102, 203 204
#
# Ends with 0 while this is so, with 1 once a line has changed.
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

IMAGES, WEIGHTS = np.eye(2, dtype=np.float32), np.array([[1, 2], [3, 4]], np.float32)
CORE = openvino.Core()
CORE.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})
node = helper.make_node
PRODUCT = node("MatMul", ["x", "w"], ["t"])
WAYS = {
    "MatMul, Add": [PRODUCT, node("Add", ["t", "b"], ["y"])],
    "MatMul, Add of it": [PRODUCT, node("Add", ["b", "t"], ["y"])],
    "MatMul, Neg, Neg, Add": [PRODUCT, node("Neg", ["t"], ["n"]), node("Neg", ["n"], ["m"]), node("Add", ["m", "b"], ["y"])],
    "Gemm": [node("Gemm", ["x", "w", "b"], ["y"])],
}
ADDED = {
    "row": np.array([[100, 200]], np.float32),
    "column": np.array([[100], [200]], np.float32),
    "matrix": np.array([[100, 100], [200, 200]], np.float32),
}


def model(nodes, added):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in "xy"]
    constants = [numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(added, "b")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def by_opencv(file):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
    network.setInput(IMAGES)
    return network.forward()


RUNTIMES = [
    lambda file: onnxruntime.InferenceSession(file).run(None, {"x": IMAGES})[0],
    lambda file: CORE.compile_model(CORE.read_model(file), "CPU")(IMAGES)[0],
    by_opencv,
]
same = True
print(f"{'written as':23}{'added':8}{'right, and others':19}OpenCV")
for way, nodes in WAYS.items():
    for name, added in ADDED.items():
        seen = [run(model(nodes, added)) for run in RUNTIMES]
        texts = [", ".join(" ".join(f"{value:g}" for value in row) for row in answer) for answer in (WEIGHTS + added, seen[2])]
        print("{:23}{:8}{:19}{}".format(way, name, *texts))
        same &= all(np.array_equal(answer, WEIGHTS + added) for answer in seen[:2])
        as_row = name == "column" and way in ("MatMul, Add", "MatMul, Add of it")
        same &= np.array_equal(seen[2], WEIGHTS + (ADDED["row"] if as_row else added))
sys.exit(not same)
PY
