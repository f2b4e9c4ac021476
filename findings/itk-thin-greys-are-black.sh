#!/usr/bin/env bash
# ITK reads a pixel of grey and alpha that is not wholly opaque as black, the white of a palette TIFF as 65280, and that as a byte 0: a page that is black all over.
#
# Versions: itk-io 5.4.7, numpy 2.4.6, pillow 13.0.0.
#
# Behaviour: itk.imread gives a grey image of a PNG of grey and alpha. To do so it multiplies the grey by alpha / 255, which it takes as a division of integers: 1 for 255, and 0 for all below. For a PNG of red, green, blue and alpha that is asked for as grey it divides rightly: 200 at an alpha of 128 is 100.
# A TIFF with a palette comes as numbers of 16 bits, 256 times the 8 bits of a colour where 257 times is meant, so that white is not 65535; a PNG or BMP of the same image has 8 bits. Asked for bytes, itk.imread(file, itk.UC), it keeps the lower half of 16 bits: 65280 becomes 0, every grey of such a TIFF does, and 300 of a PNG becomes 44.
#
# Why a good guess is wrong: an image with alpha that is opaque, as most are, is right, and edges of a drawing are where alpha lies between. There one expects a grey between ink and ground and has a black rim: strokes are thicker on white and thinner on black. Naming the pixel type is how one asks for an image of 8 bits, and is a cast of each number.
#
# What a program like ours must do: read such files as itk.RGBAPixel[itk.UC] and lay them on paper itself; read without a type and scale by the type that comes.
#
# Seen (a pixel by imread):
#   file                                    as it comes             as itk.UC
#   PNG, grey 200 and alpha 255             uint8 200               uint8 200
#   PNG, grey 200 and alpha 254             uint8 0                 uint8 0
#   PNG, grey 200 and alpha 128             uint8 0                 uint8 0
#   PNG, colour 200 200 200 and alpha 128   uint8 200 200 200 128   uint8 100
#   PNG, palette of white                   uint8 255 255 255       uint8 255
#   TIFF, palette of white                  uint16 65280            uint8 0
#   TIFF, palette of grey 120               uint16 30720            uint8 0
#   PNG, 16 bits, 300                       uint16 300              uint8 44
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0 itk-core==5.4.7 itk-io==5.4.7

cd "$dir"
# ITK writes notes on both outputs; the table goes to a file.
env/bin/python -W ignore - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys

import itk
import numpy as np
from PIL import Image


def clear(grey, alpha):
    return Image.merge("LA", [Image.new("L", (2, 2), grey), Image.new("L", (2, 2), alpha)])


def entries(*greys):
    image = Image.fromarray(np.zeros((2, 2), np.uint8))
    image.putpalette([grey for grey in greys for _ in "rgb"])
    return image


def pixel(name, *type_):
    values = itk.array_from_image(itk.imread(name, *type_))
    return f"{values.dtype} " + " ".join(map(str, np.atleast_1d(values[0, 0])))


CASES = {
    "PNG, grey 200 and alpha 255": (clear(200, 255), "png", "uint8 200", "uint8 200"),
    "PNG, grey 200 and alpha 254": (clear(200, 254), "png", "uint8 0", "uint8 0"),
    "PNG, grey 200 and alpha 128": (clear(200, 128), "png", "uint8 0", "uint8 0"),
    "PNG, colour 200 200 200 and alpha 128": (clear(200, 128).convert("RGBA"), "png", "uint8 200 200 200 128", "uint8 100"),
    "PNG, palette of white": (entries(255, 0), "png", "uint8 255 255 255", "uint8 255"),
    "TIFF, palette of white": (entries(255, 0), "tif", "uint16 65280", "uint8 0"),
    "TIFF, palette of grey 120": (entries(120, 0), "tif", "uint16 30720", "uint8 0"),
    "PNG, 16 bits, 300": (Image.fromarray(np.full((2, 2), 300, np.uint16)), "png", "uint16 300", "uint8 44"),
}
same = True
with open("seen", "w") as table:
    print(f"{'file':40}{'as it comes':24}as itk.UC", file=table)
    for number, (name, (image, ending, *described)) in enumerate(CASES.items()):
        file = f"{number}.{ending}"
        image.save(file)
        seen = [pixel(file), pixel(file, itk.UC)]
        print(f"{name:40}{seen[0]:24}{seen[1]}", file=table)
        same &= seen == described
sys.exit(not same)
PY
cat seen
