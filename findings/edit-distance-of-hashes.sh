#!/usr/bin/env bash
# RapidFuzz, and Levenshtein with it, compare the labels of a sequence by a hash: -1 and -2 are one label in a NumPy array, and two in a list; the number 49 is the text "1".
#
# Versions: rapidfuzz 3.14.6, levenshtein 0.27.5, numpy 2.4.6, CPython 3.
#
# Behaviour: distance, similarity and editops take any sequence of things that can be hashed. Python's hash of -1 is -2, as -1 means an error in C; RapidFuzz knows that and takes -1 for itself, but only if it is Python's int. NumPy's
# numbers, of all types, floats, and tuples with -1 in them have Python's hash: -1 and -2 are equal to it, at distance 0 and with no edit. A text of one character is taken for its code point: "1" and 49 are equal, and b"\x02" and 2.
# The fault is known for lists of Python's ints, and repaired; an array, or list(array), is what is left.
#
# Why a good guess is wrong: "a sequence of hashables" reads as what Python's sets and dictionaries do, which look at the hash first and then compare. That two things of equal hash differ, RapidFuzz has no way to find out.
# [-1] against [-2], tried by hand, gives 1. Where sequences are labels out of a network, they are arrays, -1 stands for a blank, a rejected character or padding, and -2 for the other of these: all errors between the two
# are missing from the error rate. Padding and labels of 0 and above are told apart, so the rate looks sound.
#
# What a program like ours must do: make text of labels first, one character each, or array.tolist(); keep to one type of element; never two negative labels.
#
# Seen (edit distance):
#   sequences                             RapidFuzz  Levenshtein  by hand
#   lists [-1, 3] and [-2, 3]             1          1            1
#   int64 arrays of these                 0          0            1
#   int8 arrays of these                  0          0            1
#   lists [-1.0] and [-2.0]               0          0            1
#   arrays [0, 3] and [-2, 3]             1          1            1
#   lists [(-1,)] and [(-2,)]             0          0            1
#   ["1"] and [49]                        0          0            1
#   "1" and [49]                          0          0            1
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 rapidfuzz==3.14.6 levenshtein==0.27.5

"$dir/env/bin/python" - <<'PY'
import sys

import Levenshtein
import numpy as np
from rapidfuzz.distance import Levenshtein as RapidFuzz

PAIR = [-1, 3], [-2, 3]
CASES = {
    "lists [-1, 3] and [-2, 3]": (*PAIR, "1 1 1"),
    "int64 arrays of these": (*map(np.array, PAIR), "0 0 1"),
    "int8 arrays of these": (*(np.array(labels, np.int8) for labels in PAIR), "0 0 1"),
    "lists [-1.0] and [-2.0]": ([-1.0], [-2.0], "0 0 1"),
    "arrays [0, 3] and [-2, 3]": (np.array([0, 3]), np.array([-2, 3]), "1 1 1"),
    "lists [(-1,)] and [(-2,)]": ([(-1,)], [(-2,)], "0 0 1"),
    '["1"] and [49]': (["1"], [49], "0 0 1"),
    '"1" and [49]': ("1", [49], "0 0 1"),
}


def by_hand(first, second):
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + bool(a != b))
    return row[-1]


same = True
print(f"{'sequences':38}RapidFuzz  Levenshtein  by hand")
for name, (first, second, described) in CASES.items():
    seen = [str(way(first, second)) for way in (RapidFuzz.distance, Levenshtein.distance, by_hand)]
    print(f"{name:38}{seen[0]:11}{seen[1]:13}{seen[2]}")
    same &= " ".join(seen) == described
sys.exit(not same)
PY
