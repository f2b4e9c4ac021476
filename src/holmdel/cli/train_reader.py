"""`holmdel train reader`: from MNIST, and a user's own lines, to a reader of digit strings."""

from pathlib import Path
from typing import Any

import typer

from holmdel.cli.terminal import INTERRUPTED
from holmdel.errors import UserError
from holmdel.settings import READER


def train_reader(
    out: Path | None,
    resume: bool,
    show: Path | None,
    where: dict[str, Any],
    settings: dict[str, Any],
) -> int:
    """Trains a reader, or shows what it would learn from; returns the exit status.

    Args:
        out: the run folder.
        resume: continue the training in it.
        show: the image file to draw the lines into, in place of a training.
        where: folders of labelled strings, the reader to start from, and the data root.
        settings: as given, by name.
    """
    for name in settings:
        if name not in READER:
            raise UserError(
                f"{name} was given to train reader, which does not take it; choose from "
                f"{', '.join(READER)}"
            )
    if show is not None:
        return _show(
            show, {"strings": where["strings"], "data_root": where["data_root"]} | settings
        )
    return _train(out, {"resume": resume} | where | settings)


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
    from holmdel.training.train import new_folder

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
    typer.echo(f"wrote {run.folder}; use it with: holmdel read IMAGE --model {run.folder}")
    return 0


def _say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201
