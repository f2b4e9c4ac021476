"""A person's corrections of what was read: the lines of a file of answers, one after the other.

They are kept as a labelled folder (`labelled.py`), for `--calibrate` and `train reader --strings`.
"""

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from holmdel.errors import UserError
from holmdel.files import write_bytes
from holmdel.images.pages import locate
from holmdel.images.pixels import Pixels
from holmdel.reading.answers import REJECT, Box, to_png
from holmdel.reading.corrections import Answer, corrected
from holmdel.reading.crops import open_page, to_data_uri
from holmdel.reading.labelled import TRUTH

NOTHING = "nothing.tsv"  # beside truth.tsv: the lines on which nothing is written
IMAGES = "images"
_COLUMNS = ("file", "digits", "read", "status", "confidence", "path", "box")
_MARKS = frozenset(" .,-/=*:#$+'()")  # may stand between digits; the truth has digits alone
_MARGIN, _AROUND = 0.1, 0.8  # of a line's height: around what is kept, and what is shown
_WIDEST = 1600  # pixels of a line as it is shown


@dataclass(frozen=True)
class Item:
    """A line to look at.

    Attributes:
        path: of its page, as the answer gives it.
        number: of the line on the page, from 1.
        text: the digits that were read.
        raw: with their marks, where the pattern had any; else None.
        field: the name of its field, where fields have names.
        confidence: of `text`, 0..1.
        status: `read` or `reject`.
        box: x, y, width and height in the page's pixels.
    """

    path: str
    number: int
    text: str
    raw: str | None
    field: str | None
    confidence: float
    status: str
    box: Box

    @cached_property
    def file(self) -> str:
        """The name of the file in which its image is kept: the same whenever it is asked for."""
        place = json.dumps([self.path, self.box]).encode()
        stem = re.sub(r"[^\w.-]+", "-", Path(self.path).name, flags=re.ASCII)[:60]
        return f"{stem}-{hashlib.sha256(place).hexdigest()[:10]}.png"

    def row(self, digits: str) -> list[str]:
        """Returns its row of a table of corrections."""
        path = re.sub(r"[\t\r\n]", "?", self.path.encode(errors="replace").decode())
        box = ",".join(map(str, self.box))
        return [self.file, digits, self.text, self.status, str(self.confidence), path, box]


class Review:
    """Lines to look at, and what a person said of them, which is kept at once.

    Attributes:
        items: the lines, in the order of the answers.
        folder: where the corrections are.
        complaints: a sentence an image that is not there.

    Args:
        answers: a file that `holmdel read --out` wrote.
        folder: for the corrections; those that are there are kept.
        everything: look at lines that were read, too.

    Raises:
        UserError: if the answers cannot be read, or the folder has a truth that is another's.
    """

    def __init__(self, answers: Path, folder: Path, *, everything: bool = False) -> None:
        self.folder = folder
        self._answers = answers
        every = (item for _, items in _answered(answers) for item in items)
        wanted = [item for item in every if everything or item.status == REJECT]
        lines = Counter(item.path for item in wanted)
        missing = dict.fromkeys(path for path in lines if not _is_there(path, answers.parent))
        self.complaints = [
            f"there is no image {path}, so {lines[path]} of its lines are left out; run this where "
            "`holmdel read` was run"
            for path in missing
        ]
        self.items = [item for item in wanted if item.path not in missing]
        self._page = lru_cache(maxsize=2)(lambda path: open_page(_found(path, answers.parent)))
        self._truth = _kept(folder / TRUTH)
        self._nothing = _kept(folder / NOTHING)

    def said(self, number: int) -> str | None:
        """Returns what was said of a line: digits, an empty text for nothing, or None."""
        return self._said(self.items[number])

    def _said(self, item: Item) -> str | None:
        if item.file in self._nothing:
            return ""
        return self._truth[item.file][1] if item.file in self._truth else None

    def corrected(self) -> Iterator[Answer]:
        """Gives all answers of the file, with what was said in them."""
        for answer, items in _answered(self._answers):
            yield corrected(answer, [self._said(item) for item in items]) if items else answer

    @property
    def done(self) -> int:
        """How many of the lines were decided."""
        return sum(self.said(number) is not None for number in range(len(self.items)))

    @property
    def first(self) -> int:
        """The number of the first line that is not decided; that of the last one plus 1 if all."""
        numbers = range(len(self.items))
        return next((n for n in numbers if self.said(n) is None), len(self.items))

    def show(self, number: int) -> dict[str, Any]:
        """Returns a line as JSON-ready values, with its image.

        Raises:
            UserError: if the image cannot be used.
        """
        item = self.items[number]
        image = to_data_uri(self._page(item.path).cut(item.box, _AROUND), _WIDEST)
        return {
            "number": number,
            "path": item.path,
            "line": item.number,
            "field": item.field,
            "text": item.text,
            "raw": item.raw,
            "confidence": item.confidence,
            "status": item.status,
            "said": self.said(number),
            "image": image,
        }

    def say(self, number: int, digits: str) -> str:
        """Keeps what stands on a line; an empty text says that nothing does. Returns the digits.

        Raises:
            UserError: for other characters than digits and marks, or if it cannot be kept.
        """
        item = self.items[number]
        text = digits_of(digits)
        self._truth.pop(item.file, None)
        self._nothing.pop(item.file, None)
        if text:
            image = self._page(item.path).cut(item.box, _MARGIN)
            write_bytes(self.folder / IMAGES / item.file, to_png(_plain(image)))
            self._truth[item.file] = item.row(text)
        else:
            self._nothing[item.file] = item.row("")
        _keep(self.folder / TRUTH, self._truth)
        _keep(self.folder / NOTHING, self._nothing)
        return text


