"""Where training strings come from: the digit files of a data root, and streams made of them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from holmdel.data import idx, roots
from holmdel.data.sources import SOURCES
from holmdel.errors import UserError
from holmdel.reader_training.synthesis.maker import StringMaker, StringSample
from holmdel.reader_training.synthesis.writers import Specimens

if TYPE_CHECKING:
    from holmdel.data.download import Progress

_WRITERS = {  # of QMNIST, whose first labels are those of MNIST, in its order
    "train": Path("qmnist") / "qmnist-train-labels-idx2-int.gz",
    "test": Path("qmnist") / "qmnist-test-labels-idx2-int.gz",
}
_LABEL, _WRITER = 0, 2  # columns of QMNIST's labels


@dataclass(frozen=True)
class DigitFiles:
    """The files of handwritten digits that strings are composed from.

    Attributes:
        images: an IDX file, N of 28x28.
        labels: an IDX file, N digits.
        writers: QMNIST's labels, of N digits or more, in the same order; None where not there.
    """

    images: Path
    labels: Path
    writers: Path | None = None

    def specimens(self) -> Specimens:
        """Returns the digits; they are read once in a process.

        Raises:
            UserError: if a file cannot be used, or the writers are those of other digits.
        """
        return _specimens(self)


@dataclass(frozen=True)
class StringSource:
    """Streams of strings, each the same whenever and wherever it is made; can be pickled.

    Attributes:
        digits: what the strings are composed from.
        seed: of all streams.
        unseen: whether the fonts' hands are those that no training line is written by.
    """

    digits: DigitFiles
    seed: int = 0
    unseen: bool = False

    def __call__(self, stream: int) -> Iterator[StringSample]:
        """Gives the strings of a stream, without end.

        Args:
            stream: a number from 0; other numbers give other strings.
        """
        maker = StringMaker(self.digits.specimens(), self._seed(stream), unseen=self.unseen)
        while True:
            yield maker.sample()

    def reseeded(self, name: str) -> "StringSource":
        """Returns a source of other strings, the same ones for the same name."""
        return replace(self, seed=_number(f"{self.seed} {name}"))

    def _seed(self, stream: int) -> int:
        return _number(f"{self.seed} stream {stream}")


def find_digits(
    root: str | Path | None = None, progress: "Progress | None" = None
) -> tuple[DigitFiles, DigitFiles]:
    """Returns the files for training strings and those for test strings.

    They are MNIST's, with QMNIST's writers where the same data root has them.

    Args:
        root: the data root; None for `$HOLMDEL_DATA` or the user's cache.
        progress: called while MNIST is downloaded.

    Raises:
        UserError: if no data root has MNIST, and it cannot be downloaded.
    """
    images, labels, test_images, test_labels = roots.obtain(SOURCES["mnist"], root, progress)
    place = images.parents[2]
    return (
        DigitFiles(images, labels, _writers("train", place)),
        DigitFiles(test_images, test_labels, _writers("test", place)),
    )


def _writers(split: str, place: Path) -> Path | None:
    path = place / _WRITERS[split]
    return path if path.is_file() else None


@lru_cache(maxsize=2)
def _specimens(digits: DigitFiles) -> Specimens:
    images, labels = idx.read_pair(digits.images, digits.labels, 10)
    if digits.writers is None:
        return Specimens(images, labels)
    return Specimens(images, labels, _writers_of(digits.writers, labels))


def _writers_of(path: Path, labels: NDArray[np.uint8]) -> NDArray[np.integer]:
    """Returns who wrote each digit; the file must say the same of the digits themselves."""
    rows = idx.read(path)
    if rows.ndim != 2 or rows.shape[1] <= _WRITER or len(rows) < len(labels):
        raise UserError(
            f"{path} holds {'x'.join(map(str, rows.shape))} numbers; expected QMNIST's labels, "
            f"{len(labels)} rows of 8"
        )
    if (wrong := np.flatnonzero(rows[: len(labels), _LABEL] != labels)).size:
        raise UserError(
            f"{path} says that digit {wrong[0]} is {rows[wrong[0], _LABEL]}, where MNIST says "
            f"{labels[wrong[0]]}; expected QMNIST's labels in MNIST's order; fetch the file again "
            "or take it away, and strings are made without writers"
        )
    writers: NDArray[np.integer] = rows[: len(labels), _WRITER]
    return writers


def _number(name: str) -> int:
    """Returns a number from 0 that a name always gives."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big")
