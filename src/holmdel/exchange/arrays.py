"""Arrays of NumPy in files: `.npy`, and those in pickles; no size in one is believed."""

import ast
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from holmdel.exchange.archive import damaged
from holmdel.exchange.pickles import Name, Object

MOST_DIMENSIONS = 32
MOST_HEADER = 1 << 16
KINDS = "fiub"  # floating point, integers, booleans
_ARRAYS = tuple(
    Name(module, "_reconstruct") for module in ("numpy.core.multiarray", "numpy._core.multiarray")
)
_NPY = b"\x93NUMPY"


def of_npy(path: object, content: bytes) -> NDArray[Any]:
    """Returns the array of a `.npy` file.

    Args:
        path: what sentences call it.
        content: the file.

    Raises:
        UserError: if it is damaged, or holds something else than numbers.
    """
    if not content.startswith(_NPY) or len(content) < 12:
        raise damaged(path, "it does not begin as a .npy file")
    wide = content[6] > 1  # versions 2 and 3 give the length of their header four bytes
    begin = 12 if wide else 10
    length = int.from_bytes(content[8:begin], "little")
    if length > min(MOST_HEADER, len(content) - begin):
        raise damaged(path, f"a header of {length} bytes")
    try:
        header = ast.literal_eval(content[begin : begin + length].decode("latin1").strip())
        kind, order, shape = header["descr"], header["fortran_order"], header["shape"]
    except Exception as error:  # of a damaged header Python's parser raises almost anything
        raise damaged(path, f"a header that is none: {type(error).__name__}") from None
    return array(path, content[begin + length :], kind, shape, bool(order))


def is_array(made: object) -> bool:
    """Tells whether an object of a pickle stands for an array."""
    return isinstance(made, Object) and made.made_by in _ARRAYS


def of_pickle(path: object, made: Any) -> NDArray[Any]:
    """Returns the array that an object of a pickle stands for.

    Raises:
        UserError: if it is damaged, or holds something else than numbers.
    """
    if not isinstance(made.state, tuple) or len(made.state) != 5:
        raise damaged(path, "an array without numbers")
    _, shape, kind, columns, content = made.state
    if isinstance(content, Object) and content.made_by == Name("_codecs", "encode"):
        content = content.given[0] if isinstance(content.given, tuple) else None  # protocol 2
    if isinstance(content, str):
        content = content.encode("latin1", errors="replace")  # written by Python 2
    return array(path, content, _kind(kind), shape, bool(columns))


def array(
    path: object, content: object, kind: object, shape: object, columns: bool
) -> NDArray[Any]:
    """Returns an array of the numbers in `content`.

    Args:
        path: what sentences call the file.
        content: bytes.
        kind: the type, as NumPy writes it: `<f4`.
        shape: numbers.
        columns: whether columns stand one after the other, in place of rows.

    Raises:
        UserError: if these do not fit together.
    """
    if not isinstance(kind, str) or not isinstance(shape, tuple) or not isinstance(content, bytes):
        raise damaged(path, "an array that is none")
    if not all(isinstance(side, int) for side in shape):  # not said: it may be without end
        raise damaged(path, "an array whose shape is none")
    try:
        type_ = np.dtype(kind)
    except (TypeError, ValueError, SyntaxError):
        raise damaged(path, f"numbers of the type {kind[:20]!r}") from None
    whole = all(0 <= side <= len(content) for side in shape)
    if type_.kind not in KINDS or not whole or len(shape) > MOST_DIMENSIONS:
        raise damaged(path, f"numbers of the type {kind[:20]!r}, {str(shape)[:40]}")
    if math.prod(shape) * type_.itemsize != len(content):
        raise damaged(path, f"{len(content)} bytes for {str(shape)[:40]} of {type_.name}")
    found = np.frombuffer(content, type_).reshape(shape, order="F" if columns else "C")
    return found if type_.isnative else found.astype(type_.newbyteorder("="))


def tensor(path: object, content: bytes, kind: str, shape: tuple[int, ...]) -> Tensor:
    """Returns the numbers in `content`, row after row, as a tensor with memory of its own.

    Args and Raises: as `array`.
    """
    return torch.from_numpy(np.array(array(path, content, kind, shape, columns=False)))


def _kind(made: object) -> str | None:
    """Returns the type that an object of a pickle stands for, as NumPy writes it."""
    if not isinstance(made, Object) or made.made_by != Name("numpy", "dtype"):
        return None
    given, state = made.given, made.state
    if not isinstance(given, tuple) or not given or not isinstance(given[0], str):
        return None
    order = state[1] if isinstance(state, tuple) and len(state) > 1 else "="
    return f"{order}{given[0]}" if order in ("<", ">", "=", "|") else None
