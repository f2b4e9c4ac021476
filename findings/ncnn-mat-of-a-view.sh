#!/usr/bin/env bash
# ncnn's Mat takes a transposed NumPy array as it lies in memory, under the new shape, and shows what is written to it afterwards.
#
# Versions: ncnn 1.0.20261020, numpy 2.4.6.
#
# Behaviour: ncnn.Mat(array) looks at the array's shape and the size of its numbers and points to its memory. A transposed array, which is how (H, W, C) becomes (C, H, W), comes in with its values in the old
# order under the new shape, and so does every second column. The Mat is no copy: what is written to the array later is in the Mat, until clone().
#
# Why a good guess is wrong: np.array(mat) gives the right thing back for arrays that were made as they are, and the shape is right for all. A network gets an image whose pixels are
# scrambled between rows and channels, and answers. PyTorch, ONNX Runtime and OpenVINO walk through such an array or refuse it. A grey image has one channel, where nothing is to be transposed, so that digits
# work and photographs do not.
#
# What a program like ours must do: ncnn.Mat(np.ascontiguousarray(array, np.float32)).clone(), and a test with an image that is not square, in colour.
#
# Seen (of [[1 2 3] [4 5 6]], or what has these values):
#   array                        Mat
#   as it is                     1 2 3 4 5 6
#   transposed twice, by a copy  1 4 2 5 3 6
#   every second column          1 0 2 0 3 0
#   made contiguous              1 2 3 4 5 6
#   then the array set to 9      9 9 9 9 9 9
#   the same, cloned before      1 2 3 4 5 6
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 ncnn==1.0.20261020

"$dir/env/bin/python" - <<'PY'
import sys

import ncnn
import numpy as np

VALUES = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
wide = np.zeros((2, 6), np.float32)
wide[:, ::2] = VALUES


def after(clone):
    array = VALUES.copy()
    mat = ncnn.Mat(array).clone() if clone else ncnn.Mat(array)
    array[:] = 9
    return np.array(mat)


CASES = {
    "as it is": (np.array(ncnn.Mat(VALUES)), "1 2 3 4 5 6"),
    "transposed twice, by a copy": (np.array(ncnn.Mat(VALUES.T.copy().T)), "1 4 2 5 3 6"),
    "every second column": (np.array(ncnn.Mat(wide[:, ::2])), "1 0 2 0 3 0"),
    "made contiguous": (np.array(ncnn.Mat(np.ascontiguousarray(wide[:, ::2]))), "1 2 3 4 5 6"),
    "then the array set to 9": (after(clone=False), "9 9 9 9 9 9"),
    "the same, cloned before": (after(clone=True), "1 2 3 4 5 6"),
}
same = True
print(f"{'array':29}Mat")
for name, (mat, described) in CASES.items():
    assert mat.shape == VALUES.shape
    seen = " ".join(f"{value:g}" for value in mat.ravel())
    print(f"{name:29}{seen}")
    same &= seen == described
sys.exit(not same)
PY
