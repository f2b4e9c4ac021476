"""The body of an inference request: unpacked, and split into its JSON object and what follows."""

import json
import zlib
from typing import Any, NamedTuple, NoReturn

from holmdel.errors import UserError
from holmdel.server.refusals import Refusal

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
        Refusal: 415 for another encoding than gzip and deflate, 413 for more than `most` bytes.
        UserError: for a body that is not of that encoding, or is cut short.
    """
    name = (encoding or "identity").strip().lower()
    if name == "identity":
        return body
    if name not in _WINDOWS:
        raise Refusal(415, f"the Content-Encoding is {name[:40]!r}; expected gzip or deflate")
    unpacker = zlib.decompressobj(_WINDOWS[name])
    try:
        whole = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise UserError(f"the body is not {name} as its Content-Encoding says ({error})") from None
    if len(whole) > most:
        raise Refusal(413, f"the body unpacks to more than {most:,} bytes; send less at once")
    if not unpacker.eof or unpacker.unused_data:
        raise UserError(f"the {name} body is cut short or has bytes after its end; send it whole")
    return whole


def split(body: bytes, header_length: str | None) -> Body:
    """Returns the JSON object that a body begins with, and the binary data that follows.

    Args:
        body: unpacked.
        header_length: the header Inference-Header-Content-Length, None where all is JSON.

    Raises:
        Refusal: 413 for JSON of more than `MOST_JSON`.
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
        raise Refusal(
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
