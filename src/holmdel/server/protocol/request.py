"""What an inference request asks: its body unpacked, one input tensor, the outputs wanted."""

import json
import reprlib
import zlib
from typing import Any, NamedTuple, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.server.errors import RequestError
from holmdel.server.protocol.tensors import (
    OUTPUTS,
    images_of_bytes,
    images_of_json,
    numbers_of_bytes,
    numbers_of_json,
)

Given: TypeAlias = NDArray[np.float32] | NDArray[np.uint8] | list[bytes]
Shape: TypeAlias = tuple[int, int, int]

INPUT = "input"


class Wanted(NamedTuple):
    """An output that is wanted, and whether as binary data or as JSON."""

    name: str
    binary: bool


class Ask(NamedTuple):
    """An inference request, checked.

    Attributes:
        id: what the client calls it, or None.
        given: float32 or uint8 (N, C, H, W), or N encoded images.
        wanted: the outputs, in the order asked.
    """

    id: str | None
    given: Given
    wanted: tuple[Wanted, ...]


MOST_JSON = 4_000_000  # bytes; to read them takes the interpreter's lock for a tenth of a second

_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}  # deflate means zlib in HTTP


class Body(NamedTuple):
    """The JSON object of a body, and the binary data after it."""

    header: dict[str, Any]
    binary: memoryview


def unpacked(body: bytes, encoding: str | None, most: int) -> bytes:
    """Returns a body without its Content-Encoding.

    Args:
        body: as it was sent.
        encoding: the header Content-Encoding, None where there is none.
        most: how many bytes may come out.

    Raises:
        RequestError: 415 for another encoding than gzip or deflate, 413 above `most` bytes.
        UserError: for a body that is not of that encoding, or is cut short.
    """
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        return body
    if name not in _WINDOWS:
        raise RequestError(415, f"the Content-Encoding is {name[:40]!r}; expected gzip or deflate")
    unpacker = zlib.decompressobj(_WINDOWS[name])
    try:
        whole = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise UserError(f"the body is not {name} as its Content-Encoding says ({error})") from None
    if len(whole) > most:
        raise RequestError(413, f"the body unpacks to more than {most:,} bytes; send less at once")
    if not unpacker.eof or unpacker.unused_data:
        raise UserError(f"the {name} body is cut short or has bytes after its end; send it whole")
    return whole


def split(body: bytes, header_length: str | None) -> Body:
    """Returns the JSON object that a body begins with, and the binary data that follows.

    Args:
        body: unpacked.
        header_length: the header Inference-Header-Content-Length, None where all is JSON.

    Raises:
        RequestError: 413 for JSON of more than `MOST_JSON`.
        UserError: for a length that is none or is beyond the body, or what is no JSON object.
    """
    length = len(body)
    if header_length is not None:
        given = header_length.strip()
        if not (given.isascii() and given.isdigit() and len(given) < 20) or int(given) > length:
            raise UserError(
                f"Inference-Header-Content-Length is {given[:40]!r}; expected a whole number of "
                f"bytes, at most the body's {length}"
            )
        length = int(given)
    if length > MOST_JSON:
        raise RequestError(
            413,
            f"the request's JSON has {length:,} bytes, where {MOST_JSON:,} are the most; send "
            "fewer rows, or tensors as binary data",
        )
    header = _parsed(body[:length])
    if not isinstance(header, dict):
        raise UserError(
            f"the request is a JSON {_kind(header)}; expected an object with the field 'inputs'"
        )
    return Body(header, memoryview(body)[length:])


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise UserError(
            "the request's JSON is nested too deep; expected a tensor's depth"
        ) from None
    except ValueError as error:  # no UTF-8, no JSON, a number of thousands of digits
        raise UserError(
            f"the request is not JSON ({error}); where binary data follows it, give its length in "
            "the header Inference-Header-Content-Length"
        ) from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _kind(value: Any) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def read(body: Body, seen: Shape, stored: Shape, rows: int) -> Ask:
    """Returns what a request asks.

    Args:
        body: of the request.
        seen: (C, H, W) of an FP32 input: what the network sees.
        stored: (C, H, W) of a UINT8 input: the stored form.
        rows: the most N.

    Raises:
        UserError: for what the protocol does not allow, or another input than the model's.
    """
    header = body.header
    name = header.get("id")
    if not isinstance(name, str | None):
        raise UserError("the request's 'id' is not a string; expected one, or none")
    inputs = _objects(header, "inputs")
    _expect_names("input", [tensor.get("name") for tensor in inputs], (INPUT,))
    if not inputs:
        raise UserError(f"the request has no 'inputs'; expected one tensor, named {INPUT!r}")
    given = _given(inputs[0], body.binary, {"FP32": seen, "UINT8": stored}, rows)
    return Ask(name, given, _wanted(header))


