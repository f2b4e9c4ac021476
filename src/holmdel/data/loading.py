"""Loads a data set by its name or folder, or its labels alone."""

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from holmdel.data import idx, roots
from holmdel.data.arrays import read_arrays, read_npz
from holmdel.data.assembly import assemble
from holmdel.data.dataset import Dataset, Split
from holmdel.data.digits import CLASSES, load_digits
from holmdel.data.download import Progress
from holmdel.data.examples import TEST, Examples, Wanted
from holmdel.data.folder import list_folder
from holmdel.data.parquet import read_parquet
from holmdel.data.sources import DIGITS, EMNIST, SIDE, SOURCES, Source
from holmdel.data.tables import read_table
from holmdel.data.unpacked import content
from holmdel.errors import UserError

_ENOUGH_ONES = 10


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
    name: Any,
    root: str | Path | None = None,
    input: tuple[int, int, int] | None = None,
    progress: Progress | None = None,
    framing: str = "fit",
    *,
    test: float = TEST,
    skip_broken: bool = False,
) -> Dataset:
    """Returns a data set, whole in memory.

    Args:
        name: one of `names()`; a folder of images, `folder/CLASS/*` or
            `folder/{train,test}/CLASS/*`; a `.csv`, `.npz` or `.parquet` file, or a folder of such
            or of IDX files; or arrays, `(images, labels)` or two such pairs (`arrays.read_arrays`).
        root: the data root that must have it, or the folder of its files; None for
            `$HOLMDEL_DATA`, the user's cache, or a download.
        input: (C, H, W) the images of a folder, a file or arrays are brought to, (1, 28, 28) for
            None; the named sets have their own, 1x28x28, and do not look at it.
        progress: called while images are downloaded or decoded.
        framing: how they are brought to that size; one of `images.FRAMINGS`, or `auto`.
        test: the fraction of each class that is put aside where there is no test part, the same
            images every time; 1 for all.
        skip_broken: leave out images that cannot be decoded.

    Raises:
        UserError: for a name that is neither, or a set whose files are missing or at fault.
    """
    wanted = Wanted(input or (1, 28, 28), framing, test, skip_broken, progress)
    if not isinstance(name, str | Path):
        return assemble("arrays", read_arrays(name), wanted)
    if name == "digits":
        return load_digits()
    if name in SOURCES:
        return load_named(SOURCES[str(name)], root, progress)
    path = Path(name).expanduser()
    if found := find_idx(str(name), root):
        return load_named(*found, progress)
    if not path.exists():
        raise UserError(unknown(str(name)))
    return assemble(str(name), read_examples(path), wanted)


def read_examples(path: Path) -> Examples:
    """Returns the examples of a file, or of a folder of class folders, tables or `.npz` files.

    Raises:
        UserError: if there are none, or it is at fault.
    """
    if path.is_file():
        return _read_file(path)
    try:
        return list_folder(path)
    except UserError:
        if parquet := sorted(path.rglob("*.parquet")):
            test = [file for file in parquet if file.name.startswith(("test", "valid"))]
            return read_parquet([file for file in parquet if file not in test], test)
        for pattern in ("*train*.csv", "*.csv", "*.npz"):
            if files := sorted(path.glob(pattern)):
                return _read_file(files[0])
        raise


def _read_file(path: Path) -> Examples:
    kind = path.suffix.lower()
    if kind == ".parquet":
        return read_parquet([path], [])
    if kind in (".csv", ".tsv"):
        return read_table(path)
    if kind == ".npz":
        return read_npz(path)
    raise UserError(
        f"the data set was given as the file {path}; expected a folder of images, or a .csv, .npz "
        "or .parquet file"
    )


def find_idx(name: str, root: str | Path | None = None) -> tuple[Source, str | Path | None] | None:
    """Returns the set of IDX files that `emnist` or a folder means, and its root; None for none.

    A folder of files that could be of several sets is told by the checksum of its labels, or has
    its numbers for classes.

    Raises:
        UserError: if `emnist` is nowhere, or the folder holds several sets.
    """
    folder = Path(name).expanduser()
    places = [root or folder] if folder.is_dir() else [root]
    if name == "emnist":
        for place in (*places, root):
            if found := next((one for one in EMNIST if roots.find(one, place)), None):
                return found, place
        parts = ", ".join(one.name for one in EMNIST)
        raise UserError(f"{roots.missing(EMNIST[0], root)}; 'emnist' means one of {parts}")
    if not folder.is_dir():
        return None
    held = {one.name: at for one in SOURCES.values() if (at := roots.find(one, folder))}
    if not held:
        return None
    if len({*held.values()}) > 1:
        raise UserError(
            f"{folder} holds {', '.join(held)}; say which: --data {next(iter(held))} --data-root "
            f"{folder}"
        )
    if len(held) == 1:
        return SOURCES[next(iter(held))], folder
    return _of_labels(folder, [path for path in SOURCES["mnist"].paths(held["mnist"]) if path])


