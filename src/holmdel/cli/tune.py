"""`holmdel tune`: which settings train a network best?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holmdel.cli.ending import DONE
from holmdel.cli.scaling import AUTO, RayFlag

if TYPE_CHECKING:
    from holmdel.scale.tune import Trial

SHOWN = 10  # trials of the table


def tune(
    network: Annotated[str, typer.Argument(help="lenet, alexnet, vgg11, nin, googlenet, ...")],
    space: Annotated[
        Path,
        typer.Option(
            metavar="FILE.toml",
            help="What to try: lr = {low = 0.01, high = 1.0, log = true}, batch_size = [64, 256].",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for trials and the best run.")],
    data: Annotated[
        str, typer.Option(help="A data set's name, a folder of images, or a file.")
    ] = "fashion-mnist",
    data_root: Annotated[
        Path | None, typer.Option(help="Data root, or the folder of the set's files.")
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="How many settings to try.")] = 20,
    epochs: Annotated[int, typer.Option(min=1, help="Epochs of the longest training.")] = 10,
    grace: Annotated[int, typer.Option(min=1, help="Epochs before a training may be stopped.")] = 1,
    cpus: Annotated[int, typer.Option(min=1, help="Processors of a training.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of what is drawn, and of trainings.")] = 0,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the search in --out.")
    ] = False,
    ray: RayFlag = None,
) -> int:
    """Try settings out on Ray: the better trainings go on, the others are stopped early.

    They are judged on a validation split of the training images; the test split is not looked at,
    and is there for `holmdel evaluate` at the end.
    """
    from holmdel.scale.cluster import load_ray
    from holmdel.scale.space import read_space
    from holmdel.scale.tune import Search, search

    load_ray()
    tried, settings = read_space(space, network)
    what = Search(
        network=network,
        data=data,
        space=tried,
        settings=settings,
        out=out,
        trials=trials,
        epochs=epochs,
        grace=grace,
        cpus=cpus,
        seed=seed,
        data_root=str(data_root.resolve()) if data_root else None,
    )
    found = search(what, ray=ray or AUTO, resume=resume)
    _show(found)
    typer.echo(f"wrote {out}/trials.csv and {out}/best: {found[0].val_acc:.4f} of validation right")
    typer.echo(f"measure it on the test split with: holmdel evaluate {out}/best")
    return DONE


def _show(found: "list[Trial]") -> None:
    from rich import box
    from rich.table import Table

    from holmdel.cli.terminal import Terminal

    names = list(found[0].settings)
    table = Table(box=box.SIMPLE)
    for name in ("val acc", "epochs", *names):
        table.add_column(name, justify="right")
    for trial in found[:SHOWN]:
        values = (_shown(trial.settings[name]) for name in names)
        table.add_row(f"{trial.val_acc:.4f}", str(trial.epochs), *values)
    Terminal().print(table)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
