#!/usr/bin/env bash
# OpenCV scales a grey PGM picture to 0..255 if its numbers are written as text, and not if they are written as bytes.
#
# Versions: opencv-python-headless 5.0.0.93, pillow 13.0.0, numpy 2.4.6.
#
# Behaviour: a PGM file states its own white, the maxval, and comes in two encodings of one picture: plain (P2, decimal
# numbers) and raw (P5, bytes). cv2.imdecode and cv2.imread honour a maxval up to 255 in plain files and ignore it in raw
# ones: there the samples come out as they lie in the file. Above 255 they ignore it in both, and reading such a picture as 8
# bits keeps the high byte of each sample, as if white were 65535, so that a picture with maxval 1000 has a white of 3.
# PPM's P3 and P6 behave alike. Pillow scales all of them.
#
# Why a good guess is wrong: the two encodings are converted into one another without loss, so a reader that honours the
# maxval of one is expected to honour that of the other; a test that is written with the readable P2 passes. Nor does the
# array tell: its type is uint8 all the same, and the maxval is not handed out.
#
# What a program like ours must do: a digit of 17 grey levels (the Optdigits have 0..16) saved as raw PGM is nearly black to
# a network that divides by 255. Read PGM with Pillow, or read the header for the maxval and scale; do not trust the type of
# an array for its range.
#
# Seen (one row of black, middle grey and white):
#   maxval encoding  OpenCV unchanged  OpenCV grey   Pillow
#   16     plain P2  0 127 255         0 127 255     0 128 255
#   16     raw P5    0 8 16            0 8 16        0 128 255
#   1000   plain P2  0 500 1000        0 1 3         0 32768 65535
#   1000   raw P5    0 500 1000        0 1 3         0 32768 65535
#
# Ends with 0 while this is so, with 1 once a column has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pillow==13.0.0
"$dir/env/bin/pip" install -qq --no-deps opencv-python-headless==5.0.0.93

"$dir/env/bin/python" - <<'PY'
import io
import sys

import cv2
import numpy as np
from PIL import Image

DESCRIBED = {
    (16, "plain P2"): ("0 127 255", "0 127 255", "0 128 255"),
    (16, "raw P5"): ("0 8 16", "0 8 16", "0 128 255"),
    (1000, "plain P2"): ("0 500 1000", "0 1 3", "0 32768 65535"),
    (1000, "raw P5"): ("0 500 1000", "0 1 3", "0 32768 65535"),
}


def file_of(maxval, encoding):
    """Returns the bytes of a PGM file of black, middle grey and white."""
    samples = [0, maxval // 2, maxval]
    magic = encoding.split()[1]
    header = f"{magic}\n3 1\n{maxval}\n".encode()
    if magic == "P2":
        return header + " ".join(map(str, samples)).encode() + b"\n"
    return header + np.array(samples, ">u2" if maxval > 255 else "u1").tobytes()


def words(array):
    return " ".join(map(str, np.asarray(array).ravel()))


same = True
print(f"{'maxval':7}{'encoding':10}{'OpenCV unchanged':18}{'OpenCV grey':14}Pillow")
for (maxval, encoding), described in DESCRIBED.items():
    data = file_of(maxval, encoding)
    buffer = np.frombuffer(data, np.uint8)
    seen = (
        words(cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)),
        words(cv2.imdecode(buffer, cv2.IMREAD_GRAYSCALE)),
        words(Image.open(io.BytesIO(data))),
    )
    print(f"{maxval:<7}{encoding:10}{seen[0]:18}{seen[1]:14}{seen[2]}")
    same &= seen == described
sys.exit(not same)
PY
