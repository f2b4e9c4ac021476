"""The command `holmdel`: its verbs in groups, its help, its exit status."""

import sys
from itertools import pairwise, takewhile
from typing import Annotated, Any

import typer

from holmdel.cli import (
    bench,
    data,
    demo,
    evaluate,
    export,
    import_,
    inspect,
    predict,
    read,
    review,
    serve,
    template,
    train,
    tune,
)
from holmdel.cli.ending import DONE, INTERRUPTED, complain, ending
from holmdel.cli.scaling import with_address
from holmdel.errors import UserError
from holmdel.version import __version__

BEGIN = """Begin with one of these:

holmdel demo: train LeNet, look at it and read an amount, in a minute

holmdel inspect lenet: its layers, one a line

holmdel serve: the playground, in a browser

holmdel VERB --help has every flag of a verb. From Python: import holmdel; help(holmdel)."""

VERBS: dict[str, dict[str, Any]] = {
    "Train and measure": {
        "train": train.train,
        "tune": tune.tune,
        "evaluate": evaluate.evaluate,
        "bench": bench.bench,
        "demo": demo.demo,
    },
    "See inside": {"inspect": inspect.inspect},
    "Put to work": {
        "predict": predict.predict,
        "read": read.read,
        "review": review.review,
        "serve": serve.serve,
    },
    "Data and weights": {"import": import_.import_, "export": export.export},
}
EPILOGS = {
    "bench": bench.NOTE,
    "export": export.NOTE,
    "import": import_.NOTE,
    "inspect": inspect.NOTE,
}

app = typer.Typer(
    name="holmdel",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=BEGIN,
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """The classic convolutional networks: train one, see inside it, put it to work."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for _group, _verbs in VERBS.items():
    for _name, _verb in _verbs.items():
        app.command(_name, rich_help_panel=_group, epilog=EPILOGS.get(_name))(_verb)
app.add_typer(template.template, name="template", rich_help_panel="Put to work")
app.add_typer(data.data, name="data", rich_help_panel="Data and weights")


def run(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits with its status.

    0 done, 1 some inputs failed, 2 the user's mistake, 130 interrupted.
    """
    given = sys.argv[1:] if arguments is None else arguments
    with ending(given):
        try:
            _refuse_empty(given)
            status = app(with_address(given), standalone_mode=False, prog_name="holmdel")
        except typer.TyperException as error:
            if (
                sentence := error.format_message()
            ):  # none where the help was asked for by saying nothing
                complain(sentence)
            sys.exit(error.exit_code)
        except typer.Abort:
            sys.exit(INTERRUPTED)
    sys.exit(status if isinstance(status, int) else DONE)


def _refuse_empty(arguments: list[str]) -> None:
    """Raises a UserError for an empty value or input, which as a path would be this folder."""
    words = [*takewhile(lambda word: word != "--", arguments)]  # which only inputs follow
    for flag, after in pairwise([*words, "-"]):
        name, inside, value = flag.partition("=")
        if name.startswith("--") and not (value if inside else after).strip():
            raise UserError(f"{name} was given an empty value; say one, or leave it out")
    for number, word in enumerate(arguments, 1):
        if not word.strip():
            verb = f" to {arguments[0]}" if number > 1 else ""
            raise UserError(f"an empty argument was given{verb}; say one, or leave it out")
