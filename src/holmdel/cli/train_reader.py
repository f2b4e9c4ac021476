"""`holmdel train reader`: from MNIST, and a user's own lines, to a reader of digit strings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from holmdel.cli.application import INTERRUPTED
from holmdel.errors import UserError

TAKEN = ("network", "batch_size", "lr", "seed", "out", "resume", "config")  # of train's flags


def train_reader(
    context: typer.Context,
    words: Sequence[tuple[str, Any]],
    given: dict[str, Any],
    out: Path | None,
    resume: bool,
) -> int:
    """Trains a reader, or shows what it would learn from; returns the exit status.

    Args:
        context: of the command, whose other flags are for networks of pictures.
        words: settings that are no flag of `train`, in their order.
        given: those that are, and those of a file.
        out: the run folder.
        resume: go on with it.
    """
    _refuse_other_flags(context)
    strings = [_text(name, value) for name, value in words if name == "strings"]
    others = given | {name: value for name, value in words if name != "strings"}
    show, model = (_text(n, others.pop(n)) if n in others else None for n in ("show", "model"))
    where = {"strings": strings, "data_root": others.pop("data_root", None)}
    if show is not None:
        return _show(Path(show), where | others)
    if resume and out is None:
        raise UserError("--resume was given without --out; say which run folder to go on with")
    return _train(out, {"model": model, "resume": resume} | where | others)


def _show(path: Path, arguments: dict[str, Any]) -> int:
    from holmdel.cli.live import data_progress
    from holmdel.reader_training import show_samples

    with data_progress() as progress:
        show_samples(path, progress=progress, **arguments)
    typer.echo(f"wrote {path}")
    return 0


def _train(out: Path | None, arguments: dict[str, Any]) -> int:
    from holmdel.cli.live import data_progress
    from holmdel.reader_training import train_reader as train
    from holmdel.verbs import new_folder

    folder = out or new_folder("reader", (arguments["strings"] or ["mnist"])[0])
    try:
        with data_progress() as progress:
            run = train(out=folder, told=_say, progress=progress, **arguments)
    except KeyboardInterrupt:
        if (folder / "resume.safetensors").is_file():
            again = f"holmdel train reader --out {folder} --resume"
            typer.echo(f"stopped; the state is saved, go on with: {again}", err=True)
        return INTERRUPTED
    for name, held in (("synthetic strings", run.made), ("your lines", run.own)):
        if held is not None:
            before = "" if held.before is None else f", before {100 * held.before:.1f} %"
            right = f"{100 * held.right:.1f} % of {held.count:,} held-out {name} right"
            typer.echo(f"{right}{before}")
    typer.echo(f"wrote {run.folder}; use it with: holmdel read PICTURE --model {run.folder}")
    return 0


def _say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201


def _refuse_other_flags(context: typer.Context) -> None:
    for name in context.params:
        source = context.get_parameter_source(name)
        if name not in TAKEN and source is not None and source.name != "DEFAULT":
            raise UserError(
                f"--{name.replace('_', '-')} was given to train reader, which does not take it; "
                "see --lines, --batch-size, --lr, --seed, --processes, --strings and --model"
            )


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise UserError(f"--{name} was given without a value; expected a path after it")
    return value
