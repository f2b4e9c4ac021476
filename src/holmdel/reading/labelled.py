"""A folder of pictures of strings, and what stands on each."""

import itertools
from dataclasses import dataclass
from pathlib import Path

from holmdel.errors import UserError

TRUTH = "truth.tsv"
_COLUMNS = ("file", "digits")
_LONGEST = 1_000  # digits of a line


@dataclass(frozen=True)
class LabelledString:
    """A picture of one string.

    Attributes:
        path: the picture.
        text: its digits, in reading order.
        status: `read` or `reject`, where a person looked at what had been read; else None.
    """

    path: Path
    text: str
    status: str | None = None


def read_labelled(folder: str | Path) -> list[LabelledString]:
    """Returns the strings of a labelled folder, in the order of its `truth.tsv`.

    `truth.tsv` has a head with the columns `file` and `digits`, and perhaps others; without a head
    these two are all its columns. The pictures lie in the folder or in its folder `images`.

    Raises:
        UserError: if there is no `truth.tsv`, a column or a picture is missing, or what is given as
            digits has none or other characters.
    """
    folder = Path(folder)
    path = folder / TRUTH
    strings = [
        LabelledString(
            _picture(folder, row.text("file"), row.place("file")),
            _digits(row.text("digits"), row.place("digits")),
            row.fields.get("status"),
        )
        for row in _rows(path)
    ]
    if not strings:
        raise UserError(f"{path} has no line below its head; expected a file and its digits a line")
    return strings


@dataclass(frozen=True)
class _Row:
    """A line of a table: where it stands, and its fields by their columns."""

    path: Path
    number: int
    fields: dict[str, str]

    def text(self, name: str) -> str:
        return self.fields.get(name, "")

    def place(self, name: str) -> str:
        """Returns the words that name a field: its file, its line and its first character."""
        before = itertools.takewhile(lambda other: other != name, self.fields)
        column = 1 + sum(len(self.fields[other]) + 1 for other in before)
        return f"{self.path}, line {self.number}, column {column}"


def _rows(path: Path) -> list[_Row]:
    """Returns each line below the head, or each where there is none, that has something in it."""
    try:
        head, *lines = path.read_text(encoding="utf-8-sig").split("\n")
    except FileNotFoundError:
        raise UserError(
            f"there is no file {path}; expected one with a line a picture: its file, a tab, its "
            "digits"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); expected tabs and UTF-8") from None
    names, first = head.split("\t"), 2
    if _has_no_head(names):
        names, lines, first = [*_COLUMNS], [head, *lines], 1
    if missing := [name for name in _COLUMNS if name not in names]:
        raise UserError(
            f"{path} has no column {' and no column '.join(missing)}; expected a first line with "
            "`file` and `digits`, separated by a tab, or a file, a tab and its digits a line"
        )
    return [
        _Row(path, number, dict(zip(names, line.split("\t"), strict=False)))
        for number, line in enumerate(lines, first)
        if line
    ]


def _has_no_head(fields: list[str]) -> bool:
    """Returns whether a table's first line is one of its strings: two fields, the second digits."""
    return len(fields) == len(_COLUMNS) and fields[1].isascii() and fields[1].isdigit()


def _picture(folder: Path, name: str, place: str) -> Path:
    try:
        for path in (folder / name, folder / "images" / name):
            if path.is_file():
                return path
    except OSError as error:
        raise UserError(
            f"{place}: the file's name of {len(name):,} characters is no file's ({error.strerror})"
        ) from None
    raise UserError(f"{place}: there is no picture {name!r} in {folder} or {folder / 'images'}")


def _digits(text: str, place: str) -> str:
    if len(text) > _LONGEST:
        raise UserError(f"{place}: {len(text):,} digits are given; expected {_LONGEST:,} or fewer")
    if not (text.isascii() and text.isdigit()):
        raise UserError(f"{place}: the digits are given as {text!r}; expected 0 to 9 alone")
    return text
