#!/usr/bin/env bash
# By ImageHash all drawings on a clear ground are one image, and so are all scans of 16 bits: a search for duplicates finds everything.
#
# Versions: imagehash 4.3.2, pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: phash, average_hash, dhash and whash begin with Pillow's convert("L"). That drops an alpha channel, and black ink on a clear ground is black all over without it; and it cuts 16 bits off at 255, so that a scan whose darkest grey is 255 or more is white. The hash is that of a blank image then: the distance of any two is 0, and that to the
# same picture in 8 bits is that of two pictures which have nothing to do with each other. There is no warning, and the documentation speaks of neither.
#
# Why a good guess is wrong: a perceptual hash is the same for files that look the same; that is what it is for. What a browser's canvas saves, where much handwriting comes from, is black on white in each viewer. A data set that is cleaned of duplicates keeps one of these drawings, and a test image is "in the training set"
# if both are drawings, whatever they show, and is not if the training set has the same picture on white. The JPEGs that one tries first are told apart well.
#
# What a program like ours must do: lay an image on white by its alpha, and bring 16 bits to 8 by division, before it is hashed; take an image with the hash of a blank one for unknown, not for equal to others.
#
# Seen (a 7 and a 3 of one pen; of 64 bits, how many differ between the two, and between the 7 and the 7 in grey):
#   form            phash    average    dhash    whash
#   grey            30 0     14 0       21 0     30 0
#   clear ground    0 32     0 49       0 19     0 15
#   the same, RGBA  0 32     0 49       0 19     0 15
#   on white        30 0     14 0       21 0     30 0
#   16 bits         0 31     0 49       0 19     0 15
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 imagehash==4.3.2

"$dir/env/bin/python" - <<'PY'
import sys

import imagehash
import numpy as np
from PIL import Image, ImageDraw

SEVEN = [(12, 12), (52, 12), (26, 54)]
THREE = [(14, 12), (48, 12), (28, 28), (48, 42), (34, 54), (14, 48)]
WAYS = {"phash": imagehash.phash, "average": imagehash.average_hash, "dhash": imagehash.dhash, "whash": imagehash.whash}


def grey(points):
    page = Image.new("L", (64, 64), 255)
    ImageDraw.Draw(page).line(points, fill=0, width=6)
    return page


def clear(points):
    return Image.merge("LA", [Image.new("L", (64, 64), 0), Image.fromarray(255 - np.asarray(grey(points)))])


FORMS = {
    "grey": grey,
    "clear ground": clear,
    "the same, RGBA": lambda points: clear(points).convert("RGBA"),
    "on white": lambda points: Image.alpha_composite(Image.new("RGBA", (64, 64), "white"), clear(points).convert("RGBA")),
    "16 bits": lambda points: Image.fromarray(np.asarray(grey(points)) * np.uint16(200) + np.uint16(2000)),
}
DESCRIBED = {
    "grey": ["30 0", "14 0", "21 0", "30 0"],
    "clear ground": ["0 32", "0 49", "0 19", "0 15"],
    "the same, RGBA": ["0 32", "0 49", "0 19", "0 15"],
    "on white": ["30 0", "14 0", "21 0", "30 0"],
    "16 bits": ["0 31", "0 49", "0 19", "0 15"],
}
same = True
print(f"{'form':16}" + "".join(f"{name:{width}}" for name, width in zip(WAYS, (9, 11, 9, 0))))
for name, form in FORMS.items():
    seen = []
    for way in WAYS.values():
        seven = way(form(SEVEN))
        seen.append(f"{seven - way(form(THREE))} {seven - way(grey(SEVEN))}")
    print("{:16}{:9}{:11}{:9}{}".format(name, *seen))
    same &= seen == DESCRIBED.get(name)
blank = str(imagehash.phash(Image.new("L", (64, 64), 0))), str(imagehash.phash(Image.new("L", (64, 64), 255)))
same &= blank == (str(imagehash.phash(clear(SEVEN))), str(imagehash.phash(FORMS["16 bits"](THREE))))
sys.exit(not same)
PY
