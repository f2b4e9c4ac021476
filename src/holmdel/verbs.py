"""Verbs that join rooms which do not know each other, such as a model and its data set."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel import data as data_sets
from holmdel import evaluation, exchange, samples
from holmdel.checkpoint import Header, began_with, load_line_model, trained_on
from holmdel.classifier import Classifier, card, load
from holmdel.data import Dataset, Split
from holmdel.data.dataset import Batches
from holmdel.data.loading import labels_of
from holmdel.errors import UserError
from holmdel.export import Report
from holmdel.files import refuse_existing
from holmdel.settings import read_options
from holmdel.shapes import parse_size
from holmdel.training.contract import image_contract

COMPARED = 1000  # images, on which an exported file is compared with the model
CALIBRATED = 500  # training images, by which the ranges of 8 bits are chosen
READER = "reader"  # the name of the line reader that ships
_log = logging.getLogger("holmdel")


@dataclass(frozen=True)
class Asked:
    """What a model is evaluated on.

    Attributes:
        data: as `data.load` takes it.
        data_root: the data root that has the set; None for the usual ones.
        test: the fraction of each class to take where the data have no test part; 1 for all.
        framing: how images are brought into the model's form; None for the model's own way.
        skip_broken: leave out images that cannot be decoded.
    """

    data: Any
    data_root: str | Path | None = None
    test: float = 1.0
    framing: str | None = None
    skip_broken: bool = False


def evaluate(
    model: str | Path | Classifier,
    data: Any = None,
    *,
    data_root: str | Path | None = None,
    limit: int | None = None,
    device: str = "cpu",
    engine: str = "auto",
    framing: str | None = None,
    skip_broken: bool = False,
    progress: data_sets.Progress | None = None,
) -> evaluation.Evaluation:
    """Returns how good a model is on a data set's test split.

    Args:
        model: a run folder, a `.safetensors` file, a shipped name, or a Classifier.
        data: as `train` takes it; if None, what the run was trained on, and Fashion-MNIST for a
            model that does not say. Of a folder without a test part all images are taken, or those
            that were put aside where the model was trained on it.
        data_root: the data root that has the set; None for the usual ones.
        limit: look at so many examples only, each class in its share.
        device: where to compute.
        engine: what computes, as for `load`; a Classifier has its own, and its own device.
        framing: how images are brought into the model's form; None for the model's own way.
        skip_broken: leave out images that cannot be decoded.
        progress: called while images are downloaded or decoded.

    Raises:
        UserError: for an unknown model or data set, or a data set of other classes or images.
    """
    classifier = model if isinstance(model, Classifier) else load(model, device, engine)
    asked = replace(asked_of(model, data, data_root), framing=framing)
    asked = replace(asked, skip_broken=skip_broken or asked.skip_broken)
    return assess(classifier, dataset_for(classifier, asked, progress).test.take(limit))


def asked_of(
    model: str | Path | Classifier, data: Any = None, data_root: str | Path | None = None
) -> Asked:
    """Returns what a model is evaluated on: the data given, or those that it was trained on."""
    known = None if isinstance(model, Classifier) else began_with(Path(model))
    if known is None:
        return Asked(data or "fashion-mnist", data_root)
    own = Asked(known.data, data_root or known.root, known.test, None, known.skip_broken)
    if data is None and known.data == "arrays" and not Path(known.data).exists():
        raise UserError(
            f"{model} was trained on arrays, which it does not keep; give the data to evaluate it "
            "on (data=, or --data)"
        )
    if data is None:
        return own
    same = isinstance(data, str | Path) and Path(data).resolve() == Path(known.data).resolve()
    return replace(own, data=data) if same else Asked(data, data_root)


def assess(
    classifier: Classifier,
    test: Split,
    logits: Callable[[Iterable[Tensor]], Iterator[Tensor]] | None = None,
) -> evaluation.Evaluation:
    """Returns how good a classifier is on a split in the form that it takes (see `split_for`).

    Args:
        classifier: that is judged.
        test: the images, and what they are.
        logits: gives the logits of batches in its place, such as over a cluster.
    """
    batches = Batches(test, lambda images: images, classifier.contract.batch_size)
    said = logits(images for images, _ in batches) if logits else None
    answer = (lambda images: next(said)) if said else classifier.logits
    found = evaluation.evaluate(answer, batches)
    found = replace(found, classes=classifier.classes)
    threshold = classifier.header.unknown
    return found if threshold is None else found.with_threshold(threshold)


def split_for(classifier: Classifier, data: Any, data_root: str | Path | None = None) -> Split:
    """Returns the test split of a data set in the form that a classifier takes.

    Raises:
        UserError: for an unknown data set, or one of other classes or other images.
    """
    return dataset_for(classifier, Asked(data, data_root)).test


def dataset_for(
    classifier: Classifier, asked: Asked, progress: data_sets.Progress | None = None
) -> Dataset:
    """Returns a data set in the form that a classifier takes, its labels numbered as its classes.

    Raises:
        UserError: for an unknown data set, or one of other classes or other images.
    """
    stored = classifier.contract.stored
    dataset = data_sets.load(
        asked.data,
        root=asked.data_root,
        input=stored,
        progress=progress,
        framing=asked.framing or classifier.contract.framing,
        test=asked.test,
        skip_broken=asked.skip_broken,
    )
    lacking = [name for name in dataset.classes if name not in classifier.classes]
    if lacking:
        raise UserError(
            f"{dataset.name} has the classes {', '.join(lacking)}; the model knows "
            f"{', '.join(classifier.classes)}; evaluate it on data of the same classes"
        )
    if (given := tuple(dataset.test.images.shape[1:])) != stored:
        raise UserError(
            f"{dataset.name} has images of {'x'.join(map(str, given))}; the model takes "
            f"{'x'.join(map(str, stored))}"
        )
    places = torch.tensor([classifier.classes.index(name) for name in dataset.classes])
    train, test = (Split(p.images, places[p.labels]) for p in (dataset.train, dataset.test))
    return replace(dataset, classes=classifier.classes, train=train, test=test)


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
    if is_reader(model):
        return _export_reader(model, Path(out), to, force, options)
    classifier = load(model)
    text, own = card(model)
    given: dict[str, Any] = _to_compare(classifier, model, data, bool(options.get("quantize")))
    given |= {"card": text, "licence": licence or own, "name": Path(model).stem}
    return classifier.export(out, to, force=force, **given, **options)


def _export_reader(
    model: str | Path, out: Path, to: str, force: bool, options: dict[str, Any]
) -> Report:
    """Writes a line reader's network as ONNX."""
    if to != "onnx" or options:
        raise UserError(f"{model} reads lines; such a model goes out as --to onnx, without options")
    from holmdel.export.onnx_lines import lines_to_onnx
    from holmdel.reading.model_file import model_file

    name = None if str(model) == READER and not Path(model).exists() else model
    network, trust = load_line_model(model_file(name))
    lenet = load("lenet-mnist")
    digits = lenet.network, lenet.header
    return lines_to_onnx(network, out, trust=trust, digits=digits, force=force)


