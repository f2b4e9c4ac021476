#!/usr/bin/env bash
# In PyTorch, antialias=True changes what bicubic means: an image that is made larger, where there is nothing to smooth, has other pixels with it.
#
# Versions: torch 2.13.0, pillow 13.0.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: a bicubic kernel has one free number, a: the depth of its negative side lobes. torch.nn.functional.interpolate takes -0.75 without antialias, as OpenCV does, and -0.5 with it, as Pillow does.
# antialias=True only widens the kernel when an image is made smaller; but by the other a it changes enlarged images as well, an overshoot at an edge of black and white by a third. Linear interpolation is the same both ways.
#
# Why a good guess is wrong: the option is documented to matter for smaller images only, and so it does for "bilinear", on which one tries it. The two values of a are known, from Pillow against OpenCV; that one function
# has both, by a flag that is about something else, is not. A resizing whose factor may be above or below 1 is then no continuous thing: turned on to be like Pillow, it
# is like Pillow in both directions; turned off for enlarging "as it makes no difference", it makes one.
#
# What a program like ours must do: give antialias=True always or never, by what the network was trained with (Pillow's images, OpenCV's images), never by whether the image gets smaller; in ONNX write cubic_coeff_a.
#
# Seen (a row of 0 0 0 90 90 90 made twice as wide, its middle):
#   way                              middle
#   PyTorch, bicubic                 -3.16 -9.49 20.4 69.6 99.5 93.2
#   PyTorch, bicubic, antialias      -2.11 -6.33 18.3 71.7 96.3 92.1
#   Pillow, bicubic                  -2.11 -6.33 18.3 71.7 96.3 92.1
#   OpenCV, cubic                    -3.16 -9.49 20.4 69.6 99.5 93.2
#   PyTorch, bilinear                0 0 22.5 67.5 90 90
#   PyTorch, bilinear, antialias     0 0 22.5 67.5 90 90
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq torch==2.13.0 numpy==2.4.6 pillow==13.0.0
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

"$dir/env/bin/python" - <<'PY'
import sys

import cv2
import numpy as np
import torch
from PIL import Image

ROW = np.array([[0, 0, 0, 90, 90, 90]], np.float32)


def by_torch(mode, antialias):
    image = torch.from_numpy(ROW)[None, None]
    return torch.nn.functional.interpolate(image, size=(1, 12), mode=mode, antialias=antialias)[0, 0]


SHARP, SOFT, LINEAR = "-3.16 -9.49 20.4 69.6 99.5 93.2", "-2.11 -6.33 18.3 71.7 96.3 92.1", "0 0 22.5 67.5 90 90"
WAYS = {
    "PyTorch, bicubic": (lambda: by_torch("bicubic", False), SHARP),
    "PyTorch, bicubic, antialias": (lambda: by_torch("bicubic", True), SOFT),
    "Pillow, bicubic": (lambda: Image.fromarray(ROW).resize((12, 1), Image.Resampling.BICUBIC), SOFT),
    "OpenCV, cubic": (lambda: cv2.resize(ROW, (12, 1), interpolation=cv2.INTER_CUBIC), SHARP),
    "PyTorch, bilinear": (lambda: by_torch("bilinear", False), LINEAR),
    "PyTorch, bilinear, antialias": (lambda: by_torch("bilinear", True), LINEAR),
}
same = True
print(f"{'way':33}middle")
for name, (way, described) in WAYS.items():
    seen = " ".join(f"{value + 0.0:.3g}" for value in np.asarray(way())[0, 3:9])
    print(f"{name:33}{seen}")
    same &= seen == described
sys.exit(not same)
PY
