#!/usr/bin/env bash
# In kornia an angle of 90 turns an image against the clock by rotate and RandomRotation, and with it by RandomAffine and affine.
#
# Versions: kornia 0.9.0, torch 2.13.0, pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: rotate, Rotate, RandomRotation, get_rotation_matrix2d and Pillow's rotate take a positive angle against the clock, as it is drawn in a book. RandomAffine(degrees=...), get_affine_matrix2d and what is made of it take it with the clock.
#
# Why a good guess is wrong: both are documented as "degrees", the augmentations have the same signature, and RandomAffine with a rotation alone is what one goes on to when a shift is to be added. A range of -15 to 15 has the same distribution in both, so a training
# does not show it. What does is all that says by how much: one direction alone (a slant of handwriting, a camera's tilt), labels of boxes or corners turned by hand along with the image, an image turned back by the angle that was drawn.
#
# What a program like ours must do: turn points by the matrix that the augmentation returns (transform_matrix), not by its angle; test with 90 degrees and one bright corner.
#
# Seen (an image of 5x5 whose upper right pixel is bright, turned by 90 degrees):
#   Pillow, rotate          upper left
#   rotate                  upper left
#   get_rotation_matrix2d   upper left
#   RandomRotation          upper left
#   get_affine_matrix2d     lower right
#   RandomAffine            lower right
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 torch==2.13.0 kornia==0.9.0 pillow==13.0.0

"$dir/env/bin/python" -W ignore - <<'PY'
import sys

import numpy as np
import torch
from kornia import augmentation, geometry
from PIL import Image

image = torch.zeros(1, 1, 5, 5)
image[0, 0, 0, 4] = 1
ANGLE, MIDDLE, ONE = torch.tensor([90.0]), torch.tensor([[2.0, 2.0]]), torch.ones(1, 2)
CORNERS = {(0, 0): "upper left", (4, 4): "lower right", (0, 4): "upper right", (4, 0): "lower left"}
TURNED = geometry.get_rotation_matrix2d(MIDDLE, ANGLE, ONE)
AFFINE = geometry.get_affine_matrix2d(torch.zeros(1, 2), MIDDLE, ONE, ANGLE)[:, :2]
WAYS = {
    "Pillow, rotate": (lambda: np.array(Image.fromarray(image[0, 0].numpy()).rotate(90))[None, None], "upper left"),
    "rotate": (lambda: geometry.rotate(image, ANGLE), "upper left"),
    "get_rotation_matrix2d": (lambda: geometry.warp_affine(image, TURNED, (5, 5)), "upper left"),
    "RandomRotation": (lambda: augmentation.RandomRotation((90.0, 90.0), p=1)(image), "upper left"),
    "get_affine_matrix2d": (lambda: geometry.warp_affine(image, AFFINE, (5, 5)), "lower right"),
    "RandomAffine": (lambda: augmentation.RandomAffine((90.0, 90.0), p=1)(image), "lower right"),
}
same = True
for name, (turn, described) in WAYS.items():
    [bright] = torch.as_tensor(turn())[0, 0].round().nonzero().tolist()
    seen = CORNERS[tuple(bright)]
    print(f"{name:24}{seen}")
    same &= seen == described
sys.exit(not same)
PY
