#!/usr/bin/env bash
# A PReLU whose slopes are written without their two axes of 1 has a slope a channel in OpenVINO and OpenCV, and a slope a column by the standard.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: PyTorch and Keras keep the slopes of C channels as C numbers. ONNX broadcasts a slope from the last axis, as NumPy does: C numbers belong to the columns of the maps, so a file must have (C, 1, 1). Given (C,), ONNX Runtime
# and onnx.reference take a slope for each column. Maps one pixel wide become C wide by that, against the shape that the file states; other widths ONNX Runtime refuses, and
# onnx.reference takes a slope for each channel there, but there alone. OpenVINO and OpenCV take a slope for each channel, whatever the width.
#
# Why a good guess is wrong: an exporter that writes (C,) is right in three runtimes and refused by the fourth, and the fourth is blamed. Where maps are as wide as there are channels, 16 maps of 16 pixels, nobody refuses,
# the checker neither, and the runtimes answer differently. Slopes all begin at 0.25, so that untrained networks agree everywhere.
#
# What a program like ours must do: write (C, 1, 1); when reading, take (C,) for what the standard says and refuse it where it does not fit; test with slopes that differ and maps that are not C wide.
#
# Seen (-1 everywhere, slopes 0.1 and 0.2, two channels, one row):
#   slopes  maps            ONNX Runtime         onnx.reference                 OpenVINO                       OpenCV
#   2x1x1   2 pixels wide   -0.1 -0.1 -0.2 -0.2  -0.1 -0.1 -0.2 -0.2            -0.1 -0.1 -0.2 -0.2            -0.1 -0.1 -0.2 -0.2
#   2       2 pixels wide   -0.1 -0.2 -0.1 -0.2  -0.1 -0.2 -0.1 -0.2            -0.1 -0.1 -0.2 -0.2            -0.1 -0.1 -0.2 -0.2
#   2       1 pixel wide    -0.1 -0.2 -0.1 -0.2  -0.1 -0.2 -0.1 -0.2            -0.1 -0.2                      -0.1 -0.2
#   2       3 pixels wide   refused              -0.1 -0.1 -0.1 -0.2 -0.2 -0.2  -0.1 -0.1 -0.1 -0.2 -0.2 -0.2  -0.1 -0.1 -0.1 -0.2 -0.2 -0.2
#
# Ends with 0 while this is so, with 1 once a column has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

# ONNX Runtime and OpenCV write of what they refuse on the error output.
"$dir/env/bin/python" - 2> "$dir/errors" <<'PY' || { cat "$dir/errors" >&2; exit 1; }
import sys

import cv2
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

SLOPES = np.array([0.1, 0.2], np.float32)
CORE = openvino.Core()
CORE.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def model(shape, wide):
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2, 1, wide]) for name in ("x", "y")]
    slopes = numpy_helper.from_array(SLOPES.reshape(shape), "s")
    graph = helper.make_graph([helper.make_node("PRelu", ["x", "s"], ["y"])], "g", ends[:1], ends[1:], [slopes])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8).SerializeToString()


def by_onnxruntime(file, maps):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"x": maps})[0]


def by_reference(file, maps):
    return ReferenceEvaluator(file).run(None, {"x": maps})[0]


def by_openvino(file, maps):
    return CORE.compile_model(CORE.read_model(file), "CPU")(maps)[0]


def by_opencv(file, maps):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
    network.setInput(maps)
    return network.forward()


def text(run, file, wide):
    try:
        return " ".join(f"{value:.1f}" for value in run(file, np.full((1, 2, 1, wide), -1, np.float32)).ravel())
    except Exception as error:
        print(error, file=sys.stderr)
        return "refused"


CHANNELS, COLUMNS, NARROW = "-0.1 -0.1 -0.2 -0.2", "-0.1 -0.2 -0.1 -0.2", "-0.1 -0.2"
WIDE = "-0.1 -0.1 -0.1 -0.2 -0.2 -0.2"
RUNTIMES = {"ONNX Runtime": by_onnxruntime, "onnx.reference": by_reference, "OpenVINO": by_openvino, "OpenCV": by_opencv}
same = True
print("{:8}{:16}{:21}{:31}{:31}{}".format("slopes", "maps", *RUNTIMES))
for shape, wide, described in [
    ((2, 1, 1), 2, [CHANNELS] * 4),
    ((2,), 2, [COLUMNS] * 2 + [CHANNELS] * 2),
    ((2,), 1, [COLUMNS] * 2 + [NARROW] * 2),
    ((2,), 3, ["refused"] + [WIDE] * 3),
]:
    seen = [text(run, model(shape, wide), wide) for run in RUNTIMES.values()]
    maps = f"{wide} pixel{'s' if wide > 1 else ''} wide"
    print("{:8}{:16}{:21}{:31}{:31}{}".format("x".join(map(str, shape)), maps, *seen))
    same &= seen == described
sys.exit(not same)
PY
