#!/usr/bin/env bash
# Whether a min-is-white TIFF comes out black on white or white on black hangs on its depth, the reader and the flag.
#
# Versions: opencv-python-headless 5.0.0.93, pillow 13.0.0, tifffile 2026.3.3, numpy 2.4.6.
#
# Behaviour: a grey TIFF states whether its 0 is black or white (tag 262, PhotometricInterpretation: 0 is WhiteIsZero). With
# 8 bits a sample, Pillow and OpenCV honour the tag and turn the samples round. With 16 bits, Pillow hands them out as they
# lie in the file, so white is 0. OpenCV does so too with IMREAD_UNCHANGED or IMREAD_ANYDEPTH, and turns them round with
# IMREAD_GRAYSCALE: one file, two polarities, by a flag that is about depth. tifffile (and so scikit-image's and imageio's
# reading of TIFF) never turns anything round.
#
# Why a good guess is wrong: having seen an 8-bit WhiteIsZero scan come out right, one takes the tag for dealt with. It is
# dealt with for that depth. "Unchanged" does not warn either: it changes the polarity at 8 bits and keeps it at 16. And a
# flag for depth is expected to change the scale of the values, not their order.
#
# What a program like ours must do: digit networks are trained in one polarity. For a grey TIFF of more than 8 bits read tag
# 262 oneself and turn the samples round if it is 0, and test with a file of 16 bits, not only with one of 8.
#
# Seen (a file whose samples are 0, a quarter and the maximum: white, light grey and black):
#   reader                  8 bits    turned   16 bits        turned
#   Pillow                  255 192 0 yes      0 16383 65535  no
#   OpenCV IMREAD_UNCHANGED 255 192 0 yes      0 16383 65535  no
#   OpenCV IMREAD_GRAYSCALE 255 192 0 yes      255 192 0      yes
#   tifffile                0 63 255  no       0 16383 65535  no
#
# Ends with 0 while this is so, with 1 once a reader has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 tifffile==2026.3.3
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

cd "$dir"
env/bin/python - <<'PY'
import sys

import cv2
import numpy as np
import tifffile
from PIL import Image

READERS = {
    "Pillow": lambda path: np.asarray(Image.open(path)),
    "OpenCV IMREAD_UNCHANGED": lambda path: cv2.imread(path, cv2.IMREAD_UNCHANGED),
    "OpenCV IMREAD_GRAYSCALE": lambda path: cv2.imread(path, cv2.IMREAD_GRAYSCALE),
    "tifffile": tifffile.imread,
}
DESCRIBED = {
    "Pillow": ("255 192 0", "0 16383 65535"),
    "OpenCV IMREAD_UNCHANGED": ("255 192 0", "0 16383 65535"),
    "OpenCV IMREAD_GRAYSCALE": ("255 192 0", "255 192 0"),
    "tifffile": ("0 63 255", "0 16383 65535"),
}

for kind in (np.uint8, np.uint16):
    most = np.iinfo(kind).max
    path = f"{np.dtype(kind).itemsize * 8}.tif"
    tifffile.imwrite(path, np.array([[0, most // 4, most]], kind), photometric="miniswhite")
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].tags[262].value == 0  # the file says WhiteIsZero

same = True
print(f"{'reader':24}{'8 bits':10}{'turned':9}{'16 bits':15}turned")
for name, read in READERS.items():
    arrays = [read(path).ravel() for path in ("8.tif", "16.tif")]
    seen = tuple(" ".join(map(str, array)) for array in arrays)
    turned = ["yes" if array[0] > array[2] else "no" for array in arrays]
    print(f"{name:24}{seen[0]:10}{turned[0]:9}{seen[1]:15}{turned[1]}")
    same &= seen == DESCRIBED[name]
sys.exit(not same)
PY
