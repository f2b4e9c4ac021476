"""Where the readings of `holmdel read` go: a terminal, a file of answers, a table, a report."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from holmdel.errors import UserError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from holmdel.reading import Read, Reading
    from holmdel.reading.tables import AddAny

    Add = Callable[[Read], None]
    Output = AbstractContextManager[Add]

TABLE, JSONL, CSV, XLSX = "table", "jsonl", "csv", "xlsx"
FORMS = (TABLE, JSONL, CSV)
_OTHERS = frozenset({".parquet", ".xls", ".ods", ".tsv", ".html", ".htm", ".pdf"})
_ENDINGS = {".jsonl": JSONL, ".csv": CSV, ".xlsx": XLSX}


def choose_form(form: str | None, out: Path | None, resume: bool) -> str:
    """Returns how to print, or what to write: `table`, `jsonl`, `csv` or `xlsx`.

    Raises:
        UserError: for what does not go together.
    """
    if form is not None and form not in FORMS:
        raise UserError(f"--format was given as {form!r}; choose from {', '.join(FORMS)}")
    if resume and out is None:
        raise UserError("--resume was given without --out; say which file to go on with")
    if out is None:
        return form or TABLE
    ending = _ENDINGS.get(out.suffix.lower())
    if form == TABLE:
        raise UserError(
            "--format table was given with --out, which writes JSON lines, CSV or XLSX by the "
            "file's ending; leave it out"
        )
    if form and ending and form != ending:
        raise UserError(f"--format {form} was given with --out {out}; leave one of them out")
    if ending is None and out.suffix.lower() in _OTHERS:
        raise UserError(
            f"--out was given as {out}, and no {out.suffix} file is written; expected one that "
            "ends in .jsonl, .csv or .xlsx, or a folder/ for answers in parts (--format parquet)"
        )
    chosen = ending or form or JSONL
    if resume and chosen != JSONL:
        raise UserError(
            f"--resume was given with --out {out}; a table is written whole at the end, so give "
            "--out a file that ends in .jsonl"
        )
    return chosen


def printing(form: str, fields: Iterable[str]) -> "Output":
    """Returns what prints readings on standard output; `fields` are columns of CSV."""
    if form == CSV:
        from holmdel.reading.tables import table_on

        return table_on(sys.stdout, fields)
    return _printed_table() if form == TABLE else _printed_lines()


def filing(
    out: Path, fields: Iterable[str], option: str = "--out"
) -> "AbstractContextManager[AddAny]":
    """Returns what writes readings as CSV or XLSX; `fields` are columns.

    Args:
        out: the file, which must not exist.
        fields: the names of a template's or of regions.
        option: where the file was given.

    Raises:
        UserError: if the file exists.
    """
    from holmdel.reading.tables import table_file

    if out.exists():
        raise UserError(f"{out} exists already; give another {option}")
    return table_file(out, fields)


@contextmanager
def showing(folder: Path) -> "Iterator[Add]":
    """Gives what writes the images of the steps to readings into a folder."""
    from holmdel.files import write_bytes
    from holmdel.prediction import Failure
    from holmdel.reading import to_png

    taken: Counter[str] = Counter()

    def add(found: "Read") -> None:
        if isinstance(found, Failure):
            return
        stem = Path(found.path or "stdin").stem
        taken[stem] += 1
        name = stem if taken[stem] == 1 else f"{stem}-{taken[stem]}"
        for number, (step, image) in enumerate(found.steps, 1):
            write_bytes(folder / f"{name}-{number:02}-{step}.png", to_png(image))

    yield add


@contextmanager
def _printed_lines() -> "Iterator[Add]":
    """Gives what prints readings as JSON lines."""
    from holmdel.reading import to_line

    yield lambda found: typer.echo(to_line(found))


@contextmanager
def _printed_table() -> "Iterator[Add]":
    """Gives what prints tables of up to `PAGE` images each, a row a line that was read."""
    from holmdel.cli.answers import PAGE

    page: list[Read] = []

    def add(found: "Read") -> None:
        page.append(found)
        if len(page) == PAGE:
            _print_page(page)
            page.clear()

    yield add
    if page:
        _print_page(page)


def _print_page(page: "list[Read]") -> None:
    from rich.table import Table
    from rich.text import Text

    from holmdel.cli.terminal import Terminal

    rows = [row for found in page for row in _rows(found)]
    named = any(row[1] for row in rows)
    heads = ("image", "field", "text", "confidence", "status")
    table = Table(*(head for head in heads if named or head != "field"), highlight=False)
    for row in rows:
        cells = row if named else (row[0], *row[2:])
        table.add_row(*(Text(cell, overflow="fold") for cell in cells))
    Terminal().print(table)


def _rows(found: "Read") -> list[tuple[str, str, str, str, str]]:
    """Returns the rows of a page: image, field, text, confidence, status."""
    from holmdel.prediction import Failure

    path = os.fsencode(found.path).decode(errors="replace") if found.path else "-"
    if isinstance(found, Failure):
        return [(path, "", found.error, "", "error")]
    rows = [
        (
            "" if number else path,
            line.field or "",
            line.raw or line.text,
            f"{line.confidence:.3f}",
            line.status,
        )
        for number, line in enumerate(found.lines)
    ]
    rows = rows or [(path, "", "", "", _nothing(found))]
    return rows if found.cheque is None else [*rows, _record(found)]


def _record(found: "Reading") -> tuple[str, str, str, str, str]:
    """Returns the row on what a file of cheques says of an item."""
    said = "unclear" if found.agrees is None else "agrees" if found.agrees else "differs"
    cents = found.cheque.amount if found.cheque else None
    return ("", "", "" if cents is None else f"{cents / 100:,.2f}", "", f"record: {said}")


def _nothing(found: "Reading") -> str:
    """Returns why a page has no lines: `no digits (print, rule)`."""
    reasons = ", ".join(dict.fromkeys(item.reason for item in found.skipped))
    return f"no digits ({reasons})" if reasons else "no digits"
