#!/usr/bin/env bash
# OpenCV's thinning leaves the outermost row and column of an image as they are: a digit that was cropped to its ink keeps strokes of full width where it touches the edge.
#
# Versions: opencv-contrib-python-headless 5.0.0.93, scikit-image 0.26.0, numpy 2.4.6.
#
# Behaviour: cv2.ximgproc.thinning takes away pixels until lines are one pixel wide, by the way of Zhang and Suen or of Guo and Hall. It goes over all pixels but those of the edge, as their neighbours lie outside, and so none of these is ever taken away, and those behind them that they hold on to stay as well. A stroke of up to four pixels that fills its image, a cropped 1, stays so. scikit-image's skeletonize (by the first of these ways, and by Lee's) and thin
# see background outside.
#
# Why a good guess is wrong: the documentation names the algorithms and no edge, and OpenCV's other filters make up pixels outside. Photographs have nothing at the edge, and a test image is drawn with a margin. Digits are cropped to their ink before they are brought to one size, and each touches all four edges then: the ends of strokes, the top of a 7 and
# the whole of a 1 are what stays thick, just where stroke ends are counted.
#
# What a program like ours must do: put a margin of a pixel around each image, cv2.copyMakeBorder(image, 1, 1, 1, 1, cv2.BORDER_CONSTANT), and take it off afterwards.
#
# Seen (pixels of ink that are left, of drawings with and without a margin of one pixel):
#   drawing  ink  OpenCV     margin     Guo, Hall    margin       scikit-image
#   a 1      80   80         16         80           17           19
#   a 7      120  39         26         39           24           27
#   a 0      208  64         52         64           44           48
#   a cross  144  51         31         51           33           35
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 opencv-contrib-python-headless==5.0.0.93 scikit-image==0.26.0

"$dir/env/bin/python" -W ignore - <<'PY'
import sys

import cv2
import numpy as np
from skimage.morphology import skeletonize


def drawing(height, width, *boxes):
    """A drawing of boxes (top, bottom, left, right), white on black."""
    image = np.zeros((height, width), np.uint8)
    for top, bottom, left, right in boxes:
        image[top:bottom, left:right] = 255
    return image


def zhang_suen(image):
    return cv2.ximgproc.thinning(image)


def guo_hall(image):
    return cv2.ximgproc.thinning(image, thinningType=cv2.ximgproc.THINNING_GUOHALL)


def by_skimage(image):
    return skeletonize(image > 0)


def left(thin, image, margin):
    return int((thin(np.pad(image, margin)) > 0).sum())


DRAWINGS = {
    "a 1": (drawing(20, 4, (0, 20, 0, 4)), "80 80 16 80 17 19"),
    "a 7": (drawing(20, 14, (0, 4, 0, 14), (0, 20, 10, 14)), "120 39 26 39 24 27"),
    "a 0": (drawing(20, 14, (0, 4, 0, 14), (16, 20, 0, 14), (0, 20, 0, 4), (0, 20, 10, 14)), "208 64 52 64 44 48"),
    "a cross": (drawing(20, 20, (8, 12, 0, 20), (0, 20, 8, 12)), "144 51 31 51 33 35"),
}
FORM = "{:9}{:5}{:11}{:11}{:13}{:13}{}"
same = True
print(FORM.format("drawing", "ink", "OpenCV", "margin", "Guo, Hall", "margin", "scikit-image"))
for name, (image, described) in DRAWINGS.items():
    seen = " ".join(
        [str((image > 0).sum())]
        + [str(left(thin, image, margin)) for thin in (zhang_suen, guo_hall) for margin in (0, 1)]
        + [str(left(by_skimage, image, 0))]
    )
    print(FORM.format(name, *seen.split()))
    same &= seen == described
sys.exit(not same)
PY
