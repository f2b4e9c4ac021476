"""Answers as a table: CSV, or a spreadsheet in Excel's format, XLSX.

Every digit string is a text, so that leading zeros stay. Where every line stands in a named field,
as with a template, a row is a page and a column a field; else a row is a line.
"""

import csv
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from holmdel.errors import UserError
from holmdel.files import replacing
from holmdel.reading.answers import READ
from holmdel.reading.stream import Read, to_line

COLUMNS = (
    *("path", "page", "line", "field", "text", "raw", "value", "confidence", "status"),
    *("x", "y", "w", "h", "error"),
)
NOTHING = "no digits"  # the status of a page without lines
CSV, XLSX = "csv", "xlsx"

Cell = str | int | float | None
Row = list[Cell]
Add = Callable[[Read], None]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of one
_MOST_ROWS = 1_048_576  # of a sheet of Excel
_WIDE = 30  # characters; the column of the paths


class Spool:
    """Answers that wait on disk until it is known which columns there are.

    Args:
        file: an empty file for text.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._fields: dict[str, None] = {}
        self._unnamed = False

    def add(self, found: Read) -> None:
        """Keeps one answer."""
        line = to_line(found)
        self._file.write(line + "\n")
        answer = json.loads(line)
        self._unnamed |= any("field" not in line for line in answer.get("lines", ()))
        for part in (*answer.get("lines", ()), *answer.get("skipped", ())):
            if "field" in part:
                self._fields[part["field"]] = None

    def rows(self) -> Iterator[Row]:
        """Gives the head and then the rows."""
        self._file.seek(0)
        answers = map(json.loads, self._file)
        if self._fields and not self._unnamed:
            fields = list(self._fields)
            yield ["path", "page", *fields, "rejected", "error"]
            yield from (_page_row(answer, fields) for answer in answers)
        else:
            yield list(COLUMNS)
            yield from chain.from_iterable(map(_line_rows, answers))


def _line_rows(answer: dict[str, Any]) -> list[Row]:
    """Returns a row a line; of a page without lines one that says so."""
    page = [answer["path"], answer.get("page")]
    nothing = [None] * len(COLUMNS)
    if "error" in answer:
        return [[*page, *nothing[2:8], "error", *nothing[9:13], answer["error"]]]
    return [
        [
            *(*page, number, line.get("field"), line["text"], line.get("raw")),
            *(_worth(line), line["confidence"], line["status"], *line["box"], None),
        ]
        for number, line in enumerate(answer["lines"], 1)
    ] or [[*page, *nothing[2:8], NOTHING, *nothing[9:]]]


def _page_row(answer: dict[str, Any], fields: list[str]) -> Row:
    """Returns the row of a page: what was read in each field; guesses stand apart."""
    lines = answer.get("lines", ())
    read = {line["field"]: _best(line) for line in lines if line["status"] == READ}
    guesses = [f"{line['field']}={_best(line)}" for line in lines if line["status"] != READ]
    cells = [read.get(field) for field in fields]
    rejected = "; ".join(guesses) or None
    return [answer["path"], answer.get("page"), *cells, rejected, answer.get("error")]


def _best(line: dict[str, Any]) -> Cell:
    """Returns what a line is worth, or else what is written there."""
    worth = _worth(line)
    return (line.get("raw") or str(line["text"])) if worth is None else worth


def _worth(line: dict[str, Any]) -> Cell:
    """Returns a line's value as one cell."""
    value = line.get("value")
    if value is None:
        return None
    [first, *others] = value.values()
    return json.dumps(value) if others or isinstance(first, dict | list) else first


@contextmanager
def table_file(path: Path) -> Iterator[Add]:
    """Gives what takes answers; at the end the table is written whole, or nothing of it.

    Args:
        path: ends in `.xlsx` for a spreadsheet; else it becomes CSV.

    Raises:
        UserError: if it cannot be written.
    """
    with beside(path) as file:
        spool = Spool(file)
        yield spool.add
        with replacing(path) as part:
            if path.suffix.lower() == f".{XLSX}":
                _write_xlsx(part, spool.rows())
            else:
                with part.open("w", encoding="utf-8", newline="") as out:
                    write_csv(out, spool.rows())


@contextmanager
def table_on(out: TextIO) -> Iterator[Add]:
    """Gives what takes answers; at the end they are written to an open file as CSV."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        spool = Spool(file)
        yield spool.add
        write_csv(out, spool.rows())


@contextmanager
def beside(path: Path) -> Iterator[TextIO]:
    """Gives a file without a name in the folder of `path`, which is made.

    Raises:
        UserError: if the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = tempfile.TemporaryFile("w+", encoding="utf-8", dir=path.parent)  # noqa: SIM115
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(f"{path} cannot be written ({reason}); choose another folder") from None
    with file:
        yield file


def write_csv(out: TextIO, rows: Iterator[Row]) -> None:
    """Writes rows as CSV; a text that looks like a formula gets `'` before it."""
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        writer.writerow([_harmless(cell) if isinstance(cell, str) else cell for cell in row])


def _harmless(text: str) -> str:
    text = _printable(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _printable(text: str) -> str:
    """Returns a text with `?` for bytes of a path that are no UTF-8."""
    return text.encode(errors="replace").decode()


def _write_xlsx(path: Path, rows: Iterator[Row]) -> None:
    """Writes rows as a spreadsheet whose texts are texts, whatever they look like.

    Raises:
        UserError: for more rows than a sheet has.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    def cell(value: Cell) -> Any:
        if not isinstance(value, str):
            return value
        made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("?", _printable(value)))
        made.data_type, made.number_format = "s", "@"
        return made

    book = Workbook(write_only=True)
    sheet = book.create_sheet("readings")
    sheet.freeze_panes = "A2"
    sheet.column_dimensions["A"].width = _WIDE
    for number, row in enumerate(rows, 1):
        if number > _MOST_ROWS:
            raise UserError(
                f"a spreadsheet holds {_MOST_ROWS:,} rows and this one has more; give --out a "
                "file that ends in .csv"
            )
        sheet.append([cell(value) for value in row])
    book.save(path)
