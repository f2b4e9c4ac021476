#!/usr/bin/env bash
# The edges of an image of bytes are 15 at most by scipy.ndimage.gaussian_gradient_magnitude, those to the dark are 224 for -800 by its Sobel, and a mean is too dark by 1.
#
# Versions: scipy 1.17.1, numpy 2.4.6; on x86-64.
#
# Behaviour: filters of scipy.ndimage give an array of the type that they got, and take that type for what they keep in between. A gradient magnitude is a root of a sum of squares, each of which is taken modulo 256: the root is below 16. sobel, laplace, gaussian_laplace and an order of 1 give negative numbers, which are taken modulo 256; zoom and rotate, which overshoot, keep to 0 and 255.
# gaussian_filter and uniform_filter cut off the fraction after each axis, so a mean over two axes is too low by 1 or so. With output=float everything is right.
#
# Why a good guess is wrong: OpenCV saturates, scikit-image converts to floats, and Pillow rounds. The documentation says of some of these functions that intermediate results may be imprecise, and of the magnitude nothing; imprecise is what one expects of bytes. A page of one grey comes back as it was, as means of equal numbers are exact, and a Sobel of floats is what a tutorial shows.
# A threshold on the magnitude that was found on floats finds no edges; one on a sharpened difference finds all the dark ones.
#
# What a program like ours must do: convert to float32 before any filter, or pass output=numpy.float32; test with a falling edge, and a mean of noise against the mean of the image.
#
# Seen (a white bar of 200 on black, an edge up at its left and one down at its right; and 4096 pixels drawn from 0 to 255):
#   filter                       floats      bytes       bytes, output=float
#   gaussian_gradient_magnitude  73 73       8 8         73 73
#   sobel                        800 -800    32 224      800 -800
#   prewitt                      600 -600    88 168      600 -600
#   gaussian_filter, order 1     73 -73      72 184      73 -73
#   laplace                      -200 to 200 0 to 200    -200 to 200
#   gaussian_laplace             -40 to 40   0 to 249    -40 to 40
#   zoom, twice                  -17 to 222  0 to 222    -17 to 222
#   noise, mean                  126.80      126.80      126.80
#   gaussian_filter, mean        126.80      125.80      126.80
#   uniform_filter, mean         126.80      126.00      126.80
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 scipy==1.17.1

"$dir/env/bin/python" - <<'PY'
import sys

import numpy as np
from scipy import ndimage

BAR = np.zeros((16, 32), np.uint8)
BAR[:, 8:24] = 200
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)


def at_edges(filtered):
    """The largest magnitude at the left edge, and what the right one has at the same distance."""
    left = np.abs(filtered[8, :16].astype(float)).argmax()
    return f"{filtered[8, left]:.0f} {filtered[8, 31 - left]:.0f}"


def extremes(filtered):
    return f"{filtered.min():.0f} to {filtered.max():.0f}"


def mean(filtered):
    return f"{filtered.mean():.2f}"


CASES = {
    "gaussian_gradient_magnitude": (lambda a, **to: ndimage.gaussian_gradient_magnitude(a, 1, **to), BAR, at_edges, "73 73 / 8 8 / 73 73"),
    "sobel": (lambda a, **to: ndimage.sobel(a, 1, **to), BAR, at_edges, "800 -800 / 32 224 / 800 -800"),
    "prewitt": (lambda a, **to: ndimage.prewitt(a, 1, **to), BAR, at_edges, "600 -600 / 88 168 / 600 -600"),
    "gaussian_filter, order 1": (lambda a, **to: ndimage.gaussian_filter(a, 1, (0, 1), **to), BAR, at_edges, "73 -73 / 72 184 / 73 -73"),
    "laplace": (lambda a, **to: ndimage.laplace(a, **to), BAR, extremes, "-200 to 200 / 0 to 200 / -200 to 200"),
    "gaussian_laplace": (lambda a, **to: ndimage.gaussian_laplace(a, 1, **to), BAR, extremes, "-40 to 40 / 0 to 249 / -40 to 40"),
    "zoom, twice": (lambda a, **to: ndimage.zoom(a, 2, mode="nearest", **to), BAR, extremes, "-17 to 222 / 0 to 222 / -17 to 222"),
    "noise, mean": (lambda a, **to: a.astype(float), NOISE, mean, "126.80 / 126.80 / 126.80"),
    "gaussian_filter, mean": (lambda a, **to: ndimage.gaussian_filter(a, 2, **to), NOISE, mean, "126.80 / 125.80 / 126.80"),
    "uniform_filter, mean": (lambda a, **to: ndimage.uniform_filter(a, 5, **to), NOISE, mean, "126.80 / 126.00 / 126.80"),
}
FORM = "{:29}{:12}{:12}{}"
same = True
print(FORM.format("filter", "floats", "bytes", "bytes, output=float"))
for name, (function, image, measure, described) in CASES.items():
    answers = function(image.astype(float)), function(image), function(image, output=float)
    seen = [measure(answer) for answer in answers]
    print(FORM.format(name, *seen))
    same &= " / ".join(seen) == described
sys.exit(not same)
PY
