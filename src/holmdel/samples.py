"""Images out of data sets, to look at: which sets are here, and some of their test images."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor

from holmdel import data as data_sets
from holmdel.data.roots import find
from holmdel.data.sources import DIGITS
from holmdel.deprecation import renamed_attribute
from holmdel.errors import UserError

Size = tuple[int, int, int]
_OFFLINE = "digits"


@dataclass(frozen=True)
class DataSet:
    """A data set with a name.

    Attributes:
        name: what `--data` calls it.
        classes: the label texts.
        here: whether it can be had without a download.
    """

    name: str
    classes: tuple[str, ...]
    here: bool


@dataclass(frozen=True, eq=False)
class Sample:
    """An image of a test split.

    Attributes:
        index: its place in the split.
        label: the text of its class.
        image: uint8 (C, H, W).
    """

    index: int
    label: str
    image: Tensor
    picture = renamed_attribute("picture", "image")


def named_sets() -> list[DataSet]:
    """Returns the data sets that have a name."""
    named = [
        DataSet(source.name, source.classes, find(source) is not None)
        for source in data_sets.SOURCES.values()
    ]
    return [*named, DataSet(_OFFLINE, DIGITS, True)]


def set_for(classes: Sequence[str], wanted: str | None = None, size: Size | None = None) -> str:
    """Returns the data set whose images a network of these classes knows.

    Args:
        classes: the network's.
        wanted: the name or folder of the set that it was trained on; taken if it is here.
        size: (C, H, W) that a folder's images are brought to.

    Raises:
        UserError: if none is here.
    """
    here = {found.name: found.classes for found in named_sets() if found.here}
    folder = wanted is not None and wanted not in data_sets.names() and Path(wanted).is_dir()
    if wanted is not None and folder and _test_split(wanted, size)[1] == tuple(classes):
        return wanted
    fitting = [name for name, known in here.items() if known == tuple(classes)]
    if wanted in fitting:
        return wanted
    if not fitting:
        raise UserError(
            f"no data set of the classes {', '.join(classes)} is here; see `holmdel data list`"
        )
    return fitting[0]


def draw(name: str, count: int, seed: int = 0, size: Size | None = None) -> list[Sample]:
    """Returns images of a data set's test split, each class as often as the next, at random.

    Args:
        name: the set, or a folder.
        count: how many, at most.
        seed: another one gives others.
        size: (C, H, W) that a folder's images are brought to.

    Raises:
        UserError: for an unknown set.
    """
    (images, labels), classes = _test_split(name, size)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    of_class = [order[labels[order] == index] for index in range(len(classes))]
    rounds = max((len(rows) for rows in of_class), default=0)
    rows = (int(own[turn]) for turn in range(rounds) for own in of_class if turn < len(own))
    return [Sample(row, classes[int(labels[row])], images[row]) for row in islice(rows, count)]


def sample(name: str, index: int, size: Size | None = None) -> Sample:
    """Returns one image of a data set's test split.

    Args:
        name: the set, or a folder.
        index: its place, from 0.
        size: (C, H, W) that a folder's images are brought to.

    Raises:
        UserError: for an unknown set, or a place that it does not have.
    """
    (images, labels), classes = _test_split(name, size)
    if not 0 <= index < len(labels):
        raise UserError(f"image {index} of {name} was asked for; expected 0 to {len(labels) - 1}")
    return Sample(index, classes[int(labels[index])], images[index])


@lru_cache(maxsize=4)
def _test_split(name: str, size: Size | None) -> tuple[tuple[Tensor, Tensor], tuple[str, ...]]:
    """Returns images and labels of a test split, and the classes; the training split goes."""
    found = data_sets.load(name, input=size, skip_broken=True)
    return (found.test.images.clone(), found.test.labels.clone()), found.classes
