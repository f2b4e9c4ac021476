#!/usr/bin/env bash
# The reference implementations of local response normalisation in ONNX and in LiteRT are both wrong, each in its own way.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, ai-edge-litert 2.3.0, numpy 2.4.6.
#
# Behaviour: AlexNet divides each channel by a power of a sum over the neighbouring channels. onnx.reference counts with the
# number of pictures where it means the number of channels: of a batch of one picture only the first channel is normalised
# and the others are divided by nothing; a batch of as many pictures as channels is right; a larger one raises an
# IndexError. LiteRT's reference kernels (OpResolverType.BUILTIN_REF) leave the last neighbour out of each window, so that a
# radius of 1 sums the channels c-1 and c instead of c-1, c and c+1. ONNX Runtime and LiteRT's other kernels do what the
# definition says.
#
# Why a good guess is wrong: what calls itself the reference is what one tests a fast implementation against, and where the
# two differ the fast one is suspected. ONNX's own test of the operator passes, its input being 5x5x5x5. LiteRT's last
# channel is right in either case, having no neighbour to lose. And with AlexNet's own constants (alpha 0.0001, bias 2) and
# activations near 1 the error is two parts in ten thousand at most, which many a tolerance lets pass.
#
# What a program like ours must do: test LRN against a sum written out by hand, with alpha near 1, with fewer pictures than
# channels and more channels than the window is wide. Take neither reference for the truth.
#
# Seen (three channels of 1, 2 and 3; window 3; alpha 1 for each neighbour, beta 1, bias 1):
#   by hand                     0.1667 0.1333 0.2143
#   ONNX Runtime                0.1667 0.1333 0.2143
#   onnx.reference, 1 picture   0.1667 2.0000 3.0000
#   onnx.reference, 3 pictures  0.1667 0.1333 0.2143
#   onnx.reference, 4 pictures  IndexError
#   LiteRT                      0.1667 0.1333 0.2143
#   LiteRT, reference kernels   0.5000 0.3333 0.2143
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 ai-edge-litert==2.3.0

# LiteRT announces its CPU delegate on the error output.
"$dir/env/bin/python" - 2> "$dir/errors" <<'PY' || { cat "$dir/errors" >&2; exit 1; }
import sys
import warnings

import flatbuffers
import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from ai_edge_litert import schema_py_generated as schema
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

CHANNELS = np.array([1, 2, 3], np.float32)


def by_hand():
    """Returns each channel over 1 plus the sum of the squares of itself and its neighbours."""
    squares = [0.0, *(CHANNELS.astype(float) ** 2), 0.0]
    return [value / (1 + sum(squares[c : c + 3])) for c, value in enumerate(CHANNELS)]


def onnx_model(pictures):
    node = helper.make_node("LRN", ["x"], ["y"], size=3, alpha=3.0, beta=1.0, bias=1.0)  # ONNX divides alpha by size
    shape = [pictures, 3, 1, 1]
    graph = helper.make_graph(
        [node],
        "lrn",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def batch(pictures):
    return np.tile(CHANNELS.reshape(1, 3, 1, 1), (pictures, 1, 1, 1))


def by_onnxruntime():
    session = onnxruntime.InferenceSession(onnx_model(1).SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": batch(1)})[0][0].ravel()


def by_onnx_reference(pictures):
    return ReferenceEvaluator(onnx_model(pictures)).run(None, {"x": batch(pictures)})[0][0].ravel()


def litert_model():
    def tensor(name):
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, [1, 1, 1, 3], schema.TensorType.FLOAT32, 0
        return made

    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.LOCAL_RESPONSE_NORMALIZATION
    code.version = 1
    options = schema.LocalResponseNormalizationOptionsT()
    options.radius, options.bias, options.alpha, options.beta = 1, 1.0, 1.0, 1.0
    operator = schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    operator.builtinOptionsType = schema.BuiltinOptions.LocalResponseNormalizationOptions
    operator.builtinOptions = options
    graph = schema.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor("x"), tensor("y")], [0], [1], [operator]
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def by_litert(kernels):
    interpreter = Interpreter(model_content=litert_model(), experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], CHANNELS.reshape(1, 1, 1, 3))
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).ravel()


RIGHT = "0.1667 0.1333 0.2143"
LINES = [
    ("by hand", by_hand, RIGHT),
    ("ONNX Runtime", by_onnxruntime, RIGHT),
    ("onnx.reference, 1 picture", lambda: by_onnx_reference(1), "0.1667 2.0000 3.0000"),
    ("onnx.reference, 3 pictures", lambda: by_onnx_reference(3), RIGHT),
    ("onnx.reference, 4 pictures", lambda: by_onnx_reference(4), "IndexError"),
    ("LiteRT", lambda: by_litert(OpResolverType.AUTO), RIGHT),
    ("LiteRT, reference kernels", lambda: by_litert(OpResolverType.BUILTIN_REF), "0.5000 0.3333 0.2143"),
]
same = True
for name, compute, described in LINES:
    try:
        seen = " ".join(f"{value:.4f}" for value in compute())
    except IndexError:
        seen = "IndexError"
    print(f"{name:28}{seen}")
    same &= seen == described
sys.exit(not same)
PY
