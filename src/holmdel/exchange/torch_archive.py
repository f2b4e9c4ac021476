"""PyTorch's zip archives looked at as data: their tensors are taken out, and nothing is run.

`data.pkl` has what was saved as it would be made, its tensors references to `data/0`, `data/1`, ...
"""

import math
from typing import Any

import torch
from torch import Tensor

from holmdel.exchange import arrays
from holmdel.exchange.archive import Archive, damaged
from holmdel.exchange.pickles import Name, Object, read_pickle

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
DATA = "/data.pkl"
_TENSOR = Name("torch._utils", "_rebuild_tensor_v2")
_PARAMETER = Name("torch._utils", "_rebuild_parameter")


class TorchArchive:
    """What `torch.save` or `torch.jit.save` wrote.

    Args:
        archive: open.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self.path = archive.path
        pickled = pickled_in(archive)
        self._folder = pickled.removesuffix("data.pkl")
        self.content = read_pickle(self.path, archive.read(pickled))

    def tensor(self, name: str, made: object) -> Tensor:
        """Returns a tensor, a window on numbers of the archive.

        Args:
            name: what sentences call it.
            made: what `is_tensor` says is one.

        Raises:
            UserError: if it is damaged, or of a type that is not known.
        """
        path = self.path
        if arrays.is_array(made):
            return torch.from_numpy(arrays.of_pickle(path, made).copy())
        try:
            storage, offset, shape, strides = _made(made).given[:4]  # type: ignore[attr-defined]
            _, kind, key, *_ = storage.given
            type_ = TYPES[kind.name]
            if not isinstance(key, str):
                raise TypeError
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


def pickled_in(archive: Archive) -> str:
    """Returns the name of the pickle in an archive that has one."""
    return next(name for name in archive.names if name.endswith(DATA))


def is_tensor(value: object) -> bool:
    """Tells whether something in a pickle stands for a tensor, a parameter or an array."""
    made = _made(value)
    return (isinstance(made, Object) and made.made_by == _TENSOR) or arrays.is_array(value)


def is_torch(value: object) -> bool:
    """Tells whether something in a pickle would be a tensor or a parameter of PyTorch."""
    return isinstance(value, Object) and value.made_by in (_TENSOR, _PARAMETER)


def dimensions(value: object) -> int:
    """Returns how many dimensions a tensor has that something in a pickle stands for."""
    made: Any = _made(value)
    parts = made.state if arrays.is_array(made) else made.given
    place = 1 if arrays.is_array(made) else 2
    if isinstance(parts, tuple) and len(parts) > place and isinstance(parts[place], tuple):
        return len(parts[place])
    return 0


def is_module(value: object) -> bool:
    """Tells whether something in a pickle would be a `torch.nn.Module`."""
    return (
        isinstance(value, Object)
        and isinstance(value.state, dict)
        and "_parameters" in value.state
        and "_modules" in value.state
    )


def _made(value: object) -> object:
    """Returns the tensor that a parameter would be made of; other things as they are."""
    if isinstance(value, Object) and value.made_by == _PARAMETER and isinstance(value.given, tuple):
        return value.given[0] if value.given else value
    return value


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