def is_reader(model: str | Path) -> bool:
    """Returns whether a model is a line reader: the one that ships, or one that was trained."""
    if not Path(model).exists():
        return str(model) == READER
    from holmdel.reading.model_file import model_file

    try:
        load_line_model(model_file(model))
    except UserError:
        return False
    return True


def _to_compare(
    classifier: Classifier, model: str | Path, data: str | None, whole: bool
) -> dict[str, Any]:
    """Returns images of a test split, their labels and what they are; nothing where none is here.

    Args:
        classifier: what is exported.
        model: where it is from.
        data: a data set's name or folder; None for the model's own.
        whole: whether to take all of the test split, and training images to calibrate on.
    """
    stored, framing = classifier.contract.stored, classifier.contract.framing
    name = data
    if name is None:
        try:
            name = samples.set_for(classifier.classes, trained_on(Path(model)), stored)
        except UserError:
            return {}
    test = dataset_for(classifier, Asked(name, skip_broken=True)).test
    step = 1 if whole else max(1, len(test.images) // COMPARED)
    most = None if whole else COMPARED
    images, labels = test.images[::step][:most], test.labels[::step][:most]
    found = {"images": images, "labels": labels}
    if whole:
        found_set = data_sets.load(name, input=stored, framing=framing, skip_broken=True)
        training = found_set.train.images
        found["training"] = training[:: max(1, len(training) // CALIBRATED)]
    return found | {"source": f"{len(images):,} images of {Path(name).name}"}


def import_weights(
    file: str | Path | exchange.Weights,
    network: str,
    out: str | Path,
    *,
    classes: str | Sequence[str] | None = None,
    input: str | None = None,
    mean: float = 0.0,
    std: float = 1.0,
    flatten: str | None = None,
    key: str | None = None,
    **options: Any,
) -> Classifier:
    """Writes a run folder with weights from elsewhere; returns their classifier.

    Args:
        file: weights of another framework; docs/exchange.md says which. Or what was read of one.
        network: the name in `networks.NETWORKS` of what the weights were trained in.
        out: the run folder, new or empty.
        classes: label texts, or a data set whose labels and form of images to take.
        input: what the network sees, such as `1x28x28`; if None, as the shapes say.
        mean: taken from pixels / 255 in training; 0 in the book's loaders.
        std: divided by after that.
        flatten: the order in which maps come to the first dense layer, `chw` or `hwc`; if None, as
            the file says or its framework does.
        key: which of a checkpoint's state dicts is meant, where a file is given.
        options: options of the network; those left out follow from the shapes where they can.

    Raises:
        UserError: for a file that cannot be read or does not fit, or a mistake in the others.
    """
    refuse_existing(Path(out))
    options = read_options(options)
    if input is not None:
        channels, *size = parse_size(input)
        options |= {"channels": channels, "size": tuple(size)}
    read = file if isinstance(file, exchange.Weights) else exchange.read_weights(file, key)
    found = exchange.convert(read.in_order(flatten), network, **options)
    for note in found.notes:
        _log.warning("%s: %s", read.file, note)
    labels = labels_of(classes, found.classes)
    seen = found.input
    stored = (1, labels.side, labels.side) if labels.side and seen[0] == 1 else seen
    image = image_contract(stored, seen, labels.framing, mean, std)
    header = Header(network=network, options=found.options, classes=labels.classes, image=image)
    exchange.write_folder(Path(out), found, header)
    return Classifier(found.network, header)
