#!/usr/bin/env bash
# On NumPy, keras.ops.slice_update and scatter_update write into the array that they are given, clip rounds its bounds, and the loss of a sure mistake ends at 16.
#
# Versions: keras 3.15.1 on numpy 2.4.6, jax 0.10.2 and torch 2.13.0.
#
# Behaviour: slice_update and scatter_update give the array with some numbers replaced; on JAX and PyTorch the argument stays as it was. On NumPy it is changed, the caller's array or the tensor alike. binary_crossentropy with from_logits=True goes by a sigmoid and a clip to 1e-7, so that a loss is at most 16.1; the others compute it from the logits, and a logit of -100 for a true one costs 100.
# (categorical_crossentropy is right.) clip of integers with a bound of 2.5 is an integer by NumPy and 2.5 by the others.
#
# Why a good guess is wrong: keras.ops is one language for all backends, functions have no other effect than what they give, and Keras' tests, which compare answers, cannot see it. The NumPy backend is the one to infer and to test with. An image that was to be masked for comparison is masked in the original, too; a threshold for "how sure a mistake was" above 16 is never
# reached, and mean losses differ between backends by few images.
#
# What a program like ours must do: give copies to these two on NumPy; measure a loss where the network was trained, or by itself with a stable formula.
#
# Seen:
#   function                                    NumPy          JAX            PyTorch
#   slice_update, answer                        0 1 1 0        0 1 1 0        0 1 1 0
#   slice_update, its argument afterwards       0 1 1 0        0 0 0 0        0 0 0 0
#   scatter_update, its argument, a tensor      0 0 1 0        0 0 0 0        0 0 0 0
#   binary_crossentropy, logits -10 -100 100    10 16.1 15.9   10 100 100     10 100 100
#   categorical_crossentropy, a logit of -100   200            200            200
#   clip of the integers -5 1 5 to 2.5          -2 1 2         -2.5 1 2.5     -2.5 1 2.5
#
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 keras==3.15.1 jax==0.10.2 torch==2.13.0

cd "$dir"
cat > ops.py <<'PY'
import numpy as np
from keras import ops


def text(tensor):
    return " ".join(f"{number:.3g}" for number in np.ravel(ops.convert_to_numpy(tensor)))


array = np.zeros(4, np.float32)
print(text(ops.slice_update(array, (1,), np.ones(2, np.float32))))
print(text(array))
tensor = ops.convert_to_tensor(np.zeros(4, np.float32))
ops.scatter_update(tensor, [[2]], np.ones(1, np.float32))
print(text(tensor))
print(text(ops.binary_crossentropy(np.float32([1, 1, 0]), np.float32([-10, -100, 100]), from_logits=True)))
print(text(ops.categorical_crossentropy(np.float32([[1, 0]]), np.float32([[-100, 100]]), from_logits=True)))
print(text(ops.clip(np.int32([-5, 1, 5]), -2.5, 2.5)))
PY
env/bin/python - <<'PY'
import os
import subprocess
import sys

CASES = {
    "slice_update, answer": "0 1 1 0 / 0 1 1 0 / 0 1 1 0",
    "slice_update, its argument afterwards": "0 1 1 0 / 0 0 0 0 / 0 0 0 0",
    "scatter_update, its argument, a tensor": "0 0 1 0 / 0 0 0 0 / 0 0 0 0",
    "binary_crossentropy, logits -10 -100 100": "10 16.1 15.9 / 10 100 100 / 10 100 100",
    "categorical_crossentropy, a logit of -100": "200 / 200 / 200",
    "clip of the integers -5 1 5 to 2.5": "-2 1 2 / -2.5 1 2.5 / -2.5 1 2.5",
}


def run(backend):
    command = [sys.executable, "-W", "ignore", "ops.py"]
    lines = subprocess.run(command, env={**os.environ, "KERAS_BACKEND": backend}, stdout=subprocess.PIPE, text=True, check=True)
    return lines.stdout.splitlines()


FORM = "{:44}{:15}{:15}{}"
same = True
print(FORM.format("function", "NumPy", "JAX", "PyTorch"))
for (name, described), seen in zip(CASES.items(), zip(*map(run, ("numpy", "jax", "torch"))), strict=True):
    print(FORM.format(name, *seen))
    same &= " / ".join(seen) == described
sys.exit(not same)
PY
