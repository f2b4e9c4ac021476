"""Examples as they are found, before their images are decoded: what every kind of source gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holmdel.data.download import Progress
from holmdel.images.decoding import ImageLike

TEST = 0.2  # of each class, put aside where there is no test part
Size = tuple[int, int, int]


@dataclass(frozen=True)
class Examples:
    """Images with their labels, not yet decoded.

    Attributes:
        classes: the label texts.
        images: each a path, the bytes of a file, or an array; the training ones first.
        labels: an index into `classes` for each.
        first_test: how many are for training; None where there is no test part.
        origin: the folder or file they are from.
        notes: sentences on what the user should know.
    """

    classes: tuple[str, ...]
    images: Sequence[ImageLike]
    labels: Sequence[int]
    first_test: int | None
    origin: str
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """The images that are files, all of them or none."""
        return [image for image in self.images if isinstance(image, Path)]


@dataclass(frozen=True)
class Wanted:
    """How examples become a data set.

    Attributes:
        size: (C, H, W) each image is brought to.
        framing: how; one of `images.FRAMINGS`, or `auto` to see from the images.
        test: the fraction of each class that is put aside where there is no test part; 1 for all.
        skip_broken: leave out images that cannot be decoded.
        progress: called with what is done, the images decoded, and the images in all.
    """

    size: Size = (1, 28, 28)
    framing: str = "fit"
    test: float = TEST
    skip_broken: bool = False
    progress: Progress | None = None
