"""MXNet's `.params` files, read from the binary format; MXNet itself is not needed.

The format is what `NDArray::Load` of MXNet 1.9.1 reads (src/ndarray/ndarray.cc), little-endian:

    uint64  0x112                     a list of arrays
    uint64  reserved
    uint64  count, then that many arrays
    uint64  count, then that many names, each a uint64 length and UTF-8 text

An array of today begins with a magic number, then comes its storage type; an older one (V1) with
the magic number alone; the oldest with the number of its dimensions, each then a uint32. All go on
with the shape, the device, the type and the numbers.
"""

import math
import mmap
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange import flax
from holmdel.exchange.archive import opened
from holmdel.exchange.arrays import of_npy
from holmdel.exchange.weights import Weights

LIST_MAGIC = 0x112
V1, V2, V3 = 0xF993FAC8, 0xF993FAC9, 0xF993FACA  # V3: arrays of no dimensions and of no numbers
DENSE = 0  # storage type; the others are sparse
MOST_DIMENSIONS = 32
TYPES: dict[int, np.dtype[Any]] = {
    0: np.dtype("<f4"),
    1: np.dtype("<f8"),
    2: np.dtype("<f2"),
    3: np.dtype("<u1"),
    4: np.dtype("<i4"),
    5: np.dtype("<i1"),
    6: np.dtype("<i8"),
}


FORM = "MXNet parameters"
TOLD = {"padding": 0}  # of AlexNet's first convolution, as the book's MXNet listing has it


def read(path: str | Path) -> Weights:
    """Returns the weights of a `.params` file.

    Raises:
        UserError: as `read_params`.
    """
    arrays = read_params(path)
    tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
    return Weights(str(path), FORM, tensors, options=TOLD)


