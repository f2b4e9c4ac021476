"""A chain out of a file: a network in the native engine without PyTorch, to answer alone."""

import ctypes
import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holmdel.engine.library import (
    FIELDS,
    KINDS,
    Images,
    described,
    library,
    new_chain,
    scaling_of,
    status,
)
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract

Floats = NDArray[np.float32]
_MOST = 2**31 - 1
_LISTS = {"input": 3, "output": 3, "kernel": 2, "stride": 2, "padding": 2, "dilation": 2}
_KINDS = tuple(kind for kind in KINDS if kind != "dropout")  # which nothing that answers has


class WrittenChain:
    """A network in the native engine, as `writing.to_json` described it.

    Args:
        text: what that gave: JSON.
        tensors: float32 arrays by their names.
        image: how bytes become what the network sees.

    Attributes:
        classes: how many logits an image has.

    Raises:
        UserError: for a description or tensors that do not fit together, or without an engine.
    """

    def __init__(self, text: str, tensors: Mapping[str, Floats], image: ImageContract) -> None:
        found = library()
        if found is None:
            raise UserError(f"the file needs Holmdel's engine, which is not here: {status()}")
        try:
            about = json.loads(text)
            rows = [_row(one) for one in about["layers"]]
            self._logs = bool(about["log_softmax"])
            names = [list(one["tensors"]) for one in about["layers"]]
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise UserError(f"its layers are not as Holmdel writes them ({error})") from None
        if not rows or rows[0]["input"] != image.input or image.enlarge == "resize":
            raise UserError("its layers do not read the images that it says")
        self._kept = [
            array
            for row, own in zip(rows, names, strict=True)
            for array in _arrays(row, own, tensors)
        ]
        self._stored = image.stored
        self.classes = math.prod(rows[-1]["output"])
        self._library = found
        self._handle = new_chain(found, described(rows), scaling_of(image))
        places = [None if one is None else one.ctypes.data for one in self._kept]
        values = (ctypes.c_void_p * len(places))(*places)
        _refuse(found.holmdel_keep(self._handle, values, 1))

    def logits(self, images: NDArray[np.uint8], threads: int = 0) -> Floats:
        """Returns logits float32 (N, classes).

        Args:
            images: uint8 (N, C, H, W), as stored.
            threads: how many; 0 for one a processor, as far as there are images for them.

        Raises:
            UserError: for images of another type or shape.
        """
        if images.dtype != np.uint8 or images.shape[1:] != self._stored:
            raise UserError(
                f"images were given as {images.dtype} {images.shape}; expected uint8 "
                f"(N, {', '.join(map(str, self._stored))})"
            )
        memory = np.ascontiguousarray(images)
        logits = np.empty((len(memory), self.classes), np.float32)
        if len(memory):
            many = threads or min(os.cpu_count() or 1, -(-len(memory) // 16))
            given = Images(memory.ctypes.data, True, None)
            _refuse(
                self._library.holmdel_answer(
                    *(self._handle, ctypes.byref(given), len(memory), many),
                    *(logits.ctypes.data, ctypes.byref(ctypes.c_long())),
                )
            )
        return log_softmax(logits) if self._logs else logits

    def __del__(self) -> None:
        if handle := self.__dict__.pop("_handle", None):
            self._library.holmdel_free(handle)


def log_softmax(logits: Floats) -> Floats:
    """Returns the logarithms of the probabilities (N, K) that belong to logits."""
    less = logits - logits.max(axis=1, keepdims=True)
    found: Floats = less - np.log(np.exp(less).sum(axis=1, keepdims=True))
    return found


def _refuse(outcome: int) -> None:
    """Raises a MemoryError for the one thing that can go wrong with bytes."""
    if outcome:
        raise MemoryError("not enough memory, or threads, for the native engine")


def _row(given: Any) -> dict[str, Any]:
    """Returns a layer's description, each of its values of the type and range that the engine has.

    Raises:
        TypeError, ValueError, KeyError: for another.
    """
    row: dict[str, Any] = {"kind": given["kind"]}
    if row["kind"] not in _KINDS:
        raise ValueError(f"there is no layer of kind {row['kind']!r:.40}")
    for name, length in _LISTS.items():
        row[name] = tuple(_whole(one) for one in given[name])
        if len(row[name]) != length:
            raise ValueError(f"{name} has {len(row[name])} numbers")
    row["groups"] = _whole(given["groups"])
    row["reads"] = tuple(_whole(one) for one in given["reads"])
    if len(row["reads"]) != 1 + (row["kind"] == "sum"):
        raise ValueError(f"a {row['kind']} reads {len(row['reads'])} values")
    row["count_padding"], row["normalised"] = (
        bool(given["count_padding"]),
        bool(given["normalised"]),
    )
    if row["normalised"] and row["kind"] not in ("conv", "linear"):
        raise ValueError(f"a {row['kind']} is normalised")
    row["number"], row["momentum"] = float(given["number"]), float(given["momentum"])
    assert row.keys() == FIELDS
    return row


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _MOST:
        raise ValueError(f"{value!r:.40} is no size")
    return value


def _arrays(
    row: Mapping[str, Any], names: Sequence[Any], tensors: Mapping[str, Floats]
) -> list[Floats | None]:
    """Returns the arrays of a layer in the engine's order, each of the shape that it reads."""
    shapes = shapes_of(row)
    if len(names) != len(shapes):
        raise UserError(f"its layers have {len(names)} weights where {len(shapes)} are read")
    found: list[Floats | None] = []
    for name, (shape, needed) in zip(names, shapes, strict=True):
        array = tensors.get(name) if isinstance(name, str) else None
        right = array is not None and array.shape == shape and array.dtype == np.float32
        if not right and (needed or name is not None):
            raise UserError(f"its layers read {name!r:.80} as float32 {shape}, which is not in it")
        found.append(None if array is None else np.ascontiguousarray(array))
    return found


def shapes_of(row: Mapping[str, Any]) -> list[tuple[tuple[int, ...], bool]]:
    """Returns the shapes of the tensors that a layer reads, and whether it must have each."""
    out = row["output"][0]
    norm: list[tuple[tuple[int, ...], bool]] = [
        ((out,), False),
        ((out,), False),
        ((out,), True),
        ((out,), True),
    ]
    if row["kind"] == "norm":
        return norm
    if row["kind"] == "linear":
        weight: tuple[int, ...] = (out, math.prod(row["input"]))
    elif row["kind"] == "conv":
        weight = (out, row["input"][0] // max(row["groups"], 1), *row["kernel"])
    else:
        return []
    return [(weight, True), ((out,), False), *(norm if row["normalised"] else [])]
