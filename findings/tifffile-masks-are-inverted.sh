#!/usr/bin/env bash
# A boolean array that tifffile writes is inverted for every other reader: True is black.
#
# Versions: tifffile 2026.3.3, pillow 13.0.0, opencv-python-headless 5.0.0.93, numpy 2.4.6.
#
# Behaviour: imwrite makes a bilevel image of a boolean array and writes PhotometricInterpretation 0, WhiteIsZero, with the bits as they were: 1 is black. tifffile does not heed that tag when it reads, and gives the same array back.
# Pillow and OpenCV heed it and turn the mask round. Bytes are written as MinIsBlack, and so are other integers and floats; photometric="minisblack" makes a mask like them.
#
# Why a good guess is wrong: the round trip is right, in tifffile and in what reads with it (scikit-image, imageio). True is what is there, and shows white when it is drawn, in Matplotlib and in PNG, to which Pillow saves the same
# array with True as white. A mask of ink has few pixels: inverted it has nearly all of them, and a program that looks for what covers the page finds it. For print, ink of 1 that is black is even what one wants: then it is Pillow's PNG that is inverted.
#
# What a program like ours must do: write masks with photometric="minisblack", or as bytes of 0 and 255; test what was written with another reader.
#
# Seen (an array of False and True):
#   written                    tifffile    Pillow      OpenCV
#   boolean                    False True  True False  255 0
#   boolean, minisblack        False True  False True  0 255
#   bytes of 0 and 255         0 255       0 255       0 255
#   PNG, by Pillow             -           False True  0 255
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 tifffile==2026.3.3
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

cd "$dir"
env/bin/python -W error - <<'PY'
import sys

import cv2
import numpy as np
import tifffile
from PIL import Image

MASK = np.array([[False, True]])
tifffile.imwrite("boolean.tif", MASK)
tifffile.imwrite("minisblack.tif", MASK, photometric="minisblack")
tifffile.imwrite("bytes.tif", MASK * np.uint8(255))
Image.fromarray(MASK).save("pillow.png")


def words(array):
    return " ".join(map(str, np.asarray(array).ravel()))


def by_pillow(name):
    with Image.open(name) as image:
        return words(image)


CASES = {
    "boolean": ("boolean.tif", ["False True", "True False", "255 0"]),
    "boolean, minisblack": ("minisblack.tif", ["False True", "False True", "0 255"]),
    "bytes of 0 and 255": ("bytes.tif", ["0 255", "0 255", "0 255"]),
    "PNG, by Pillow": ("pillow.png", ["-", "False True", "0 255"]),
}
same = True
print(f"{'written':27}{'tifffile':12}{'Pillow':12}OpenCV")
for name, (file, described) in CASES.items():
    by_tifffile = words(tifffile.imread(file)) if file.endswith("tif") else "-"
    seen = [by_tifffile, by_pillow(file), words(cv2.imread(file, cv2.IMREAD_GRAYSCALE))]
    print(f"{name:27}{seen[0]:12}{seen[1]:12}{seen[2]}")
    same &= seen == described
sys.exit(not same)
PY
