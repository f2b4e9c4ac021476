#!/usr/bin/env bash
# A NumPy array of big-endian numbers, as IDX files and many TIFF readers give, is taken by runtimes for little-endian: answers for noise, without an error.
#
# Versions: onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, pyarrow 26.0.1, onnx 1.23.2, numpy 2.4.6; on a little-endian machine.
#
# Behaviour: np.frombuffer(data, ">f4") or ">u2" is an array like any other: it prints, compares and computes rightly, as the byte order belongs to its dtype. ONNX Runtime's run, OpenVINO's
# Tensor, OpenCV's functions and encoders, and pyarrow's Tensor look at the kind and size of the numbers and take the memory. A 1 becomes 4.6e-41, a 16-bit grey of 1 becomes 256.
# Within one library others convert: a compiled OpenVINO model that is called with the array does. pyarrow.array and ONNX's from_array refuse it.
#
# Why a good guess is wrong: what is wrong with an array is usually said: its type, its rank, its shape are all checked here. PyTorch refuses the array by name. And a test with
# images from PNG or NumPy files never has such a dtype; the numbers of IDX, FITS and TIFF ("MM") files do, but only if they have more than 8 bits. Float images read so
# are nearly 0 for a network, which then answers as for blank paper.
#
# What a program like ours must do: where arrays come in, make them native once, `array.astype(array.dtype.newbyteorder("="), copy=False)`, or compute with them first; test with ">f4" and ">u2".
#
# Seen (what became of 1, 2 and 3; floats, but 16-bit greys for the PNG):
#   NumPy                        1 2 3
#   ONNX Runtime, run            4.6e-41 8.97e-44 2.3e-41
#   OpenVINO, Tensor             4.6e-41 8.97e-44 2.3e-41
#   OpenVINO, model called       1 2 3
#   OpenCV, add 0                4.6e-41 8.97e-44 2.3e-41
#   OpenCV, PNG written          256 512 768
#   pyarrow, Tensor              4.6e-41 8.97e-44 2.3e-41
#   pyarrow, array               refused
#   onnx, from_array             refused
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1 pyarrow==26.0.1
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

"$dir/env/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
import onnxruntime
import openvino
import pyarrow
from onnx import TensorProto, helper, numpy_helper

FLOATS = np.frombuffer(np.array([[1, 2, 3]], ">f4").tobytes(), ">f4").reshape(1, 3)
GREYS = np.array([[1, 2, 3]], ">u2")
graph = helper.make_graph(
    [helper.make_node("Identity", ["x"], ["y"])],
    "g",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
)
MODEL = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


def by_onnxruntime():
    session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": FLOATS})[0]


def by_openvino():
    core = openvino.Core()
    return core.compile_model(core.read_model(MODEL), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(FLOATS)[0]


WAYS = {
    "NumPy": (lambda: FLOATS + np.float32(0), "1 2 3"),
    "ONNX Runtime, run": (by_onnxruntime, "4.6e-41 8.97e-44 2.3e-41"),
    "OpenVINO, Tensor": (lambda: openvino.Tensor(FLOATS).data, "4.6e-41 8.97e-44 2.3e-41"),
    "OpenVINO, model called": (by_openvino, "1 2 3"),
    "OpenCV, add 0": (lambda: cv2.add(FLOATS, np.zeros((1, 3), np.float32)), "4.6e-41 8.97e-44 2.3e-41"),
    "OpenCV, PNG written": (lambda: cv2.imdecode(cv2.imencode(".png", GREYS)[1], cv2.IMREAD_UNCHANGED), "256 512 768"),
    "pyarrow, Tensor": (lambda: pyarrow.Tensor.from_numpy(FLOATS).to_numpy(), "4.6e-41 8.97e-44 2.3e-41"),
    "pyarrow, array": (lambda: pyarrow.array(FLOATS[0]).to_numpy(), "refused"),
    "onnx, from_array": (lambda: numpy_helper.to_array(numpy_helper.from_array(FLOATS)), "refused"),
}
same = True
for name, (way, described) in WAYS.items():
    try:
        seen = " ".join(f"{value:.3g}" for value in np.asarray(way()).ravel())
    except (pyarrow.ArrowNotImplementedError, ValueError):
        seen = "refused"
    print(f"{name:29}{seen}")
    same &= seen == described
sys.exit(not same)
PY