def _nested(tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Returns tensors of names such as `Conv_0/kernel` as dictionaries within one another."""
    top: dict[str, Any] = {}
    for name, tensor in tensors.items():
        *layers, kind = name.split("/")
        into = top
        for layer in layers:
            into = into.setdefault(layer, {})
            if not isinstance(into, dict):
                raise UserError(f"{name!r} is an array and holds arrays; save it again")
        into[kind] = tensor.numpy()
    return top


_UNNAMED = re.compile(r"arr_\d+")  # what `numpy.savez` calls them


def read_zip(path: str | Path) -> Weights:
    """Returns the weights of a zip of `.npy` files, as MXNet 2 and NumPy's `savez` write them.

    Raises:
        UserError: if it is damaged, or holds something else than numbers.
    """
    with opened(path) as archive:
        tensors = {
            _bare(name.removesuffix(".npy")): torch.from_numpy(
                of_npy(path, archive.read(name)).copy()
            )
            for name in archive.names
        }
    if all(_UNNAMED.fullmatch(name) for name in tensors):
        raise UserError(
            f"{path} has arrays without names (arr_0, ...); save them by name: "
            "np.savez(file, **{'0.weight': ..., '0.bias': ...})"
        )
    if any(name.endswith("/kernel") for name in tensors):
        return flax.of_tree(path, _nested(tensors))
    return Weights(str(path), "MXNet 2 parameters", tensors, options=TOLD)


def _bare(name: str) -> str:
    """Returns a name without the `arg:` and `aux:` of `HybridBlock.export`."""
    return name.removeprefix("arg:").removeprefix("aux:")


def is_params(head: bytes) -> bool:
    """Tells whether a file that begins with these bytes is a `.params` file of MXNet."""
    return head[:8] == struct.pack("<Q", LIST_MAGIC)


def read_params(path: str | Path) -> dict[str, NDArray[Any]]:
    """Returns the arrays of a `.params` file by name, in the file's order.

    Args:
        path: what `Block.save_parameters`, `ParameterDict.save`, `HybridBlock.export`,
            `Module.save_checkpoint` or `nd.save` of a dictionary wrote.

    Raises:
        UserError: if the file is missing, of another format, cut short, or holds what is not read:
            sparse arrays, types that are not in `TYPES`, arrays without names.
    """
    try:
        with Path(path).open("rb") as file:
            if not is_params(file.read(8)):
                raise UserError(f"{path} is no .params file of MXNet; it begins otherwise")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return _Reader(path, content).arrays()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error})") from None


class _Reader:
    """Reads one file from its beginning to its end; no size in it is believed.

    Args:
        path: what the sentences call it.
        content: the file.
    """

    def __init__(self, path: str | Path, content: mmap.mmap) -> None:
        self.path = path
        self.content = content
        self.place = 0

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Returns the arrays by name."""
        self.take(16)  # the magic number, and what is reserved
        arrays = [self.array(f"array {number + 1}") for number in range(self.count("arrays"))]
        names = [self.name() for _ in range(self.count("names"))]
        if len(names) != len(arrays):
            raise UserError(
                f"{self.path} has {len(arrays)} arrays and {len(names)} names; save a dictionary, "
                "as net.save_parameters does"
            )
        named: dict[str, NDArray[Any]] = {}
        for name, array in zip(names, arrays, strict=True):
            if name in named:
                raise UserError(f"{self.path} has the name {name!r} twice; save it again")
            named[name] = array
        return named

    def array(self, what: str) -> NDArray[Any]:
        """Returns the next array, a copy; `what` is what sentences call it."""
        shape = self.shape(what)
        _device, _number, kind = self.unpack("<iii")
        if kind not in TYPES:
            raise UserError(
                f"{self.path} has {what} of the type number {kind}; expected one of "
                f"{', '.join(type_.name for type_ in TYPES.values())}"
            )
        numbers = self.take(math.prod(shape) * TYPES[kind].itemsize)
        return np.frombuffer(numbers, TYPES[kind]).reshape(shape)

    def shape(self, what: str) -> tuple[int, ...]:
        """Returns the shape of the next array, from whichever of the four beginnings it has."""
        (magic,) = self.unpack("<I")
        dimensions, letter = magic, "I"
        if magic in (V1, V2, V3):
            letter = "q"
            if magic != V1:
                self.dense_only(what)
            (dimensions,) = self.unpack("<I")
        if dimensions == 0xFFFFFFFF or (dimensions == 0 and magic != V3):
            raise UserError(f"{self.path} has {what} without values; initialise the network first")
        if dimensions > MOST_DIMENSIONS:
            raise UserError(
                f"{self.path} has {what} of {dimensions} dimensions; it is damaged or of another "
                "format"
            )
        shape = self.unpack(f"<{dimensions}{letter}")
        if not all(0 <= side <= len(self.content) for side in shape):
            raise UserError(f"{self.path} has {what} of the shape {shape}; it is damaged")
        return shape

    def dense_only(self, what: str) -> None:
        """Raises a UserError if the next array is sparse."""
        (storage,) = self.unpack("<i")
        if storage != DENSE:
            raise UserError(
                f"{self.path} has {what} in sparse storage, which is not read; save it dense: "
                "array.tostype('default')"
            )

    def count(self, what: str) -> int:
        """Returns how many arrays or names follow; each takes four bytes or more."""
        (count,) = self.unpack("<Q")
        if count * 4 > len(self.content) - self.place:
            raise UserError(
                f"{self.path} says it holds {count} {what}, more than fit into it; it is cut short "
                "or damaged; copy it again"
            )
        return int(count)

    def name(self) -> str:
        """Returns the next name, without MXNet's `arg:` or `aux:`."""
        (length,) = self.unpack("<Q")
        try:
            text = self.take(length).decode()
        except UnicodeDecodeError:
            raise UserError(f"{self.path} has a name that is no text; it is damaged") from None
        return _bare(text)

    def unpack(self, form: str) -> tuple[int, ...]:
        """Returns the numbers of a `struct` format that come next."""
        return struct.unpack(form, self.take(struct.calcsize(form)))

    def take(self, size: int) -> bytes:
        """Returns the next `size` bytes, and goes on behind them."""
        left = len(self.content) - self.place
        if size > left:
            raise UserError(
                f"{self.path} is cut short or damaged: {size} bytes should follow byte "
                f"{self.place}, and {left} do; copy it again"
            )
        self.place += size
        return self.content[self.place - size : self.place]
