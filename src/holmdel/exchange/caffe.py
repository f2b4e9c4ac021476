"""Weights of Caffe: `.caffemodel`, its layers with their blobs, in the network's order."""

import mmap
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange.arrays import array
from holmdel.exchange.protobuf import Message
from holmdel.exchange.weights import Weights

# Fields of caffe.proto: of NetParameter, LayerParameter, its predecessor, and BlobProto.
LAYER, OLD_LAYER = 100, 2
NAME, TYPE, BLOBS = 1, 2, 7
OLD_NAME, OLD_TYPE, OLD_BLOBS, OLD_POOLING, OLD_TRANSFORM = 4, 5, 6, 19, 36
TRANSFORM, SCALE = 100, 1
SIDES, FLOATS, SHAPE, DOUBLES = (1, 2, 3, 4), 5, 7, 8
KINDS = ("weight", "bias")
FORM = "Caffe weights"
POOLING, METHOD = 121, 1
ACTIVATIONS = {"Sigmoid": "sigmoid", "TanH": "tanh", "ReLU": "relu"}
OLD_ACTIVATIONS = {19: "sigmoid", 23: "tanh", 18: "relu"}


def is_caffe(head: bytes) -> bool:
    """Tells whether a file begins as Caffe's do: the network's name, a text."""
    return head[:1] == b"\x0a" and len(head) > 2 and head[2 : 2 + min(head[1], 62)].isascii()


def read(path: str | Path) -> Weights:
    """Returns the weights of a `.caffemodel`.

    Raises:
        UserError: if it is damaged or of another program.
    """
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        net = Message(path, memoryview(content[:]))
    layers = net.messages(LAYER)
    old = [] if layers else net.messages(OLD_LAYER)
    tensors: dict[str, Tensor] = {}
    for layer in layers:
        tensors |= _tensors(path, layer.text(NAME), layer.messages(BLOBS))
    for layer in old:
        tensors |= _tensors(path, layer.text(OLD_NAME), layer.messages(OLD_BLOBS))
    if not tensors:
        raise UserError(f"{path} is a protobuf file without layers of Caffe; {EXPECTED}")
    used = [ACTIVATIONS.get(layer.text(TYPE)) for layer in layers]
    used += [OLD_ACTIVATIONS.get(layer.number(OLD_TYPE)) for layer in old]
    pools = [one for layer in layers for one in layer.messages(POOLING)]
    pools += [one for layer in old for one in layer.messages(OLD_POOLING)]
    changes = [one for layer in layers for one in layer.messages(TRANSFORM)]
    changes += [one for layer in old for one in layer.messages(OLD_TRANSFORM)]
    told = _told({name for name in used if name}, {pool.number(METHOD) for pool in pools})
    return Weights(str(path), FORM, tensors, options=told, notes=_scaled(changes))


EXPECTED = "expected a .caffemodel"


def _tensors(path: str | Path, layer: str, blobs: list[Message]) -> dict[str, Tensor]:
    return {
        f"{layer}.{KINDS[number] if number < len(KINDS) else number}": _tensor(path, blob)
        for number, blob in enumerate(blobs)
    }


def _tensor(path: str | Path, blob: Message) -> Tensor:
    """Returns the numbers of a blob; the oldest have four sides, of which dense layers need two."""
    content, type_ = b"".join(blob.parts(FLOATS)), "<f4"
    if not content:
        content, type_ = b"".join(blob.parts(DOUBLES)), "<f8"
    if blob.parts(SHAPE):
        shape = tuple(blob.message(SHAPE).numbers(1))
    else:
        shape = tuple(blob.number(side) for side in SIDES)
        shape = shape[2:] if shape[:2] == (1, 1) else shape
        shape = shape[1:] if len(shape) == 2 and shape[0] == 1 else shape
    return torch.from_numpy(np.array(array(path, content, type_, shape, columns=False)))


def _told(used: set[str], pools: set[int]) -> dict[str, Any]:
    """Returns the activation and the pooling, where all layers have the same."""
    told: dict[str, Any] = {"ceil_mode": True}
    if len(used) == 1:
        told["activation"] = used.pop()
    if len(pools) == 1 and pools <= {0, 1}:
        told["pooling"] = ("max", "avg")[pools.pop()]
    return told


def _scaled(changes: list[Message]) -> tuple[str, ...]:
    """Returns the note on data that were scaled otherwise than to 0..1."""
    scales = {struct.unpack("<f", part)[0] for one in changes for part in one.parts(SCALE)}
    return tuple(
        f"its pixels were multiplied by {scale:g}; --std {1 / (255 * scale):.6g} does that here"
        for scale in sorted(scales)
        if scale > 0 and abs(255 * scale - 1) > 1e-4
    )
