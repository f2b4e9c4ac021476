#!/usr/bin/env bash
# 300 stored in an array of bytes is 255 by h5py and 44 by Zarr, the label -1 is class 0 or 255, and NaN is 0: the same assignment, without an error.
#
# Versions: h5py 3.16.0, zarr 3.1.6, numpy 2.4.6; on x86-64.
#
# Behaviour: numbers that are assigned to a data set of a smaller type, given to create_dataset with dtype, or read with astype, are converted by the HDF5 library, which keeps to the ends of the type: 300 becomes 255 and -1 becomes 0. Zarr converts by NumPy's cast, which takes integers modulo 256. The two agree on what fits.
# h5py's dataset.astype("uint8")[:] saturates, and dataset[:].astype("uint8") wraps: one pair of brackets apart. Fractions are cut off, and NaN is 0 in HDF5. NumPy itself refuses np.array([300], "uint8") and wraps an assigned array.
#
# Why a good guess is wrong: both have NumPy's way of writing, so NumPy's rules are expected of both. An array that is right after an assignment to a NumPy array in memory is another one in a file. A label of -1, for "ignore this", becomes the first class in a data set of bytes, a class that exists: the network learns that what shall be ignored is a zero. As 255 it
# would have been found by the loss. An image of 16 bits keeps its dark half and is white above, which looks like an exposure; taken modulo it looks broken and is found.
#
# What a program like ours must do: compare the least and greatest number with the ends of the type before storing, and convert by itself.
#
# Seen (-1 255 256 300 stored as uint8; -0.7 1.9 300.5 NaN likewise):
#   way                             integers      floats
#   NumPy, array[...] = values      255 255 0 44  -
#   h5py, dataset[...] = values     0 255 255 255 0 1 255 0
#   h5py, create_dataset            0 255 255 255 0 1 255 0
#   h5py, dataset.astype(...)[:]    0 255 255 255 0 1 255 0
#   h5py, dataset[:].astype(...)    255 255 0 44  -
#   Zarr, array[...] = values       255 255 0 44  -
#
# (What NumPy's cast makes of floats outside the type hangs on the machine: left out.)
# Ends with 0 while this is so, with 1 once a line has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -qq numpy==2.4.6 h5py==3.16.0 zarr==3.1.6

cd "$dir"
env/bin/python -W ignore - <<'PY'
import sys

import h5py
import numpy as np
import zarr

INTEGERS, FLOATS = np.array([-1, 255, 256, 300]), np.array([-0.7, 1.9, 300.5, np.nan])
file = h5py.File("set.h5", "w")


def by_numpy(values):
    array = np.empty(4, np.uint8)
    array[...] = values
    return array


def assigned(values):
    file.pop("a", None)
    dataset = file.create_dataset("a", 4, "uint8")
    dataset[...] = values
    return dataset[:]


def created(values):
    file.pop("a", None)
    return file.create_dataset("a", data=values, dtype="uint8")[:]


def read_as(values):
    file.pop("a", None)
    return file.create_dataset("a", data=values).astype("uint8")[:]


def read_and_cast(values):
    file.pop("a", None)
    return file.create_dataset("a", data=values)[:].astype("uint8")


def by_zarr(values):
    array = zarr.create_array("set.zarr", shape=(4,), chunks=(4,), dtype="uint8", overwrite=True)
    array[...] = values
    return array[:]


WRAPPED, SATURATED, CUT = "255 255 0 44", "0 255 255 255", "0 1 255 0"
WAYS = {
    "NumPy, array[...] = values": (by_numpy, WRAPPED, "-"),
    "h5py, dataset[...] = values": (assigned, SATURATED, CUT),
    "h5py, create_dataset": (created, SATURATED, CUT),
    "h5py, dataset.astype(...)[:]": (read_as, SATURATED, CUT),
    "h5py, dataset[:].astype(...)": (read_and_cast, WRAPPED, "-"),
    "Zarr, array[...] = values": (by_zarr, WRAPPED, "-"),
}
same = True
print(f"{'way':32}{'integers':14}floats")
for name, (way, *described) in WAYS.items():
    seen = [" ".join(map(str, way(INTEGERS))), " ".join(map(str, way(FLOATS))) if described[1] != "-" else "-"]
    print(f"{name:32}{seen[0]:14}{seen[1]}")
    same &= seen == described
sys.exit(not same)
PY
