"""Answers as a table: CSV, or a spreadsheet in Excel's format, XLSX.

Every digit string is a text, so that leading zeros stay. Where every line stands in a named field,
as with a template, a row is a page and a column a field; else a row is a line.
"""

import csv
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from holmdel.errors import UserError
from holmdel.files import replacing
from holmdel.reading.answers import READ
from holmdel.reading.corrections import CHECKED, NO_DIGITS, Answer
from holmdel.reading.record import Read, to_line

COLUMNS = (
    *("path", "page", "line", "field", "text", "raw", "value", "confidence", "status"),
    *("x", "y", "w", "h", "error"),
)
_RECORD = ("record", "agrees")  # behind the page, where the files have records of their own
CSV, XLSX = "csv", "xlsx"

Cell = str | int | float | None
Row = list[Cell]
Add = Callable[[Read], None]
AddAny = Callable[[Read | Answer], None]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of one
_MOST_ROWS = 1_048_576  # of a sheet of Excel
_WIDE = 30  # characters; the column of the paths


class Spool:
    """Answers that wait on disk until it is known which columns there are.

    Args:
        file: an empty file for text.
        fields: the names of fields that are known before, in the order of their columns.
    """

    def __init__(self, file: TextIO, fields: Iterable[str] = ()) -> None:
        self._file = file
        self._fields = dict.fromkeys(fields)
        self._unnamed = False
        self._recorded = False

    def add(self, found: Read | Answer) -> None:
        """Keeps one answer, as it is or as JSON has it."""
        line = json.dumps(found) if isinstance(found, dict) else to_line(found)
        self._file.write(line + "\n")
        answer = json.loads(line)
        names = [line.get("field") for line in answer.get("lines", ())]
        self._unnamed |= None in names or len(set(names)) < len(names)
        self._recorded |= "record" in answer
        for part in (*answer.get("lines", ()), *answer.get("skipped", ())):
            if "field" in part:
                self._fields[part["field"]] = None

    def rows(self) -> Iterator[Row]:
        """Gives the head and then the rows."""
        self._file.seek(0)
        begin = ["path", "page", *(_RECORD if self._recorded else ())]
        fields = list(self._fields) if not self._unnamed else []
        yield [*begin, *((*fields, "rejected", "error") if fields else COLUMNS[2:])]
        for answer in map(json.loads, self._file):
            here = [answer["path"], answer.get("page")]
            if self._recorded:
                here += [answer.get("record", {}).get("amount"), _word(answer.get("agrees"))]
            rest = [_page_cells(answer, fields)] if fields else _line_cells(answer)
            yield from ([*here, *cells] for cells in rest)


def _word(answer: bool | None) -> str | None:
    return None if answer is None else "yes" if answer else "no"


def _line_cells(answer: Answer) -> list[Row]:
    """Returns the cells behind the page, a row a line; where there is none a row that says so."""
    if "error" in answer:
        return [[*[None] * 6, "error", *[None] * 4, answer["error"]]]
    return [
        [
            *(number, line.get("field"), line["text"], line.get("raw"), _worth(line)),
            *(line["confidence"], line["status"], *line["box"], None),
        ]
        for number, line in enumerate(answer["lines"], 1)
    ] or [[*[None] * 6, NO_DIGITS, *[None] * 5]]


def _page_cells(answer: Answer, fields: list[str]) -> Row:
    """Returns the cells behind the page: what was read in each field; guesses stand apart."""
    lines = answer.get("lines", ())
    sure = {line["field"]: _best(line) for line in lines if _is_sure(line)}
    guesses = [f"{line['field']}={_best(line)}" for line in lines if not _is_sure(line)]
    cells = [sure.get(field) for field in fields]
    return [*cells, "; ".join(guesses) or None, answer.get("error")]


def _is_sure(line: Answer) -> bool:
    """Whether what a line is worth is known: a column holds values or texts, never both."""
    return line["status"] in (READ, CHECKED) and "unknown" not in line


def _best(line: Answer) -> Cell:
    """Returns what a line is worth, or else what is written there."""
    worth = _worth(line)
    return (line.get("raw") or str(line["text"])) if worth is None else worth


def _worth(line: Answer) -> Cell:
    """Returns the first part of a line's value: cents, a date, the dates that it may be."""
    first: Cell | list[str] = next(iter(line.get("value", {}).values()), None)
    return " or ".join(first) if isinstance(first, list) else first


@contextmanager
def table_file(path: Path, fields: Iterable[str] = ()) -> Iterator[AddAny]:
    """Gives what takes answers; at the end the table is written whole, or nothing of it.

    Args:
        path: ends in `.xlsx` for a spreadsheet; else it becomes CSV.
        fields: see `Spool`.

    Raises:
        UserError: if it cannot be written.
    """
    with beside(path) as file:
        spool = Spool(file, fields)
        yield spool.add
        with replacing(path) as part:
            if path.suffix.lower() == f".{XLSX}":
                _write_xlsx(part, spool.rows())
            else:
                with part.open("w", encoding="utf-8", newline="") as out:
                    write_csv(out, spool.rows())


@contextmanager
def table_on(out: TextIO, fields: Iterable[str] = ()) -> Iterator[Add]:
    """Gives what takes answers; at the end they are written to an open file as CSV."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as file:
        spool = Spool(file, fields)
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
