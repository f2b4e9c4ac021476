"""The data set of a training, and what follows from it for network and images."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from holmdel import data as data_sets
from holmdel.checkpoint import Header
from holmdel.data import Dataset, Split
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract
from holmdel.networks import network_options
from holmdel.programs.own import Given
from holmdel.shapes import parse_size
from holmdel.training.contract import image_contract, mean_and_deviation
from holmdel.training.job import seeds_restored
from holmdel.training.own import FIRST, FLEXIBLE, Made, own_network, size_of
from holmdel.training.settings import Plan, plan

Size = tuple[int, int, int]


def name_of(data: Any) -> str:
    """Returns what a training calls its data: a name or path as it was given, or `arrays`."""
    if isinstance(data, Dataset):
        return data.name
    return str(data) if isinstance(data, str | Path) else "arrays"


def load_for(
    network: Given,
    data: Any,
    root: str | Path | None,
    progress: data_sets.Progress | None,
    settings: Mapping[str, Any],
) -> Dataset:
    """Returns the data set that `train` would train a network on; arguments as there."""
    work = plan(own_network(network) or str(network), name_of(data), settings)
    return load_data(work, data, root, progress)


def load_data(
    work: Plan, data: Any, root: str | Path | None, progress: data_sets.Progress | None
) -> Dataset:
    """Returns the data set; a folder's images come in the size that the network sees."""
    if isinstance(data, Dataset):
        return data
    size: Size | None
    if work.own and not work.settings.input:
        folder = Path(name_of(data)).expanduser().is_dir()
        named = name_of(data) in data_sets.names()
        with seeds_restored():
            size = None if named else size_of(work.own, None, FLEXIBLE if folder else FIRST)
    else:
        known = network_options(work.network) if not work.own else {"channels": 1}
        size = _seen(work, (work.options.get("channels", known["channels"]), 0, 0))
    settings = work.settings
    return data_sets.load(
        data,
        root=root,
        input=size,
        progress=progress,
        framing=settings.framing,
        test=settings.test,
        skip_broken=settings.skip_broken,
    )


def _seen(work: Plan, stored: Size) -> Size:
    """Returns what the network sees of stored images: as `input` says, else its own size."""
    if work.settings.input:
        return parse_size(work.settings.input)
    if work.own:
        return size_of(work.own, stored)
    height, width = work.options.get("size", network_options(work.network)["size"])
    return stored[0], height, width


def join(work: Plan, dataset: Dataset) -> tuple[Plan, Header]:
    """Returns the plan with the options that follow from the data, and the model's header."""
    known = {} if work.own else network_options(work.network)
    stored = _size(dataset.train)
    with seeds_restored():
        seen = _seen(work, stored)
    if seen[0] != stored[0]:
        raise UserError(
            f"input was given as {work.settings.input} with {seen[0]} channels; the images of "
            f"{dataset.name} have {stored[0]}"
        )
    follows = {"classes": len(dataset.classes), "channels": seen[0], "size": seen[1:]}
    options = work.options | {k: v for k, v in follows.items() if known.get(k, v) != v}
    header = Header(
        network=work.network,
        options=options,
        classes=dataset.classes,
        image=_contract(dataset, stored, seen, normalise=work.settings.normalise),
    )
    if work.own:
        with seeds_restored():
            made = Made.of(work.own, len(dataset.classes), seen)
        return replace(work, made=made), replace(header, program=made.exported.program)
    return replace(work, options=options), header


def _contract(dataset: Dataset, stored: Size, seen: Size, *, normalise: bool) -> ImageContract:
    """Returns the image contract of a data set."""
    mean, std = 0.0, 1.0
    if normalise:
        mean, std = mean_and_deviation(dataset.train)
    return image_contract(stored, seen, dataset.framing, mean, std)


def _size(split: Split) -> Size:
    channels, height, width = split.images.shape[1:]
    return channels, height, width
