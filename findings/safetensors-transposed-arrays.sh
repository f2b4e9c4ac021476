#!/usr/bin/env bash
# Since 0.8, safetensors.numpy saves a transposed array as it lies in memory, under the shape that it has: other numbers come back, without an error.
#
# Versions: safetensors 0.8.0, and 0.7.0 for comparison, numpy 2.4.6.
#
# Behaviour: a NumPy array is a piece of memory and a way to walk through it. `a.T`, `np.moveaxis`, a crop or every second column change the way and leave the memory. safetensors.numpy's
# save and save_file write the first bytes of that memory in their order, and the shape that the array shows. What is loaded has the right shape and type and the wrong values.
# An array in Fortran's order, which is what a transposed one is and what some linear algebra returns, does the same. Of bytes in the other order (">f4") it makes the right numbers, though.
#
# Why a good guess is wrong: 0.7 wrote the values, and what was right with it is wrong after an upgrade. That arrays must be contiguous stands in the docstring of both versions; safetensors.torch
# refuses a tensor that is not, so one relies on being told. NumPy's own save, h5py and ONNX's from_array write values as well. The file passes every check of a header, the digest agrees with what was written, and of a square
# matrix, or one of equal numbers, nothing shows. Weights are just what is transposed before saving: Keras' kernels are (in, out), PyTorch's (out, in).
#
# What a program like ours must do: np.ascontiguousarray for each array that is saved by safetensors.numpy, and a test with a transposed weight that is not square and whose values
# differ; or save through safetensors.torch, where a transposed tensor raises an error.
#
# Seen (of [[1 2 3] [4 5 6]], or what has these values):
#   array                        0.7.0        0.8.0
#   as it is                     1 2 3 4 5 6  1 2 3 4 5 6
#   transposed twice, by a copy  1 2 3 4 5 6  1 4 2 5 3 6
#   in Fortran's order           1 2 3 4 5 6  1 4 2 5 3 6
#   every second column          1 2 3 4 5 6  1 0 2 0 3 0
#   of the other byte order      1 2 3 4 5 6  1 2 3 4 5 6
#
# Ends with 0 while this is so, with 1 once the values are saved.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6
for version in 0.7.0 0.8.0; do
  "$dir/env/bin/pip" install -qq --no-deps --target "$dir/$version" "safetensors==$version"
done

cat > "$dir/saved.py" <<'PY'
import numpy as np
from safetensors.numpy import load, save

VALUES = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
wide = np.zeros((2, 6), np.float32)
wide[:, ::2] = VALUES
for array in (VALUES, VALUES.T.copy().T, np.asfortranarray(VALUES), wide[:, ::2], VALUES.astype(">f4")):
    assert (array == VALUES).all()
    loaded = load(save({"w": array}))["w"]
    assert loaded.shape == VALUES.shape and loaded.dtype == np.float32
    print(" ".join(f"{value:g}" for value in loaded.ravel()))
PY

cd "$dir"
for version in 0.7.0 0.8.0; do
  PYTHONPATH="$dir/$version" env/bin/python saved.py > "$version.txt"
done
printf '%s\n' 'as it is' 'transposed twice, by a copy' "in Fortran's order" 'every second column' 'of the other byte order' > names
{ printf 'array\t0.7.0\t0.8.0\n'; paste names 0.7.0.txt 0.8.0.txt; } | while IFS=$'\t' read -r name before now; do
  printf '%-29s%-13s%s\n' "$name" "$before" "$now"
done
right='1 2 3 4 5 6'
[ "$(sort -u 0.7.0.txt)" = "$right" ] && [ "$(paste -sd, 0.8.0.txt)" = "$right,1 4 2 5 3 6,1 4 2 5 3 6,1 0 2 0 3 0,$right" ]
