"""Weights of Keras: archives `.keras`, and HDF5 with the whole network or the weights alone."""

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange import hdf5
from holmdel.exchange.archive import opened as opened_zip
from holmdel.exchange.hdf5 import Group
from holmdel.exchange.keras_config import Told, pooling_of, told_by
from holmdel.exchange.weights import HWC, NAMES, Weights, channels_first

FORM = "Keras weights"
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
OPTIMIZER = "optimizer"
KINDS = {  # by the rank of a layer's first array, what its arrays are
    4: ("weight", "bias"),
    2: ("weight", "bias"),
    1: ("gamma", "beta", "moving_mean", "moving_variance"),
}


def read_archive(path: str | Path) -> Weights:
    """Returns the weights of a `.keras` archive.

    Raises:
        UserError: if it is damaged.
    """
    with opened_zip(path) as archive:
        description = _json(path, archive.read(CONFIG).decode(errors="replace"))
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "weights.h5"
            archive.unpack(WEIGHTS, place)
            return _weights(path, place, description)


def read_hdf5(path: str | Path) -> Weights:
    """Returns the weights of an HDF5 file that Keras wrote.

    Raises:
        UserError: if it is damaged, or of another program.
    """
    return _weights(path, Path(path), None)


def _weights(path: str | Path, place: Path, description: object) -> Weights:
    with hdf5.opened(path, place) as file:
        top = Group(path, file)
        if text := top.text("model_config"):
            description = _json(path, text)
        told = told_by(description)
        listed = "model_weights" in top or bool(_names(top))
        found = dict(_listed(top) if listed else _stored(top))
        options = {"same": True} | (told.options or _pooling(top))
    ordered = listed or _in_order(found, told)
    tensors = {
        f"{name}.{kind}": tensor
        for name, (_, arrays) in found.items()
        for kind, tensor in arrays.items()
    }
    if not tensors:
        raise UserError(f"{path} is an HDF5 file without weights of Keras; save it by net.save")
    return Weights(
        file=str(path),
        form=FORM,
        tensors=tensors,
        ordered=ordered,
        flattened=told.flattened or HWC,
        assumed=told.flattened is None,
        options=options,
        foreign=told.foreign,
        notes=told.notes,
    )


def _in_order(found: dict[str, Any], told: Told) -> bool:
    """Sorts layers as the description has them, if it names all; tells whether it does."""
    places = {name: place for place, name in enumerate(told.names)}
    if not all(name in places for name, _ in found.values()):
        return False
    ordered = sorted(found.items(), key=lambda one: places[one[1][0]])
    found.clear()
    found.update(ordered)
    return True


Found = Iterator[tuple[str, tuple[str, dict[str, Tensor]]]]  # where it lies; name and tensors


def _stored(group: Group) -> Found:
    """Yields the layers of Keras 3: groups with `vars` in which arrays are numbered."""
    for inner in group.groups():
        if inner.name.strip("/") == OPTIMIZER:  # what a training keeps of its own
            continue
        if inner.name.rpartition("/")[2] != "vars":
            yield from _stored(inner)
            continue
        arrays = [_tensor(inner, name) for name in inner.arrays()]
        if arrays:
            kinds = KINDS.get(arrays[0].ndim, ())
            named = {
                kinds[number] if number < len(kinds) else str(number): array
                for number, array in enumerate(arrays)
            }
            yield group.name, (inner.text("name") or group.name, named)


def _listed(top: Group) -> Found:
    """Yields the layers of the older form: names in attributes, `layer/kernel:0` in groups."""
    group = top.group("model_weights") if "model_weights" in top else top
    for layer in _names(group) or []:
        inner = group.group(layer)
        tensors = {}
        for path in inner.texts("weight_names") or []:
            *folders, name = path.split("/")
            within = inner
            for folder in folders:
                within = within.group(folder)
            kind = re.sub(r":\d+$", "", name)
            tensors["/".join(folders), NAMES.get(kind, kind)] = _tensor(within, name)
        for folder in dict.fromkeys(folder for folder, _ in tensors):
            of = {kind: tensor for (at, kind), tensor in tensors.items() if at == folder}
            yield folder or layer, (folder.rpartition("/")[2] or layer, of)


def _names(group: Group) -> list[str] | None:
    return group.texts("layer_names")


def _tensor(group: Group, name: str) -> Tensor:
    """Returns an array as PyTorch lays it out; at once, so that there are never two of all."""
    array = group.array(name)
    native = array if array.dtype.isnative else array.astype(array.dtype.str[1:])
    return channels_first(torch.from_numpy(native))


def _pooling(top: Group) -> dict[str, Any]:
    """Returns the pooling, where the names of the layers without weights tell it."""
    if "layers" not in top:
        return {}
    names = [inner.name.rpartition("/")[2] for inner in top.group("layers").groups()]
    kinds = {kind for name in names if (kind := pooling_of(name))}
    return {"pooling": kinds.pop()} if len(kinds) == 1 else {}


def _json(path: str | Path, text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise UserError(
            f"{path} has a description of its network that is no JSON; it is damaged"
        ) from None
