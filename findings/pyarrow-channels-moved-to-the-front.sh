#!/usr/bin/env bash
# pyarrow stores images whose channels were moved to the front as other images: a column of tensors made of such a view has pixels twice, others not at all, and not the shape that went in.
#
# Versions: pyarrow 26.0.1, numpy 2.4.6.
#
# Behaviour: a column of fixed-shape tensors has a permutation, which says in which order the axes lie in memory. FixedShapeTensorArray.from_numpy_ndarray writes one for an array that is a transposed view, and for three axes turned round in a circle, which height x width x channels to channels x height x width is, it is the inverse of the one that is meant: what comes back from to_numpy_ndarray
# has the wrong shape and reads memory at the wrong steps. Two axes exchanged are their own inverse, so the column is right; but one row of it, column[0].to_numpy() or to_tensor(), has the right shape and wrong steps if the lengths differ. Contiguous arrays are right throughout.
#
# Why a good guess is wrong: the type is there for images, the view costs no copy and is what one gives a network, and the function looks at the strides and accepts them, where it refuses others. Mostly nothing is read from outside of the column, and nothing fails; the way back, channels in front seen as channels behind, is refused when it is read. A test with two axes, with square images of one channel, or with all channels alike passes.
# A checksum of all pixels, which would be the same in any order, differs here: pixels are lost.
#
# What a program like ours must do: give numpy.ascontiguousarray of an image to Arrow; test a store with three axes of different length, numbered pixels, and both by column and by row.
#
# Seen (numbers from 1; shape and numbers in order, of the first tensor, by to_numpy_ndarray of the column and to_numpy of the row):
#   stored                      it is                              column                            row
#   grey                        2x3: 1 2 3 4 5 6                   right                             right
#   grey, transposed            3x2: 1 4 2 5 3 6                   right                             3x2: 1 3 2 4 3 5
#   the same, contiguous        3x2: 1 4 2 5 3 6                   right                             right
#   colour                      2x2x3: 1 2 3 4 5 6 7 8 9 10 11 12  right                             right
#   colour, channels in front   3x2x2: 1 4 7 10 2 5 8 11 3 6 9 12  2x3x2: 1 5 2 6 3 7 3 7 4 8 5 9    2x3x2: 1 7 2 8 3 9 3 9 4 10 5 11
#   colour, contiguous so       3x2x2: 1 4 7 10 2 5 8 11 3 6 9 12  right                             right
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 pyarrow==26.0.1

"$dir/env/bin/python" - <<'PY'
import sys

import numpy as np
import pyarrow as pa

GREY = np.arange(1, 7).reshape(1, 2, 3)
COLOUR = np.arange(1, 13).reshape(1, 2, 2, 3)
FRONT = COLOUR.transpose(0, 3, 1, 2)
WRONG = "2x3x2: 1 5 2 6 3 7 3 7 4 8 5 9"
CASES = {
    "grey": (GREY, "right right"),
    "grey, transposed": (GREY.transpose(0, 2, 1), "right 3x2: 1 3 2 4 3 5"),
    "the same, contiguous": (np.ascontiguousarray(GREY.transpose(0, 2, 1)), "right right"),
    "colour": (COLOUR, "right right"),
    "colour, channels in front": (FRONT, f"{WRONG} 2x3x2: 1 7 2 8 3 9 3 9 4 10 5 11"),
    "colour, contiguous so": (np.ascontiguousarray(FRONT), "right right"),
}


def text(array):
    return "x".join(map(str, array.shape)) + ": " + " ".join(map(str, array.ravel()))


def seen_as(array, stored):
    return "right" if np.array_equal(array, stored) else text(array)


FORM = "{:28}{:35}{:34}{}"
same = True
print(FORM.format("stored", "it is", "column", "row"))
for name, (images, described) in CASES.items():
    column = pa.FixedShapeTensorArray.from_numpy_ndarray(images)
    seen = [seen_as(found, images[0]) for found in (column.to_numpy_ndarray()[0], column[0].to_numpy())]
    print(FORM.format(name, text(images[0]), *seen))
    same &= " ".join(seen) == described
sys.exit(not same)
PY
