"""Weights of Caffe: `.caffemodel`, its layers with their blobs, in the network's order."""

import math
import mmap
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange.arrays import tensor
from holmdel.exchange.protobuf import Message
from holmdel.exchange.weights import Weights, same_of_all


class _Form(NamedTuple):
    """Fields of caffe.proto: where a network has its layers, and what a layer has."""

    layers: int
    name: int
    type: int
    blobs: int
    pooling: int
    transform: int


NEW = _Form(layers=100, name=1, type=2, blobs=7, pooling=121, transform=100)
OLD = _Form(layers=2, name=4, type=5, blobs=6, pooling=19, transform=36)
METHOD, SCALE = 1, 1  # of a pooling, of a transform
SIDES, FLOATS, SHAPE, DOUBLES = (1, 2, 3, 4), 5, 7, 8  # of a blob
KINDS = ("weight", "bias")
FORM = "Caffe weights"
ACTIVATIONS = {  # by a layer's type: a text, in old files a number
    "Sigmoid": "sigmoid", "TanH": "tanh", "ReLU": "relu", 19: "sigmoid", 23: "tanh", 18: "relu",
}  # fmt: skip


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
    form = NEW if net.parts(NEW.layers) else OLD
    layers = net.messages(form.layers)
    tensors: dict[str, Tensor] = {}
    for layer in layers:
        tensors |= _tensors(path, layer.text(form.name), layer.messages(form.blobs))
    if not tensors:
        raise UserError(f"{path} is a protobuf file without layers of Caffe; {EXPECTED}")
    changes = [one for layer in layers for one in layer.messages(form.transform)]
    return Weights(
        str(path), FORM, tensors, options=_told(form, layers), notes=_scaled(path, changes)
    )


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
    return tensor(path, content, type_, shape)


def _told(form: _Form, layers: list[Message]) -> dict[str, Any]:
    """Returns the activation and the pooling, where all layers have the same."""
    types = (layer.text(form.type) or layer.number(form.type) for layer in layers)
    told = {"ceil_mode": True} | same_of_all("activation", ACTIVATIONS, types)
    methods = {one.number(METHOD) for layer in layers for one in layer.messages(form.pooling)}
    if methods in ({0}, {1}):
        told["pooling"] = ("max", "avg")[methods.pop()]
    return told


def _scaled(path: str | Path, changes: list[Message]) -> tuple[str, ...]:
    """Returns the note on data that were scaled otherwise than to 0..1."""
    parts = [bytes(part) for one in changes for part in one.parts(SCALE)]
    scales = {tensor(path, part, "<f4", (1,)).item() for part in parts}
    return tuple(
        f"its pixels were multiplied by {scale:g}; --std {1 / (255 * scale):.6g} does that here"
        for scale in sorted(scales)
        if 0 < scale < math.inf and abs(255 * scale - 1) > 1e-4
    )