def digits_of(text: str) -> str:
    """Returns the digits of a text that may have marks between them.

    Raises:
        UserError: for other characters.

    >>> digits_of("1,250.00")
    '125000'
    """
    digits = "".join(char for char in text if char not in _MARKS)
    if digits and not (digits.isascii() and digits.isdigit()):
        raise UserError(f"{text!r} was given; expected 0 to 9, perhaps with marks between them")
    return digits


def _answered(answers: Path) -> Iterator[tuple[Answer, list[Item]]]:
    """Gives each answer of a file, and its lines."""
    try:
        with answers.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.endswith("\n"):  # what a kill left half written is no answer
                    yield _parsed(line, f"{answers}, line {number}")
    except FileNotFoundError:
        raise UserError(
            f"there is no file {answers}; expected one that `holmdel read --out` wrote"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{answers} cannot be read ({error}); expected JSON lines") from None


def _parsed(answer: str, place: str) -> tuple[Answer, list[Item]]:
    try:
        values = json.loads(answer)
        return values, [
            Item(
                *(str(values["path"]), number, line["text"], line.get("raw"), line.get("field")),
                *(line["confidence"], line["status"], _box(line["box"])),
            )
            for number, line in enumerate(values.get("lines", ()), 1)
        ]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise UserError(
            f"{place} is no answer of `holmdel read`; expected the file of --out in JSON lines"
        ) from None


def _box(values: list[int]) -> Box:
    x, y, w, h = map(int, values)
    return x, y, w, h


def _is_there(path: str, beside: Path) -> bool:
    return _is_file(_found(path, beside))


def _found(path: str, beside: Path) -> str:
    """Returns where an image is: as the answer says, or from the folder of the answers."""
    return path if _is_file(path) else str(beside / path)


def _is_file(path: str) -> bool:
    try:
        return Path(str(locate(path).file)).is_file()
    except OSError:  # a name that is too long for one
        return False


def _plain(image: Pixels) -> Pixels:
    """Returns an image without colour where it has none, which takes a third of the room."""
    one = image[:, :, 0]
    return one if all((image[:, :, channel] == one).all() for channel in (1, 2)) else image


def _kept(path: Path) -> dict[str, list[str]]:
    """Returns the rows of a table of corrections by file; none if there is no table."""
    if not path.is_file():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{path} cannot be read ({error}); give another --out") from None
    if tuple(head) != _COLUMNS or any(len(row) != len(_COLUMNS) for row in rows):
        raise UserError(f"{path} was not written by `holmdel review`; give another --out")
    return {row[0]: row for row in rows}


def _keep(path: Path, rows: dict[str, list[str]]) -> None:
    """Writes a table of corrections, whole or not at all."""
    out = io.StringIO()
    for row in (_COLUMNS, *rows.values()):
        out.write("\t".join(row) + "\n")
    write_bytes(path, out.getvalue().encode())
