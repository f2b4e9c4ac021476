#!/usr/bin/env bash
# Pillow reads a grey TIFF that lies on its side as another image if it is given the file's name than if it is given the open file.
#
# Versions: pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: tag 274 (Orientation) of 5 to 8 says that a page lies on its side, and Pillow turns a TIFF when it loads it. Opened by name, an uncompressed image of 1, 2 or 4 bytes a pixel (L, P, I;16, RGBA) is mapped into memory instead of read, and the map is made with the size that the image will have
# once it is turned: rows of 48 pixels are taken as rows of 32. Then it is turned. Each pixel is there, none is in its place, and width and height are those of the page before it was turned. Image.open(file) or of a BytesIO, a compressed file, and RGB, are right.
#
# Why a good guess is wrong: a name and the file of that name are the same to all other formats, and of TIFF to compressed files, which most are. Width and height are swapped, so that a page looks as if it had merely not been turned; what it shows is noise of the page's own greys, with
# the right mean and histogram. Portrait pages are right; landscape ones, of grey scans that nobody compressed, are what is unreadable.
#
# What a program like ours must do: open the file itself and give Pillow the file, as Holmdel does; never a name.
#
# Seen (a ramp of 2 rows and 3 columns, 1 2 3 / 4 5 6, with the tag; the rows that are read):
#   mode  compression  tag  by name           open file, or bytes
#   L     none         1    1 2 3 / 4 5 6     1 2 3 / 4 5 6
#   L     none         3    6 5 4 / 3 2 1     6 5 4 / 3 2 1
#   L     none         6    5 3 1 / 6 4 2     4 1 / 5 2 / 6 3
#   L     none         8    2 4 6 / 1 3 5     3 6 / 2 5 / 1 4
#   I;16  none         1    1 2 3 / 4 5 6     1 2 3 / 4 5 6
#   I;16  none         3    6 5 4 / 3 2 1     6 5 4 / 3 2 1
#   I;16  none         6    5 3 1 / 6 4 2     4 1 / 5 2 / 6 3
#   I;16  none         8    2 4 6 / 1 3 5     3 6 / 2 5 / 1 4
#   RGBA  none         1    1 2 3 / 4 5 6     1 2 3 / 4 5 6
#   RGBA  none         3    6 5 4 / 3 2 1     6 5 4 / 3 2 1
#   RGBA  none         6    5 3 1 / 6 4 2     4 1 / 5 2 / 6 3
#   RGBA  none         8    2 4 6 / 1 3 5     3 6 / 2 5 / 1 4
#   RGB   none         1    1 2 3 / 4 5 6     1 2 3 / 4 5 6
#   RGB   none         3    6 5 4 / 3 2 1     6 5 4 / 3 2 1
#   RGB   none         6    4 1 / 5 2 / 6 3   4 1 / 5 2 / 6 3
#   RGB   none         8    3 6 / 2 5 / 1 4   3 6 / 2 5 / 1 4
#   L     tiff_lzw     1    1 2 3 / 4 5 6     1 2 3 / 4 5 6
#   L     tiff_lzw     3    6 5 4 / 3 2 1     6 5 4 / 3 2 1
#   L     tiff_lzw     6    4 1 / 5 2 / 6 3   4 1 / 5 2 / 6 3
#   L     tiff_lzw     8    3 6 / 2 5 / 1 4   3 6 / 2 5 / 1 4
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0

cd "$dir"
env/bin/python - <<'PY'
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

PIXELS = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)


def read(source):
    array = np.asarray(Image.open(source))
    rows = array if array.ndim == 2 else array[:, :, 0]
    return " / ".join(" ".join(map(str, row)) for row in rows)


UPRIGHT = {1: "1 2 3 / 4 5 6", 3: "6 5 4 / 3 2 1", 6: "4 1 / 5 2 / 6 3", 8: "3 6 / 2 5 / 1 4"}
SCRAMBLED = UPRIGHT | {6: "5 3 1 / 6 4 2", 8: "2 4 6 / 1 3 5"}
CASES = [("L", None), ("I;16", None), ("RGBA", None), ("RGB", None), ("L", "tiff_lzw")]
same = True
print(f"{'mode':6}{'compression':13}{'tag':5}{'by name':18}open file, or bytes")
for mode, compression in CASES:
    for turned in UPRIGHT:
        image = Image.fromarray(PIXELS.astype(np.uint16) if mode == "I;16" else PIXELS)
        image = image if image.mode == mode else image.convert(mode)
        image.save("a.tif", tiffinfo={274: turned}, compression=compression)
        with open("a.tif", "rb") as file:
            seen = [read("a.tif"), read(file), read(io.BytesIO(Path("a.tif").read_bytes()))]
        print("{:6}{:13}{:<5}{:18}{}".format(mode, compression or "none", turned, *seen))
        mapped = compression is None and mode != "RGB"
        same &= seen == [(SCRAMBLED if mapped else UPRIGHT)[turned], UPRIGHT[turned], UPRIGHT[turned]]
sys.exit(not same)
PY
