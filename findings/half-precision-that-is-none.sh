#!/usr/bin/env bash
# A float16 network does not overflow or round on a processor: ONNX Runtime and OpenVINO compute it in float32, even a cast to float16 and back does nothing in OpenVINO.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, numpy 2.4.6; on x86-64.
#
# Behaviour: half floats end at 65504 and have 11 bits. In a file all of whose tensors are float16, the square of 300 is infinite; onnx.reference says so, and so does a GPU. ONNX Runtime on a processor puts casts around
# each operator and takes out those that meet, without and with optimisations: what lies between is float32, and only what comes out is rounded. OpenVINO does the same. ONNX Runtime heeds a cast to float16 and
# back to float32 that stands in a file of float32; OpenVINO takes it for nothing, so that 70000 comes through as 70000.
#
# Why a good guess is wrong: one converts to float16, runs the test images on this machine, and finds no accuracy lost: it was not float16 that was tested. That a processor is slower with half floats is known; that it answers
# as float32 would, as long as the last number fits, is not: a file whose logits are NaN on a GPU, an accelerator or a telephone is right here. Casts put in on purpose, to see what half precision would do, do not show it.
#
# What a program like ours must do: look for what float16 does with float16 arithmetic: onnx.reference, NumPy or PyTorch, layer by layer, with the largest value that occurs; not with a runtime on a processor.
#
# Seen (square root of the square, in float16; and a cast to float16 and back):
#   runtime                      300    0.0001    70000 cast  1/3 cast
#   onnx.reference               inf    0         inf         0.333252
#   ONNX Runtime, optimised      300    0.0001    inf         0.333252
#   ONNX Runtime, not optimised  300    0.0001    inf         0.333252
#   OpenVINO                     300    0.0001    70000       0.333333
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1

# NumPy warns of the overflow on the error output.
"$dir/env/bin/python" - 2> "$dir/errors" <<'PY' || { cat "$dir/errors" >&2; exit 1; }
import sys

import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

HALF, SINGLE = TensorProto.FLOAT16, TensorProto.FLOAT
Level = onnxruntime.GraphOptimizationLevel
CORE = openvino.Core()
CORE.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def model(nodes, kind):
    ends = [helper.make_tensor_value_info(name, kind, [2]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


ROOT = model([helper.make_node("Mul", ["x", "x"], ["t"]), helper.make_node("Sqrt", ["t"], ["y"])], HALF)
CAST = model(
    [helper.make_node("Cast", ["x"], ["t"], to=HALF), helper.make_node("Cast", ["t"], ["y"], to=SINGLE)], SINGLE
)


def by_reference(file, given):
    return ReferenceEvaluator(file).run(None, {"x": given})[0]


def by_onnxruntime(level):
    def run(file, given):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = level
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        return session.run(None, {"x": given})[0]

    return run


def by_openvino(file, given):
    return CORE.compile_model(CORE.read_model(file), "CPU")(given)[0]


RUNTIMES = {
    "onnx.reference": (by_reference, "inf 0 inf 0.333252"),
    "ONNX Runtime, optimised": (by_onnxruntime(Level.ORT_ENABLE_ALL), "300 0.0001 inf 0.333252"),
    "ONNX Runtime, not optimised": (by_onnxruntime(Level.ORT_DISABLE_ALL), "300 0.0001 inf 0.333252"),
    "OpenVINO": (by_openvino, "300 0.0001 70000 0.333333"),
}
same = True
print(f"{'runtime':29}{'300':7}{'0.0001':10}{'70000 cast':12}1/3 cast")
for name, (run, described) in RUNTIMES.items():
    root = run(ROOT, np.array([300, 1e-4], np.float16)).astype(float)
    cast = run(CAST, np.array([70000, 1 / 3], np.float32))
    seen = [f"{root[0]:.4g}", f"{root[1]:.2g}", f"{cast[0]:.6g}", f"{cast[1]:.6g}"]
    print(f"{name:29}{seen[0]:7}{seen[1]:10}{seen[2]:12}{seen[3]}")
    same &= " ".join(seen) == described
sys.exit(not same)
PY
