#!/usr/bin/env bash
# OnnxSlim folds a multiplication that is per column into the channels of the convolution before it, where the maps are as wide as there are channels.
#
# Versions: onnxslim 0.1.98, onnxsim 0.8.1, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.4.6.
#
# Behaviour: a Mul behind a Conv or ConvTranspose, by one number a channel, can be put into the weights. OnnxSlim asks whether the constant has as many numbers as there are channels, not where its axis stands. (C, 1, 1) is a number a
# channel; (W,), (1, W) and (1, 1, 1, W) are a number a column, (H, 1) a number a row, and with C = W or C = H they are folded as if they were channels. The slim file is valid, of the same shapes, and answers otherwise. Add, Sub and Div with the
# same constants are left alone or folded rightly, and so is what stands before a convolution or behind a Gemm. With any other width nothing is folded, and the file is right.
#
# Why a good guess is wrong: one looks for such a fault by comparing on the network at hand, and the next network, made smaller or for wider lines, has another width. A mask or a window along a line (weights that fade towards the
# edges), or a slope a column, is what multiplies so. Maps that are square, with a power of two for both, are common: 16 channels of 16 x 16. ONNX Simplifier, of which one thinks as the same thing, is right; and OnnxSlim's own
# check (--model-check) compares it with ONNX Runtime, if one asks for it.
#
# What a program like ours must do: compare each slim file with its original, in a runtime, on random images, or run no optimiser that ONNX Runtime contains anyway.
#
# Seen (largest difference from the original, 4 channels; a Conv whose maps are 4 x 4 but in the last line, there 4 x 5):
#   behind the convolution    ONNX Simplifier  OnnxSlim
#   Mul by (4, 1, 1)          same             same
#   Mul by (4,)               same             other
#   Mul by (1, 1, 1, 4)       same             other
#   Mul by (4, 1)             same             other
#   Mul by (4,), transposed   same             other
#   Add of (4,)               same             same
#   Mul by (5,), 4 x 5        same             same
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 onnxslim==0.1.98 onnxsim==0.8.1

"$dir/env/bin/python" - <<'PY'
import sys

import numpy as np
import onnxruntime
import onnxsim
import onnxslim
from onnx import TensorProto, helper, numpy_helper

RANDOM = np.random.default_rng(0)


def model(operator, shape, wide=4, convolution="Conv"):
    """Returns a file with a convolution to 4 channels of 4 x `wide`, and one constant behind it."""
    size = 3 if convolution == "Conv" else -1
    ends = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 3 + size, wide - 1 + size]),
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, 4, wide]),
    ]
    weights = {"w": (4, 4, 3, 3), "b": (4,), "k": shape}
    graph = helper.make_graph(
        [helper.make_node(convolution, ["x", "w", "b"], ["t"]), helper.make_node(operator, ["t", "k"], ["y"])],
        "g",
        ends[:1],
        ends[1:],
        [numpy_helper.from_array(RANDOM.normal(size=s).astype(np.float32), name) for name, s in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def answer(file, image):
    session = onnxruntime.InferenceSession(file.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": image})[0]


CASES = {
    "Mul by (4, 1, 1)": (model("Mul", (4, 1, 1)), "same", "same"),
    "Mul by (4,)": (model("Mul", (4,)), "same", "other"),
    "Mul by (1, 1, 1, 4)": (model("Mul", (1, 1, 1, 4)), "same", "other"),
    "Mul by (4, 1)": (model("Mul", (4, 1)), "same", "other"),
    "Mul by (4,), transposed": (model("Mul", (4,), convolution="ConvTranspose"), "same", "other"),
    "Add of (4,)": (model("Add", (4,)), "same", "same"),
    "Mul by (5,), 4 x 5": (model("Mul", (5,), wide=5), "same", "same"),
}
WAYS = [lambda file: onnxsim.simplify(file)[0], onnxslim.slim]
same = True
print(f"{'behind the convolution':26}{'ONNX Simplifier':17}OnnxSlim")
for name, (file, *described) in CASES.items():
    image = RANDOM.normal(size=[d.dim_value for d in file.graph.input[0].type.tensor_type.shape.dim]).astype(np.float32)
    right = answer(file, image)
    seen = ["same" if np.allclose(answer(way(file), image), right, 1e-4, 1e-4) else "other" for way in WAYS]
    print(f"{name:26}{seen[0]:17}{seen[1]}")
    same &= seen == described
sys.exit(not same)
PY
