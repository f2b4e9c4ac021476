#!/usr/bin/env bash
# imbalanced-learn's SMOTE of images of bytes makes noise: half-way from a pixel of 200 to one of 100 it computes modulo 256, and ends outside of both.
#
# Versions: imbalanced-learn 0.14.2, scikit-learn 1.9.1, numpy 2.4.6.
#
# Behaviour: SMOTE makes a new image of a rare class between two that are there: x + s (y - x) with s from 0 to 1. The difference is taken in the type of the array. Of bytes, 100 - 200 is 156, and the new pixel lies between 200 and 356, modulo 256; where y is the lighter one all is right. Signed bytes overflow likewise, for
# differences above 127. 16 bits and floats are right. ADASYN, BorderlineSMOTE and SVMSMOTE share the computation. The nearest neighbours, which scikit-learn finds, are right: its distances convert.
#
# Why a good guess is wrong: the array comes back in its own type and range, no warning, and the rows of the originals are unchanged in front of the new ones. scikit-learn, whose interfaces it shares, computes distances and errors of bytes in float. scikit-learn's own digits are floats, on which the examples are right;
# MNIST in its files, and whatever is read from PNG, is of bytes. The rare class is then learnt from images with wrong pixels along each stroke, and what came of it is put down to the method.
#
# What a program like ours must do: convert to float before, round and clip after; look at what an augmentation makes, and check that a pixel between two lies between them.
#
# Seen (100 new images of scikit-learn's digits of zero, 16 greys times 15; how many pixels lie outside of what the class has at that place, and the mean of all):
#   type      outside  mean
#   float64   0.000    78.6
#   int16     0.000    78.3
#   uint8     0.107    80.4
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 scikit-learn==1.9.1 imbalanced-learn==0.14.2

"$dir/env/bin/python" -W ignore - <<'PY'
import sys

import numpy as np
from imblearn.over_sampling import SMOTE
from sklearn.datasets import load_digits

DIGITS = load_digits()
ZEROS = DIGITS.data[DIGITS.target == 0][:50] * 15
ONES = DIGITS.data[DIGITS.target == 1][:150] * 15
LABELS = np.repeat([0, 1], [50, 150])
DESCRIBED = {"float64": "0.000 78.6", "int16": "0.000 78.3", "uint8": "0.107 80.4"}
same = True
print(f"{'type':10}{'outside':9}mean")
for type_, described in DESCRIBED.items():
    images, labels = SMOTE(random_state=0).fit_resample(np.vstack([ZEROS, ONES]).astype(type_), LABELS)
    assert images.dtype == type_ and (labels[200:] == 0).all() and len(images) == 300
    new, old = images[200:].astype(float), images[:50].astype(float)
    outside = ((new < old.min(0)) | (new > old.max(0))).mean()
    seen = f"{outside:.3f} {new.mean():.1f}"
    print(f"{type_:10}{seen.replace(' ', '    ')}")
    same &= seen == described
sys.exit(not same)
PY
