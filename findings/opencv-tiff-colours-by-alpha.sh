#!/usr/bin/env bash
# OpenCV multiplies the colours of a transparent TIFF by its alpha, those of the same image as PNG or WebP not: what is clear is black there, and whatever colour it has here.
#
# Versions: opencv-python-headless 5.0.0.93, pillow 13.0.0, tifffile 2026.3.3, numpy 2.4.6.
#
# Behaviour: an RGBA TIFF says by a tag (338, ExtraSamples) whether its colours are multiplied by alpha already (1) or not (2); Pillow writes 2. Of such a file of 8 bits OpenCV returns multiplied colours in all modes, with IMREAD_UNCHANGED too, where alpha comes
# along: drawn on paper by the usual formula they are multiplied twice. At 16 bits IMREAD_UNCHANGED gives the colours of the file, and IMREAD_COLOR and IMREAD_GRAYSCALE multiplied ones. A PNG, a WebP, and a TIFF whose fourth channel has no meaning (as OpenCV writes
# them) keep their colours.
#
# Why a good guess is wrong: unchanged is the name of the mode. One knows that OpenCV drops alpha and shows the colours behind it, from PNG; a drawing in black on clear is then black on black or black on white, as its editor left it, and one learns to look.
# The same drawing as TIFF is black on black whatever the editor left, also where the colour behind is white. And a round trip through OpenCV's own TIFF is right.
#
# What a program like ours must do: read what may be transparent with Pillow and put it on paper there; with OpenCV divide an 8-bit TIFF's colours by alpha, or refuse tag 338 of 2.
#
# Seen (red of pixels (200, 100, 50) at alpha 255, 128 and 0):
#   file                     Pillow       UNCHANGED    COLOR
#   PNG                      200 200 200  200 200 200  200 200 200
#   WebP                     200 200 200  200 200 200  200 200 200
#   TIFF, by Pillow          200 200 200  200 100 0    200 100 0
#   TIFF, by OpenCV          200 200 200  200 200 200  200 200 200
#   TIFF, 338 of 2           200 200 200  200 100 0    200 100 0
#   TIFF, 338 of 0           200 200 200  200 200 200  200 200 200
#   TIFF, 338 of 2, 16 bits  200 200 200  200 200 200  200 100 0
#
# Ends with 0 while this is so, with 1 once a line has changed.
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

PIXELS = np.array([[[200, 100, 50, alpha] for alpha in (255, 128, 0)]], np.uint8)


def by_tifffile(kind, scale=1):
    pixels = PIXELS if scale == 1 else PIXELS.astype(np.uint16) * scale
    tifffile.imwrite("a.tif", pixels, photometric="rgb", extrasamples=[kind])


def by_pillow(kind, **options):
    Image.fromarray(PIXELS).save(f"a.{kind}", **options)


FILES = {
    "PNG": ("png", lambda: by_pillow("png"), "200 200 200", "200 200 200"),
    "WebP": ("webp", lambda: by_pillow("webp", lossless=True, exact=True), "200 200 200", "200 200 200"),
    "TIFF, by Pillow": ("tif", lambda: by_pillow("tif"), "200 100 0", "200 100 0"),
    "TIFF, by OpenCV": ("tif", lambda: cv2.imwrite("a.tif", PIXELS[:, :, [2, 1, 0, 3]]), "200 200 200", "200 200 200"),
    "TIFF, 338 of 2": ("tif", lambda: by_tifffile("unassalpha"), "200 100 0", "200 100 0"),
    "TIFF, 338 of 0": ("tif", lambda: by_tifffile("unspecified"), "200 200 200", "200 200 200"),
    "TIFF, 338 of 2, 16 bits": ("tif", lambda: by_tifffile("unassalpha", 257), "200 200 200", "200 100 0"),
}
same = True
print(f"{'file':25}{'Pillow':13}{'UNCHANGED':13}COLOR")
for name, (kind, write, unchanged, colour) in FILES.items():
    write()
    arrays = [cv2.imread(f"a.{kind}", mode) for mode in (cv2.IMREAD_UNCHANGED, cv2.IMREAD_COLOR)]
    reds = [array[0, :, 2] // (257 if array.dtype == np.uint16 else 1) for array in arrays]
    reds.insert(0, np.asarray(Image.open(f"a.{kind}"))[0, :, 0])
    seen = [" ".join(map(str, red)) for red in reds]
    print("{:25}{:13}{:13}{}".format(name, *seen))
    same &= seen == ["200 200 200", unchanged, colour]
sys.exit(not same)
PY
