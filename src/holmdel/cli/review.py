"""`holmdel review`: a person looks at what was rejected, and says what is written there."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holmdel.cli.ending import DONE, SOME_FAILED

if TYPE_CHECKING:
    from holmdel.reading.review import Review


def review(
    answers: Annotated[
        Path, typer.Argument(metavar="FILE", help="The answers that holmdel read --out wrote.")
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="Look at the lines that were read, too.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for truth.tsv and the images; FILE-truth if not given."
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="At the end write all answers there, corrected, as .csv or .xlsx."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0 for a free one.")
    ] = 0,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the page's address alone.")
    ] = False,
) -> int:
    """Correct rejected lines in the browser, one after the other, by keyboard.

    Enter keeps what stands there, Tab leaves a line for later, N says that no digits are there,
    arrow up goes back. All is kept at once, and a later review goes on where this one stopped.
    The folder can be given to read --calibrate and to train reader --strings.
    """
    from holmdel.cli.readings import filing
    from holmdel.reading.review import Review  # loads torch

    written = None if table is None else filing(table, (), "--table")
    folder = out or answers.with_name(f"{answers.stem}-truth")
    lines = Review(answers, folder, everything=everything)
    for complaint in lines.complaints:
        typer.echo(f"holmdel: {complaint}", err=True)
    if lines.items:
        _serve(lines, port, no_browser)
        typer.echo(f"{lines.done:,} of {len(lines.items):,} lines were looked at; see {folder}")
    elif not lines.complaints:
        more = "" if everything else "; give --all to look at those that were read"
        typer.echo(f"{answers} has no lines to look at{more}")
    if written is not None:
        with written as add:
            for answer in lines.corrected():
                add(answer)
    return SOME_FAILED if lines.complaints else DONE


def _serve(lines: "Review", port: int, no_browser: bool) -> None:
    import webbrowser

    from holmdel.server import serve_review

    def opened(url: str) -> None:
        typer.echo(f"holmdel: stop the review with Ctrl-C; it is at {url}", err=True)
        if not no_browser:
            webbrowser.open(url)

    serve_review(lines, port, opened)
