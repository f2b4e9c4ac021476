#!/usr/bin/env bash
# OpenVINO and OpenCV read an ONNX Resize without its antialias, and OpenCV without its scales and one of its modes: no error, other pixels.
#
# Versions: onnx 1.23.2, onnxruntime 1.32.0, openvino 2026.4.1, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: what Resize may be told has grown with each operator set, and a runtime that does not know an attribute may refuse it. These two pass over some. antialias=1 makes
# each pixel of a smaller image a mean over all that it covers; both take two neighbours all the same, so that whole pixels of the image are not looked at. exclude_outside=1
# (no weight to what lies outside of the image) is not looked at by OpenVINO, and neither is keep_aspect_ratio_policy: the image is stretched to the size. Of scales OpenCV
# keeps the size that comes out, and computes with the ratio of the sizes; ONNX, like PyTorch, computes with the scale that was given. half_pixel_symmetric, which OpenVINO refuses, is asymmetric
# for OpenCV, and so the image is shifted; a file of operator set 10, where Resize is always asymmetric, is half_pixel for OpenCV.
#
# Why a good guess is wrong: enlarging by 2, which one tests, is the same with and without most of them. A check of shapes passes, the image looks like the image, and
# the digits of a network behind it differ in the second place.
#
# What a program like ours must do: bring images into a network's size outside of the file, or with operators that leave no choice (a matrix product for each axis does any resampling); where a
# Resize must be in the file, give sizes and not scales, half_pixel, no antialias, and compare in the runtime that is meant.
#
# Seen (the first row of an image of 6x6; its rows are 0 0 0 90 0 0 in the first case, 90 0 0 0 0 0 in the second, else 1 to 6):
#   Resize                   ONNX Runtime  onnx.reference  OpenVINO     OpenCV
#   linear to 2, antialias   10 20         10 20           0 0          0 0
#   cubic to 4, outside      72 -3.2 0 0   72 -3.2 0 0     70 -3.2 0 0  72 -3.2 0 0
#   6x6 to 3x5, same ratio   3x3           3x3             3x5          refused
#   linear, scale 0.6        1.3 3 4.7     1.3 3 4.7       1.3 3 4.7    1.5 3.5 5.5
#   half_pixel_symmetric     1.5 3.5 5.5   1.5 3.5 5.5     refused      1 3 5
#   operator set 10, by 2    1 1.5 2 2.5   refused         1 1.5 2 2.5  1 1.2 1.8 2.2
#
# Ends with 0 while this is so, with 1 once a column has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 openvino==2026.4.1
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

"$dir/env/bin/python" - 2> "$dir/errors" <<'PY' || { cat "$dir/errors" >&2; exit 1; }
import sys

import cv2
import numpy as np
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

CORE = openvino.Core()
CORE.set_property("CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def image(*row):
    return np.tile(np.array(row, np.float32), (1, 1, 6, 1))


POINT, CORNER, RAMP = image(0, 0, 0, 90, 0, 0), image(90, 0, 0, 0, 0, 0), image(1, 2, 3, 4, 5, 6)


def model(side, opset=19, scale=None, sizes=None, **attributes):
    """Returns a file that makes a square of `side` pixels of one of 6."""
    if scale:
        inputs, other = ["x", "s"] if opset == 10 else ["x", "", "s"], np.array([1, 1, scale, scale], np.float32)
    else:
        inputs, other = ["x", "", "", "s"], np.array(sizes or [1, 1, side, side], np.int64)
    graph = helper.make_graph(
        [helper.make_node("Resize", inputs, ["y"], **attributes)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, side, side])],
        [numpy_helper.from_array(other, "s")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9 if opset > 10 else 5)
    return made.SerializeToString()


def by_onnxruntime(file, image):
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"]).run(None, {"x": image})[0]


def by_reference(file, image):
    return ReferenceEvaluator(file).run(None, {"x": image})[0]


def by_openvino(file, image):
    return CORE.compile_model(CORE.read_model(file), "CPU")(image)[0]


def by_opencv(file, image):
    network = cv2.dnn.readNetFromONNX(np.frombuffer(file, np.uint8))
    network.setInput(image)
    return network.forward()


def text(run, file, given, shape_alone):
    try:
        output = run(file, given)
    except (cv2.error, RuntimeError, ValueError):
        return "refused"
    if shape_alone:
        return "x".join(map(str, output.shape[2:]))
    return " ".join(f"{value + 0.0:.2g}" for value in output[0, 0, 0, :4])


MEAN, RATIO, SHIFTED = ["10 20"] * 2, ["3x3"] * 2, "1.5 3.5 5.5"
FAR, NEAR = "72 -3.2 0 0", "70 -3.2 0 0"
SQUARE = dict(sizes=[3, 5], axes=[2, 3], keep_aspect_ratio_policy="not_larger")
SYMMETRIC = dict(coordinate_transformation_mode="half_pixel_symmetric")
CASES = {
    "linear to 2, antialias": (POINT, model(2, mode="linear", antialias=1), [*MEAN, "0 0", "0 0"]),
    "cubic to 4, outside": (CORNER, model(4, mode="cubic", exclude_outside=1), [FAR, FAR, NEAR, FAR]),
    "6x6 to 3x5, same ratio": (RAMP, model(3, mode="linear", **SQUARE), [*RATIO, "3x5", "refused"]),
    "linear, scale 0.6": (RAMP, model(3, scale=0.6, mode="linear"), ["1.3 3 4.7"] * 3 + [SHIFTED]),
    "half_pixel_symmetric": (RAMP, model(3, mode="linear", **SYMMETRIC), [SHIFTED] * 2 + ["refused", "1 3 5"]),
    "operator set 10, by 2": (RAMP, model(12, 10, 2, mode="linear"), ["1 1.5 2 2.5", "refused", "1 1.5 2 2.5", "1 1.2 1.8 2.2"]),
}
RUNTIMES = {"ONNX Runtime": by_onnxruntime, "onnx.reference": by_reference, "OpenVINO": by_openvino, "OpenCV": by_opencv}
same = True
print("{:25}{:14}{:16}{:13}{}".format("Resize", *RUNTIMES))
for name, (given, file, described) in CASES.items():
    seen = [text(run, file, given, name.startswith("6x6")) for run in RUNTIMES.values()]
    print("{:25}{:14}{:16}{:13}{}".format(name, *seen))
    same &= seen == described
sys.exit(not same)
PY
