#!/usr/bin/env bash
# The same image as bytes, 16 bits or floats is another one for scikit-image's gabor, wiener, hessian and bilateral filters and for two of its thresholds, while the rest converts.
#
# Versions: scikit-image 0.26.0, scipy 1.17.1, numpy 2.4.6.
#
# Behaviour: most of scikit-image converts images by their type: 255, 65535 and 1.0 are white. Some functions do not. gabor gives integers for integers, its negative half modulo 256. wiener divides by nothing and clips to -1..1: of bytes everything is white. hessian has constants that do not go with the range. denoise_bilateral converts, and makes its
# table of differences by the largest number from before. threshold_triangle makes a histogram with an entry for each whole number, which of 16 bits is mostly zeros, so that the line it draws ends elsewhere. threshold_sauvola takes the range of floats as -1 to 1, twice what it is, and so half of the contrast that bytes have.
#
# Why a good guess is wrong: one guide says that functions take any of the types and that the range goes with it; gaussian, sobel, canny, otsu, niblack, equalize_hist and many others hold to it, and whoever tries three of them knows. No warning is given: each answer is an image or a threshold in the range of its type. A pipeline that was made on PNG files of 8 bits then
# meets a scanner's 16 bits, or somebody puts img_as_float in front, as one is advised, and the threshold is another.
#
# What a program like ours must do: convert once to float32 in 0 to 1, give r and constants explicitly, and test each filter with an image in two types.
#
# Seen (an image of 60 x 60, as 8 bits, as these times 257, and as floats of these; the mean of the result in parts of white, and the share of pixels above the threshold):
#   filter               8 bits    16 bits   floats
#   gaussian             0.472     0.472     0.472
#   canny                0.226     0.226     0.226
#   gabor, real part     0.279     0.465     0.001
#   wiener               0.996     0.996     0.472
#   hessian              0.248     0.841     0.200
#   denoise_bilateral    0.467     0.441     0.468
#   threshold_otsu       0.572     0.572     0.572
#   threshold_niblack    0.583     0.583     0.583
#   threshold_triangle   0.087     0.501     0.089
#   threshold_sauvola    0.743     0.743     0.772
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 scipy==1.17.1 scikit-image==0.26.0

"$dir/env/bin/python" -W ignore - <<'PY'
import sys

import numpy as np
from scipy import ndimage
from skimage import feature, filters, restoration

SMOOTH = ndimage.gaussian_filter(np.random.default_rng(0).random((60, 60)), 2)
BYTES = np.round((SMOOTH - SMOOTH.min()) / (SMOOTH.max() - SMOOTH.min()) * 255).astype(np.uint8)
IMAGES = BYTES, BYTES.astype(np.uint16) * 257, BYTES / 255


def part(result, image):
    """The mean of a result, in parts of the image's white if it is of the image's type."""
    white = np.iinfo(result.dtype).max if result.dtype.kind == "u" else 1
    return f"{result.mean() / white:.3f}"


def above(threshold, image):
    return f"{(image > threshold).mean():.3f}"


CASES = {
    "gaussian": (filters.gaussian, part, "0.472 0.472 0.472"),
    "canny": (feature.canny, part, "0.226 0.226 0.226"),
    "gabor, real part": (lambda image: filters.gabor(image, 0.2)[0], part, "0.279 0.465 0.001"),
    "wiener": (lambda image: restoration.wiener(image, np.full((3, 3), 1 / 9), 0.1), part, "0.996 0.996 0.472"),
    "hessian": (filters.hessian, part, "0.248 0.841 0.200"),
    "denoise_bilateral": (restoration.denoise_bilateral, part, "0.467 0.441 0.468"),
    "threshold_otsu": (filters.threshold_otsu, above, "0.572 0.572 0.572"),
    "threshold_niblack": (filters.threshold_niblack, above, "0.583 0.583 0.583"),
    "threshold_triangle": (filters.threshold_triangle, above, "0.087 0.501 0.089"),
    "threshold_sauvola": (filters.threshold_sauvola, above, "0.743 0.743 0.772"),
}
FORM = "{:21}{:10}{:10}{}"
same = True
print(FORM.format("filter", "8 bits", "16 bits", "floats"))
for name, (function, measure, described) in CASES.items():
    seen = [measure(function(image), image) for image in IMAGES]
    print(FORM.format(name, *seen))
    same &= " ".join(seen) == described
sys.exit(not same)
PY
