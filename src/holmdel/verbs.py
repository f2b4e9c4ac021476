"""The verbs: what a script, a notebook and the command line call.

They join rooms that do not know each other: data sets, trainings, classifiers.
"""

from collections.abc import Container, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from holmdel import data as data_sets
from holmdel import evaluation, exchange, training
from holmdel.checkpoint import Header, refuse_existing
from holmdel.classifier import Classifier, load
from holmdel.data import Dataset, Split
from holmdel.data.batches import Batches
from holmdel.data.labels import labels_of
from holmdel.errors import UserError
from holmdel.images import ImageContract
from holmdel.networks import network_options
from holmdel.settings import read_options
from holmdel.shapes import parse_size
from holmdel.training import (
    Plan,
    RangeTest,
    Reporter,
    RunFolder,
    Silent,
    fit,
    plan,
    prepare,
    range_test,
)
from holmdel.training.curves import Animator, in_notebook

Size = tuple[int, int, int]
PAD_UP_TO = 4  # pixels; a network that sees so little more gets zeros around, as LeNet-5's 28 to 32


class Run(training.Run):
    """A training that is done, and the classifier that came out of it."""

    @property
    def classifier(self) -> Classifier:
        """Pictures in, probabilities out, by the trained network on the CPU."""
        return Classifier(self.network, self.header)


def train(
    network: str,
    data: str = "fashion-mnist",
    *,
    out: str | Path | None = None,
    resume: bool = False,
    data_root: str | Path | None = None,
    reporter: Reporter | None = None,
    progress: data_sets.Progress | None = None,
    **settings: Any,
) -> Run:
    """Trains a network on a data set; returns the run.

    Args:
        network: a name in `networks.NETWORKS`.
        data: a data set's name, or a folder `root/{train,test}/<class>/*`.
        out: the run folder; if None, a new one under `runs/`.
        resume: go on with the training that `out` holds; the same settings apply.
        data_root: where to look for data sets first.
        reporter: is told of the training; if None, live curves in a notebook, else silence.
        progress: called while pictures are downloaded or decoded.
        settings: fields of `TrainSettings` and options of the network.

    Raises:
        UserError: for a mistake in any of these, a dead run, or a loss that is no number.
        KeyboardInterrupt: after the state was saved; `resume=True` goes on.
    """
    folder = RunFolder(Path(out) if out is not None else new_folder(network, data))
    going_on = resume and folder.started()
    if not going_on:
        folder.refuse_existing()
    work = (folder.plan if going_on else plan)(network, data, settings)
    if going_on and folder.finished():
        return Run(**vars(folder.load(work.settings)))
    dataset = _load(work, data, data_root, progress)
    work, header = join(work, dataset)
    job = prepare(work, header, dataset)
    if not going_on:
        train, test = (
            len(part.take(work.settings.limit)) for part in (dataset.train, dataset.test)
        )
        folder.create(work, {"name": data, "train": train, "test": test}, header, job.engine)
    return Run(**vars(fit(job, header, folder, reporter or _usual_reporter())))


def find_lr(
    network: str,
    data: str = "fashion-mnist",
    *,
    data_root: str | Path | None = None,
    progress: data_sets.Progress | None = None,
    **settings: Any,
) -> RangeTest:
    """Returns a learning rate range test: the training loss while the rate rises from 1e-5 to 10.

    Args and Raises: as `train`.
    """
    work = plan(network, data, settings)
    dataset = _load(work, data, data_root, progress)
    return range_test(prepare(*join(work, dataset), dataset))


