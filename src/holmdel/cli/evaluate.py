"""`holmdel evaluate`: how good a model is on a data set's test split."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from holmdel.cli.loading import loading
from holmdel.cli.scaling import RayFlag
from holmdel.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor

    from holmdel.classifier import Classifier
    from holmdel.data import Split
    from holmdel.evaluation import Evaluation
    from holmdel.reading import Assessment, LabelledString, ReaderSettings

MOST_CONFUSED = 8
WORST = 24


def evaluate(
    model: Annotated[
        str, typer.Argument(help="A run folder, .safetensors file or shipped name, such as reader.")
    ],
    data: Annotated[
        str | None,
        typer.Option(
            help="A data set's name, a folder of images, or a .csv, .npz or .parquet file; what "
            "the run was trained on if not given."
        ),
    ] = None,
    data_root: Annotated[
        Path | None, typer.Option(help="Data root, or the folder of the set's files.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Use N examples only, each class in its share.")
    ] = None,
    framing: Annotated[
        str | None,
        typer.Option(help="digit, object or fit; the model's own way if not given."),
    ] = None,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Leave out images that cannot be decoded.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:N or mps.")] = "cpu",
    engine: Annotated[str, typer.Option(help="auto, native or torch.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Folder for the confusion matrix and the worst mistakes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    strings: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="For a reader: a folder of strings with truth.tsv."),
    ] = None,
    pattern: Annotated[
        str, typer.Option(help="For a reader: what may be written, as for `holmdel read`.")
    ] = "digits",
    max_error: Annotated[
        float,
        typer.Option(metavar="X", help="For a reader: the fraction of wrong strings to allow."),
    ] = 0.01,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="For a reader, or with --ray: how many workers."),
    ] = None,
    ray: RayFlag = None,
) -> int:
    """Measure a model: accuracy, loss, figures for each class, confusions, calibration.

    A reader is measured on labelled strings: how many are read right, read wrongly and rejected.
    """
    if strings is not None:
        from holmdel.reading import ReaderSettings  # loads torch

        settings = ReaderSettings(model=Path(model), pattern=pattern, max_error=max_error)
        return _evaluate_reader(strings, settings, jobs, ray, out, as_json)
    if jobs and ray is None:
        raise UserError("--jobs is for --strings, or for --ray; give one of them too")
    if model == "reader":
        raise UserError("a reader is measured on labelled strings; give --strings DIR")
    with loading():
        from holmdel import verbs
        from holmdel.classifier import load
    from holmdel.cli.live import data_progress

    classifier = load(model, device, engine)
    asked = verbs.asked_of(model, data, data_root)
    asked = replace(asked, framing=framing, skip_broken=skip_broken or asked.skip_broken)
    with data_progress() as progress:
        dataset = verbs.dataset_for(classifier, asked, progress)
    for line in (dataset.provenance, *dataset.notes):
        typer.echo(line, err=True)
    test = dataset.test.take(limit)
    over_ray = _logits_over_ray(model, device, engine, jobs, ray) if ray else None
    found = verbs.assess(classifier, test, over_ray)
    if out is not None:
        _draw_evaluation(out, classifier, test, found)
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        _print_tables(classifier.classes, found)
        if out is not None:
            typer.echo(f"wrote {out}/confusion.png and {out}/mistakes.png")
    return 0


def _logits_over_ray(
    model: str, device: str, engine: str, jobs: int | None, ray: str
) -> "Callable[[Iterable[Tensor]], Iterator[Tensor]]":
    """Returns what gives a classifier's logits of batches over a cluster."""
    from holmdel.scale.evaluate import logits
    from holmdel.scale.work import PredictWork

    work = PredictWork.of(model, device=device, engine=engine)
    return partial(logits, work=work, jobs=jobs, address=ray)


