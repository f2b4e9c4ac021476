"""Verbs that join rooms which do not know each other, such as a model and its data set."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from holmdel import data as data_sets
from holmdel import evaluation, exchange, samples
from holmdel.checkpoint import Header, trained_on
from holmdel.classifier import Classifier, card, load
from holmdel.data import Split
from holmdel.data.dataset import Batches
from holmdel.data.loading import labels_of
from holmdel.errors import UserError
from holmdel.export import Report
from holmdel.files import refuse_existing
from holmdel.settings import read_options
from holmdel.shapes import parse_size
from holmdel.training.train import image_contract

COMPARED = 1000  # images, on which an exported file is compared with the model


def evaluate(
    model: str | Path | Classifier,
    data: str | None = None,
    *,
    data_root: str | Path | None = None,
    limit: int | None = None,
    device: str = "cpu",
    engine: str = "auto",
    progress: data_sets.Progress | None = None,
) -> evaluation.Evaluation:
    """Returns how good a model is on a data set's test split.

    Args:
        model: a run folder, a `.safetensors` file, a shipped name, or a Classifier.
        data: a data set's name, or a folder `root/{train,test}/<class>/*`; if None, what the run
            was trained on, and Fashion-MNIST for a model that does not say.
        data_root: the data root that has the set; None for the usual ones.
        limit: look at the first examples only.
        device: where to compute.
        engine: what computes, as for `load`; a Classifier has its own, and its own device.
        progress: called while images are downloaded or decoded.

    Raises:
        UserError: for an unknown model or data set, or a data set of other classes or images.
    """
    classifier = model if isinstance(model, Classifier) else load(model, device, engine)
    data = data or usual_data(model)
    return assess(classifier, split_for(classifier, data, data_root, progress).take(limit))


def usual_data(model: str | Path | Classifier) -> str:
    """Returns the data set that a model is evaluated on where none is named."""
    folder = None if isinstance(model, Classifier) else Path(model)
    return (folder and trained_on(folder)) or "fashion-mnist"


def assess(classifier: Classifier, test: Split) -> evaluation.Evaluation:
    """Returns how good a classifier is on a split in the form that it takes (see `split_for`)."""
    batches = Batches(test, lambda images: images, classifier.contract.batch_size)
    found = evaluation.evaluate(classifier.logits, batches)
    return replace(found, classes=classifier.classes)


def split_for(
    classifier: Classifier,
    data: str,
    data_root: str | Path | None = None,
    progress: data_sets.Progress | None = None,
) -> Split:
    """Returns the test split of a data set in the form that a classifier takes.

    Raises:
        UserError: for an unknown data set, or one of other classes or other images.
    """
    stored, framing = classifier.contract.stored, classifier.contract.framing
    dataset = data_sets.load(data, root=data_root, input=stored, progress=progress, framing=framing)
    if dataset.classes != classifier.classes:
        raise UserError(
            f"{data} has the classes {', '.join(dataset.classes)}; the model knows "
            f"{', '.join(classifier.classes)}; evaluate it on data of the same classes"
        )
    if (given := tuple(dataset.test.images.shape[1:])) != stored:
        raise UserError(
            f"{data} has images of {'x'.join(map(str, given))}; the model takes "
            f"{'x'.join(map(str, stored))}"
        )
    return dataset.test


def export_model(
    model: str | Path,
    out: str | Path,
    to: str = "onnx",
    *,
    data: str | None = None,
    licence: str | None = None,
    force: bool = False,
    **options: Any,
) -> Report:
    """Writes a model as a file of another program, compared with it on images of its data set.

    Args:
        model: a run folder, a `.safetensors` file, or a shipped name.
        out: a file; for `c`, a folder.
        to: one of `export.FORMATS`.
        data: the data set; if None, the model's own where it is here, else generated images.
        licence: what the weights may be used under; of a shipped model, its own if None.
        force: whether files that are there may be replaced.
        options: of the format.

    Raises:
        UserError: for an unknown model, data set, format or option, or as `Classifier.export`.
    """
    classifier = load(model)
    text, own = card(model)
    images, source = _to_compare(classifier, model, data)
    given: dict[str, Any] = {"images": images, "source": source}
    given |= {"card": text, "licence": licence or own}
    return classifier.export(out, to, force=force, **given, **options)


def _to_compare(
    classifier: Classifier, model: str | Path, data: str | None
) -> tuple[Tensor | None, str]:
    """Returns up to 1,000 images of a test split, and what they are; None where none is here."""
    name = data
    if name is None:
        own = trained_on(Path(model))
        try:
            name = samples.set_for(classifier.classes, own, classifier.contract.stored)
        except UserError:
            return None, ""
    images = split_for(classifier, name).images
    images = images[:: max(1, len(images) // COMPARED)][:COMPARED]
    shown = Path(name).name  # of a folder
    return images, f"{len(images):,} images of {shown}"


def import_weights(
    file: str | Path,
    network: str,
    out: str | Path,
    *,
    classes: str | Sequence[str] | None = None,
    input: str | None = None,
    mean: float = 0.0,
    std: float = 1.0,
    **options: Any,
) -> Classifier:
    """Writes a run folder with weights from elsewhere; returns their classifier.

    Args:
        file: a `.params` file of MXNet/Gluon, a PyTorch state dict, or safetensors.
        network: the name in `networks.NETWORKS` of what the weights were trained in.
        out: the run folder, new or empty.
        classes: label texts, or a data set whose labels and form of images to take.
        input: what the network sees, such as `1x28x28`; if None, as the shapes say.
        mean: taken from pixels / 255 in training; 0 in the book's loaders.
        std: divided by after that.
        options: options of the network; those left out follow from the shapes where they can.

    Raises:
        UserError: for a file that cannot be read or does not fit, or a mistake in the others.
    """
    refuse_existing(Path(out))
    options = read_options(options)
    if input is not None:
        channels, *size = parse_size(input)
        options |= {"channels": channels, "size": tuple(size)}
    found = exchange.convert(exchange.read_weights(file), network, **options)
    labels = labels_of(classes, found.classes)
    seen = found.input
    stored = (1, labels.side, labels.side) if labels.side and seen[0] == 1 else seen
    image = image_contract(stored, seen, labels.framing, mean, std)
    header = Header(network=network, options=found.options, classes=labels.classes, image=image)
    exchange.write_folder(Path(out), found, header)
    return Classifier(found.network, header)
