"""Predictions as a table, JSON lines or CSV, and as images in a folder."""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from PIL import Image

from holmdel.errors import UserError
from holmdel.prediction import Failure, Prediction, to_json

Result = Prediction | Failure
Answer = TypeVar("Answer")
PAGE = 200  # rows of a table that are laid out together, so that memory stays steady


def choose_printer(form: str) -> Callable[[Iterator[Result]], None]:
    """Returns the function that prints results as `table`, `jsonl` or `csv`.

    Raises:
        UserError: for another form.
    """
    printers = {"table": print_table, "jsonl": print_jsonl, "csv": print_csv}
    if form not in printers:
        raise UserError(f"--format was given as {form!r}; choose from {', '.join(printers)}")
    return printers[form]


def print_jsonl(results: Iterator[Result]) -> None:
    """Prints a JSON object a line: the answer, or the path and the error."""
    for result in results:
        print(json.dumps(to_json(result)))  # noqa: T201


def print_csv(results: Iterator[Result]) -> None:
    """Prints a line an image under a head; what is not known is left empty."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["path", "label", "index", "probability", "top", "error", "found"])
    for result in results:
        if isinstance(result, Failure):
            answer = ["", "", "", "", result.error, ""]
        else:
            top = " ".join(f"{label}={p:.6f}" for label, p in result.top)
            answer = [
                result.label,
                str(result.index),
                f"{result.probability:.6f}",
                top,
                "",
                result.found,
            ]
        writer.writerow([_printable(result.path), *answer])


def print_table(results: Iterator[Result]) -> None:
    """Prints tables of up to `PAGE` images each."""
    from rich.table import Table  # what draws takes a quarter of the time to a first answer
    from rich.text import Text

    from holmdel.cli.terminal import Terminal

    console = Terminal()
    while page := list(islice(results, PAGE)):
        table = Table("image", "label", "probability", "then", highlight=False)
        for result in page:
            table.add_row(*(Text(cell, overflow="fold") for cell in _cells(result)))
        console.print(table)


def _cells(result: Result) -> tuple[str, ...]:
    path = _printable(result.path)
    if isinstance(result, Failure):
        return path, "error", "", result.error
    others = ", ".join(f"{label} {p:.3f}" for label, p in result.top[1:])
    if result.found == "several":
        others += "; the largest of several"
    return path, result.label, f"{result.probability:.3f}", others


def _printable(path: str | None) -> str:
    """Returns a path with `?` for what is no UTF-8; `-` for standard input."""
    return os.fsencode(path).decode(errors="replace") if path else "-"


def with_progress(results: Iterable[Answer], count: int | None) -> Iterator[Answer]:
    """Gives the results, drawing a bar on standard error where that is a terminal."""
    if not sys.stderr.isatty():
        yield from results
        return
    from rich.console import Console
    from rich.progress import Progress

    # Standard output stays as it is: redirected, it would be printed on standard error.
    with Progress(
        console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        yield from progress.track(results, total=count, description="images")


class Gallery:
    """A folder of what the network saw: PNG files named after the images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._taken: set[str] = set()

    def add(self, prediction: Prediction) -> Path:
        """Writes `Prediction.seen` pixel by pixel; returns the file's path.

        Raises:
            UserError: if it cannot be written.
        """
        pixels = np.asarray(prediction.seen).transpose(1, 2, 0)
        path = self.folder / f"{self._free(Path(prediction.path or 'stdin').stem)}.png"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).save(path)
        except OSError as error:
            raise UserError(
                f"{path} cannot be written ({error.strerror or error}); give --show a folder "
                "that can be written to"
            ) from None
        return path

    def _free(self, stem: str) -> str:
        """Returns a name that is not taken: `seven`, `seven-2`, `seven-3`, ..."""
        name, number = stem, 1
        while name.lower() in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name.lower())
        return name
