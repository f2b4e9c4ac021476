"""Data sets in memory, and how batches are drawn from them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
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
        """Returns `limit` of the examples, each class in its share, the same every time.

        They stay in their order. All of them for None.
        """
        if limit is None or limit >= len(self):
            return self
        return self.rows(rows_of_each(self.labels, _shares(self.labels.bincount(), limit)))

    def rows(self, rows: Tensor) -> "Split":
        """Returns the examples at rows (M,), or where a bool (N,) is true."""
        return Split(self.images[rows], self.labels[rows])

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
        origin: where the images came from: a folder, a file.
        notes: sentences on what the user should know of them.
    """

    name: str
    classes: tuple[str, ...]
    train: Split
    test: Split
    framing: str
    origin: str = ""
    notes: tuple[str, ...] = ()

    @property
    def provenance(self) -> str:
        """A line on how many images came from where."""
        origin = f" from {self.origin}" if self.origin else ""
        return f"{self.name}: {len(self.train):,} + {len(self.test):,} images{origin}"


Transform = Callable[[Tensor], Tensor]


class Batches:
    """Batches in the split's order: (float images (N, C, H, W), labels (N,)), as often as asked.

    Args:
        split: images and labels, on the device where the batches are wanted.
        transform: from uint8 images (N, C, H, W) to the network's input.
        batch_size: N; the last batch may be smaller.
    """

    def __init__(self, split: Split, transform: Transform, batch_size: int) -> None:
        self.split = split
        self.transform = transform
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.split) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for first in range(0, len(self.split), self.batch_size):
            part = slice(first, first + self.batch_size)
            yield self.transform(self.split.images[part]), self.split.labels[part]


def permutation(count: int, seed: int, epoch: int) -> Tensor:
    """Returns the order of the examples in one epoch: a permutation (count,) of int64.

    It depends on its arguments alone, so any epoch of any run can be drawn again.
    """
    generator = torch.Generator().manual_seed(batch_seed(seed, epoch, 0))
    return torch.randperm(count, generator=generator)


def balanced(labels: Tensor, seed: int, epoch: int) -> Tensor:
    """Returns rows (N,) of int64 in which each class comes as often as the next, but for one.

    Rare examples come several times, of frequent ones other epochs show others. It depends on its
    arguments alone.

    Args:
        labels: int64 (N,).
        seed: of the training.
        epoch: counted from 0.
    """
    order = permutation(len(labels), seed, epoch)
    groups = [order[labels[order] == label] for label in labels.unique()]  # type: ignore[no-untyped-call]
    each, more = divmod(len(labels), len(groups))
    drawn = []
    for number, group in enumerate(groups):
        count = each + (number < more)
        drawn.append(group.repeat(-(-count // len(group)))[:count])
    return torch.cat(drawn)[order]


def batch_seed(seed: int, epoch: int, batch: int) -> int:
    """Returns the seed, 0..2^63-1, of the random numbers of one batch (augmentation, dropout).

    A mixing of its arguments (Vigna, "SplitMix64"), so that neighbouring batches are unrelated.
    """
    x = 0
    for part in (seed, epoch, batch):
        x = (x + part + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        x ^= x >> 31
    return x >> 1


def hold_out(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Returns (the rest, the part held out), a seeded draw of `fraction` of the examples."""
    order = torch.randperm(len(split), generator=torch.Generator().manual_seed(seed))
    held = round(len(split) * fraction)
    parts = order[held:].sort().values, order[:held].sort().values
    rest, out = (split.rows(part) for part in parts)
    return rest, out


def rows_of_each(labels: Tensor, counts: Tensor, seed: int = 0) -> Tensor:
    """Returns the rows of so many examples of each class, drawn by a seed, in ascending order.

    Args:
        labels: int64 (N,).
        counts: int64 (classes,), how many of each; no more than there are.
        seed: another one draws others.
    """
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))
    drawn = [order[labels[order] == label][:count] for label, count in enumerate(counts.tolist())]
    return torch.cat([*drawn, order[:0]]).sort().values


def _shares(sizes: Tensor, count: int) -> Tensor:
    """Returns how many of `count` examples each class gets: its share, and one where that goes.

    The largest remainders are rounded up.
    """
    exact = sizes * (count / int(sizes.sum()))
    shares = exact.long()
    if count >= int((sizes > 0).sum()):
        shares = shares.maximum((sizes > 0).long())
    while (left := count - int(shares.sum())) != 0:
        step = 1 if left > 0 else -1
        gap = (exact - shares) * step
        gap[(shares >= sizes) if left > 0 else (shares <= 1)] = -torch.inf
        shares[gap.argmax()] += step
    return shares