def _wanted(header: dict[str, Any]) -> tuple[Wanted, ...]:
    """Returns the outputs asked for; all where none is named."""
    binary = _flag(_parameters(header, "request"), "binary_data_output", default=False)
    outputs = _objects(header, "outputs")
    names = [output.get("name") for output in outputs]
    _expect_names("output", names, tuple(OUTPUTS))
    if not outputs:
        return tuple(Wanted(name, binary) for name in OUTPUTS)
    wanted = []
    for output in outputs:
        parameters = _parameters(output, "output")
        for extension in ("classification", "shared_memory_region"):
            if parameters.get(extension):
                raise UserError(
                    f"an output asks for {extension!r}, an extension that this server does not "
                    "have; GET /v2 names those it has"
                )
        wanted.append(Wanted(output["name"], _flag(parameters, "binary_data", default=binary)))
    return tuple(wanted)


def _given(
    tensor: dict[str, Any], binary: memoryview, shapes: dict[str, Shape], rows: int
) -> Given:
    """Returns the data of the input."""
    datatype = tensor.get("datatype")
    if datatype != "BYTES" and (not isinstance(datatype, str) or datatype not in shapes):
        raise UserError(
            f"the input's datatype is {reprlib.repr(datatype)}; expected 'FP32', 'UINT8' or 'BYTES'"
        )
    shape = _shape(tensor, shapes.get(datatype, ()), datatype, rows)
    data = _binary(tensor, binary)
    if datatype == "BYTES":
        if data is not None:
            return images_of_bytes(data, shape[0])
        return images_of_json(tensor.get("data"), shape[0])
    if data is not None:
        return numbers_of_bytes(data, shape, datatype)
    return numbers_of_json(tensor.get("data"), shape, datatype)


def _shape(
    tensor: dict[str, Any], row: tuple[int, ...], datatype: str, rows: int
) -> tuple[int, ...]:
    """Returns the input's shape, (N, *row)."""
    shape = tensor.get("shape")
    whole = isinstance(shape, list) and all(type(size) is int for size in shape)
    if not whole or not shape or tuple(shape[1:]) != row:
        expected = ", ".join(["N", *map(str, row)])
        raise UserError(
            f"the input's shape is {reprlib.repr(shape)}; expected [{expected}] for {datatype}"
        )
    if not 1 <= shape[0] <= rows:
        raise UserError(f"the input has {reprlib.repr(shape[0])} rows; expected 1 to {rows}")
    return tuple(shape)


def _binary(tensor: dict[str, Any], binary: memoryview) -> memoryview | None:
    """Returns the input's binary data, or None where its data is in the JSON."""
    parameters = _parameters(tensor, "input")
    if "shared_memory_region" in parameters:
        raise UserError(
            "the input is in shared memory, an extension that this server does not have; "
            "send its data in the body"
        )
    size = parameters.get("binary_data_size")
    if size is None:
        if len(binary):
            raise UserError(
                f"{len(binary)} bytes follow the JSON, and the input has no 'binary_data_size'; "
                "expected that parameter, or no bytes"
            )
        return None
    if type(size) is not int or size != len(binary):
        raise UserError(
            f"the input's binary_data_size is {reprlib.repr(size)}, and {len(binary)} bytes follow "
            "the JSON; expected the same number"
        )
    if "data" in tensor:
        raise UserError("the input has both 'data' and binary data; expected one of them")
    return binary


def _objects(header: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """Returns a field that is an array of objects, or is not there."""
    found = header.get(field)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise UserError(f"the request's {field!r} is not an array of objects; expected one")
    return found


def _expect_names(kind: str, names: list[Any], known: tuple[str, ...]) -> None:
    """Raises a UserError for a name that the model does not have, or that comes twice."""
    for place, name in enumerate(names):
        if not isinstance(name, str) or name not in known:
            expected = ", ".join(map(repr, known))
            raise UserError(f"the model has no {kind} {reprlib.repr(name)}; it has {expected}")
        if name in names[:place]:
            raise UserError(f"the {kind} {name!r} was given twice; expected it once")


def _parameters(thing: dict[str, Any], kind: str) -> dict[str, Any]:
    found = thing.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise UserError(f"the 'parameters' of the {kind} are not an object; expected one")
    return found


def _flag(parameters: dict[str, Any], name: str, *, default: bool) -> bool:
    found = parameters.get(name, default)
    if not isinstance(found, bool):
        raise UserError(f"the parameter {name!r} is {reprlib.repr(found)}; expected true or false")
    return found
