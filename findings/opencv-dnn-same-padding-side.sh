#!/usr/bin/env bash
# OpenCV swapped the side of ONNX's SAME padding between 4.13 and 5.0: each is right in one mode only.
#
# Versions: opencv-python-headless 4.13.0.92 and 5.0.0.93, onnx 1.23.2, onnxruntime 1.32.0, numpy 2.2.6.
#
# Behaviour: where a SAME-padded layer needs an odd number of padding pixels (an even input, stride 2 and a 3x3 window need
# one), ONNX puts the odd pixel at the end for auto_pad=SAME_UPPER and at the start for SAME_LOWER. cv2.dnn pays no attention
# to which of the two a model says. 4.13 pads at the end for both, so SAME_LOWER is wrong; 5.0 pads at the start for both, so
# SAME_UPPER is wrong. The output has the right shape and no warning is given. A layer with the same padding spelled out as
# pads=[0, 0, 1, 1] is right in both.
#
# Why a good guess is wrong: SAME_UPPER is the one that matters, being the padding that Keras and TensorFlow call "same", and
# 4.13 has it right. So a model that agreed with ONNX Runtime under 4.13 gives other numbers after an upgrade of OpenCV
# alone. And at stride 1 with an odd window, or with an odd input, the two modes are one, so a test with such a layer finds
# nothing.
#
# What a program like ours must do: write explicit pads into an exported model, never auto_pad, and test a consumer on an
# even input with stride 2, with values that tell a shift by one pixel.
#
# Seen (sums over 3x3 windows of a 6x6 picture of 1 to 36, stride 2; first row of the 3x3 output):
#   layer               ONNX Runtime     OpenCV 4.13.0    OpenCV 5.0.0
#   Conv SAME_UPPER     72 90 69         72 90 69         18 36 48
#   Conv SAME_LOWER     18 36 48         72 90 69         18 36 48
#   Conv pads=0,0,1,1   72 90 69         72 90 69         72 90 69
#   MaxPool SAME_UPPER  15 17 18         15 17 18         8 10 12
#   MaxPool SAME_LOWER  8 10 12          15 17 18         8 10 12
#
# Ends with 0 while this is so, with 1 once any of the three columns has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.2.6 onnx==1.23.2 onnxruntime==1.32.0
for version in 4.13.0.92 5.0.0.93; do
  "$dir/env/bin/pip" install -qq --no-deps --target "$dir/$version" "opencv-python-headless==$version"
done

cat > "$dir/models.py" <<'PY'
import numpy as np
from onnx import TensorProto, helper, numpy_helper

PICTURE = np.arange(1, 37, dtype=np.float32).reshape(1, 1, 6, 6)
LAYERS = {
    "Conv SAME_UPPER": ("Conv", {"auto_pad": "SAME_UPPER"}),
    "Conv SAME_LOWER": ("Conv", {"auto_pad": "SAME_LOWER"}),
    "Conv pads=0,0,1,1": ("Conv", {"pads": [0, 0, 1, 1]}),
    "MaxPool SAME_UPPER": ("MaxPool", {"auto_pad": "SAME_UPPER"}),
    "MaxPool SAME_LOWER": ("MaxPool", {"auto_pad": "SAME_LOWER"}),
}


def model(operator, attributes):
    """Returns the bytes of a model of one layer with a 3x3 window, stride 2 and, in Conv, weights of one."""
    weights = [numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "w")] if operator == "Conv" else []
    node = helper.make_node(
        operator, ["x"] + [w.name for w in weights], ["y"], kernel_shape=[3, 3], strides=[2, 2], **attributes
    )
    graph = helper.make_graph(
        [node],
        "one_layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 3, 3])],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


def first_row(output):
    """Returns the first row of a 1x1x3x3 output as text."""
    assert output.shape == (1, 1, 3, 3), output.shape
    return " ".join(f"{value:g}" for value in output[0, 0, 0])
PY

cat > "$dir/by_onnxruntime.py" <<'PY'
import onnxruntime
from models import LAYERS, PICTURE, first_row, model

for operator, attributes in LAYERS.values():
    session = onnxruntime.InferenceSession(model(operator, attributes), providers=["CPUExecutionProvider"])
    print(first_row(session.run(None, {"x": PICTURE})[0]))
PY

cat > "$dir/by_opencv.py" <<'PY'
import cv2
import numpy as np
from models import LAYERS, PICTURE, first_row, model

for operator, attributes in LAYERS.values():
    net = cv2.dnn.readNetFromONNX(np.frombuffer(model(operator, attributes), np.uint8))
    net.setInput(PICTURE)
    print(first_row(net.forward()))
PY

cat > "$dir/table.py" <<'PY'
import sys
from pathlib import Path

from models import LAYERS

UPPER, LOWER = ("72 90 69", "15 17 18"), ("18 36 48", "8 10 12")
DESCRIBED = {
    "ort": [UPPER[0], LOWER[0], UPPER[0], UPPER[1], LOWER[1]],
    "4.13.0.92": [UPPER[0], UPPER[0], UPPER[0], UPPER[1], UPPER[1]],
    "5.0.0.93": [LOWER[0], LOWER[0], UPPER[0], LOWER[1], LOWER[1]],
}
folder = Path(sys.argv[1])
seen = {name: (folder / f"{name}.txt").read_text().splitlines() for name in DESCRIBED}
print(f"{'layer':20}{'ONNX Runtime':17}{'OpenCV 4.13.0':17}OpenCV 5.0.0")
for number, layer in enumerate(LAYERS):
    print(f"{layer:20}{seen['ort'][number]:17}{seen['4.13.0.92'][number]:17}{seen['5.0.0.93'][number]}")
sys.exit(seen != DESCRIBED)
PY

cd "$dir"
env/bin/python by_onnxruntime.py > ort.txt
for version in 4.13.0.92 5.0.0.93; do
  PYTHONPATH="$dir/$version" env/bin/python by_opencv.py > "$version.txt"
done
env/bin/python table.py "$dir"