def evaluate(
    model: str | Path | Classifier,
    data: str = "fashion-mnist",
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
        data: a data set's name, or a folder `root/{train,test}/<class>/*`.
        data_root: where to look for data sets first.
        limit: look at the first examples only.
        device: where to compute.
        engine: what computes, as for `load`; a Classifier has its own, and its own device.
        progress: called while pictures are downloaded or decoded.

    Raises:
        UserError: for an unknown model or data set, or a data set of other classes or pictures.
    """
    classifier = model if isinstance(model, Classifier) else load(model, device, engine)
    return assess(classifier, split_for(classifier, data, data_root, progress).take(limit))


def assess(classifier: Classifier, test: Split) -> evaluation.Evaluation:
    """Returns how good a classifier is on a split in the form that it takes (see `split_for`)."""
    batches = Batches(test, lambda pictures: pictures, classifier.contract.batch_size)
    return evaluation.evaluate(classifier.logits, batches)


def split_for(
    classifier: Classifier,
    data: str,
    data_root: str | Path | None = None,
    progress: data_sets.Progress | None = None,
) -> Split:
    """Returns the test split of a data set in the form that a classifier takes.

    Raises:
        UserError: for an unknown data set, or one of other classes or other pictures.
    """
    stored = classifier.contract.stored
    dataset = data_sets.load(data, root=data_root, input=stored, progress=progress)
    if dataset.classes != classifier.classes:
        raise UserError(
            f"{data} has the classes {', '.join(dataset.classes)}; the model knows "
            f"{', '.join(classifier.classes)}; evaluate it on data of the same classes"
        )
    if (given := tuple(dataset.test.images.shape[1:])) != stored:
        raise UserError(
            f"{data} has pictures of {'x'.join(map(str, given))}; the model takes "
            f"{'x'.join(map(str, stored))}"
        )
    return dataset.test


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
        classes: label texts, or a data set whose labels and form of pictures to take.
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
    image = _image(stored, seen, labels.framing, mean, std)
    header = Header(network=network, options=found.options, classes=labels.classes, image=image)
    exchange.write_folder(Path(out), found, header)
    return Classifier(found.network, header)


def new_folder(
    network: str, data: str, runs: Path = Path("runs"), taken: Container[str] = ()
) -> Path:
    """Returns the first of `RUNS/NETWORK-DATA`, `RUNS/NETWORK-DATA-2`, ... not there nor taken."""
    folder, number = runs / f"{network}-{Path(data).name}", 2
    while folder.exists() or folder.name in taken:
        folder = runs / f"{network}-{Path(data).name}-{number}"
        number += 1
    return folder


def _load(
    work: Plan, data: str, root: str | Path | None, progress: data_sets.Progress | None
) -> Dataset:
    """Returns the data set; a folder's pictures come in the size that the network sees."""
    channels = work.options.get("channels", network_options(work.network)["channels"])
    size = _seen(work, channels)
    return data_sets.load(data, root=root, input=size, progress=progress)


def _seen(work: Plan, channels: int) -> Size:
    """Returns what the network sees: as `input` says, else its own size."""
    if work.settings.input:
        return parse_size(work.settings.input)
    height, width = work.options.get("size", network_options(work.network)["size"])
    return channels, height, width


def join(work: Plan, dataset: Dataset) -> tuple[Plan, Header]:
    """Returns the plan with the options that follow from the data, and the model's header."""
    known = network_options(work.network)
    stored = _size(dataset.train)
    seen = _seen(work, stored[0])
    if seen[0] != stored[0]:
        raise UserError(
            f"input was given as {work.settings.input} with {seen[0]} channels; the pictures of "
            f"{dataset.name} have {stored[0]}"
        )
    follows = {"classes": len(dataset.classes), "channels": seen[0], "size": seen[1:]}
    options = work.options | {k: v for k, v in follows.items() if known[k] != v}
    header = Header(
        network=work.network,
        options=options,
        classes=dataset.classes,
        image=_contract(dataset, stored, seen, normalise=work.settings.normalise),
    )
    return replace(work, options=options), header


def _contract(dataset: Dataset, stored: Size, seen: Size, *, normalise: bool) -> ImageContract:
    """Returns what the network sees of this data set's pictures."""
    mean, std = 0.0, 1.0
    if normalise:
        mean, std = _mean_and_deviation(dataset.train)
    return _image(stored, seen, dataset.framing, mean, std)


def _image(stored: Size, seen: Size, framing: str, mean: float, std: float) -> ImageContract:
    """Returns the contract, with how pictures of one size become those of the other."""
    if not std > 0:
        raise UserError(f"std was given as {std}; expected a number above 0")
    little = all(0 <= seen[side] - stored[side] <= PAD_UP_TO for side in (1, 2))
    how = "none" if seen == stored else "pad" if little else "resize"
    return ImageContract(
        stored=stored, input=seen, enlarge=how, framing=framing, mean=mean, std=std
    )


def _mean_and_deviation(split: Split) -> tuple[float, float]:
    """Returns mean and standard deviation of all pixels as parts of 255, to four digits."""
    counts = torch.bincount(split.images.flatten(), minlength=256).double()
    levels = torch.arange(256) / 255
    mean = (counts * levels).sum() / counts.sum()
    variance = (counts * (levels - mean) ** 2).sum() / counts.sum()
    return round(float(mean), 4), round(float(variance.sqrt()), 4)


def _size(split: Split) -> Size:
    channels, height, width = split.images.shape[1:]
    return channels, height, width


def _usual_reporter() -> Reporter:
    return Animator() if in_notebook() else Silent()
