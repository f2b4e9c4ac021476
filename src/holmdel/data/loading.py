"""A data set by its name or its folder."""

from collections.abc import Callable
from pathlib import Path

import torch

from holmdel.data import idx, sources
from holmdel.data.dataset import Dataset, Split
from holmdel.data.digits import load_digits
from holmdel.errors import UserError

Progress = Callable[[str, int, int], None]
"""Called with what is going on, how much of it is done, and how much there is (0: not known)."""


def names() -> list[str]:
    """Returns the names `load` knows."""
    return [*sources.SOURCES, "digits"]


def load(
    name: str,
    root: str | Path | None = None,
    input: tuple[int, int, int] | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Returns a data set, whole in memory.

    Args:
        name: one of `names()`, or a folder `root/{train,test}/<class>/*.png`.
        root: a data root, looked at before `$HOLMDEL_DATA` and the user's cache.
        input: (C, H, W) a folder's pictures are brought to, (1, 28, 28) for None; the named sets
            have their own, 1x28x28, and do not look at it.
        progress: called while pictures are downloaded or decoded.

    Raises:
        UserError: for a name that is neither, or a set whose files are missing or at fault.
    """
    if name == "digits":
        return load_digits()
    if name not in sources.SOURCES:
        raise UserError(f"the data set was given as {name!r}; expected {', '.join(names())}")
    source = sources.SOURCES[name]
    place = sources.find(source, root)
    if place is None:
        raise UserError(f"{source.title} was not found")
    paths = [path for path in source.paths(place) if path]
    train, test = (_split(paths[i], paths[i + 1], source) for i in (0, 2))
    return Dataset(source.name, source.classes, train, test, source.framing)


def _split(images: Path, labels: Path, source: sources.Source) -> Split:
    pictures, classed = idx.read_pair(images, labels, len(source.classes))
    if pictures.shape[1:] != (28, 28):
        raise UserError(
            f"{images} holds pictures of {pictures.shape[1]}x{pictures.shape[2]}; {source.title} "
            "has 28x28; give another data root, or the pictures as a folder"
        )
    return Split(torch.from_numpy(pictures).unsqueeze(1), torch.from_numpy(classed).to(torch.int64))
