#!/usr/bin/env bash
# onnx.reference reads the pads of a max pooling in another order at stride 1 than at stride 2.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: ONNX lists pads as all the starts, then all the ends: [0, 0, 1, 1] is a row at the bottom and a column at the
# right. onnx.reference does so at stride 2. At stride 1 without dilations it goes another way, by code that takes the same
# list for start and end of each axis in turn: no row, and a column at the left and at the right. It then answers with
# another shape than the one that onnx.shape_inference writes into the very model; no check compares the two. Symmetric
# pads read the same in both orders.
#
# Why a good guess is wrong: a max pooling of window 2 and stride 1 that keeps the size, with pads [0, 0, 1, 1], is what
# Keras' padding "same" becomes. One expects a reference to keep the standard's order, or at least a single one: having
# seen asymmetric pads come out right at stride 2, one looks elsewhere for the fault. And nothing fails at the pooling
# itself: the wrong shape goes on to the next layer.
#
# What a program like ours must do: compare an exported network with a runtime, not with onnx.reference alone; and in a
# test of pooling use a picture and pads for which height and width differ.
#
# Seen (a 3x3 picture of 1 to 9, window 2, pads [0, 0, 1, 1]):
#   stride  shape inference  ONNX Runtime           onnx.reference
#   1       3x3              3x3 5 6 6 8 9 9 8 9 9  2x4 4 5 6 6 7 8 9 9
#   2       2x2              2x2 5 6 8 9            2x2 5 6 8 9
#
# Ends with 0 while this is so, with 1 once a column has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0

"$dir/env/bin/python" - <<'PY'
import sys

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, shape_inference
from onnx.reference import ReferenceEvaluator

PICTURE = np.arange(1, 10, dtype=np.float32).reshape(1, 1, 3, 3)
DESCRIBED = {
    1: ("3x3", "3x3 5 6 6 8 9 9 8 9 9", "2x4 4 5 6 6 7 8 9 9"),
    2: ("2x2", "2x2 5 6 8 9", "2x2 5 6 8 9"),
}


def model(stride):
    node = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[stride] * 2, pads=[0, 0, 1, 1])
    graph = helper.make_graph(
        [node],
        "pool",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 3, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def text(output):
    return "x".join(map(str, output.shape[2:])) + " " + " ".join(f"{value:g}" for value in output.ravel())


same = True
print(f"{'stride':8}{'shape inference':17}{'ONNX Runtime':23}onnx.reference")
for stride, described in DESCRIBED.items():
    pool = model(stride)
    inferred = shape_inference.infer_shapes(pool, strict_mode=True).graph.output[0].type.tensor_type.shape.dim
    session = onnxruntime.InferenceSession(pool.SerializeToString(), providers=["CPUExecutionProvider"])
    seen = (
        "x".join(str(size.dim_value) for size in inferred[2:]),
        text(session.run(None, {"x": PICTURE})[0]),
        text(ReferenceEvaluator(pool).run(None, {"x": PICTURE})[0]),
    )
    print(f"{stride:<8}{seen[0]:17}{seen[1]:23}{seen[2]}")
    same &= seen == described
sys.exit(not same)
PY
