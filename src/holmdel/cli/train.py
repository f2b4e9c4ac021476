"""`holmdel train`: a network by a recipe, or the reader on strings made on the fly."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from holmdel.cli.ending import INTERRUPTED
from holmdel.cli.flags import settings_among, takes
from holmdel.cli.loading import loading
from holmdel.cli.scaling import RayFlag
from holmdel.errors import UserError
from holmdel.schema import Setting, read_config
from holmdel.settings import OPTIONS, READER, TRAINING
from holmdel.training.beside import drawing_beside

_DATA_ROOT = Setting(name="data_root", type="str", optional=True)
_KEYS = dict.fromkeys([*TRAINING, *OPTIONS, *READER, "data_root"])  # of a TOML file
FURTHER = "Further settings; defaults are those of recipe book for LeNet"
ONLY_READER = "Only for `train reader`, which learns to read strings of digits"


@takes(
    {
        None: [one for one in TRAINING.values() if one.common],
        FURTHER: TRAINING.values(),
        "Options of the network": OPTIONS.values(),
        ONLY_READER: READER.values(),
    }
)
def train(
    context: typer.Context,
    network: Annotated[
        str,
        typer.Argument(
            help="lenet, alexnet, vgg11, nin, googlenet, ..., your FILE.py:NAME, or reader."
        ),
    ],
    data: Annotated[
        str,
        typer.Option(
            help="A data set's name, a folder of images, or a .csv, .npz or .parquet file."
        ),
    ] = "fashion-mnist",
    out: Annotated[
        Path | None, typer.Option(help="Run folder; runs/NETWORK-DATA if not given.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the training in the folder --out.")
    ] = False,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    find_lr: Annotated[
        bool,
        typer.Option(
            "--find-lr", help="Learning rate finder: draw loss against learning rate, and stop."
        ),
    ] = False,
    data_root: Annotated[
        Path | None, typer.Option(help="Data root, or the folder of the set's files.")
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Processes that share each batch, on PyTorch; torchrun starts them on many "
            "machines (docs/scale.md).",
            rich_help_panel=FURTHER,
        ),
    ] = 1,
    folds: Annotated[
        int | None,
        typer.Option(
            min=2,
            metavar="K",
            help="Cross-validation: train K times, each tested on another part.",
            rich_help_panel=FURTHER,
        ),
    ] = None,
    ray: RayFlag = None,
    serve: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            help="Serve the trained model, with its page, on this port.",
            rich_help_panel=FURTHER,
        ),
    ] = None,
    strings: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR",
            help="Labelled lines of your own to learn too; may be repeated.",
            rich_help_panel=ONLY_READER,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The reader to start from.", rich_help_panel=ONLY_READER),
    ] = None,
    show: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="Draw a sheet of the lines that it would learn from, and stop.",
            rich_help_panel=ONLY_READER,
        ),
    ] = None,
    **given: Any,
) -> int:
    """Train a network; the last two lines are loss and accuracies, and examples/sec."""
    settings = (read_config(config, _KEYS) if config else {}) | settings_among(given)
    if resume and out is None:
        raise UserError("--resume was given without --out; say which run folder to go on with")
    root = data_root or _DATA_ROOT.read(settings.pop("data_root", None))
    if network == "reader":
        source = context.get_parameter_source("data")
        if find_lr or (source is not None and source.name != "DEFAULT"):
            name = "--find-lr" if find_lr else "--data"
            raise UserError(f"{name} was given to train reader, which does not take it")
        if workers > 1:
            settings.setdefault("processes", workers)
        where = {"strings": strings or [], "model": model, "data_root": root}
        return train_reader(out, resume, show, where, settings)
    if strings or model or show:
        raise UserError("--strings, --model and --show are for `holmdel train reader` only")
    if find_lr:
        return _find_lr(network, data, root, out, settings)
    if folds is not None and (serve is not None or workers > 1 or ray is not None):
        raise UserError(
            "--folds was given with --serve, --workers or --ray; it trains several models"
        )
    with drawing_beside():
        with loading():
            from holmdel.training.train import new_folder

        folder = out or new_folder(network, data)
        place = {"out": folder, "resume": resume, "data_root": root}
        if folds is not None:
            return _cross_validate(network, data, place | {"folds": folds}, settings)
        place["workers"] = workers
        done = _train(network, data, _on_ray(ray, network, data, place, settings), settings)
    if done == 0 and serve is not None:
        from holmdel import server

        server.serve(server.ServerSettings(models=(str(folder),), port=serve))
    return done


def _on_ray(
    ray: str | None, network: str, data: str, place: dict[str, Any], given: dict[str, Any]
) -> dict[str, Any]:
    """Trains over a cluster, if one is given; returns where the training is gone on with."""
    if ray is None:
        return place
    from holmdel.scale.train import train_on_ray

    train_on_ray(network, data, ray=ray, **place, **given)
    return place | {"resume": True, "workers": 1}  # it is done: what is left is to say it


def _train(network: str, data: str, where: dict[str, Any], given: dict[str, Any]) -> int:
    """Trains, shows it, and prints the book's two lines at the end; of many workers one prints."""
    from holmdel.cli.live import data_progress, reporter
    from holmdel.training.group import launched
    from holmdel.training.train import train as train_network

    if not launched().first:
        return _beside(lambda: train_network(network, data, **where, **given))
    folder = where["out"]
    try:
        with reporter() as told, data_progress() as progress:
            run = train_network(network, data, callbacks=told, progress=progress, **where, **given)
    except KeyboardInterrupt:
        if folder.exists():
            again = f"holmdel train {network} --data {data} --out {folder} --resume"
            typer.echo(f"stopped; the state is saved, go on with: {again}", err=True)
        return INTERRUPTED
    typer.echo(f"{run.wall_examples_per_sec:.1f} examples/sec over everything; wrote {run.folder}")
    typer.echo(run.summary())
    return 0


