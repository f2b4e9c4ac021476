#!/usr/bin/env bash
# keras.ops.image.gaussian_blur, used as in its documentation, blurs across the images of a batch and not across columns on JAX and PyTorch: a white image is 45 % grey. Height and width are exchanged on all backends, and bytes are black on NumPy.
#
# Versions: keras 3.15.1 on numpy 2.4.6, jax 0.10.2 and torch 2.13.0; opencv-python-headless 5.0.0.93.
#
# Behaviour: data_format is None by default, which stands for the configured one, channels last. JAX and PyTorch compare it with "channels_last", and find that it is not: the axes are then taken for batch, channels, height, width, which are batch, height, width and channels. With one channel, two thirds of the kernel lie beside the image. Named, it is right.
# kernel_size and sigma are said to be height and width, and are width and height everywhere. On NumPy the kernel gets the images' type, and of bytes it is 0. The layer RandomGaussianBlur names the format and converts, and is right but for the order. The first was reported, and is mended in the sources after this release.
#
# Why a good guess is wrong: the call without a format is the documentation's example, the shape is right, and an image of three channels is blurred along each row and its colours mixed, which looks like a weak blur. Blurred and then scaled to its own range, the grey is gone. Square kernels with one sigma, which nearly all are, cannot show the order. A network trained on one backend
# with this in front sees other images on another.
#
# What a program like ours must do: blur by OpenCV, or name data_format, give floats and one sigma; test a blur with a white image and a single dot.
#
# Seen (a white image of 1.0, of 255 as bytes; and a dot of 1 with a sigma of 2 for the height and 0.5 for the width: pixels beside it above or below, and left or right):
#   way            white  bytes    above  left
#   OpenCV         1.00   255      0.25   0.04
#   numpy          1.00   0        0.04   0.25
#   numpy, named   1.00   0        0.04   0.25
#   jax            0.45   refused  0.00   0.04
#   jax, named     1.00   refused  0.04   0.25
#   torch          0.45   refused  0.00   0.04
#   torch, named   1.00   refused  0.04   0.25
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 opencv-python-headless==5.0.0.93 keras==3.15.1 jax==0.10.2 torch==2.13.0

cd "$dir"
cat > blur.py <<'PY'
import sys

import keras
import numpy as np

WHITE = np.ones((1, 9, 9, 1), np.float32)
DOT = np.zeros((1, 9, 9, 1), np.float32)
DOT[0, 4, 4] = 1


def blurred(image, **options):
    answer = keras.ops.image.gaussian_blur(image, **options)
    return keras.ops.convert_to_numpy(answer)[0, :, :, 0]


def cells(**format_):
    white = f"{blurred(WHITE, **format_)[4, 4]:.2f}"
    try:
        white_bytes = f"{blurred((WHITE * 255).astype(np.uint8), **format_)[4, 4]:.0f}"
    except (TypeError, RuntimeError):
        white_bytes = "refused"
    dot = blurred(DOT, kernel_size=(3, 3), sigma=(2.0, 0.5), **format_)
    return f"{white} {white_bytes} {dot[3, 4]:.2f} {dot[4, 3]:.2f}"


print(cells())
print(cells(data_format="channels_last"))
PY
env/bin/python -W ignore - <<'PY'
import os
import subprocess
import sys

import cv2
import numpy as np

WHITE = np.ones((9, 9), np.float32)
DOT = np.zeros((9, 9), np.float32)
DOT[4, 4] = 1
DESCRIBED = {
    "OpenCV": "1.00 255 0.25 0.04",
    "numpy": "1.00 0 0.04 0.25",
    "numpy, named": "1.00 0 0.04 0.25",
    "jax": "0.45 refused 0.00 0.04",
    "jax, named": "1.00 refused 0.04 0.25",
    "torch": "0.45 refused 0.00 0.04",
    "torch, named": "1.00 refused 0.04 0.25",
}


def by_opencv():
    white, white_bytes = (cv2.GaussianBlur(image, (3, 3), 1) for image in (WHITE, (WHITE * 255).astype(np.uint8)))
    dot = cv2.GaussianBlur(DOT, (3, 3), sigmaX=0.5, sigmaY=2.0)
    return f"{white[4, 4]:.2f} {white_bytes[4, 4]:.0f} {dot[3, 4]:.2f} {dot[4, 3]:.2f}"


seen = {"OpenCV": by_opencv()}
for backend in ("numpy", "jax", "torch"):
    run = [sys.executable, "-W", "ignore", "blur.py"]
    lines = subprocess.run(run, env={**os.environ, "KERAS_BACKEND": backend}, stdout=subprocess.PIPE, text=True, check=True)
    seen[backend], seen[f"{backend}, named"] = lines.stdout.splitlines()
FORM = "{:15}{:7}{:9}{:7}{}"
print(FORM.format("way", "white", "bytes", "above", "left"))
for name, row in seen.items():
    print(FORM.format(name, *row.split()))
sys.exit(seen != DESCRIBED)
PY
