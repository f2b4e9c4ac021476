"""Any folder of images, `folder/{train,test}/<class>/*.png`, as a data set."""

import hashlib
import itertools
import os
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from holmdel.data.dataset import Dataset, Split
from holmdel.data.download import Progress
from holmdel.data.roots import Verdict, user_cache
from holmdel.errors import UserError
from holmdel.images.contract import ImageContract
from holmdel.images.decoding import decode
from holmdel.images.formats import ENDINGS, OF_PAGES, passed_over
from holmdel.images.framing import frame
from holmdel.images.pages import locate, pages

WORKERS = min(4, os.cpu_count() or 1)  # threads; Pillow decodes outside the interpreter lock
AHEAD = 1024  # images asked for at a time, so that a fault is told early


@dataclass(frozen=True)
class Listing:
    """What lies in a folder of images.

    Attributes:
        classes: the class folders' names, sorted as text.
        splits: for `train` and `test`, each image with its label, in the order of the paths.
    """

    classes: tuple[str, ...]
    splits: tuple[list[tuple[Path, int]], list[tuple[Path, int]]]

    @property
    def paths(self) -> list[Path]:
        """Returns the images' paths, the training ones first."""
        return [path for path, _ in itertools.chain(*self.splits)]


def load_folder(
    folder: str | Path,
    input: tuple[int, int, int] | None = None,
    progress: Progress | None = None,
    framing: str = "fit",
) -> Dataset:
    """Returns the images of a folder as a data set of the size `input`, whole in memory.

    Decoded images are kept in one file in the user's cache; they are decoded again where a
    image has come, gone or changed.

    Args:
        folder: has `train/CLASS/*.png` and `test/CLASS/*.png` in it, or any other of
            `images.ENDINGS`; each page of a file is an image.
        input: (C, H, W) each image is brought to; (1, 28, 28) for None.
        progress: called with what is done, the images decoded, and the images in all.
        framing: how an image is brought to that size, one of `images.FRAMINGS`: as a network that
            is to be evaluated takes images from anywhere, or `fit`, to train one.

    Raises:
        UserError: if a split, a class or the images are missing, if the classes of the splits
            differ, or for a file that is not an image.
    """
    root, size = Path(folder).expanduser(), input or (1, 28, 28)
    listed = listing(root)
    contract = ImageContract(stored=size, input=size, framing=framing)
    cache = _Cache(root, contract, listed.paths)
    stored = cache.read()
    if stored is None:
        stored = _decoded(listed.paths, contract, progress)
        cache.write(stored)
    labels = torch.tensor([label for split in listed.splits for _, label in split])
    first = len(listed.splits[0])
    train, test = Split(stored[:first], labels[:first]), Split(stored[first:], labels[first:])
    return Dataset(str(folder), listed.classes, train, test, framing=framing)


def listing(folder: Path) -> Listing:
    """Returns the classes and images of a folder `folder/{train,test}/<class>/*.png`.

    Hidden files, other endings and what lies deeper are passed over; links are followed.

    Raises:
        UserError: if a split, a class or images are missing, or the splits' classes differ.
    """
    train, test = (_classes(folder, split) for split in ("train", "test"))
    _expect_same(folder, train, test)
    if len(train) < 2:
        raise UserError(
            f"{folder}/train has one class, {train[0]!r}; expected two or more; make a folder for "
            "each class"
        )
    first, second = (_images(folder / split, train) for split in ("train", "test"))
    return Listing(tuple(train), (first, second))


def others(folder: Path) -> str | None:
    """Returns the line on files in class folders that are passed over for their endings, if any."""
    names = [
        entry
        for split in ("train", "test")
        for place in sorted((folder / split).glob("*"))
        if place.is_dir() and not place.name.startswith(".")
        for entry in _visible(place)
        if entry.is_file() and entry.suffix.lower() not in ENDINGS
    ]
    return passed_over(names)


def verify_folder(folder: Path) -> list[Verdict]:
    """Returns a verdict on each image of a folder `folder/{train,test}/<class>/*.png`.

    Raises:
        UserError: if the folder's layout is at fault, as `load_folder`.
    """
    return [_verdict(path) for split in listing(folder).splits for path, _ in split]


def _verdict(path: Path) -> Verdict:
    try:
        height, width, _ = decode(path, 1).shape
    except UserError as error:
        return Verdict(path, False, str(error))
    return Verdict(path, True, f"an image of {height}x{width}")


