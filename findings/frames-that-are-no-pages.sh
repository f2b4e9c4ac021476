#!/usr/bin/env bash
# A file of two frames need not have two pages: n_frames counts a TIFF's thumbnails and masks, and a photograph's second image.
#
# Versions: pillow 13.0.0, opencv-python-headless 5.0.0.93, tifffile 2026.3.3, numpy 2.4.6.
#
# Behaviour: scanners write a batch as one TIFF, and so one reads frame after frame. But a frame of a TIFF may be a smaller copy of
# another (tag 254, NewSubfileType, bit 0), or a mask that says where another is transparent (bit 2); scanners and image editors write both.
# Pillow's n_frames and seek, OpenCV's imcount and imreadmulti, and tifffile's pages count copies as they come. With a mask in the file
# Pillow's n_frames raises SyntaxError, as does seek at the mask; a seek to the frame after it works. And a JPEG of a phone may hold a second
# image, such as a depth map or the gains for bright screens. Pillow then opens it as MPO, not JPEG, with n_frames 2; OpenCV counts 1.
#
# Why a good guess is wrong: with the TIFFs that one makes for a test, frames are pages. With a scanner's, a thumbnail of each page is read
# as one more page: its digits are too small or, worse, are read, and a batch has twice as many answers. "is_animated" and "n_frames > 1" are no
# questions about pages either: by them a photograph becomes a document.
#
# What a program like ours must do: take frames for pages in the formats that have pages alone (TIFF, GIF), and of a TIFF only those whose tag
# 254 has neither bit 0 nor bit 2; go on behind a frame at which seek fails, where tell() says that it was reached; number the pages that are left.
#
# Seen (frames of a TIFF with a page, its smaller copy and a second page; of one with a mask besides; of a JPEG with a second image):
#   reader            copy   mask          JPEG
#   Pillow n_frames   3      SyntaxError   2 (format MPO)
#   OpenCV imcount    3      4             1
#   tifffile pages    3      4             -
#   tag 254 is 0      2      2             -
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

page = np.arange(120 * 80, dtype=np.uint8).reshape(120, 80)
for name in ("copy.tif", "mask.tif"):
    with tifffile.TiffWriter(name) as file:
        file.write(page)
        file.write(page[::4, ::4].copy(), subfiletype=1)
        if name == "mask.tif":
            file.write(page > 99, subfiletype=4, photometric="mask")
        file.write(page[::-1].copy())
photo = Image.fromarray(np.dstack([page] * 3))
photo.save("photo.jpg", "MPO", save_all=True, append_images=[photo.resize((20, 30))])


def by_pillow(name):
    with Image.open(name) as image:
        try:
            return f"{image.n_frames}" + (" (format MPO)" if image.format == "MPO" else "")
        except SyntaxError:
            return "SyntaxError"


def kinds(name):
    with tifffile.TiffFile(name) as file:
        return [p.tags[254].value if 254 in p.tags else 0 for p in file.pages]


files = ("copy.tif", "mask.tif", "photo.jpg")
rows = [
    ("Pillow n_frames", *map(by_pillow, files)),
    ("OpenCV imcount", *map(cv2.imcount, files)),
    ("tifffile pages", *(len(kinds(name)) for name in files[:2]), "-"),
    ("tag 254 is 0", *(kinds(name).count(0) for name in files[:2]), "-"),
]
for reader, copy, mask, jpeg in [("reader", "copy", "mask", "JPEG"), *rows]:
    print(f"{reader:17} {copy!s:6} {mask!s:13} {jpeg}")
with Image.open("mask.tif") as batch:
    batch.seek(1)
    try:
        batch.seek(2)
    except SyntaxError:
        pass
    reached = batch.tell()
    batch.seek(3)
    behind = bool((np.asarray(batch) == page[::-1]).all())
described = [("3", "SyntaxError", "2 (format MPO)"), (3, 4, 1), (3, 4, "-"), (2, 2, "-")]
sys.exit([row[1:] for row in rows] != described or reached != 2 or not behind)
PY
