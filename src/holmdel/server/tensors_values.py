"""The data of one input tensor: from JSON or bytes to numpy."""

import base64
import binascii
import math
import struct
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holmdel.errors import UserError

_LENGTH = struct.Struct("<I")


def numbers_of_json(data: Any, shape: tuple[int, ...], datatype: str) -> NDArray[Any]:
    """Returns the numbers of a JSON array, flat or nested as `shape`: float32 or uint8 of `shape`.

    Args:
        data: the parsed JSON.
        shape: what the request says.
        datatype: `FP32` or `UINT8`.

    Raises:
        UserError: for another count or nesting, what is no number, or one out of range.
    """
    flat = _flat(data, shape)
    wanted = {int, float} if datatype == "FP32" else {int}
    if others := {type(value) for value in flat} - wanted:
        raise UserError(
            f"the data of an {datatype} tensor holds {_names(others)}; expected "
            f"{'numbers' if datatype == 'FP32' else 'whole numbers in 0..255'}"
        )
    try:
        values = np.array(flat, np.float64 if datatype == "FP32" else np.int64)
    except OverflowError:
        raise _out_of_range(datatype) from None
    if datatype == "UINT8":
        if values.min(initial=0) < 0 or values.max(initial=0) > 255:
            raise _out_of_range(datatype)
        return values.astype(np.uint8).reshape(shape)
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as such
        return _finite(values.astype(np.float32).reshape(shape))


def numbers_of_bytes(data: memoryview, shape: tuple[int, ...], datatype: str) -> NDArray[Any]:
    """Returns the numbers of binary data, little-endian and in row-major order, of `shape`.

    Args:
        data: the bytes of this tensor.
        shape: what the request says.
        datatype: `FP32` or `UINT8`.

    Raises:
        UserError: for another number of bytes than the shape's, or what is not finite.
    """
    dtype = np.dtype("<f4" if datatype == "FP32" else np.uint8)
    expected = math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise UserError(
            f"{len(data)} bytes of binary data were given for {datatype} of shape {list(shape)}; "
            f"expected {expected}"
        )
    values = np.frombuffer(data, dtype).astype(dtype.newbyteorder("=")).reshape(shape)
    return _finite(values) if datatype == "FP32" else values


def pictures_of_json(data: Any, count: int) -> list[bytes]:
    """Returns the encoded pictures of a JSON array of base64 strings.

    Args:
        data: the parsed JSON.
        count: how many the request says.

    Raises:
        UserError: for another count, or what is no base64.
    """
    flat = _flat(data, (count,))
    if others := {type(value) for value in flat} - {str}:
        raise UserError(f"the data of a BYTES tensor holds {_names(others)}; expected strings")
    try:
        return [base64.b64decode(text, validate=True) for text in flat]
    except (binascii.Error, ValueError):
        raise UserError(
            "a string of a BYTES tensor is not base64; in JSON, a picture's file is given as "
            "base64, or send it as binary data"
        ) from None


def pictures_of_bytes(data: memoryview, count: int) -> list[bytes]:
    """Returns the encoded pictures of binary data: each a length of 4 bytes, then its bytes.

    Args:
        data: the bytes of this tensor.
        count: how many the request says.

    Raises:
        UserError: where the lengths do not add up to the data.
    """
    pictures: list[bytes] = []
    start = 0
    while start + _LENGTH.size <= len(data) and len(pictures) < count:
        end = start + _LENGTH.size + _LENGTH.unpack_from(data, start)[0]
        if end > len(data):
            break
        pictures.append(bytes(data[start + _LENGTH.size : end]))
        start = end
    if start != len(data) or len(pictures) != count:
        raise UserError(
            f"{len(data)} bytes of binary data do not make {count} BYTES elements; expected for "
            "each its length as 4 bytes, little-endian, and then its bytes"
        )
    return pictures


def _flat(data: Any, shape: tuple[int, ...]) -> list[Any]:
    """Returns the elements of a JSON array that is flat, or nested exactly as `shape`."""
    if type(data) is not list:
        raise UserError("a tensor's 'data' is not a JSON array; expected one, flat or nested")
    if not data or type(data[0]) is not list:
        if len(data) != math.prod(shape):
            raise UserError(
                f"{len(data)} values were given for the shape {list(shape)}; "
                f"expected {math.prod(shape)}"
            )
        return data
    level = [data]
    for size in shape:
        if any(type(part) is not list or len(part) != size for part in level):
            raise UserError(
                f"a tensor's data is not nested as its shape {list(shape)}; expected that, or a "
                "flat array"
            )
        level = list(chain.from_iterable(level))
    return level


def _finite(values: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(values).all():
        raise UserError(
            "the data of an FP32 tensor holds NaN, infinity or a number beyond float32; "
            "expected finite numbers"
        )
    return values


def _out_of_range(datatype: str) -> UserError:
    expected = "finite numbers" if datatype == "FP32" else "whole numbers in 0..255"
    return UserError(f"the data of an {datatype} tensor is out of range; expected {expected}")


def _names(types: set[type]) -> str:
    names = {
        list: "arrays",
        str: "strings",
        bool: "booleans",
        dict: "objects",
        float: "fractions",
        int: "numbers",
    }
    return " and ".join(sorted(names.get(type_, "null") for type_ in types))
