"""`holmdel demo`: the whole of Holmdel in a minute."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from holmdel.cli.loading import loading
from holmdel.errors import UserError

SETTINGS: dict[str, dict[str, Any]] = {
    "fashion-mnist": {"epochs": 6},  # fewer than the book's ten: within a minute on two cores
    "digits": {"recipe": "modern", "epochs": 20},  # too few images for the book's recipe
}
SHOWN = 6
AMOUNT, AMOUNT_SEED = "25.730.-", 3


def demo(
    out: Annotated[Path | None, typer.Option(help="Run folder, else runs/demo-DATA.")] = None,
    data_root: Annotated[
        Path | None, typer.Option(help="Data root, or the folder of the set's files.")
    ] = None,
) -> int:
    """Train LeNet, watch it, evaluate it, classify a few images and read an amount."""
    with loading():
        from holmdel import verbs
        from holmdel.training.train import new_folder, train
    from holmdel.cli.live import reporter

    began = time.perf_counter()
    data = _choose_data(data_root)
    _print_shapes()
    folder = out or new_folder("demo", data)
    where: dict[str, Any] = {"out": folder, "data_root": data_root}
    with reporter() as told:
        run = train("lenet", data, callbacks=told, **where, **SETTINGS[data])
    typer.echo(run.summary())
    classifier = run.classifier
    test = verbs.split_for(classifier, data, data_root)
    found = verbs.assess(classifier, test)
    typer.echo(f"\nevaluated: accuracy {found.accuracy:.4f} on {found.count:,} test images")
    for truth, said, count in found.most_confused(3):
        typer.echo(f"  {count} x {classifier.classes[truth]} taken for {classifier.classes[said]}")
    typer.echo("a few of them, and what LeNet says:")
    shown = classifier.predict(list(test.images[:SHOWN]))
    for prediction, label in zip(shown, test.labels[:SHOWN].tolist(), strict=True):
        truth = classifier.classes[label]
        typer.echo(f"  {truth:<12} {prediction.label:<12} {prediction.probability:.2f}")
    _read_an_amount(folder)
    typer.echo(f"curves: {folder}/curves.png, everything else beside it")
    typer.echo(f"use it: holmdel predict {folder} IMAGE...")
    typer.echo(f"done in {time.perf_counter() - began:.0f} s")
    return 0


def _read_an_amount(folder: Path) -> None:
    """Composes an image of an amount in drawn digits, and reads it."""
    from PIL import Image

    from holmdel.reader_training.synthesis.maker import StringMaker
    from holmdel.reading import read

    sample = StringMaker(None, seed=AMOUNT_SEED).sample(AMOUNT)
    image = folder / "amount.png"
    Image.fromarray(sample.image).save(image)
    typer.echo(f"an amount, {sample.text}, drawn into {image}, and what the reader says:")
    for line in read(image, "amount").lines:
        typer.echo(f"  {line.raw} = {line.text}, confidence {line.confidence:.2f}, {line.status}")


def _choose_data(data_root: Path | None) -> str:
    """Returns `fashion-mnist` where it can be had, else `digits`, and says which."""
    from holmdel import data as data_sets
    from holmdel.cli.live import data_progress

    try:
        with data_progress() as progress:
            data_sets.load("fashion-mnist", root=data_root, progress=progress)
    except UserError:
        typer.echo("Fashion-MNIST is not here and could not be downloaded: training on digits,")
        typer.echo("1,797 real handwritten ones that ship with holmdel")
        return "digits"
    typer.echo("training on Fashion-MNIST: 60,000 images of clothes, 10,000 to test on")
    return "fashion-mnist"


def _print_shapes() -> None:
    """Prints the output shape of every layer, as the book does."""
    from holmdel.inspection import inspect

    for layer in inspect("lenet").layers:
        shape = ", ".join(str(side) for side in (1, *layer.output))
        typer.echo(f"{layer.kind:<10} output shape: [{shape}]")
