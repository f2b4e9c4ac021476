"""The time to go through Fashion-MNIST once: `holmdel.d2l`'s loaders against the book's.

The book's are re-created with what they use: a `Dataset` that makes a PIL picture of every example
each time it is asked, enlarges it and makes it a tensor (as torchvision's FashionMNIST with Resize
and ToTensor does), in a `DataLoader` with the book's four workers, and without workers. All go
through the same pictures in turns: the 60,000 at 28x28, the first `--limit` of them at 96x96.

    python bench/loaders.py [--rounds 3] [--limit 20000] [--record]
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Iterable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from holmdel.d2l.fashion_mnist import Images, Loader
from holmdel.data import Split, load
from record import record

WORKERS = (4, 0)
SIZES = {28: 256, 96: 128}  # side, and the batch size that the book uses with it


class BookPictures(TorchDataset[tuple[Tensor, int]]):
    """What torchvision's FashionMNIST with Resize and ToTensor does for an example."""

    def __init__(self, split: Split, side: int) -> None:
        self.images, self.labels, self.side = split.images[:, 0], split.labels, side

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.images[index].numpy())
        if picture.size != (self.side, self.side):
            picture = picture.resize((self.side, self.side), Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(picture, np.uint8, copy=True))
        tensor = pixels.view(self.side, self.side, 1).permute(2, 0, 1).contiguous()
        return tensor.to(torch.float32).div(255), int(self.labels[index])


def seconds(loader: Iterable[object]) -> float:
    """Returns how long it takes to go through a loader."""
    began = time.perf_counter()
    for _ in loader:
        pass
    return time.perf_counter() - began


def compare(split: Split, side: int, rounds: int) -> dict[str, float]:
    """Returns the seconds of our loader, and each of the book's as a multiple of it: medians."""
    batch_size = SIZES[side]
    ours = Loader(Images(split, (side, side)), batch_size, shuffle=True)
    theirs = [
        DataLoader(BookPictures(split, side), batch_size, shuffle=True, num_workers=workers)
        for workers in WORKERS
    ]
    seconds(ours)
    turns = [(seconds(ours), *map(seconds, theirs)) for _ in range(rounds)]
    found = {f"seconds_{side}": statistics.median(turn[0] for turn in turns)}
    for column, workers in enumerate(WORKERS, start=1):
        ratio = statistics.median(turn[column] / turn[0] for turn in turns)
        found[f"ratio_{side}_workers_{workers}"] = ratio
    return {name: round(value, 3) for name, value in found.items()}


def main() -> None:
    """Prints and, if asked, records the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int, default=20_000, help="pictures at 96x96")
    parser.add_argument("--record", action="store_true")
    words = parser.parse_args()
    warnings.filterwarnings("ignore", "This DataLoader will create")  # more workers than cores
    train = load("fashion-mnist").train
    found = compare(train, 28, words.rounds) | compare(train.take(words.limit), 96, words.rounds)
    sides = []
    for side in SIZES:
        ratios = [f"{found[f'ratio_{side}_workers_{n}']:.1f} ({n} workers)" for n in WORKERS]
        sides.append(f"{' and '.join(ratios)} times as long at {side}x{side}")
    print(f"the book's loaders take {', '.join(sides)}")
    if words.record:
        record("loaders", found | {"limit_96": words.limit, "rounds": words.rounds})


if __name__ == "__main__":
    main()
