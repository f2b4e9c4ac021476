#!/usr/bin/env bash
# Integers inside of an ONNX file lose their upper half, saturate or round otherwise in OpenVINO and OpenCV, while the types say nothing of it.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: OpenVINO computes int64 in 32 bits, and so does OpenCV when it adds, though not when it sums up. The answer is an int64 array all the same. OpenVINO cuts off what does not fit when it
# adds, and ends at the smallest int32 when it sums up. Bytes that are added wrap around in ONNX, as in C and NumPy; OpenVINO stops at 0 and 255, whereas a cast of 300 to a byte wraps there.
# OpenCV has it the other way round: its sum of bytes wraps, its cast stops at 0 and 255. The mean of integers is rounded down by OpenCV and towards 0 by the others.
#
# Why a good guess is wrong: a file's types are part of its meaning, the runtimes show them in what they hand out, and classes, sizes and indices are small: all tests agree.
# What is large is what comes in from outside: a serial number carried through, a hash, a time in microseconds, a sum of bytes that nobody widened before adding. And having seen
# which of the two a runtime does with bytes, wrap or saturate, in one operator, one takes it for its rule.
#
# What a program like ours must do: let no number of more than 31 bits pass through a network, but beside it; make bytes float before anything is computed; and where a
# cast to bytes ends a network, clip before it.
#
# Seen:
#   what                         ONNX Runtime  onnx.reference  OpenVINO     OpenCV
#   2^33 + 1 in int64            8589934593    8589934593      1            1
#   2147483647 + 5, summed       2147483652    2147483652      -2147483648  2147483652
#   200 + 100 in bytes           44            44              255          44
#   20 - 100 in bytes            176           176             0            176
#   300 cast to a byte           44            44              44           255
#   mean of -1 and -2, integers  -1            -1              -1           -2
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
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

CORE = openvino.Core()


def by_onnxruntime(file, given):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"x": given})[0]


def by_reference(file, given):
    return ReferenceEvaluator(file).run(None, {"x": given})[0]


def by_openvino(file, given):
    return CORE.compile_model(CORE.read_model(file), "CPU")(given)[0]


def by_opencv(file, given):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
    network.setInput(given)
    return network.forward()


def model(operator, given, other, kind, shape, attributes):
    types = [helper.np_dtype_to_tensor_dtype(np.dtype(t)) for t in (given.dtype, kind)]
    weights = [] if other is None else [numpy_helper.from_array(np.array([other], given.dtype), "c")]
    graph = helper.make_graph(
        [helper.make_node(operator, ["x", *(w.name for w in weights)], ["y"], **attributes)],
        "g",
        [helper.make_tensor_value_info("x", types[0], given.shape)],
        [helper.make_tensor_value_info("y", types[1], shape)],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8).SerializeToString()


I64, I32, U8 = np.int64, np.int32, np.uint8
CASES = {
    "2^33 + 1 in int64": ("Add", np.array([2**33], I64), 1, I64, {}, "8589934593 8589934593 1 1"),
    "2147483647 + 5, summed": (
        "ReduceSum", np.array([2**31 - 1, 5], I64), None, I64, {}, "2147483652 2147483652 -2147483648 2147483652",
    ),
    "200 + 100 in bytes": ("Add", np.array([200], U8), 100, U8, {}, "44 44 255 44"),
    "20 - 100 in bytes": ("Sub", np.array([20], U8), 100, U8, {}, "176 176 0 176"),
    "300 cast to a byte": ("Cast", np.array([300], I32), None, U8, {"to": 2}, "44 44 44 255"),
    "mean of -1 and -2, integers": ("ReduceMean", np.array([-1, -2], I32), None, I32, {}, "-1 -1 -1 -2"),
}
RUNTIMES = {"ONNX Runtime": by_onnxruntime, "onnx.reference": by_reference, "OpenVINO": by_openvino, "OpenCV": by_opencv}
same = True
print("{:29}{:14}{:16}{:13}{}".format("what", *RUNTIMES))
for name, (operator, given, other, kind, attributes, described) in CASES.items():
    file = model(operator, given, other, kind, [1], attributes)
    outputs = [run(file, given) for run in RUNTIMES.values()]
    assert all(output.dtype == kind for output in outputs), [output.dtype for output in outputs]
    seen = [str(output.ravel()[0]) for output in outputs]
    print("{:29}{:14}{:16}{:13}{}".format(name, *seen))
    same &= " ".join(seen) == described
sys.exit(not same)
PY
