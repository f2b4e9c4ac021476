#!/usr/bin/env bash
# scipy.ndimage.binary_closing removes ink at the edge of an image; closing is the operation that only adds some.
#
# Versions: scipy 1.17.1, scikit-image 0.26.0, opencv-python-headless 5.0.0.93, mahotas 1.4.19, numpy 2.4.6.
#
# Behaviour: a closing is a dilation and then an erosion, and what it gives holds all that was there. binary_closing takes what lies outside of the image for blank, border_value=0, in both steps. The dilation is cut off at the edge, and the erosion eats one
# pixel for each iteration from all that touches it: of an image of 5x5 that is all ink 9 pixels are left, and 1 with two iterations. grey_closing of the same array mirrors the edge, and loses nothing; nor do scikit-image, OpenCV or mahotas.
#
# Why a good guess is wrong: that closing keeps what is there is its definition, and true within the image. A border of blank is the right thing for the dilation, and right for both steps of an opening. A page has margins, a crop has none: a digit, a comb's
# line or a rule that was cut at the edge of its box is thinned there, at each side it touches, by as many pixels as there are iterations, so that closing with more iterations joins less. border_value=1 keeps the ink, and joins what is near an edge to the edge.
#
# What a program like ours must do: pad by the number of iterations first and crop afterwards, or close with OpenCV.
#
# Seen (pixels of ink after a closing by 3x3):
#   image               ink  binary         binary, twice  border of 1    padded         grey           scikit-image   OpenCV         mahotas
#   all ink, 5x5        25   9              1              25             25             25             25             25             25
#   rule, edge to edge  9    7              5              9              9              9              9              9              9
#   broken rule         8    7              5              9              9              9              9              9              9
#   the same, margins   8    9              9              9              9              9              9              9              9
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 scipy==1.17.1 scikit-image==0.26.0 mahotas==1.4.19
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

"$dir/env/bin/python" - <<'PY'
import sys

import cv2
import mahotas
import numpy as np
from scipy import ndimage
from skimage import morphology

SQUARE = np.ones((3, 3), bool)
full = np.ones((5, 5), bool)
rule = np.zeros((7, 9), bool)
rule[3] = True
broken = rule.copy()
broken[3, 4] = False
inside = np.pad(broken, 3)


def by_opencv(ink, times):
    return cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_CLOSE, SQUARE.astype(np.uint8), iterations=times)


def padded(ink, times):
    closed = ndimage.binary_closing(np.pad(ink, times), SQUARE, iterations=times)
    return closed[times:-times, times:-times]


WAYS = {
    "binary": lambda ink: ndimage.binary_closing(ink, SQUARE),
    "binary, twice": lambda ink: ndimage.binary_closing(ink, SQUARE, iterations=2),
    "border of 1": lambda ink: ndimage.binary_closing(ink, SQUARE, border_value=1),
    "padded": lambda ink: padded(ink, 2),
    "grey": lambda ink: ndimage.grey_closing(ink.astype(np.uint8), (3, 3)),
    "scikit-image": lambda ink: morphology.closing(ink, SQUARE),
    "OpenCV": lambda ink: by_opencv(ink, 1),
    "mahotas": lambda ink: mahotas.close(ink, SQUARE),
}
IMAGES = {"all ink, 5x5": full, "rule, edge to edge": rule, "broken rule": broken, "the same, margins": inside}
DESCRIBED = {"all ink, 5x5": (25, 9, 1), "rule, edge to edge": (9, 7, 5), "broken rule": (9, 7, 5), "the same, margins": (9, 9, 9)}
same = True
print(f"{'image':20}{'ink':5}" + "".join(f"{name:15}" for name in WAYS).rstrip())
for name, ink in IMAGES.items():
    seen = [int(np.count_nonzero(close(ink))) for close in WAYS.values()]
    print(f"{name:20}{np.count_nonzero(ink):<5}" + "".join(f"{count:<15}" for count in seen).rstrip())
    right, once, twice = DESCRIBED[name]
    same &= seen == [once, twice, *[right] * 6]
sys.exit(not same)
PY
