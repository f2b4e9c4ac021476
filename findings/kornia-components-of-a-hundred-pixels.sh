#!/usr/bin/env bash
# kornia.contrib.connected_components gives a label to each pixel that is farther than 100 steps from the end of its component: a rule of 300 pixels has 200 labels.
#
# Versions: kornia 0.9.0, opencv-python-headless 5.0.0.93, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: each pixel begins with a number of its own, and in each of num_iterations steps takes the largest among its neighbours. After 100 steps, the default, it ends, whether or not something still moves. A component that is as
# long as that, along its own ink, is not one: all pixels that the largest number did not reach are alone, with the number that came from 100 pixels away. Nothing tells that it was not finished. With as many steps
# as the component is long the labels are right; each step is a pooling over the whole image.
#
# Why a good guess is wrong: a limit of iterations is expected to cut a thing in two, or to be of the order of the number of things, not of their length; 100 rounds sound like plenty. On digits of 28 pixels it is: even a
# serpentine through all of them is shorter than 400, and a pen's stroke than 100. What breaks is a page: rules, combs, boxes and signatures become hundreds of components of one pixel, which a rule about size then drops as specks. The count of
# unique labels goes up, where one looks for too few of them; and a block of ink of 200 x 400 has 30000.
#
# What a program like ours must do: label with OpenCV or SciPy, which follow a component to its end; or give num_iterations the number of pixels of ink, and compare with a second run of twice as many.
#
# Seen (number of components):
#   image                          OpenCV  kornia  num_iterations=1000
#   line of 101 pixels             1       1       1
#   line of 102 pixels             1       2       1
#   line of 300 pixels             1       200     1
#   two lines of 60                2       2       2
#   block of 200 x 400             1       30000   1
#   serpentine in 29 x 29          1       180     1
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 torch==2.13.0 kornia==0.9.0
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

"$dir/env/bin/python" -W ignore - <<'PY'
import sys

import cv2
import numpy as np
import torch
from kornia.contrib import connected_components


def line(*lengths):
    ink = np.zeros((2 * len(lengths) + 1, max(lengths)), np.uint8)
    for row, length in enumerate(lengths):
        ink[2 * row + 1, :length] = 1
    return ink


def serpentine(side):
    ink = np.zeros((side, side), np.uint8)
    ink[::2] = 1
    ink[1::4, -1] = ink[3::4, 0] = 1
    return ink


def by_kornia(ink, **options):
    labels = connected_components(torch.from_numpy(ink).float()[None, None], **options)
    return len(labels[labels > 0].unique())


CASES = {
    "line of 101 pixels": (line(101), [1, 1, 1]),
    "line of 102 pixels": (line(102), [1, 2, 1]),
    "line of 300 pixels": (line(300), [1, 200, 1]),
    "two lines of 60": (line(60, 60), [2, 2, 2]),
    "block of 200 x 400": (np.ones((200, 400), np.uint8), [1, 30000, 1]),
    "serpentine in 29 x 29": (serpentine(29), [1, 180, 1]),
}
same = True
print(f"{'image':31}{'OpenCV':8}{'kornia':8}num_iterations=1000")
for name, (ink, described) in CASES.items():
    seen = [cv2.connectedComponents(ink)[0] - 1, by_kornia(ink), by_kornia(ink, num_iterations=1000)]
    print(f"{name:31}{seen[0]:<8}{seen[1]:<8}{seen[2]}")
    same &= seen == described
sys.exit(not same)
PY
