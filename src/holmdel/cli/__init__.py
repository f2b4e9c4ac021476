"""The command line: one file a verb; each parses, calls the library once and prints.

Nothing here imports torch before a verb runs, so that `holmdel --help` is quick.
"""

import contextlib
import os
import sys
from typing import Annotated

import typer

from holmdel.errors import UserError
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


def run(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits with its status.

    0 done, 1 some inputs failed, 2 the user's mistake, 130 interrupted.
    """
    try:
        status = app(arguments, standalone_mode=False, prog_name="holmdel")
    except UserError as error:
        _complain(str(error))
        sys.exit(USER_MISTAKE)
    except typer.TyperException as error:
        if (
            sentence := error.format_message()
        ):  # none where the help was asked for by saying nothing
            _complain(sentence)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # whoever reads has seen enough; what is left goes nowhere
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)
    sys.exit(status if isinstance(status, int) else DONE)


def _complain(sentence: str) -> None:
    print(f"holmdel: {sentence}", file=sys.stderr)  # noqa: T201


# The verbs register themselves with `app` when imported.
from holmdel.cli import bench, data, demo, evaluate, import_, inspect, predict, read, serve, train  # noqa: E402, F401
