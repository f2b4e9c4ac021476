#!/usr/bin/env bash
# A JPEG that was opened, drawn on or made smaller and saved as JPEG XL is the JPEG as it was: what was done to it is not in the file.
#
# Versions: pillow-jxl-plugin 1.3.8, pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: JPEG XL can hold a JPEG bit by bit, smaller by a fifth, and the plugin does so for every image that Pillow opened from a JPEG, `lossless=True` or not. It asks
# image.format, and then takes the bytes of the file that the image came from, not the pixels of the image. Pillow keeps format where an image is changed in place: by ImageDraw, paste,
# putpixel, and thumbnail. What draw, paste or thumbnail did is lost, the size too. resize, crop, convert and copy make a new image without a format; then the pixels are written.
# There is a warning that the JPEG is reconstructed, which Python shows once.
#
# Why a good guess is wrong: saving writes the image; that it may write another one, of another size, no one looks for. Saving to PNG or WebP, with the same lines, does what one thinks.
# The usual case, a JPEG that is only saved as JPEG XL, profits from it. Redaction and reduction, done in place, come back in full.
#
# What a program like ours must do: pass lossless_jpeg=False, or save image.copy(), wherever an image may have been changed.
#
# Seen (a JPEG of 64x64 of grey 200; its left half painted black, or a thumbnail of 32x32 made; mean grey and size of what was saved):
#   saved as                     painted  thumbnail
#   PNG                          100      32x32
#   JXL                          200      64x64
#   JXL, lossless=True           200      64x64
#   JXL, lossless_jpeg=False     100      32x32
#   JXL, of image.copy()         100      32x32
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 pillow-jxl-plugin==1.3.8

cd "$dir"
env/bin/python -W ignore - <<'PY'
import io
import sys

import numpy as np
import pillow_jxl  # noqa: F401
from PIL import Image, ImageDraw

Image.fromarray(np.full((64, 64), 200, np.uint8)).save("grey.jpg", quality=95)


def opened():
    image = Image.open("grey.jpg")
    image.load()
    return image


def painted():
    image = opened()
    ImageDraw.Draw(image).rectangle([0, 0, 31, 63], fill=0)
    return image


def thumbnail():
    image = opened()
    image.thumbnail((32, 32))
    return image


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return Image.open(io.BytesIO(file.getvalue()))


WAYS = {
    "PNG": (lambda image: saved(image, "PNG"), ["100", "32x32"]),
    "JXL": (lambda image: saved(image, "JXL"), ["200", "64x64"]),
    "JXL, lossless=True": (lambda image: saved(image, "JXL", lossless=True), ["200", "64x64"]),
    "JXL, lossless_jpeg=False": (lambda image: saved(image, "JXL", lossless_jpeg=False), ["100", "32x32"]),
    "JXL, of image.copy()": (lambda image: saved(image.copy(), "JXL"), ["100", "32x32"]),
}
same = True
print(f"{'saved as':29}{'painted':9}thumbnail")
for name, (save, described) in WAYS.items():
    small = save(thumbnail())
    seen = [f"{np.asarray(save(painted())).mean():.0f}", f"{small.width}x{small.height}"]
    print(f"{name:29}{seen[0]:9}{seen[1]}")
    same &= seen == described
sys.exit(not same)
PY
