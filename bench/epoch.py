"""The wall time of an epoch of LeNet: Holmdel against the book's loop.

The book's loop is re-created with what it uses: a `Dataset` that makes a PIL picture and a tensor
of every example each time it is asked (as torchvision's FashionMNIST with ToTensor does), a
`DataLoader` with the book's four workers and batch size 256, and the body of `train_ch6`, its
accuracy on the test set included. Both run in turns on the same data.

    python bench/epoch.py [--rounds 3] [--workers 4] [--record]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

import holmdel
from holmdel.data import Split, load
from holmdel.training import Epoch, Silent
from holmdel.training.optimise import draw_weights
from record import record


class Pictures(TorchDataset[tuple[Tensor, int]]):
    """What torchvision's FashionMNIST(transform=ToTensor()) does for an example."""

    def __init__(self, split: Split) -> None:
        self.images, self.labels = split.images[:, 0], split.labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.images[index].numpy())
        pixels = torch.from_numpy(np.array(picture, np.uint8, copy=True))
        tensor = pixels.view(28, 28, 1).permute(2, 0, 1).contiguous()
        return tensor.to(torch.float32).div(255), int(self.labels[index])


def book(train: DataLoader, test: DataLoader, network: nn.Module) -> float:
    """Returns the seconds of one epoch of the book's `train_ch6`."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.9)
    loss = nn.CrossEntropyLoss()
    metric = [0.0, 0.0, 0.0]
    began = time.perf_counter()
    network.train()
    for pictures, labels in train:
        optimizer.zero_grad()
        logits = network(pictures)
        value = loss(logits, labels)
        value.backward()
        optimizer.step()
        with torch.no_grad():
            metric[0] += float(value * len(pictures))
            metric[1] += float((logits.argmax(1) == labels).sum())
            metric[2] += len(pictures)
    network.eval()
    with torch.no_grad():
        for pictures, labels in test:
            (network(pictures).argmax(1) == labels).sum()
    return time.perf_counter() - began


class _Last(Silent):
    seconds = 0.0

    def epoch(self, history: list[Epoch]) -> None:
        self.seconds = history[-1].seconds


def ours() -> float:
    """Returns the seconds of one epoch of `holmdel.train`, its test included."""
    with tempfile.TemporaryDirectory() as folder:
        reporter = _Last()
        holmdel.train("lenet", out=Path(folder) / "run", epochs=1, reporter=reporter)
        return reporter.seconds


def main() -> None:
    """Prints and, if asked, records the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--record", action="store_true")
    words = parser.parse_args()
    dataset = load("fashion-mnist")
    loaders = [
        DataLoader(Pictures(part), 256, shuffle=part is dataset.train, num_workers=words.workers)
        for part in (dataset.train, dataset.test)
    ]
    network = holmdel.build("lenet")
    draw_weights(network, "xavier")
    ours()
    pairs = [(book(*loaders, network), ours()) for _ in range(words.rounds)]
    ratio = statistics.median(mine / theirs for theirs, mine in pairs)
    seconds = [round(statistics.median(column), 2) for column in zip(*pairs, strict=True)]
    print(f"an epoch takes {ratio:.2f} of the book's: {seconds[1]} s against {seconds[0]} s")
    if words.record:
        figures = {"ratio": round(ratio, 3), "book_seconds": seconds[0], "seconds": seconds[1]}
        record("epoch", figures | {"workers": words.workers, "rounds": words.rounds})


if __name__ == "__main__":
    main()
