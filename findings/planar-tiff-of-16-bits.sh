#!/usr/bin/env bash
# A TIFF in colour of 16 bits, its red, green and blue stored one after the other, is another image in Pillow, OpenCV and kornia-rs; in Pillow only if it is not compressed.
#
# Versions: pillow 13.0.0, opencv-python-headless 5.0.0.93, kornia-rs 0.2.0, scikit-image 0.26.0, tifffile 2026.3.3, numpy 2.4.6.
#
# Behaviour: PlanarConfiguration (tag 284) of 2 says that all of red comes first, then green, then blue. Pillow reads such a file rightly with 8 bits, and with 16 if it is compressed. Uncompressed it takes the 16 bits of each pixel
# for two pixels of 8, each row for half a row: every column is there twice, high bits beside low bits, and the right half of the image is missing. OpenCV with IMREAD_UNCHANGED takes the first plane for the pixels:
# three neighbours in red are red, green and blue of one pixel; converted to 8 bits by IMREAD_COLOR it is right. kornia-rs takes the planes for pixels at both depths. scikit-image is right.
#
# Why a good guess is wrong: all of these read 8-bit planar files or compressed ones, and 16 bits otherwise, so each half of it has been tried. The size is right, the colours are noise, but of a grey page in colour, where the three
# planes are equal, Pillow shows writing, stretched to twice its width: digits that a network will read.
#
# What a program like ours must do: look at tag 284 before the pixels; with 2 and more than 8 bits give Pillow the mode of each plane ("R;16L"), or read with tifffile and move the axis.
#
# Seen (red, green and blue of the first three pixels, 16 bits divided by 256):
#   file              reader             pixels
#   8 bits            Pillow             10 70 130, 11 71 131, 12 72 132
#   8 bits            OpenCV, COLOR      10 70 130, 11 71 131, 12 72 132
#   8 bits            OpenCV, UNCHANGED  10 70 130, 11 71 131, 12 72 132
#   8 bits            kornia-rs          10 11 12, 13 14 15, 16 17 18
#   8 bits            scikit-image       10 70 130, 11 71 131, 12 72 132
#   16 bits, deflate  Pillow             10 70 130, 11 71 131, 12 72 132
#   16 bits, deflate  OpenCV, COLOR      10 70 129, 11 71 130, 12 72 131
#   16 bits, deflate  OpenCV, UNCHANGED  10 11 12, 13 14 15, 16 17 18
#   16 bits, deflate  kornia-rs          10 11 12, 13 14 15, 16 17 18
#   16 bits, deflate  scikit-image       10 70 130, 11 71 131, 12 72 132
#   16 bits           Pillow             0 0 0, 10 70 130, 0 0 0
#   16 bits           OpenCV, COLOR      10 70 129, 11 71 130, 12 72 131
#   16 bits           OpenCV, UNCHANGED  10 11 12, 13 14 15, 16 17 18
#   16 bits           kornia-rs          10 11 12, 13 14 15, 16 17 18
#   16 bits           scikit-image       10 70 130, 11 71 131, 12 72 132
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 tifffile==2026.3.3 scikit-image==0.26.0 kornia-rs==0.2.0
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

cd "$dir"
env/bin/python - <<'PY'
import sys

import cv2
import kornia_rs
import numpy as np
import tifffile
from PIL import Image
from skimage import io

RED = np.arange(10, 58, dtype=np.uint16).reshape(4, 12)
PLANES = np.stack([RED, RED + 60, RED + 120])
RIGHT = "10 70 130, 11 71 131, 12 72 132"
FILES = {
    "8 bits": (PLANES.astype(np.uint8), None),
    "16 bits, deflate": (PLANES * 256, "deflate"),
    "16 bits": (PLANES * 256, None),
}
READERS = {
    "Pillow": lambda name: np.asarray(Image.open(name)),
    "OpenCV, COLOR": lambda name: cv2.imread(name, cv2.IMREAD_COLOR)[:, :, ::-1],
    "OpenCV, UNCHANGED": lambda name: cv2.imread(name, cv2.IMREAD_UNCHANGED)[:, :, ::-1],
    "kornia-rs": lambda name: np.asarray(kornia_rs.io.read_image(name)),
    "scikit-image": io.imread,
}


ROW, ROW_OF_BYTES = "10 11 12, 13 14 15, 16 17 18", "0 0 0, 10 70 130, 0 0 0"
ROUNDED = "10 70 129, 11 71 130, 12 72 131"
DESCRIBED = {
    "8 bits": [RIGHT, RIGHT, RIGHT, ROW, RIGHT],
    "16 bits, deflate": [RIGHT, ROUNDED, ROW, ROW, RIGHT],
    "16 bits": [ROW_OF_BYTES, ROUNDED, ROW, ROW, RIGHT],
}
same = True
print(f"{'file':18}{'reader':19}pixels")
for name, (planes, compression) in FILES.items():
    tifffile.imwrite("planar.tif", planes, photometric="rgb", planarconfig="separate", compression=compression)
    for (reader, read), described in zip(READERS.items(), DESCRIBED[name], strict=True):
        read_as = read("planar.tif")
        pixels = read_as[0, :3] // (1 if read_as.dtype == np.uint8 else 256)
        seen = ", ".join(" ".join(map(str, pixel)) for pixel in pixels)
        print(f"{name:18}{reader:19}{seen}")
        same &= seen == described and read_as.shape == (4, 12, 3)
sys.exit(not same)
PY
