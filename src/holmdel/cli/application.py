"""The application that the verbs register with, and the exit statuses."""

from typing import Annotated

import typer

from holmdel.version import __version__

DONE, SOME_FAILED, USER_MISTAKE, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    name="holmdel",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """The classic convolutional networks: train one, see inside it, put it to work."""
