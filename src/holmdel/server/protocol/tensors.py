"""Tensors of an inference: the input from JSON or bytes to numpy, the outputs back."""

import base64
import binascii
import math
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from holmdel.errors import UserError

OUTPUTS = {"probabilities": "FP32", "logits": "FP32", "index": "INT64", "label": "BYTES"}
RANKED = ("probabilities", "logits")  # the outputs that have a value a class

Output: TypeAlias = NDArray[Any]  # float32, int64, or texts as objects

_NUMBERS: dict[
    str, tuple[np.dtype[Any], np.dtype[Any]]
] = {  # as they travel, and as this machine has them
    "FP32": (np.dtype("<f4"), np.dtype(np.float32)),
    "UINT8": (np.dtype(np.uint8), np.dtype(np.uint8)),
}
_LENGTH = struct.Struct("<I")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")  # no file of an image is of such letters alone


class Wanted(NamedTuple):
    """An output that is wanted.

    Attributes:
        name: of the output.
        binary: whether as binary data or as JSON.
        classes: how many of the largest values are wanted, each as `value:index:label`; 0 for all
            values as they are.
    """

    name: str
    binary: bool
    classes: int = 0


class Written(NamedTuple):
    """The body of an answer, and the length of its JSON where binary data follows it."""

    body: bytes
    header_length: int | None


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
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which JSON cannot say
        singles = values.astype(np.float32).reshape(shape)
    if not np.isfinite(singles).all():
        raise UserError(
            "the data of an FP32 tensor holds infinity or a number beyond float32; "
            "expected finite numbers"
        )
    return singles


def numbers_of_bytes(data: memoryview, shape: tuple[int, ...], datatype: str) -> NDArray[Any]:
    """Returns the numbers of binary data, little-endian and in row-major order, of `shape`.

    Args:
        data: the bytes of this tensor.
        shape: what the request says.
        datatype: `FP32` or `UINT8`.

    NaN and infinity are values of FP32, and load generators send random bytes, so they are no
    mistake here, as in other servers of the protocol: an image with them gets outputs of NaN.

    Raises:
        UserError: for another number of bytes than the shape's.
    """
    dtype, native = _NUMBERS[datatype]
    expected = math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise UserError(
            f"{len(data)} bytes of binary data were given for {datatype} of shape {list(shape)}; "
            f"expected {expected}"
        )
    return np.frombuffer(data, dtype).astype(native).reshape(shape)


def images_of_json(data: Any, shape: tuple[int, ...]) -> list[bytes]:
    """Returns the encoded images of a JSON array of base64 strings.

    Args:
        data: the parsed JSON.
        shape: what the request says.

    Raises:
        UserError: for another count, or what is no base64.
    """
    flat = _flat(data, shape)
    if others := {type(value) for value in flat} - {str}:
        raise UserError(f"the data of a BYTES tensor holds {_names(others)}; expected strings")
    try:
        return [base64.b64decode(text, validate=True) for text in flat]
    except (binascii.Error, ValueError):
        raise UserError(
            "a string of a BYTES tensor is not base64; in JSON, an image's file is given as "
            "base64, or send it as binary data"
        ) from None


def images_of_bytes(data: memoryview, count: int) -> list[bytes]:
    """Returns the encoded images of binary data: each a length of 4 bytes, then its bytes.

    An image may be base64 there too, as MLServer's tools send it.

    Args:
        data: the bytes of this tensor.
        count: how many the request says.

    Raises:
        UserError: where the lengths do not add up to the data.
    """
    images: list[bytes] = []
    start = 0
    while start + _LENGTH.size <= len(data) and len(images) < count:
        end = start + _LENGTH.size + _LENGTH.unpack_from(data, start)[0]
        if end > len(data):
            break
        images.append(_decoded(bytes(data[start + _LENGTH.size : end])))
        start = end
    if start != len(data) or len(images) != count:
        raise UserError(
            f"{len(data)} bytes of binary data do not make {count} BYTES elements; expected for "
            "each its length as 4 bytes, little-endian, and then its bytes"
        )
    return images


def _decoded(content: bytes) -> bytes:
    """Returns the content of base64, or what is none as it is."""
    if len(content) % 4 == 0 and _BASE64.fullmatch(content):
        return base64.b64decode(content)
    return content


def write(
    head: Mapping[str, Any],
    outputs: Mapping[str, Output],
    wanted: Iterable[Wanted],
    labels: Sequence[str],
) -> Written:
    """Returns the answer of an inference.

    Args:
        head: the fields before the outputs: the model's name and version, the request's id.
        outputs: by name; texts are an array of objects.
        wanted: which of them in which order, and how.
        labels: of the classes.

    Raises:
        UserError: for NaN or infinity in JSON, which has no such numbers.
    """
    tensors: list[dict[str, Any]] = []
    blocks: list[bytes] = []
    for one, datatype, output in selected(outputs, wanted, labels):
        tensor: dict[str, Any] = {
            "name": one.name,
            "datatype": datatype,
            "shape": list(output.shape),
        }
        if one.binary:
            blocks.append(bytes_of(output))
            tensor["parameters"] = {"binary_data_size": len(blocks[-1])}
        else:
            tensor["data"] = _for_json(output)
        tensors.append(tensor)
    header = to_json({**head, "outputs": tensors})
    return Written(b"".join([header, *blocks]), len(header) if blocks else None)


def selected(
    outputs: Mapping[str, Output], wanted: Iterable[Wanted], labels: Sequence[str]
) -> Iterator[tuple[Wanted, str, Output]]:
    """Yields what is wanted: how, its datatype, and the output or the largest values of it.

    Args:
        outputs: by name.
        wanted: which of them in which order.
        labels: of the classes.
    """
    for one in wanted:
        output = outputs[one.name]
        if one.classes:
            yield one, "BYTES", _ranked(output, one.classes, labels)
        else:
            yield one, OUTPUTS[one.name], output


def _ranked(values: NDArray[Any], count: int, labels: Sequence[str]) -> NDArray[np.object_]:
    """Returns the largest values of each row, (N, count), each as `value:index:label`."""
    order = np.argsort(-values, axis=1, kind="stable")[:, :count]
    texts = [
        [f"{row[i]:.7g}:{i}:{labels[i]}" for i in places]
        for row, places in zip(values, order, strict=True)
    ]
    return np.array(texts, np.object_)


def _for_json(output: Output) -> list[Any]:
    """Returns a tensor's elements."""
    if output.dtype.kind == "f" and not np.isfinite(output).all():
        raise UserError(
            "the network's outputs for this input are not finite, which JSON cannot say; give "
            "smaller numbers, or ask for binary data"
        )
    return output.ravel().tolist()


def bytes_of(output: Output) -> bytes:
    """Returns a tensor's binary data: little-endian; a text or bytes after their length."""
    if output.dtype == np.object_:
        encoded = [one.encode() if isinstance(one, str) else one for one in output.ravel()]
        return b"".join(_LENGTH.pack(len(text)) + text for text in encoded)
    return output.astype(output.dtype.newbyteorder("<"), copy=False).tobytes()


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
