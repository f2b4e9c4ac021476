"""The command line: one file a verb; each parses, calls the library once and prints.

Nothing here imports torch before a verb runs, so that `holmdel --help` is quick.
"""

import contextlib
import os
import sys

import typer

from holmdel.cli import (  # noqa: F401  the verbs register themselves when imported
    bench,
    data,
    demo,
    evaluate,
    import_,
    inspect,
    predict,
    read,
    serve,
    train,
)
from holmdel.cli.application import DONE, INTERRUPTED, USER_MISTAKE, app
from holmdel.errors import UserError

__all__ = ["app", "run"]


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
