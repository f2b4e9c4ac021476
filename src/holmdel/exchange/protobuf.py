"""Protocol buffers, field by field, without a schema: what ONNX's and Caffe's files need of them.

The wire format is that of https://protobuf.dev/programming-guides/encoding: a field is a number and
a kind, then a varint, eight bytes, four bytes, or a length and as many bytes.
"""

from collections.abc import Iterator
from itertools import islice

from holmdel.exchange.archive import damaged

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5
MOST_VARINT = 10  # bytes
MOST_FIELDS = 1 << 16  # of a message; networks have some thousand layers


class Message:
    """The fields of a message.

    Args:
        path: what sentences call the file.
        content: its bytes; parts of them are windows on the same memory.

    Raises:
        UserError: if it is damaged.
    """

    def __init__(self, path: object, content: memoryview) -> None:
        self.path = path
        self.fields = list(islice(_fields(path, content), MOST_FIELDS + 1))
        if len(self.fields) > MOST_FIELDS:
            raise damaged(path, f"more than {MOST_FIELDS} fields in a message")

    def numbers(self, field: int) -> list[int]:
        """Returns the whole numbers of a field, packed ones too; signed, of 64 bits."""
        found: list[int] = []
        for number, value in self.fields:
            if number == field and isinstance(value, int):
                found.append(_signed(value))
            elif number == field and isinstance(value, memoryview):
                at = 0
                while at < len(value) and len(found) < MOST_FIELDS:
                    one, at = varint(self.path, value, at)
                    found.append(_signed(one))
        return found

    def number(self, field: int, otherwise: int = 0) -> int:
        """Returns the last whole number of a field."""
        return [otherwise, *self.numbers(field)][-1]

    def parts(self, field: int) -> list[memoryview]:
        """Returns the bytes of a field, each time that it comes."""
        return [v for n, v in self.fields if n == field and isinstance(v, memoryview)]

    def bytes(self, field: int) -> memoryview:
        """Returns the bytes of a field that comes once; none if it does not."""
        return (self.parts(field) or [memoryview(b"")])[-1]

    def text(self, field: int) -> str:
        """Returns the text of a field."""
        return bytes(self.bytes(field)).decode(errors="replace")

    def texts(self, field: int) -> list[str]:
        """Returns the texts of a field."""
        return [bytes(part).decode(errors="replace") for part in self.parts(field)]

    def messages(self, field: int) -> list["Message"]:
        """Returns the messages of a field."""
        return [Message(self.path, part) for part in self.parts(field)]

    def message(self, field: int) -> "Message":
        """Returns the message of a field; one without fields if there is none."""
        return Message(self.path, self.bytes(field))


def _fields(path: object, content: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yields the number and the value of each field."""
    at = 0
    while at < len(content):
        key, at = varint(path, content, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = varint(path, content, at)
            yield number, value
            continue
        if kind == BYTES:
            length, at = varint(path, content, at)
        else:
            length = {EIGHT: 8, FOUR: 4}.get(kind, len(content) + 1)
        if not number or length > len(content) - at:
            raise damaged(path, f"a field of {length} bytes where {len(content) - at} are left")
        yield number, content[at : at + length]
        at += length


def varint(path: object, content: memoryview, at: int) -> tuple[int, int]:
    """Returns a number of seven bits a byte, the lowest first, and the place behind it."""
    value = 0
    for place in range(at, min(at + MOST_VARINT, len(content))):
        value |= (content[place] & 0x7F) << 7 * (place - at)
        if content[place] < 0x80:
            return value, place + 1
    raise damaged(path, "a number that does not end")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value
