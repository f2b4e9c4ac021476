"""Weights of TorchScript archives: the tensors are taken, the program is not run.

Such an archive is a zip: `data.pkl` has the module as it would be made, its tensors references to
`data/0`, `data/1`, ..., and `code/` the program.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.exchange.archive import Archive, damaged, opened
from holmdel.exchange.pickles import Name, Object, read_pickle
from holmdel.exchange.weights import Weights

FORM = "TorchScript archive"
TYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
MOST_DIMENSIONS = 16
DEEPEST = 64
DATA = "/data.pkl"


def read(path: str | Path) -> Weights:
    """Returns the weights of what `torch.jit.save` wrote.

    Raises:
        UserError: if it is damaged.
    """
    with opened(path) as archive:
        pickled = next(name for name in archive.names if name.endswith(DATA))
        module = read_pickle(path, archive.read(pickled))
        found = _Tensors(archive, pickled.removesuffix("data.pkl"))
        tensors = dict(found.of(module))
    return Weights(str(path), FORM, tensors)


class _Tensors:
    """The tensors of an archive.

    Args:
        archive: open.
        folder: what its members' names begin with.
    """

    def __init__(self, archive: Archive, folder: str) -> None:
        self._archive = archive
        self._folder = folder

    def of(self, module: object, name: str = "", depth: int = 0) -> Iterator[tuple[str, Tensor]]:
        """Yields the tensors of a module and of those in it, by their dotted names."""
        if not isinstance(module, Object) or not isinstance(module.state, dict) or depth > DEEPEST:
            return
        for key, value in module.state.items():
            inner = f"{name}.{key}" if name else str(key)
            if _makes_a_tensor(value):
                yield inner, self._tensor(inner, value)
            else:
                yield from self.of(value, inner, depth + 1)

    def _tensor(self, name: str, made: Object) -> Tensor:
        """Returns a tensor: a window on numbers of the archive."""
        path = self._archive.path
        try:
            storage, offset, shape, strides = made.given[:4]  # type: ignore[index]
            _, kind, key, *_ = storage.given
            type_ = TYPES[kind.name]
        except (AttributeError, KeyError, TypeError, ValueError):
            raise damaged(path, f"{name!r} is no tensor that is known") from None
        content = self._archive.read(f"{self._folder}data/{key}")
        numbers = torch.empty(0, dtype=torch.uint8)
        if content:  # else PyTorch makes no tensor of it
            numbers = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        numbers = numbers[: len(content) // type_.itemsize * type_.itemsize].view(type_)
        if not _fits(offset, shape, strides, len(numbers)):
            raise damaged(path, f"{name!r} is larger than its numbers")
        return numbers.as_strided(shape, strides, offset)


def _makes_a_tensor(value: object) -> bool:
    return isinstance(value, Object) and value.made_by == Name("torch._utils", "_rebuild_tensor_v2")


def _fits(offset: Any, shape: Any, strides: Any, count: int) -> bool:
    """Tells whether a window lies within `count` numbers, none of them in it twice."""
    if not isinstance(shape, tuple) or not isinstance(strides, tuple):
        return False
    sides = (offset, *shape, *strides)
    most = max(count, 1)  # the stride of a tensor of nothing is 1
    if not all(isinstance(side, int) and 0 <= side <= most for side in sides):
        return False
    if len(shape) != len(strides) or len(shape) > MOST_DIMENSIONS or math.prod(shape) > count:
        return False
    steps = sum((side - 1) * step for side, step in zip(shape, strides, strict=True))
    return not math.prod(shape) or offset + steps < count
