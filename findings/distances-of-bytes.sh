#!/usr/bin/env bash
# SciPy's distance between two images of bytes is computed modulo 256 by euclidean and cityblock, and rightly by sqeuclidean, cdist and KDTree; scikit-learn's largest error is 246 for 10.
#
# Versions: scipy 1.17.1, scikit-learn 1.9.1, numpy 2.4.6.
#
# Behaviour: scipy.spatial.distance.euclidean, minkowski, cityblock and chebyshev subtract in the type of the arrays: 10 - 20 is 246 of bytes. cosine multiplies in it. sqeuclidean, correlation, canberra and braycurtis convert to float, and so do cdist and pdist by the same names. scipy.stats.ttest_rel subtracts
# bytes as well, and pearsonr does not. scikit-learn converts in mean_squared_error and its fellows, and not in max_error.
#
# Why a good guess is wrong: that NumPy's bytes wrap is known, and that a distance is a float is, too: each of these returns one, 265.5 for 100.5. The square of euclidean is not sqeuclidean, the single distance is not the one in the matrix of cdist. Where images lie far apart, the error is lost among them; of near ones, a pixel that
# is darker by 1 in the second image counts 255 if the arguments are in one order, and 1 in the other. A nearest neighbour that was found by a tree, and whose distance is computed again by euclidean to compare it with a threshold, is far away.
#
# What a program like ours must do: convert images to float (or int32) where they enter a metric; test one by exchanging its arguments.
#
# Seen (10 200 3 and 20 100 3, as floats, as bytes, and as bytes in the other order):
#   function           floats    bytes     exchanged
#   euclidean          100.499   265.548   156.320
#   minkowski          100.499   265.548   156.320
#   cityblock          110.000   346.000   166.000
#   chebyshev          100.000   246.000   156.000
#   cosine             0.011     0.000     0.000
#   sqeuclidean        10100.000 10100.000 10100.000
#   cdist, euclidean   100.499   100.499   100.499
#   cdist, cityblock   110.000   110.000   110.000
#   KDTree             100.499   100.499   100.499
#   ttest_rel          0.854     1.615     1.098
#   pearsonr           0.991     0.991     0.991
#   max_error          100.000   246.000   156.000
#   mean_squared_error 3366.667  3366.667  3366.667
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1

"$dir/env/bin/python" -W ignore - <<'PY'
import sys

import numpy as np
from scipy import stats
from scipy.spatial import KDTree, distance
from sklearn import metrics

FIRST, SECOND = np.array([10, 200, 3], np.uint8), np.array([20, 100, 3], np.uint8)
CASES = {
    "euclidean": (distance.euclidean, "100.499 265.548 156.320"),
    "minkowski": (distance.minkowski, "100.499 265.548 156.320"),
    "cityblock": (distance.cityblock, "110.000 346.000 166.000"),
    "chebyshev": (distance.chebyshev, "100.000 246.000 156.000"),
    "cosine": (distance.cosine, "0.011 0.000 0.000"),
    "sqeuclidean": (distance.sqeuclidean, "10100.000 10100.000 10100.000"),
    "cdist, euclidean": (lambda x, y: distance.cdist([x], [y])[0, 0], "100.499 100.499 100.499"),
    "cdist, cityblock": (lambda x, y: distance.cdist([x], [y], "cityblock")[0, 0], "110.000 110.000 110.000"),
    "KDTree": (lambda x, y: KDTree(x[None]).query(y)[0], "100.499 100.499 100.499"),
    "ttest_rel": (lambda x, y: stats.ttest_rel(x, y).statistic, "0.854 1.615 1.098"),
    "pearsonr": (lambda x, y: stats.pearsonr(x, y).statistic, "0.991 0.991 0.991"),
    "max_error": (metrics.max_error, "100.000 246.000 156.000"),
    "mean_squared_error": (metrics.mean_squared_error, "3366.667 3366.667 3366.667"),
}
same = True
print(f"{'function':19}{'floats':10}{'bytes':10}exchanged")
for name, (function, described) in CASES.items():
    pairs = (FIRST.astype(float), SECOND.astype(float)), (FIRST, SECOND), (SECOND, FIRST)
    seen = [f"{function(*pair):.3f}" for pair in pairs]
    print(f"{name:19}{seen[0]:10}{seen[1]:10}{seen[2]}")
    same &= " ".join(seen) == described
sys.exit(not same)
PY
