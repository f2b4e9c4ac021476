#!/usr/bin/env bash
# The distance to the nearest background of an image that has none is 5.74 everywhere, grows from a corner, is 1 or 2, 1.8e19 or infinite: one answer for each library.
#
# Versions: scipy 1.17.1, mahotas 1.4.19, opencv-python-headless 5.0.0.93, edt 3.1.2, diplib 3.6.1, numpy 2.4.6.
#
# Behaviour: a distance transform gives each pixel of ink the distance to the nearest one of paper. If the image is all ink there is no such distance. scipy's distance_transform_edt measures to a pixel above the image's left corner: a ramp that looks like any other. Its distance_transform_cdt says -1, its
# distance_transform_bf 1.3e154. mahotas says one number for all, which it takes from height and width. DIPlib takes what lies outside of the image for paper, unless it is told otherwise, and so does edt with black_border=True; without it edt says infinity. OpenCV says 1.8e19 by the exact mask, and the
# largest float by the others.
#
# Why a good guess is wrong: with a margin all agree to a rounding, and images of digits have one. A crop to the ink, a connected component in its box, a rule or a filled field of a form have none. One expects infinity, or an error; 5.74 and a ramp from 1 are what strokes have.
# The mean stroke width, which is twice such distances, is then the image's size, and a threshold by it keeps or throws away everything.
#
# What a program like ours must do: put a margin of one pixel of paper around each image before a distance transform, and cut it off afterwards.
#
# Seen (4 x 3 pixels of ink; the rows of the answer, or the number where all are one):
#   way                       answer
#   scipy, edt                1 1.41 2.24 3.16 / 2 2.24 2.83 3.61 / 3 3.16 3.61 4.24
#   scipy, cdt                -1
#   scipy, bf                 1.34e+154
#   mahotas, euclidean        5.74
#   edt                       inf
#   edt, black_border         1 1 1 1 / 1 2 2 1 / 1 1 1 1
#   DIPlib                    1 1 1 1 / 1 2 2 1 / 1 1 1 1
#   OpenCV, exact             1.84e+19
#   OpenCV, mask of 3         3.4e+38
#   OpenCV, mask of 5         3.4e+38
#   all, with a margin        1 1 1 1 / 1 2 2 1 / 1 1 1 1
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 scipy==1.17.1 mahotas==1.4.19 edt==3.1.2
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93 diplib==3.6.1

"$dir/env/bin/python" - <<'PY'
import sys

import cv2
import diplib
import edt
import mahotas
import numpy as np
from scipy import ndimage

INK = np.ones((3, 4), np.uint8)
RIGHT = "1 1 1 1 / 1 2 2 1 / 1 1 1 1"
WAYS = {
    "scipy, edt": (ndimage.distance_transform_edt, "1 1.41 2.24 3.16 / 2 2.24 2.83 3.61 / 3 3.16 3.61 4.24"),
    "scipy, cdt": (ndimage.distance_transform_cdt, "-1"),
    "scipy, bf": (ndimage.distance_transform_bf, "1.34e+154"),
    "mahotas, euclidean": (lambda ink: mahotas.distance(ink, metric="euclidean"), "5.74"),
    "edt": (edt.edt, "inf"),
    "edt, black_border": (lambda ink: edt.edt(ink, black_border=True), RIGHT),
    "DIPlib": (lambda ink: np.asarray(diplib.EuclideanDistanceTransform(diplib.Image(ink.astype(bool)))), RIGHT),
    "OpenCV, exact": (lambda ink: cv2.distanceTransform(ink, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), "1.84e+19"),
    "OpenCV, mask of 3": (lambda ink: cv2.distanceTransform(ink, cv2.DIST_L1, 3), "3.4e+38"),
    "OpenCV, mask of 5": (lambda ink: cv2.distanceTransform(ink, cv2.DIST_L2, 5), "3.4e+38"),
}


def text(values):
    rows = [" ".join(f"{value:.3g}" for value in row) for row in values]
    return rows[0].split()[0] if len({value for row in rows for value in row.split()}) == 1 else " / ".join(rows)


same = True
print(f"{'way':26}answer")
for name, (way, described) in WAYS.items():
    seen = text(way(INK))
    print(f"{name:26}{seen}")
    inside = way(np.pad(INK, 1))[1:-1, 1:-1]
    same &= seen == described and np.allclose(inside, [[1, 1, 1, 1], [1, 2, 2, 1], [1, 1, 1, 1]])
print(f"{'all, with a margin':26}{RIGHT}")
sys.exit(not same)
PY
