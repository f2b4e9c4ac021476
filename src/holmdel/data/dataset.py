"""A data set in memory: a training and a test split."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Split:
    """Images and their labels.

    Attributes:
        images: uint8 (N, C, H, W), 0 background to 255 ink.
        labels: int64 (N,), each in 0..classes-1.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, limit: int | None) -> "Split":
        """Returns the first `limit` examples, or all of them for None."""
        return self if limit is None else Split(self.images[:limit], self.labels[:limit])

    def to(self, device: str) -> "Split":
        """Returns the split with its tensors on `device`."""
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Dataset:
    """A training and a test split over the same classes.

    Attributes:
        name: the data set's name, or the folder's path.
        classes: the label texts; a label is an index into them.
        train: what is trained on.
        test: what is looked at for the figures reported.
        framing: how a foreign image is brought into this form; one of `images.FRAMINGS`.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    framing: str
