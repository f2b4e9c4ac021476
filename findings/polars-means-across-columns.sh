#!/usr/bin/env bash
# In polars the mean of 200 and 100 is 22 if they are bytes in two columns, and 150 if they are in one; a dot product of bytes is a byte.
#
# Versions: polars 2.1.0, numpy 2.4.6.
#
# Behaviour: the sum of a column of bytes is computed in 64 bits, and so is that of a list or an array in a cell; the documentation says so. sum_horizontal adds columns of bytes as bytes: 200 + 100 is 44. mean_horizontal is that sum divided by their number, a float: 22.0. Series.dot multiplies and adds bytes;
# in an expression the sum is of 64 bits, and the products are still bytes. A square by ** 2 is a byte, one by ** 2.0 is not. Three columns of 16 bits wrap likewise.
#
# Why a good guess is wrong: "sums of small integers are cast to Int64" is the rule one reads, and each way to add up down a column keeps it; the same numbers in one cell, as images are kept, as well. A mean that comes as a float seems to have been computed in floats. An ensemble's confidences of 0..255 by columns, the pixels of an image unrolled to columns p0 to p783
# (as MNIST's tables are), ink by row: the mean is lower by 256 divided by the number of columns for each overflow, which may be any small number, and dark images are right.
#
# What a program like ours must do: cast to a float or Int64 before anything across columns, or keep an image in one cell; test means with numbers above 127.
#
# Seen (200 and 100 as UInt8):
#   way                              answer
#   one column, sum                  300
#   one column, mean                 150.0
#   one cell, arr.sum                300
#   one cell, arr.mean               150.0
#   two columns, sum_horizontal      44
#   two columns, mean_horizontal     22.0
#   the same, as Float32             150.0
#   two columns, concat_list, mean   150.0
#   200 100 times 2 3, Series.dot    188
#   the same, in select              188
#   200 ** 2                         64
#   200 ** 2.0                       40000.0
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 polars==2.1.0

"$dir/env/bin/python" - <<'PY'
import sys

import polars as pl

DOWN = pl.Series("x", [200, 100], dtype=pl.UInt8)
TIMES = pl.Series("y", [2, 3], dtype=pl.UInt8)
CELL = pl.Series("x", [[200, 100]], dtype=pl.Array(pl.UInt8, 2))
ACROSS = pl.DataFrame({"a": [200], "b": [100]}, schema={"a": pl.UInt8, "b": pl.UInt8})


def across(expression, frame=ACROSS):
    return frame.select(expression).item()


CASES = {
    "one column, sum": (DOWN.sum(), 300),
    "one column, mean": (DOWN.mean(), 150.0),
    "one cell, arr.sum": (CELL.arr.sum().item(), 300),
    "one cell, arr.mean": (CELL.arr.mean().item(), 150.0),
    "two columns, sum_horizontal": (across(pl.sum_horizontal("a", "b")), 44),
    "two columns, mean_horizontal": (across(pl.mean_horizontal("a", "b")), 22.0),
    "the same, as Float32": (across(pl.mean_horizontal("a", "b"), ACROSS.cast(pl.Float32)), 150.0),
    "two columns, concat_list, mean": (across(pl.concat_list("a", "b").list.mean()), 150.0),
    "200 100 times 2 3, Series.dot": (DOWN.dot(TIMES), 188),
    "the same, in select": (pl.DataFrame([DOWN, TIMES]).select(pl.col("x").dot("y")).item(), 188),
    "200 ** 2": (across(pl.col("a") ** 2), 64),
    "200 ** 2.0": (across(pl.col("a") ** 2.0), 40000.0),
}
same = True
print(f"{'way':33}answer")
for name, (seen, described) in CASES.items():
    print(f"{name:33}{seen}")
    same &= repr(seen) == repr(described)
sys.exit(not same)
PY
