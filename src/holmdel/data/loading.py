"""A data set by its name or its folder."""

import difflib
from pathlib import Path

import torch

from holmdel.data import idx, roots
from holmdel.data.dataset import Dataset, Split
from holmdel.data.digits import load_digits
from holmdel.data.download import Progress
from holmdel.data.folder import load_folder
from holmdel.data.sources import SOURCES, Source
from holmdel.errors import UserError


def names() -> list[str]:
    """Returns the names `load` knows."""
    return [*SOURCES, "digits"]


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
    if name in SOURCES:
        return load_named(SOURCES[name], root, progress)
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise UserError(unknown(name))
    return load_folder(folder, input, progress)


def unknown(name: str) -> str:
    """Returns the sentence on a text that names neither a data set nor a folder."""
    near = difflib.get_close_matches(name.lower(), names(), n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return (
        f"the data set was given as {name!r}; expected one of {', '.join(names())}, or a folder "
        f"with train/CLASS/*.png and test/CLASS/*.png in it{meant}"
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
    pictures, classed = idx.read_pair(images, labels, len(source.classes))
    if pictures.shape[1:] != (28, 28):
        raise UserError(
            f"{images} holds pictures of {pictures.shape[1]}x{pictures.shape[2]}; {source.title} "
            "has 28x28; give another data root, or the pictures as a folder"
        )
    return Split(torch.from_numpy(pictures).unsqueeze(1), torch.from_numpy(classed).to(torch.int64))
