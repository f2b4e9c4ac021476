"""`holmdel train`: from a data set to a run folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from holmdel.cli.application import INTERRUPTED, app
from holmdel.cli.train_reader import train_reader
from holmdel.errors import UserError

OTHERS = (
    "Every other setting and option of the network is given in the same way, such as --optimizer "
    "adamw, --engine torch, --restarts 3, --input 1x28x28, --activation relu or --data-root DIR; "
    "docs/settings.md lists them. `reader` learns to read strings of digits: --strings DIR has it "
    "learn your labelled lines too, and may be given several times; --model FILE is where it then "
    "begins; there are --lines N and --processes N; --show FILE.png writes a sheet of what it "
    "would learn from, and stops."
)


@app.command(
    epilog=OTHERS,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def train(
    context: typer.Context,
    network: Annotated[
        str, typer.Argument(help="lenet, alexnet, vgg11, nin, googlenet, ..., or reader.")
    ],
    data: Annotated[
        str, typer.Option(help="A data set's name, or a folder root/{train,test}/CLASS/*.")
    ] = "fashion-mnist",
    recipe: Annotated[str | None, typer.Option(help="book or modern.")] = None,
    epochs: Annotated[
        str | None, typer.Option(metavar="N", help="Passes over the training examples.")
    ] = None,
    batch_size: Annotated[str | None, typer.Option(metavar="N", help="Examples a step.")] = None,
    lr: Annotated[str | None, typer.Option(metavar="X", help="Learning rate, or its peak.")] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="N", help="Of weights, order and augmentation.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:N or mps.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; runs/NETWORK-DATA if not given.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where --out stands.")] = False,
    limit: Annotated[
        str | None, typer.Option(metavar="N", help="Use the first N examples only.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    find_lr: Annotated[
        bool,
        typer.Option("--find-lr", help="Range test: draw loss against learning rate, and stop."),
    ] = False,
) -> int:
    """Train a network; the last two lines are loss and accuracies, and examples/sec."""
    from holmdel.schema import read_config

    given = read_config(config) if config else {}
    flags = {"recipe": recipe, "epochs": epochs, "batch_size": batch_size, "lr": lr}
    flags |= {"seed": seed, "device": device, "limit": limit}
    chosen = {name: value for name, value in flags.items() if value is not None}
    if network == "reader":
        return train_reader(context, pairs_among(context.args), given | chosen, out, resume)
    given |= settings_among(context.args) | chosen
    root = given.pop("data_root", None)
    if find_lr:
        return _find_lr(network, data, root, out, given)
    if resume and out is None:
        raise UserError("--resume was given without --out; say which run folder to go on with")
    return _train(network, data, root, out, resume, given)


def _train(
    network: str, data: str, root: Any, out: Path | None, resume: bool, given: dict[str, Any]
) -> int:
    """Trains, shows it, and prints the book's two lines at the end."""
    from holmdel import verbs
    from holmdel.cli.live import data_progress, reporter

    folder = out or verbs.new_folder(network, data)
    where: dict[str, Any] = {"out": folder, "resume": resume, "data_root": root}
    try:
        with reporter() as told, data_progress() as progress:
            run = verbs.train(network, data, reporter=told, progress=progress, **where, **given)
    except KeyboardInterrupt:
        if folder.exists():
            again = f"holmdel train {network} --data {data} --out {folder} --resume"
            typer.echo(f"stopped; the state is saved, go on with: {again}", err=True)
        return INTERRUPTED
    typer.echo(f"{run.wall_examples_per_sec:.1f} examples/sec over everything; wrote {run.folder}")
    typer.echo(run.summary())
    return 0


def settings_among(words: list[str]) -> dict[str, Any]:
    """Returns the settings among the words that are no flag of their own."""
    return dict(_pairs(words))


def pairs_among(words: list[str]) -> list[tuple[str, Any]]:
    """Returns the same as pairs, in their order: a setting may be given several times."""
    return list(_pairs(words))


def _pairs(words: list[str]) -> Iterator[tuple[str, Any]]:
    pending: str | None = None
    for word in words:
        if not word.startswith("--"):
            if pending is None:
                raise UserError(f"{word!r} was given; expected --SETTING VALUE")
            yield pending, word
            pending = None
            continue
        if pending is not None:
            yield pending, True
        name, equals, _ = word.removeprefix("--").replace("-", "_").partition("=")
        if equals:
            yield name, word.partition("=")[2]
            pending = None
        elif name.startswith("no_"):
            yield name.removeprefix("no_"), False
            pending = None
        else:
            pending = name
    if pending is not None:
        yield pending, True


def _find_lr(network: str, data: str, root: Any, out: Path | None, given: dict[str, Any]) -> int:
    """Runs the range test, writes its picture and prints what it suggests."""
    from holmdel import verbs
    from holmdel.checkpoint import write_files
    from holmdel.cli.live import data_progress

    with data_progress() as progress:
        test = verbs.find_lr(network, data, data_root=root, progress=progress, **given)
    stem = out or Path("lr-range")
    write_files(stem, test.draw())
    typer.echo(f"wrote {stem}.png and {stem}.svg")
    end = "the loss had doubled" if test.diverged else "the range ended"
    typer.echo(f"suggested --lr {test.suggestion:.2g}; {end} at {test.rates[-1]:.2g}")
    return 0
