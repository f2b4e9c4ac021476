"""Weights of JAX in folders that Orbax wrote: arrays of Zarr, read by TensorStore without JAX."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange.archive import MOST_UNPACKED, SMALL, damaged
from holmdel.exchange.flax import NO_WEIGHTS, TOLD
from holmdel.exchange.weights import HWC, NAMES, Weights, channels_first

FORM = "Orbax weights"
METADATA, MANIFEST = "_METADATA", "manifest.ocdbt"
DRIVERS = {b".zarray": "zarr", b"zarr.json": "zarr3"}
INNER = ("value", "raw_value")  # what nnx calls the array of a variable
MOST_SECONDS = 60  # that an array may take


def folder_of(path: Path) -> Path | None:
    """Returns the folder of arrays: itself, or the only one within, of the highest step.

    A `CheckpointManager` has a folder a step, and in it one for each item, such as `default`.
    """
    if is_arrays(path):
        return path
    steps = [inner for inner in path.iterdir() if inner.is_dir() and inner.name.isdecimal()]
    if steps:
        return folder_of(max(steps, key=lambda step: int(step.name)))
    items = [inner for inner in path.iterdir() if inner.is_dir() and is_arrays(inner)]
    return items[0] if len(items) == 1 else None


def is_arrays(folder: Path) -> bool:
    """Tells whether a folder holds arrays of Orbax."""
    return (folder / METADATA).is_file() or (folder / MANIFEST).is_file()


def read(path: str | Path, folder: Path) -> Weights:
    """Returns the weights of a folder.

    Args:
        path: what sentences call it.
        folder: as `folder_of` gives it.

    Raises:
        UserError: if it is damaged, or TensorStore is not installed.
    """
    try:
        import tensorstore
    except ImportError:
        raise UserError(
            f"{path} is a folder of Orbax, which needs tensorstore: pip install 'holmdel[orbax]'; "
            "or restore it there, and write flax.serialization.to_bytes(it)"
        ) from None
    try:
        found = dict(_tensors(tensorstore, path, folder))
    except UserError:
        raise
    except Exception as error:  # whatever TensorStore makes of damage
        raise damaged(path, str(error)) from None
    if not found:
        raise UserError(f"{path} is a folder of Orbax without arrays in it; save the parameters")
    return Weights(str(path), FORM, found, ordered=False, flattened=HWC, assumed=True, options=TOLD)


def _tensors(store: Any, path: str | Path, folder: Path) -> Iterator[tuple[str, Tensor]]:
    where = f"{folder.resolve()}/"
    base: dict[str, Any] = {"driver": "file", "path": where}
    if (folder / MANIFEST).is_file():
        base = {"driver": "ocdbt", "base": base}
    left = max(SMALL, MOST_UNPACKED * sum(f.stat().st_size for f in folder.rglob("*")))
    ways = _ways(folder)
    for key in store.KvStore.open(base).result(MOST_SECONDS).list().result(MOST_SECONDS):
        array_key, _, end = key.rpartition(b"/")
        name = array_key.decode(errors="replace")
        layer, kind = _named(name, ways.get(name))
        if end not in DRIVERS or layer is None:
            continue
        inside = {**base, "path": base.get("path", "") + f"{name}/"}
        opened = store.open({"driver": DRIVERS[end], "kvstore": inside}, open=True, read=True)
        array = opened.result(MOST_SECONDS)
        left -= math.prod(array.shape) * array.dtype.numpy_dtype.itemsize
        if left < 0:
            raise damaged(path, f"{name!r} is larger than the folder")
        yield f"{layer}.{kind}", channels_first(_tensor(array.read().result(MOST_SECONDS)))


def _tensor(numbers: Any) -> Tensor:
    if numbers.dtype.name == "bfloat16":
        numbers = numbers.astype("float32")
    return torch.from_numpy(numbers.copy())


def _ways(folder: Path) -> dict[str, tuple[str, ...]]:
    """Returns the way to each array by its name, where names within have points in them."""
    try:
        described = json.loads((folder / METADATA).read_text(encoding="utf-8"))["tree_metadata"]
        ways = [tuple(str(key["key"]) for key in one["key_metadata"]) for one in described.values()]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}
    return {".".join(way): way for way in ways}


def _named(name: str, way: tuple[str, ...] | None) -> tuple[str | None, str]:
    """Returns the layer and the kind of an array; no layer for what are no weights."""
    *layers, kind = way or tuple(name.split("."))
    if kind in INNER and layers:
        *layers, kind = layers
    if layers[:1] == ["params"]:
        layers = layers[1:]
    if not layers or any(part in NO_WEIGHTS for part in (*layers, kind)):
        return None, kind
    return "/".join(layers), NAMES.get(kind, kind)
