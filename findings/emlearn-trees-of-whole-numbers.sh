#!/usr/bin/env bash
# emlearn makes C code of a decision tree that is wrong for whole numbers, too: a pixel of 2 is right of the threshold 2.5, and features of 0 to 1 are all the same.
#
# Versions: emlearn 0.23.2, scikit-learn 1.9.1, numpy 2.4.6; a C compiler.
#
# Behaviour: trees and forests are converted to features of int16_t unless dtype says otherwise, and for method="loadable" always. Thresholds lose their fraction, 2.5 becomes 2, and what scikit-learn asks as x <= 2.5 is asked as x < 2. So each whole number just below a threshold goes the wrong way, and scikit-learn puts thresholds half-way between
# whole numbers. Features of 0 to 1 become 0, and one class is the answer. With dtype="float" the sign of the comparison is left, which matters for a number that is a threshold itself, as 3 is between 2 and 4. MLPs are in floats and right.
#
# Why a good guess is wrong: that fractions need scaling is what one expects of integers; pixels of 0 to 16, or 0 to 255, need none. x <= 2.5 and x <= 2 are the same for them, and so no difference at all would be left; it is the sign of the comparison that makes one. On 0 to 255 with thresholds far between, few pixels hit one, and the accuracy is lower by a little, as one thinks
# quantisation has to be. The converted model's predict, which is there to compare with, shows it.
#
# What a program like ours must do: pass dtype="float" and features that are a little less than whole; compare answers with the original's, not accuracies.
#
# Seen (how many of 897 of scikit-learn's digits get the label that scikit-learn gives them; and a tree for 3 or more, of 0 1 2 3 4 5):
#   model                 default  dtype="float"  and 1/64 less
#   tree, 0 to 16         474      887            897
#   tree, 0 to 32, even   887      887            897
#   tree, 0 to 1          103      887            897
#   forest, 0 to 16       743      873            897
#   forest, 0 to 1        73       873            897
#   tree for 3 or more    001111   000111         000111
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 scikit-learn==1.9.1 emlearn==0.23.2

cd "$dir"
# The compiler writes notes on both outputs; the table goes to a file.
env/bin/python -W ignore - > notes 2>&1 <<'PY' || { cat seen || true; tail -n 20 notes >&2; exit 1; }
import sys

import emlearn
import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

DIGITS = load_digits()
ROW = np.arange(6.0)[:, None]


def converted(model, images, dtype=None):
    options = {"dtype": dtype} if dtype else {}
    return np.array(emlearn.convert(model, method="inline", **options).predict(images))


def same_labels(model, factor, dtype=None, less=0):
    images = DIGITS.data * factor
    model.fit(images[:900], DIGITS.target[:900])
    return (converted(model, images[900:] - less, dtype) == model.predict(images[900:])).sum()


def row(dtype):
    tree = DecisionTreeClassifier(random_state=0).fit(ROW, [0, 0, 0, 1, 1, 1])
    assert tree.predict(ROW).tolist() == [0, 0, 0, 1, 1, 1]
    return "".join(map(str, converted(tree, ROW, dtype)))


TREE = DecisionTreeClassifier(random_state=0)
FOREST = RandomForestClassifier(10, random_state=0)
CASES = {
    "tree, 0 to 16": ((TREE, 1), "474 887 897"),
    "tree, 0 to 32, even": ((TREE, 2), "887 887 897"),
    "tree, 0 to 1": ((TREE, 1 / 16), "103 887 897"),
    "forest, 0 to 16": ((FOREST, 1), "743 873 897"),
    "forest, 0 to 1": ((FOREST, 1 / 16), "73 873 897"),
}
same = True
FORM = "{:22}{:9}{:15}{}"
with open("seen", "w") as table:
    print(FORM.format("model", "default", 'dtype="float"', "and 1/64 less"), file=table)
    for name, (case, described) in CASES.items():
        seen = f"{same_labels(*case)} {same_labels(*case, 'float')} {same_labels(*case, 'float', 1 / 64)}"
        print(FORM.format(name, *seen.split()), file=table)
        same &= seen == described
    seen = [row(None), row("float"), row("float")]
    print(FORM.format("tree for 3 or more", *seen), file=table)
    same &= seen == ["001111", "000111", "000111"]
sys.exit(not same)
PY
cat seen
