"""`holmdel read`: which strings of digits are written on these images?"""

import os
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holmdel.cli.terminal import DONE, SOME_FAILED
from holmdel.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from holmdel.reading import Read, ReaderSettings

FORMS = ("table", "jsonl")


def read(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...",
            help="Images, folders of them, quoted patterns ('scans/*.png'), or - for standard "
            "input: an image's bytes, or a path a line.",
        ),
    ] = None,
    pattern: Annotated[
        str,
        typer.Option(
            help="What may be written: digits, digits:5, digits:3-6, us-zip, cn-postcode, amount, "
            "or a small regular expression."
        ),
    ] = "digits",
    form: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="table|jsonl", help="How to print; table if --out is not given."
        ),
    ] = None,
    lines: Annotated[bool, typer.Option("--lines", help="Every image is one line.")] = False,
    max_error: Annotated[
        float,
        typer.Option(metavar="X", help="Fraction of wrong strings to allow; the rest is rejected."),
    ] = 0.01,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A reader that you trained.")
    ] = None,
    calibrate: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with truth.tsv to fit confidences and thresholds to, for later readings.",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the file --out.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write JSON lines there instead.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Processes; one per core if not given.")
    ] = None,
    show: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for PNG images of the steps to each line."),
    ] = None,
) -> int:
    """Read the strings of digits on images: postal codes, amounts, numbers on forms.

    An image that cannot be used gets a line that says why; the rest goes on, and the exit status
    is 1.
    """
    form = _form(form, out, resume)
    if not paths and calibrate is None:
        raise UserError("no image was given; expected PATH..., or --calibrate DIR")
    from holmdel.cli.inputs import find_images
    from holmdel.reading import ReaderSettings  # loads torch

    settings = ReaderSettings(model=model, pattern=pattern, lines=lines, max_error=max_error)
    settings.reader()  # its mistakes come before anything is read or written
    if calibrate is not None:
        _calibrate(calibrate, settings, jobs)
    if not paths:
        return DONE
    images, count = find_images(paths)
    job = _Job(settings, jobs, show)
    if out is not None:
        return job.to_file(images, count, out, resume)
    return job.to_terminal(images, count, form)


def _form(form: str | None, out: Path | None, resume: bool) -> str:
    """Returns how to print; refuses what does not go together."""
    if form is not None and form not in FORMS:
        raise UserError(f"--format was given as {form!r}; choose from {', '.join(FORMS)}")
    if form == "table" and out is not None:
        raise UserError(
            "--format table was given with --out, which writes JSON lines; leave it out"
        )
    if resume and out is None:
        raise UserError("--resume was given without --out; say which file to go on with")
    return form or "table"


def _calibrate(folder: Path, settings: "ReaderSettings", jobs: int | None) -> None:
    from holmdel.reading import calibrate

    done = calibrate(folder, settings, jobs)
    typer.echo(
        f"{done.count:,} strings, {done.right:.1%} right; under --max-error {settings.max_error:g} "
        f"{done.correct:.1%} are read right and {done.reject:.1%} rejected; kept in {done.path}",
        err=True,
    )


class _Job:
    """Readings on their way to a file or a terminal; what was done is saved if asked."""

    def __init__(self, settings: "ReaderSettings", jobs: int | None, show: Path | None) -> None:
        self.settings = settings
        self.jobs = jobs
        self.show = show
        self.failed = False

    def to_file(
        self, images: "Iterable[str | bytes]", count: int | None, out: Path, resume: bool
    ) -> int:
        from holmdel.cli.answers import with_progress
        from holmdel.reading import Record

        record = Record(out, resume=resume)
        try:
            left = count and max(count - record.count, 0)
            for found in with_progress(self._results(record.missing(images)), left):
                record.add(found)
        finally:
            record.close()
        return SOME_FAILED if record.failed else DONE

    def to_terminal(self, images: "Iterable[str | bytes]", count: int | None, form: str) -> int:
        from holmdel.cli.answers import with_progress
        from holmdel.reading import to_line

        results = self._watched(with_progress(self._results(images), count))
        if form == "table":
            _print_table(results)
        else:
            for found in results:
                typer.echo(to_line(found))
        return SOME_FAILED if self.failed else DONE

    def _results(self, images: "Iterable[str | bytes]") -> "Iterator[Read]":
        from holmdel.reading import read_stream

        if self.show is None:
            return read_stream(images, self.settings, self.jobs)
        return _saved(self.settings.reader().read_each(images, steps=True), self.show)

    def _watched(self, results: "Iterator[Read]") -> "Iterator[Read]":
        from holmdel.classifier import Failure

        for found in results:
            self.failed |= isinstance(found, Failure)
            yield found


def _saved(results: "Iterator[Read]", folder: Path) -> "Iterator[Read]":
    """Passes readings on, and writes the images of their steps."""
    from holmdel.classifier import Failure
    from holmdel.files import write_bytes
    from holmdel.reading import to_png

    taken: Counter[str] = Counter()
    for found in results:
        if not isinstance(found, Failure):
            stem = Path(found.path or "stdin").stem
            taken[stem] += 1
            name = stem if taken[stem] == 1 else f"{stem}-{taken[stem]}"
            for number, (step, image) in enumerate(found.steps, 1):
                write_bytes(folder / f"{name}-{number:02}-{step}.png", to_png(image))
        yield found


def _print_table(results: "Iterator[Read]") -> None:
    """Prints tables of up to `PAGE` images each, a row a line that was read."""
    from rich.table import Table
    from rich.text import Text

    from holmdel.cli.answers import PAGE
    from holmdel.cli.terminal import Terminal

    console = Terminal()
    while page := list(islice(results, PAGE)):
        table = Table("image", "text", "confidence", "status", highlight=False)
        for found in page:
            for row in _rows(found):
                table.add_row(*(Text(cell, overflow="fold") for cell in row))
        console.print(table)


def _rows(found: "Read") -> list[tuple[str, str, str, str]]:
    from holmdel.classifier import Failure

    path = os.fsencode(found.path).decode(errors="replace") if found.path else "-"
    if isinstance(found, Failure):
        return [(path, found.error, "", "error")]
    rows = [
        ("" if number else path, line.raw or line.text, f"{line.confidence:.3f}", line.status)
        for number, line in enumerate(found.lines)
    ]
    return rows or [(path, "", "", "no digits")]
