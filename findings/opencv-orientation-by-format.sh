#!/usr/bin/env bash
# OpenCV turns a photograph upright in JPEG, PNG and WebP but not with IMREAD_UNCHANGED; in TIFF with it, too, unless it lies on its side, which is not read at all; in AVIF never.
#
# Versions: opencv-python-headless 5.0.0.93, pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: a file says how it was held: by EXIF in JPEG, PNG and WebP, by tag 274 in TIFF, by a rotation in AVIF (Pillow writes and reads it as EXIF). imread turns the first three for IMREAD_COLOR and IMREAD_GRAYSCALE. IMREAD_UNCHANGED leaves them. A TIFF is turned in all modes if it stands on its
# head (3) or is square; of any other that lies on its side (6, 8) imread finds that the sizes do not agree, says so on the error output and returns None. An AVIF is returned as it is stored.
#
# Why a good guess is wrong: that imread heeds EXIF, and UNCHANGED does not, is known from JPEG, and phones write JPEG. PNG and WebP follow it. Scanners and fax servers write tag 274, and their pages lie on the side for landscape: those are "damaged" for OpenCV 5 while
# every viewer shows them. Photographs that were made AVIF to save space were upright before.
#
# What a program like ours must do: open with Pillow, from an open file, and ImageOps.exif_transpose, which does all five; take None of imread for "not by this reader".
#
# Seen (where the bright upper left corner of 48x32 stored pixels is afterwards; it belongs lower right for 3, upper right for 6):
#   file  turned  size   Pillow       COLOR        UNCHANGED
#   jpg   3       48x32  lower right  lower right  upper left
#   jpg   6       48x32  upper right  upper right  upper left
#   png   6       48x32  upper right  upper right  upper left
#   webp  6       48x32  upper right  upper right  upper left
#   tif   3       48x32  lower right  lower right  lower right
#   tif   6       48x32  upper right  None         None
#   tif   6       32x32  upper right  upper right  upper right
#   avif  3       48x32  lower right  upper left   upper left
#   avif  6       48x32  upper right  upper left   upper left
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

cd "$dir"
export OPENCV_LOG_LEVEL=OFF
env/bin/python - <<'PY'
import sys

import cv2
import numpy as np
from PIL import Image, ImageOps


def stored(width):
    pixels = np.full((32, width), 50, np.uint8)
    pixels[:16, : width // 2] = 200
    return Image.fromarray(pixels)


def corner(image):
    if image is None:
        return "None"
    image = image if image.ndim == 2 else image[:, :, 0]
    greys = {"upper left": image[4, 4], "upper right": image[4, -5], "lower left": image[-5, 4], "lower right": image[-5, -5]}
    return max(greys, key=greys.get)


def write(kind, turned, width=48):
    exif = Image.Exif()
    exif[274] = turned
    options = {"tiffinfo": {274: turned}} if kind == "tif" else {"exif": exif}
    stored(width).save(f"a.{kind}", **options)


DESCRIBED = {
    ("jpg", 3, 48): "lower right, upper left",
    ("jpg", 6, 48): "upper right, upper left",
    ("png", 6, 48): "upper right, upper left",
    ("webp", 6, 48): "upper right, upper left",
    ("tif", 3, 48): "lower right, lower right",
    ("tif", 6, 48): "None, None",
    ("tif", 6, 32): "upper right, upper right",
    ("avif", 3, 48): "upper left, upper left",
    ("avif", 6, 48): "upper left, upper left",
}
same = True
print(f"{'file':6}{'turned':8}{'size':7}{'Pillow':13}{'COLOR':13}UNCHANGED")
for (kind, turned, width), described in DESCRIBED.items():
    write(kind, turned, width)
    with open(f"a.{kind}", "rb") as file:  # by its name Pillow scrambles some: pillow-tiff-by-its-name.sh
        upright = np.asarray(ImageOps.exif_transpose(Image.open(file)))
    seen = [corner(cv2.imread(f"a.{kind}", mode)) for mode in (cv2.IMREAD_COLOR, cv2.IMREAD_UNCHANGED)]
    print("{:6}{:<8}{:7}{:13}{:13}{}".format(kind, turned, f"{width}x32", corner(upright), *seen))
    same &= ", ".join(seen) == described
    same &= corner(upright) == ("lower right" if turned == 3 else "upper right")
sys.exit(not same)
PY
