"""Image cash letters, X9.37 (DSTU 2003) and X9.100-187: files of cheques, item by item.

A file is a row of records. Each begins with its type, two digits: 25 is a cheque and 31 a returned
one, with the amount; 50 describes a view of it, and 52 has the view's image, mostly a TIFF of
Group 4. Text is ASCII or EBCDIC. Before each record stands its length, in 4 bytes with the largest
first; or a line end stands after it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from holmdel.reading.answers import Cheque

_EBCDIC, _ASCII = "cp037", "latin-1"
_ENDS = {_EBCDIC: re.compile(rb"\r?\n|[\x15\x25]"), _ASCII: re.compile(rb"\r?\n")}
_LENGTH = 4  # bytes before a record
_FIELDS = 80  # characters of a record but for its long last ones
_LONGEST = 20_000  # of a record without an image; a key has up to 9,999
_CHEQUE, _RETURN, _CREDITS, _VIEW, _IMAGE, _END = "25", "31", ("61", "62"), "50", "52", "99"
_GREY = ("20", "21")  # formats of a view: PNG, JFIF. Grey says more than black and white


@dataclass(frozen=True)
class Record:
    """A record: its type, the text of its fields, and the place and length of its image."""

    type: str
    text: str
    image: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Item:
    """A cheque.

    Attributes:
        cheque: what its record says.
        image: place and length of the image of its front in the file; length 0 where it has none.
        rank: how good that image is, 1 or more.
    """

    cheque: Cheque
    image: tuple[int, int] = (0, 0)
    rank: int = 0


@dataclass(frozen=True)
class CashLetter:
    """What is in a file.

    Attributes:
        items: the cheques, in order.
        cut: the byte at which the file is cut short or damaged, or None.
    """

    items: tuple[Item, ...]
    cut: int | None


class _Cut(Exception):  # noqa: N818 - it ends a file that is good up to there
    """The file is cut short, or no record begins where one has to; the argument is the byte."""


def read_letter(file: BinaryIO) -> CashLetter:
    """Returns the items of an open file; of one that is cut short, those before."""
    shelf = _Shelf()
    cut = None
    try:
        for record in _records(file):
            shelf.take(record)
    except _Cut as error:
        cut = int(error.args[0])
        shelf.drop_unfinished()
    return CashLetter(tuple(shelf.items), cut)


class _Shelf:
    """Collects items from records, which say one after the other what belongs to the last item."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self._open = False
        self._rank = 1  # of the view that was described last

    def take(self, record: Record) -> None:
        """Adds what a record says: an item, or a view or an image of the last one."""
        if record.type in (_CHEQUE, _RETURN):
            self.items.append(Item(_cheque(record)))
            self._open, self._rank = True, 1
        elif record.type in _CREDITS:  # has images, too
            self._open = False
        elif record.type == _VIEW:
            self._rank = _rank(record.text)
        elif record.type == _IMAGE and self._open and self._rank > self.items[-1].rank:
            self.items[-1] = replace(self.items[-1], image=record.image, rank=self._rank)

    def drop_unfinished(self) -> None:
        """Removes the last item if its image is missing yet."""
        if self._open and not self.items[-1].rank:
            del self.items[-1]


def _rank(text: str) -> int:
    """Returns how good a view is for reading: a rear 0, a part 1, a whole 2, in grey 3."""
    present, kind, side, part = text[2:3], text[20:22], text[31:32], text[32:34]
    if side == "1" or present == "0":
        return 0
    return 1 if part.strip("0 ") else 3 if kind in _GREY else 2


def _cheque(record: Record) -> Cheque:
    """Returns what the fields of a record 25 or 31 say."""
    text = record.text
    if record.type == _CHEQUE:
        amount, sequence, routing = text[47:57], text[57:72], text[18:27]
    else:
        amount, sequence, routing = text[31:41], text[53:68], text[2:11]
    cents = int(amount) if amount.strip().isdecimal() else None
    return Cheque(cents, sequence.strip(), routing.strip())


def _records(file: BinaryIO) -> Iterator[Record]:
    """Gives the records of a file up to its end.

    Raises:
        _Cut: where that is missing.
    """
    front = file.read(_LENGTH + 2)
    before = 0 if front[:2] in (b"01", b"\xf0\xf1") else _LENGTH
    codec = _EBCDIC if front[before:].startswith(b"\xf0") else _ASCII
    size = file.seek(0, 2)
    place = 0
    while place < size:
        record, place = (_prefixed if before else _in_line)(file, codec, place, size)
        yield record
        if record.type == _END:
            return
    raise _Cut(size)


def _prefixed(file: BinaryIO, codec: str, place: int, size: int) -> tuple[Record, int]:
    """Returns the record at a place, whose length stands there, and where the next one begins."""
    file.seek(place)
    end = place + _LENGTH + int.from_bytes(file.read(_LENGTH))
    head = file.read(min(_FIELDS, end - place - _LENGTH))
    kind = _kind(head, codec, place)
    if end > size:
        raise _Cut(place)
    image = (0, 0)
    if kind == _IMAGE:
        start, length = _image(file, codec, place + _LENGTH)
        image = start, length if 0 < length <= end - start else end - start
    return Record(kind, head.decode(codec), image), end


def _in_line(file: BinaryIO, codec: str, place: int, size: int) -> tuple[Record, int]:
    """Returns the record at a place, which has a line end after it, and where the next begins."""
    file.seek(place)
    line = file.read(_LONGEST)
    kind = _kind(line, codec, place)
    if kind == _IMAGE:
        start, length = _image(file, codec, place)
        if start + length > size:
            raise _Cut(place)
        file.seek(start + length)
        after = _ENDS[codec].match(file.read(2))
        end = start + length + (after.end() if after else 0)
        return Record(kind, "", (start, length)), end
    found = _ENDS[codec].search(line)
    if found is None and (kind != _END or len(line) == _LONGEST):
        raise _Cut(place)
    text = line[: found.start()] if found else line
    return Record(kind, text.decode(codec)), place + (found.end() if found else len(line))


def _kind(head: bytes, codec: str, place: int) -> str:
    kind = head[:2].decode(codec)
    if len(kind) < 2 or not (kind.isascii() and kind.isdecimal()):
        raise _Cut(place)
    return kind


def _image(file: BinaryIO, codec: str, place: int) -> tuple[int, int]:
    """Returns where the image of a record 52 begins, and its length.

    Its last fields are a key, a signature and the image, each with its length before it.
    """
    start = place + 101
    for digits in (4, 5):
        start += digits + _number(file, codec, start, digits)
    return start + 7, _number(file, codec, start, 7)


def _number(file: BinaryIO, codec: str, place: int, digits: int) -> int:
    """Returns the number of so many digits at a place; blanks are 0."""
    file.seek(place)
    text = file.read(digits).decode(codec)
    if len(text) < digits or not (text.strip().isdecimal() or text.isspace()):
        raise _Cut(place)
    return int(text.strip() or 0)
