#!/usr/bin/env bash
# USearch takes an array of bytes for packed bits: a search among images of 0..255 compares bits of the first few pixels; signed bytes are divided by 127, and an index of bytes stretches each image for itself.
#
# Versions: usearch 2.26.6, numpy 2.4.6.
#
# Behaviour: add and search look at the array's type. uint8 is "b1x8": each number is eight elements of 0 or 1, of which an index with ndim elements takes the first ndim, whatever the index holds, be it dtype="u8"; int8 is -1 to 1 in steps of 1/127, which get() of an index of floats shows, and bytes only to an index of bytes. Floats go unchanged into an index of floats; into one of
# dtype="i8" or "u8" each vector goes divided by its own length, times 127 or 255, also for metric="l2sq" and "ip", for which the length is half of what counts: a vector and its double are then the same. Nothing is refused but types that it has none for, such as int64.
#
# Why a good guess is wrong: uint8 is what images are, FAISS and scikit-learn convert them, and the number of columns, which for packed bits would be eight times too large, is not complained of. An image finds itself at distance 0, which is the usual test, as do all that share a black margin: the first ndim bits are those of the first eighth of its pixels. Searching still gives neighbours and small distances. "i8" is
# advised for saving memory, with a loss of little precision; for cosines that holds.
#
# What a program like ours must do: give astype(numpy.float32), and dtype "f16" to save memory unless the metric is "cos"; test an index against distances computed by hand, for the second neighbour, not the first.
#
# Seen (of 1: 10 20 30 40, 2: 20 40 60 80, 3: 11 20 30 40 and 4: 0 0 0 1, in the order of their squared distance to 1):
#   array, index   order       distances               vector 2 as stored
#   by hand        1 3 4 2     0 1 2.92e+03 3e+03      20 40 60 80
#   float32, f32   1 3 4 2     0 1 2.92e+03 3e+03      20 40 60 80
#   float32, f16   1 3 4 2     0 1 2.92e+03 3e+03      20 40 60 80
#   float32, i8    2 1 3 4     0 0 4 8.63e+03          23 46 69 92
#   float32, u8    2 1 3 4     0 0 27 3.48e+04         46 93 139 186
#   int8, f32      1 3 4 2     0 6.2e-05 0.181 0.186   0.157 0.315 0.472 0.63
#   int8, i8       1 3 4 2     0 1 2.92e+03 3e+03      20 40 60 80
#   uint8, f32     4 3 1 2     0 0 0 1                 0 0 0 1
#   uint8, i8      4 3 1 2     0 0 0 1                 0 0 0 1
#   uint8, u8      4 3 1 2     0 0 0 1                 0 0 0 1
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 usearch==2.26.6

"$dir/env/bin/python" -W ignore - <<'PY'
import sys

import numpy as np
from usearch.index import Index

IMAGES = np.array([[10, 20, 30, 40], [20, 40, 60, 80], [11, 20, 30, 40], [0, 0, 0, 1]])
CASES = {
    ("by hand", None): "1 3 4 2 / 0 1 2.92e+03 3e+03 / 20 40 60 80",
    ("float32", "f32"): "1 3 4 2 / 0 1 2.92e+03 3e+03 / 20 40 60 80",
    ("float32", "f16"): "1 3 4 2 / 0 1 2.92e+03 3e+03 / 20 40 60 80",
    ("float32", "i8"): "2 1 3 4 / 0 0 4 8.63e+03 / 23 46 69 92",
    ("float32", "u8"): "2 1 3 4 / 0 0 27 3.48e+04 / 46 93 139 186",
    ("int8", "f32"): "1 3 4 2 / 0 6.2e-05 0.181 0.186 / 0.157 0.315 0.472 0.63",
    ("int8", "i8"): "1 3 4 2 / 0 1 2.92e+03 3e+03 / 20 40 60 80",
    ("uint8", "f32"): "4 3 1 2 / 0 0 0 1 / 0 0 0 1",
    ("uint8", "i8"): "4 3 1 2 / 0 0 0 1 / 0 0 0 1",
    ("uint8", "u8"): "4 3 1 2 / 0 0 0 1 / 0 0 0 1",
}


def by_hand():
    distances = ((IMAGES - IMAGES[0]) ** 2).sum(1)
    return np.argsort(distances, kind="stable"), np.sort(distances), IMAGES[1]


def by_usearch(type_, kept):
    images = IMAGES.astype(type_)
    index = Index(ndim=4, metric="l2sq", dtype=kept)
    index.add(np.arange(4), images)
    found = index.search(images[0], 4, exact=True)
    return found.keys, found.distances, index.get(1)


same = True
FORM = "{:15}{:12}{:24}{}"
print(FORM.format("array, index", "order", "distances", "vector 2 as stored"))
for (type_, kept), described in CASES.items():
    keys, distances, vector = by_usearch(type_, kept) if kept else by_hand()
    seen = (
        " ".join(str(key + 1) for key in keys),
        " ".join(f"{distance:.3g}" for distance in distances),
        " ".join(f"{number:.3g}" for number in vector),
    )
    print(FORM.format(f"{type_}, {kept}" if kept else type_, *seen))
    same &= " / ".join(seen) == described
sys.exit(not same)
PY
