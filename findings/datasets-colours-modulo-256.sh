#!/usr/bin/env bash
# Hugging Face's datasets keeps 16 bits of a grey array, takes those of a colour array modulo 256, and of the same image as a PNG file the upper 8.
#
# Versions: datasets 5.2.0, pillow 13.0.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: a column of type Image stores an array as a PNG or TIFF of a type that Pillow has. For (H, W) that is uint16, int32 or float32, and the values are kept. For (H, W, 2), (H, W, 3) and (H, W, 4) it is uint8 alone, and uint16, int16, int32 and int64 are cast: 300 becomes 44, -3 becomes 253.
# A warning says "Downcasting array dtype uint16 to uint8". A float array in colour is refused, as is (H, W, 1). A PNG of 16 bits in colour, given as a path or as bytes, is opened by Pillow, which keeps the upper byte: 300 becomes 1.
#
# Why a good guess is wrong: having seen a grey array of 16 bits come back, one takes the type for supported. The warning comes once a process and is the one that int64 arrays, which NumPy makes by default, give as well: there 0 to 255 are
# right. To downcast an image is to scale it, for all that is meant by it elsewhere: torchvision's ToDtype(scale=True), img_as_ubyte. Modulo 256 an image keeps its edges, and has contours where it was smooth.
#
# What a program like ours must do: bring arrays to uint8 itself, by dividing by 257, before they come near a data set; or store them as Array3D.
#
# Seen (an array of one value; the type and value that come back):
#   uint16 300, grey                 uint16 300
#   uint16 300, grey and alpha       uint8 44
#   uint16 300, colour               uint8 44
#   uint16 300, colour, a PNG file   uint8 1
#   int16 -3, grey                   int32 -3
#   int16 -3, colour                 uint8 253
#   int64 300, grey                  int32 300
#   int64 300, colour                uint8 44
#   float32 0.5, grey                float32 0.5
#   float32 0.5, colour              refused
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 datasets==5.2.0
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

cd "$dir"
export HF_HOME="$dir/home" HF_HUB_OFFLINE=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1
env/bin/python -W ignore - <<'PY'
import sys

import cv2
import datasets
import numpy as np

IMAGES = datasets.Features({"image": datasets.Image()})


def stored(image):
    try:
        read = np.asarray(datasets.Dataset.from_dict({"image": [image]}, features=IMAGES)[0]["image"])
    except TypeError:
        return "refused"
    return f"{read.dtype} {read.flat[0]}"


def as_file(value):
    cv2.imwrite("colour.png", np.full((4, 4, 3), value, np.uint16))
    return "colour.png"


GREY, COLOUR = (4, 4), (4, 4, 3)
CASES = {
    "uint16 300, grey": (np.full(GREY, 300, np.uint16), "uint16 300"),
    "uint16 300, grey and alpha": (np.full((4, 4, 2), 300, np.uint16), "uint8 44"),
    "uint16 300, colour": (np.full(COLOUR, 300, np.uint16), "uint8 44"),
    "uint16 300, colour, a PNG file": (as_file(300), "uint8 1"),
    "int16 -3, grey": (np.full(GREY, -3, np.int16), "int32 -3"),
    "int16 -3, colour": (np.full(COLOUR, -3, np.int16), "uint8 253"),
    "int64 300, grey": (np.full(GREY, 300, np.int64), "int32 300"),
    "int64 300, colour": (np.full(COLOUR, 300, np.int64), "uint8 44"),
    "float32 0.5, grey": (np.full(GREY, 0.5, np.float32), "float32 0.5"),
    "float32 0.5, colour": (np.full(COLOUR, 0.5, np.float32), "refused"),
}
same = True
for name, (image, described) in CASES.items():
    seen = stored(image)
    print(f"{name:33}{seen}")
    same &= seen == described
sys.exit(not same)
PY