def _draw_evaluation(
    out: Path, classifier: "Classifier", test: "Split", found: "Evaluation"
) -> None:
    from holmdel.figures import draw_confusion, draw_mistakes
    from holmdel.files import write_files

    write_files(out / "confusion", draw_confusion(found.confusion, classifier.classes))
    worst = found.worst(WORST)
    confidence, said = found.probabilities[worst].max(dim=1)
    captions = [
        f"{classifier.classes[truth]}, said\n{classifier.classes[guess]} {sure:.2f}"
        for truth, guess, sure in zip(
            found.labels[worst].tolist(), said.tolist(), confidence.tolist(), strict=True
        )
    ]
    write_files(out / "mistakes", draw_mistakes(test.images[worst].cpu(), captions))


def _print_tables(classes: tuple[str, ...], found: "Evaluation") -> None:
    from rich import box
    from rich.table import Table

    from holmdel.cli.terminal import Terminal

    table = Table(box=box.SIMPLE)
    table.add_column("class")
    for name in ("precision", "recall", "F1", "count"):
        table.add_column(name, justify="right")
    for name, row in zip(classes, found.per_class(), strict=True):
        table.add_row(name, *row.texts(), f"{row.count:,}")
    console = Terminal()
    console.print(table)
    for truth, said, count in found.most_confused(MOST_CONFUSED):
        typer.echo(f"{count:>6,} x {classes[truth]} taken for {classes[said]}")
    if found.unknown is not None:
        right = "none" if found.known_accuracy is None else f"{found.known_accuracy:.4f}"
        typer.echo(f"called unknown {found.unknown:.4f}; of the others right {right}")
    typer.echo(
        f"accuracy {found.accuracy:.4f}, loss {found.loss:.4f}, "
        f"calibration error {found.ece:.4f}, {found.count:,} images"
    )


def _evaluate_reader(
    folder: Path,
    settings: "ReaderSettings",
    jobs: int | None,
    ray: str | None,
    out: Path | None,
    as_json: bool,
) -> int:
    """Prints what a reader makes of a labelled folder, and writes images of it if asked."""
    with loading():
        from holmdel.reading import assess_folder

    if ray:
        from holmdel.scale.evaluate import readings

        found, strings = assess_folder(folder, settings, jobs, partial(readings, address=ray))
    else:
        found, strings = assess_folder(folder, settings, jobs)
    if out is not None:
        _draw_strings(out, found, strings)
    if as_json:
        typer.echo(json.dumps(found.to_json()))
    else:
        _print_strings(found, settings.max_error)
        if out is not None:
            typer.echo(f"wrote {out}/curve.png, {out}/confusion.png and {out}/mistakes.png")
    return 0


def _print_strings(found: "Assessment", max_error: float) -> None:
    for truth, said, count in found.most_confused(MOST_CONFUSED):
        what = f"{truth} left out" if said == "none" else f"{truth} taken for {said}"
        typer.echo(f"{count:>6,} x {f'{said} put in' if truth == 'none' else what}")
    typer.echo(
        f"correct {found.correct:.1%}, error {found.error:.1%}, reject {found.reject:.1%} "
        f"of {found.count:,} strings under --max-error {max_error:g}"
    )
    typer.echo(
        f"right without reject {found.right:.1%}, "
        f"correct at 1 % error {found.correct_at(0.01):.1%}, calibration error {found.ece:.4f}"
    )


def _draw_strings(out: Path, found: "Assessment", strings: "list[LabelledString]") -> None:
    import torch

    from holmdel.figures import draw_confusion, draw_risk, draw_strings
    from holmdel.files import write_files
    from holmdel.images.decoding import grey_page
    from holmdel.reading.assessment import NAMES

    write_files(out / "curve", draw_risk(found.curve))
    write_files(out / "confusion", draw_confusion(torch.from_numpy(found.confusion), NAMES))
    worst = found.worst(WORST)
    images = [grey_page(strings[number].path) for number in worst]
    captions = [
        f"{strings[number].path.name}\n{said.truth}, said {said.text or 'nothing'} "
        f"{said.confidence:.2f}"
        for number, said in ((number, found.strings[number]) for number in worst)
    ]
    write_files(out / "mistakes", draw_strings(images, captions))