def _of_labels(folder: Path, files: list[Path]) -> tuple[Source, Path]:
    """Returns the set whose official test labels these are, or one of numbered classes."""
    digest = hashlib.sha256(idx.content(files[3])).hexdigest()
    for source in SOURCES.values():
        if digest == source.files[3].sha256:
            return source, folder
    largest = max(int(idx.read_labels(files[at], 256).max(initial=1)) for at in (1, 3))
    classes = tuple(map(str, range(largest + 1)))
    plain = replace(SOURCES["mnist"], name=str(folder), title=str(folder), classes=classes)
    return replace(plain, framing="fit"), folder


def unknown(name: str) -> str:
    """Returns the sentence on a text that names neither a data set nor a folder nor a file."""
    path = Path(name).expanduser()
    if path.name != name or path.suffix:
        return (
            f"there is no file or folder {name}; expected a folder of images, folder/CLASS/*.png, "
            "a .csv, .npz or .parquet file, or a data set's name, such as fashion-mnist"
        )
    near = difflib.get_close_matches(name.lower(), names(), n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    return (
        f"the data set was given as {name!r}; expected one of {', '.join(names())}, or a folder "
        f"of images, folder/CLASS/*.png, or a .csv, .npz or .parquet file{meant}"
    )


def labels_of(given: str | Sequence[str] | None, count: int) -> Labels:
    """Returns the labels that are meant, `count` of them.

    Args:
        given: a data set's name, a folder of images, label texts, as one text
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
        return Labels(read_examples(Path(given).expanduser()).classes, None, "fit")
    if "," in given:
        return Labels(tuple(text.strip() for text in given.split(",")), None, "fit")
    raise UserError(
        f"classes was given as {given!r}; expected labels such as a,b,c, a folder of images, or "
        f"one of {', '.join(names())}"
    )


def load_named(
    source: Source, root: str | Path | None = None, progress: Progress | None = None
) -> Dataset:
    """Returns a data set of IDX files, downloaded first if no usual data root has it.

    Args:
        source: what it is.
        root: the data root, or the folder of the files; None for the usual roots.
        progress: called while files are downloaded.

    Raises:
        UserError: if its files cannot be had, are at fault, or are those of another set.
    """
    paths = roots.obtain(source, root, progress)
    _refuse_others(source, paths[3])
    train, test = (_split(paths[i], paths[i + 1], source) for i in (0, 2))
    data = Dataset(
        source.name, source.classes, train, test, source.framing, origin=str(paths[0].parent)
    )
    return _upright(data) if source.classes == DIGITS and not source.on_their_side else data


def _refuse_others(source: Source, labels: Path) -> None:
    """Raises a UserError for the official test labels of another set."""
    digest = hashlib.sha256(idx.content(labels)).hexdigest()
    for other in SOURCES.values():
        if digest == other.files[3].sha256 and other is not source:
            raise UserError(
                f"{labels.parent} holds {other.title}, not {source.title}; give --data "
                f"{other.name}, or another data root"
            )


def _split(images: Path, labels: Path, source: Source) -> Split:
    values, classed = idx.read_pair(
        images, labels, len(source.classes), source.first_label, content
    )
    if values.shape[1:] != (SIDE, SIDE):
        raise UserError(
            f"{images} holds images of {values.shape[1]}x{values.shape[2]}; {source.title} "
            "has 28x28; give another data root, or the images as a folder"
        )
    pixels = torch.from_numpy(values).unsqueeze(1)
    if source.on_their_side:
        pixels = pixels.transpose(2, 3).contiguous()
    return Split(pixels, torch.from_numpy(classed).to(torch.int64))


def _upright(data: Dataset) -> Dataset:
    """Returns digits upright, with a note where they lay on their side, as in files of EMNIST.

    Ones are higher than wide: in MNIST and QMNIST their ink spreads over 1.7 times as many rows
    as columns.
    """
    ones = data.train.images[data.train.labels == 1, 0].float()
    rows, columns = (float(_spread(ones.sum(dim=axis))) for axis in (2, 1))
    if len(ones) < _ENOUGH_ONES or columns < 1.2 * rows:
        return data
    parts = (
        Split(part.images.transpose(2, 3).contiguous(), part.labels)
        for part in (data.train, data.test)
    )
    train, test = parts
    note = f"the digits in {data.origin} lie on their side, as EMNIST's do, and were turned upright"
    return replace(data, train=train, test=test, notes=(*data.notes, note))


def _spread(profile: Tensor) -> Tensor:
    """Returns the mean standard deviation, in pixels, of profiles (N, L) of ink."""
    share = profile / profile.sum(dim=1, keepdim=True).clamp_min(1)
    at = torch.arange(profile.shape[1]).float()
    mean = (share * at).sum(dim=1, keepdim=True)
    return (share * (at - mean) ** 2).sum(dim=1).sqrt().mean()