def _beside(train: Callable[[], object]) -> int:
    """Trains beside the first worker, which says how it goes; returns the exit status."""
    from holmdel.training.group import LostWorkers

    try:
        train()
    except (KeyboardInterrupt, LostWorkers):  # which the first one tells
        return INTERRUPTED
    return 0


def _cross_validate(network: str, data: str, where: dict[str, Any], given: dict[str, Any]) -> int:
    """Trains a model a fold, and prints how good they are: each, their mean and their spread."""
    from holmdel.cli.live import data_progress, reporter
    from holmdel.training.folds import cross_validate

    with reporter() as told, data_progress() as progress:
        found = cross_validate(network, data, callbacks=told, progress=progress, **where, **given)
    typer.echo(f"wrote {where['out']}")
    typer.echo(found.summary())
    return 0


def _find_lr(network: str, data: str, root: Any, out: Path | None, given: dict[str, Any]) -> int:
    """Runs the range test, writes its image and prints what it suggests."""
    from holmdel.cli.live import data_progress
    from holmdel.files import write_files
    from holmdel.training.train import find_lr

    with data_progress() as progress:
        test = find_lr(network, data, data_root=root, progress=progress, **given)
    stem = out or Path("lr-range")
    write_files(stem, test.draw())
    typer.echo(f"wrote {stem}.png and {stem}.svg")
    end = "the loss had doubled" if test.diverged else "the range ended"
    typer.echo(f"suggested --lr {test.suggestion:.2g}; {end} at {test.rates[-1]:.2g}")
    return 0


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
    return _train_a_reader(out, {"resume": resume} | where | settings)


def _show(path: Path, arguments: dict[str, Any]) -> int:
    from holmdel.cli.live import data_progress
    from holmdel.reader_training import show_samples

    with data_progress() as progress:
        show_samples(path, progress=progress, **arguments)
    typer.echo(f"wrote {path}")
    return 0


def _train_a_reader(out: Path | None, arguments: dict[str, Any]) -> int:
    from holmdel.cli.live import data_progress
    from holmdel.reader_training import train_reader as train
    from holmdel.training.group import launched
    from holmdel.training.train import new_folder

    folder = out or new_folder("reader", (arguments["strings"] or ["mnist"])[0])
    if not launched().first:
        return _beside(lambda: train(out=folder, **arguments))
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
