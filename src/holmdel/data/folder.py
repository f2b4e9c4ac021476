"""Any folder of pictures, `folder/{train,test}/<class>/*.png`, as a data set."""

import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from holmdel import images
from holmdel.data import folder_cache
from holmdel.data.dataset import Dataset, Split
from holmdel.data.download import Progress
from holmdel.errors import UserError

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
WORKERS = min(4, os.cpu_count() or 1)  # threads; Pillow decodes outside the interpreter lock
AHEAD = 1024  # pictures asked for at a time, so that a fault is told early


@dataclass(frozen=True)
class Listing:
    """What lies in a folder of pictures.

    Attributes:
        classes: the class folders' names, sorted as text.
        splits: for `train` and `test`, each picture with its label, in the order of the paths.
    """

    classes: tuple[str, ...]
    splits: tuple[list[tuple[Path, int]], list[tuple[Path, int]]]

    @property
    def paths(self) -> list[Path]:
        """Returns the pictures' paths, the training ones first."""
        return [path for path, _ in itertools.chain(*self.splits)]


def load_folder(
    folder: str | Path,
    input: tuple[int, int, int] | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Returns the pictures of a folder as a data set of the size `input`, whole in memory.

    Decoded pictures are kept in one file in the user's cache; they are decoded again where a
    picture has come, gone or changed.

    Args:
        folder: has `train/CLASS/*.png` and `test/CLASS/*.png` in it; also JPEG, BMP, TIFF, WebP.
        input: (C, H, W) each picture is brought to; (1, 28, 28) for None.
        progress: called with what is done, the pictures decoded, and the pictures in all.

    Raises:
        UserError: if a split, a class or the pictures are missing, if the classes of the splits
            differ, or for a file that is not a picture.
    """
    root, size = Path(folder).expanduser(), input or (1, 28, 28)
    listed = listing(root)
    cache = folder_cache.FolderCache(root, size, listed.paths)
    stored = cache.read()
    if stored is None:
        contract = images.ImageContract(stored=size, input=size, framing="fit")
        stored = _decoded(listed.paths, contract, progress)
        cache.write(stored)
    labels = torch.tensor([label for split in listed.splits for _, label in split])
    first = len(listed.splits[0])
    train, test = Split(stored[:first], labels[:first]), Split(stored[first:], labels[first:])
    return Dataset(str(folder), listed.classes, train, test, framing="fit")


def listing(folder: Path) -> Listing:
    """Returns the classes and pictures of a folder `folder/{train,test}/<class>/*.png`.

    Hidden files, other endings and what lies deeper are passed over; links are followed.

    Raises:
        UserError: if a split, a class or pictures are missing, or the splits' classes differ.
    """
    train, test = (_classes(folder, split) for split in ("train", "test"))
    _expect_same(folder, train, test)
    if len(train) < 2:
        raise UserError(
            f"{folder}/train has one class, {train[0]!r}; expected two or more; make a folder for "
            "each class"
        )
    first, second = (_pictures(folder / split, train) for split in ("train", "test"))
    return Listing(tuple(train), (first, second))


def _classes(folder: Path, split: str) -> list[str]:
    place = folder / split
    if not place.is_dir():
        raise UserError(
            f"{folder} has no folder {split!r}; expected {split}/CLASS/*.png in it; put about a "
            "fifth of each class's pictures into test and the rest into train"
        )
    classes = sorted(entry.name for entry in _visible(place) if entry.is_dir())
    if not classes:
        raise UserError(
            f"{place} has no class folders in it; expected {split}/CLASS/*.png, a folder for each "
            "class"
        )
    return classes


def _expect_same(folder: Path, train: list[str], test: list[str]) -> None:
    for one, other, split in ((train, test, "test"), (test, train, "train")):
        lacking = [name for name in one if name not in other]
        if lacking:
            raise UserError(
                f"{folder}/{split} lacks the classes {', '.join(lacking)}; expected the same "
                "classes in train and test"
            )


def _pictures(place: Path, classes: list[str]) -> list[tuple[Path, int]]:
    pairs = []
    for label, name in enumerate(classes):
        found = sorted(
            entry
            for entry in _visible(place / name)
            if entry.suffix.lower() in ENDINGS and entry.is_file()
        )
        if not found:
            raise UserError(
                f"{place / name} has no pictures in it; expected files ending in "
                f"{', '.join(ENDINGS)}; add some, or remove the folder from train and test"
            )
        pairs += [(path, label) for path in found]
    return pairs


def _visible(place: Path) -> Iterator[Path]:
    try:
        entries = list(place.iterdir())
    except OSError as error:
        raise UserError(f"{place} cannot be read ({error.strerror}); expected a folder") from None
    return (entry for entry in entries if not entry.name.startswith("."))


def _decoded(
    paths: list[Path], contract: images.ImageContract, progress: Progress | None
) -> Tensor:
    """Returns the pictures, uint8 (N, C, H, W), decoded by several threads."""
    pictures = torch.empty((len(paths), *contract.stored), dtype=torch.uint8)

    def one(index: int) -> None:
        pixels = images.decode(paths[index], contract.stored[0])
        pictures[index] = images.frame(pixels, contract)

    with ThreadPoolExecutor(WORKERS) as pool:
        for start in range(0, len(paths), AHEAD):
            some = range(start, min(start + AHEAD, len(paths)))
            for index, _ in zip(some, pool.map(one, some), strict=True):
                if progress:
                    progress("decoding", index + 1, len(paths))
    return pictures
