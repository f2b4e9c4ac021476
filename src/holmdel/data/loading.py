"""Loads a data set by its name or folder, or its labels alone."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from holmdel.data import idx, roots
from holmdel.data.dataset import Dataset, Split
from holmdel.data.digits import CLASSES, load_digits
from holmdel.data.download import Progress
from holmdel.data.folder import listing, load_folder
from holmdel.data.sources import SOURCES, Source
from holmdel.errors import UserError


class Labels(NamedTuple):
    """The classes of a data set, and the form of its images.

    Attributes:
        classes: the label texts, in the order of the labels.
        side: height and width of its images in pixels; None where they come in any size.
        framing: how a foreign image is brought into its form; one of `images.FRAMINGS`.
    """

    classes: tuple[str, ...]
    side: int | None
    framing: str


def names() -> list[str]:
    """Returns the names `load` knows."""
    return [*SOURCES, "digits"]


def load(
    name: str,
    root: str | Path | None = None,
    input: tuple[int, int, int] | None = None,
    progress: Progress | None = None,
    framing: str = "fit",
) -> Dataset:
    """Returns a data set, whole in memory.

    Args:
        name: one of `names()`, or a folder `root/{train,test}/<class>/*.png`.
        root: a data root, looked at before `$HOLMDEL_DATA` and the user's cache.
        input: (C, H, W) a folder's images are brought to, (1, 28, 28) for None; the named sets
            have their own, 1x28x28, and do not look at it.
        progress: called while images are downloaded or decoded.
        framing: how a folder's images are brought to that size; one of `images.FRAMINGS`.

    Raises:
        UserError: for a name that is neither, or a set whose files are missing or at fault.
    """
    if name == "digits":
        return load_digits()
    if name in SOURCES:
        return load_named(SOURCES[name], root, progress)
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise UserError(unknown(name))
    return load_folder(folder, input, progress, framing)


def unknown(name: str) -> str:
    """Returns the sentence on a text that names neither a data set nor a folder."""
    near = difflib.get_close_matches(name.lower(), names(), n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return (
        f"the data set was given as {name!r}; expected one of {', '.join(names())}, or a folder "
        f"with train/CLASS/*.png and test/CLASS/*.png in it{meant}"
    )


def labels_of(given: str | Sequence[str] | None, count: int) -> Labels:
    """Returns the labels that are meant, `count` of them.

    Args:
        given: a data set's name, a folder `root/{train,test}/<class>/*`, label texts, as one text
            with commas or several; None for `0`, `1`, ... on images of 28x28.
        count: how many classes the network has.

    Raises:
        UserError: for a text that is none of these, another number of labels, or one twice.

    >>> labels_of("cat,dog", 2).classes
    ('cat', 'dog')
    """
    found = _named(given, count)
    if len(found.classes) != count:
        raise UserError(
            f"classes was given as {given!r}, {len(found.classes)} labels; the network has {count}"
        )
    if len(set(found.classes)) != count:
        raise UserError(f"classes was given as {given!r}, with a label twice; each needs its own")
    return found


def _named(given: str | Sequence[str] | None, count: int) -> Labels:
    if given is None:
        return Labels(tuple(map(str, range(count))), 28, "fit")
    if not isinstance(given, str):
        return Labels(tuple(given), None, "fit")
    if given in SOURCES:
        return Labels(SOURCES[given].classes, 28, SOURCES[given].framing)
    if given == "digits":
        return Labels(CLASSES, 28, "digit")
    if Path(given).expanduser().is_dir():
        return Labels(listing(Path(given).expanduser()).classes, None, "fit")
    if "," in given:
        return Labels(tuple(text.strip() for text in given.split(",")), None, "fit")
    raise UserError(
        f"classes was given as {given!r}; expected labels such as a,b,c, a folder of images, or "
        f"one of {', '.join(names())}"
    )


def load_named(
    source: Source, root: str | Path | None = None, progress: Progress | None = None
) -> Dataset:
    """Returns a data set of IDX files, downloaded first if no data root has it.

    Args:
        source: what it is.
        root: a data root, looked at before `$HOLMDEL_DATA` and the user's cache.
        progress: called while files are downloaded.

    Raises:
        UserError: if its files cannot be had, or are at fault.
    """
    place = roots.find(source, root) or roots.fetch(source, root, progress=progress)
    paths = [path for path in source.paths(place) if path]
    train, test = (_split(paths[i], paths[i + 1], source) for i in (0, 2))
    return Dataset(source.name, source.classes, train, test, source.framing)


def _split(images: Path, labels: Path, source: Source) -> Split:
    values, classed = idx.read_pair(images, labels, len(source.classes))
    if values.shape[1:] != (28, 28):
        raise UserError(
            f"{images} holds images of {values.shape[1]}x{values.shape[2]}; {source.title} "
            "has 28x28; give another data root, or the images as a folder"
        )
    return Split(torch.from_numpy(values).unsqueeze(1), torch.from_numpy(classed).to(torch.int64))
