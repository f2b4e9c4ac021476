#!/usr/bin/env bash
# PaddlePaddle's mean of booleans is a boolean and its sum of bytes is a byte: an accuracy of one in four is True, the ink of an image is counted modulo 256.
#
# Versions: paddlepaddle 3.3.1, torch 2.13.0, numpy 2.4.6.
#
# Behaviour: mean keeps the type that it is given. Of booleans it is True if any is; of int32 and int64 it is cut off towards 0, and so is var. nanmean and median give float32. sum widens booleans and int32 to int64, as its
# documents say, and leaves uint8, int8 and int16 as they are: it wraps around. cumsum widens all of them. mean of bytes is an error. Nothing is printed; float(True) is 1.0.
#
# Why a good guess is wrong: NumPy gives a float64 for each mean, PyTorch refuses the mean of integers by name, so that one writes .float() first. (answers == labels).mean() works in NumPy and JAX, and here: an accuracy of 1.0 in every
# batch with one right answer. In epochs of such batches all is 1.0, which one notices; a mean of these over batches of 16 for a hard set, which goes from 0.9 to 1.0, one does not. That sum widens is known for int32 and documented; that the
# narrower types, which need it most, are left out is not. An image of 0 and 1 has few pixels of ink, and small images sum rightly.
#
# What a program like ours must do: .astype("float32") before mean and var, dtype="int64" in sum; test metrics with answers that are partly right.
#
# Seen:
#   what                                  NumPy  PyTorch  Paddle
#   mean of True False False False        0.25   refused  True
#   the same, float(...)                  0.25   refused  1.0
#   mean of 1 2 2 in int64                1.67   refused  1
#   var of 1 2 2 in int64, unbiased       0.33   refused  1
#   nanmean of 1 2 2 in int64             1.67   refused  1.67
#   sum of 300 x 200 in uint8             60000  60000    96
#   sum of 300 x 200 in int16             60000  60000    -5536
#   sum of 300 x 200 in int32             60000  60000    60000
#   last of cumsum of 300 x 200 in uint8  60000  60000    60000
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 paddlepaddle==3.3.1 torch==2.13.0

cat > "$dir/by.py" <<'PY'
"""Prints the results of the library that is named: numpy, torch or paddle."""
import importlib
import sys

import numpy as np

library = importlib.import_module(sys.argv[1])
tensor = {"numpy": np.array, "torch": getattr(library, "from_numpy", None), "paddle": getattr(library, "to_tensor", None)}
make = tensor[sys.argv[1]]
unbiased = {"ddof": 1} if library is np else {}
RIGHT, FEW = make(np.array([True, False, False, False])), make(np.array([1, 2, 2]))
CASES = [
    lambda: RIGHT.mean(),
    lambda: float(RIGHT.mean()),
    lambda: FEW.mean(),
    lambda: FEW.var(**unbiased),
    lambda: library.nanmean(FEW),
    *(lambda kind=kind: make(np.full(300, 200, kind)).sum() for kind in ("uint8", "int16", "int32")),
    lambda: library.cumsum(make(np.full(300, 200, "uint8")), 0)[-1],
]
for case in CASES:
    try:
        value = case()
        value = value if isinstance(value, float) else value.item()
        print(round(value, 2) if isinstance(value, float) else value)
    except (RuntimeError, TypeError) as error:
        print(error, file=sys.stderr)
        print("refused")
PY

cat > "$dir/names" <<'EOF'
mean of True False False False
the same, float(...)
mean of 1 2 2 in int64
var of 1 2 2 in int64, unbiased
nanmean of 1 2 2 in int64
sum of 300 x 200 in uint8
sum of 300 x 200 in int16
sum of 300 x 200 in int32
last of cumsum of 300 x 200 in uint8
EOF

cat > "$dir/described" <<'EOF'
0.25,refused,True
0.25,refused,1.0
1.67,refused,1
0.33,refused,1
1.67,refused,1.67
60000,60000,96
60000,60000,-5536
60000,60000,60000
60000,60000,60000
EOF

cd "$dir"
# Paddle warns on the error output of a compiler that is not there.
for library in numpy torch paddle; do env/bin/python by.py "$library" > "$library" 2>> errors || { cat errors >&2; exit 1; }; done
paste -d, numpy torch paddle > seen
{ echo 'what,NumPy,PyTorch,Paddle'; sed 's/,/;/' names | paste -d, - seen; } | column -t -s, | sed 's/;/,/'
cmp -s seen described
