"""What an inference request asks: its body unpacked, one input tensor, the outputs wanted."""

import reprlib
import zlib
from typing import Any, NamedTuple

from pydantic_core import from_json

from holmdel.errors import UserError
from holmdel.images import ImageContract
from holmdel.server.errors import RequestError
from holmdel.server.protocol.inputs import INPUTS, Given, parameters, read_input
from holmdel.server.protocol.tensors import OUTPUTS, RANKED, Wanted


class Ask(NamedTuple):
    """An inference request, checked.

    Attributes:
        id: what the client calls it, or None.
        given: float32 or uint8 (N, C, H, W), or N encoded images.
        wanted: the outputs, in the order asked.
        doubts: why the input is perhaps not what the client means, a sentence each.
        seconds: the time limit that the client wants, or None.
    """

    id: str | None
    given: Given
    wanted: tuple[Wanted, ...]
    doubts: tuple[str, ...] = ()
    seconds: float | None = None


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
        raise UserError(f"the request is a JSON {_kind(header)}; expected an object")
    return Body(header, memoryview(body)[length:])


def _parsed(text: bytes) -> Any:
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:  # no UTF-8, no JSON, a number of thousands of digits
        if "recursion" in str(error):
            raise UserError(
                "the request's JSON is nested too deep; expected a tensor's depth"
            ) from None
        raise UserError(
            f"the request is not JSON ({error}); where binary data follows it, give its length in "
            "the header Inference-Header-Content-Length"
        ) from None


def _kind(value: Any) -> str:
    names = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def read(body: Body, contract: ImageContract, rows: int) -> Ask:
    """Returns what a request asks.

    Args:
        body: of the request.
        contract: what the model's network was trained to see.
        rows: the most N.

    Raises:
        UserError: for what the protocol does not allow, or another input than the model's.
    """
    header = body.header
    name = header.get("id")
    if not isinstance(name, str | None):
        raise UserError("the request's 'id' is not a string; expected one, or none")
    inputs = _objects(header, "inputs")
    _expect_names("input", [tensor.get("name") for tensor in inputs], INPUTS)
    if not inputs:
        expected = " or ".join(map(repr, INPUTS))
        raise UserError(f"the request has no 'inputs'; expected one tensor, named {expected}")
    given, doubts = read_input(inputs, body.binary, contract, rows)
    return Ask(name, given, _wanted(header), doubts, _seconds(header))


def _seconds(header: dict[str, Any]) -> float | None:
    """Returns the request's own time limit; its priority is checked, and all have the same."""
    given = parameters(header, "request")
    for name in ("priority", "timeout"):
        value = given.get(name, 0)
        if type(value) is not int or value < 0:
            raise UserError(
                f"the parameter {name!r} is {reprlib.repr(value)}; expected a whole number from 0"
            )
    return given["timeout"] / 1e6 if given.get("timeout") else None


def _wanted(header: dict[str, Any]) -> tuple[Wanted, ...]:
    """Returns the outputs asked for; all where none is named."""
    binary = _flag(parameters(header, "request"), "binary_data_output", default=False)
    outputs = _objects(header, "outputs")
    names = [output.get("name") for output in outputs]
    _expect_names("output", names, tuple(OUTPUTS))
    if not outputs:
        return tuple(Wanted(name, binary) for name in OUTPUTS)
    wanted = []
    for output in outputs:
        asked = parameters(output, "output")
        if asked.get("shared_memory_region"):
            raise UserError(
                "an output asks for 'shared_memory_region', an extension that this server does not "
                "have; GET /v2 names those it has"
            )
        flag = _flag(asked, "binary_data", default=binary)
        wanted.append(Wanted(output["name"], flag, _classes(output["name"], asked)))
    return tuple(wanted)


def _classes(name: str, asked: dict[str, Any]) -> int:
    """Returns how many classes an output is to name; 0 for all its values."""
    count = asked.get("classification", 0)
    if type(count) is not int or count < 0:
        raise UserError(
            f"the parameter 'classification' is {reprlib.repr(count)}; expected how many classes"
        )
    if count and name not in RANKED:
        raise UserError(
            f"the output {name!r} was asked for its {count} largest values, and has one a row; "
            f"ask for those of {' or '.join(map(repr, RANKED))}"
        )
    return count


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


def _flag(parameters: dict[str, Any], name: str, *, default: bool) -> bool:
    found = parameters.get(name, default)
    if not isinstance(found, bool):
        raise UserError(f"the parameter {name!r} is {reprlib.repr(found)}; expected true or false")
    return found