def _classes(folder: Path, split: str) -> list[str]:
    place = folder / split
    if not place.is_dir():
        raise UserError(
            f"{folder} has no folder {split!r}; expected {split}/CLASS/*.png in it; put about a "
            "fifth of each class's images into test and the rest into train"
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


def _images(place: Path, classes: list[str]) -> list[tuple[Path, int]]:
    pairs = []
    for label, name in enumerate(classes):
        found = sorted(
            entry
            for entry in _visible(place / name)
            if entry.suffix.lower() in ENDINGS and entry.is_file()
        )
        if not found:
            raise UserError(
                f"{place / name} has no images in it; expected files ending in "
                f"{', '.join(ENDINGS)}; add some, or remove the folder from train and test"
            )
        pairs += [(page, label) for path in found for page in _pages(path)]
    return pairs


def _pages(path: Path) -> list[Path]:
    """Returns the pages of an image file, most of which have one."""
    if path.suffix.lower() not in OF_PAGES:
        return [path]
    return [Path(str(page)) for page in pages(path)]


def _visible(place: Path) -> Iterator[Path]:
    try:
        entries = list(place.iterdir())
    except OSError as error:
        raise UserError(f"{place} cannot be read ({error.strerror}); expected a folder") from None
    return (entry for entry in entries if not entry.name.startswith("."))


def _decoded(paths: list[Path], contract: ImageContract, progress: Progress | None) -> Tensor:
    """Returns the images, uint8 (N, C, H, W), decoded by several threads."""
    images = torch.empty((len(paths), *contract.stored), dtype=torch.uint8)

    def one(index: int) -> None:
        pixels = decode(paths[index], contract.stored[0])
        images[index] = frame(pixels, contract)

    with ThreadPoolExecutor(WORKERS) as pool:
        for start in range(0, len(paths), AHEAD):
            some = range(start, min(start + AHEAD, len(paths)))
            for index, _ in zip(some, pool.map(one, some), strict=True):
                if progress:
                    progress("decoding", index + 1, len(paths))
    return images


class _Cache:
    """The place of one folder's decoded images in one form.

    The file's name stands for folder and form, so a folder that changed takes its old place; the
    fingerprint in it for the files (name, size, time of change) and for this version.

    Args:
        folder: the folder of images.
        contract: the decoded images' size, and how they were brought to it.
        paths: the images, in the order in which they are kept.
    """

    def __init__(self, folder: Path, contract: ImageContract, paths: Sequence[Path]) -> None:
        form = str(folder.resolve()), contract.stored, contract.framing
        place = hashlib.sha256(repr(form).encode()).hexdigest()
        self.path = user_cache() / "folders" / f"{place[:24]}.safetensors"
        self.shape = (len(paths), *contract.stored)
        self.fingerprint = _fingerprint(folder, paths)

    def read(self) -> Tensor | None:
        """Returns the images, uint8 (N, C, H, W); None if they are not there, old or damaged."""
        try:
            with safetensors.safe_open(self.path, framework="pt") as file:
                header = file.metadata() or {}
                if header.get("fingerprint") != self.fingerprint:
                    return None
                images: Tensor = file.get_tensor("images")
        except (OSError, safetensors.SafetensorError):
            return None
        if tuple(images.shape) != self.shape or header.get("crc32") != _checksum(images):
            return None
        return images

    def write(self, images: Tensor) -> None:
        """Keeps the images, uint8 (N, C, H, W), in one move; none if the disk does not let it."""
        part = self.path.with_suffix(f".{os.getpid()}.part")
        header = {"fingerprint": self.fingerprint, "crc32": _checksum(images)}
        with suppress(OSError, safetensors.SafetensorError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            safetensors.torch.save_file({"images": images}, part, header)
            part.replace(self.path)
        with suppress(OSError):
            part.unlink()


def _fingerprint(folder: Path, paths: Sequence[Path]) -> str:
    digest = hashlib.sha256(metadata.version("holmdel").encode())
    for path in paths:
        found = Path(str(locate(path).file)).stat()
        digest.update(
            repr((str(path.relative_to(folder)), found.st_size, found.st_mtime_ns)).encode()
        )
    return digest.hexdigest()


def _checksum(images: Tensor) -> str:
    return f"{zlib.crc32(images.numpy().data):08x}"
