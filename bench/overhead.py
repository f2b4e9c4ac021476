"""What `holmdel.train` costs beyond a bare PyTorch loop over the same tensors.

Both train and test LeNet by the book's settings on Fashion-MNIST, ten epochs a turn, in turns. The
ratio is of wall times, everything included: progress, metrics, states, curves, model card.

    python bench/overhead.py [--rounds 3] [--limit N] [--record]
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F

import holmdel
from holmdel.cli.live import PlainReporter
from holmdel.data import Dataset, load
from holmdel.training.optimise import draw_weights
from record import record

EPOCHS = 10


def bare(dataset: Dataset, limit: int | None) -> float:
    """Returns the seconds of a loop with nothing in it but the training and the test."""
    torch.manual_seed(0)
    network = holmdel.build("lenet")
    draw_weights(network, "xavier")
    network = cast(Any, network).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.9)
    train, test = dataset.train.take(limit), dataset.test.take(limit)
    began = time.perf_counter()
    for _ in range(EPOCHS):
        network.train()
        for index in torch.split(torch.randperm(len(train)), 256):
            pictures, labels = train.images[index].float() / 255, train.labels[index]
            loss = F.cross_entropy(network(pictures), labels)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        network.eval()
        with torch.inference_mode():
            for pictures, labels in zip(
                torch.split(test.images, 1000), torch.split(test.labels, 1000), strict=True
            ):
                (network(pictures.float() / 255).argmax(1) == labels).sum()
    return time.perf_counter() - began


def ours(limit: int | None) -> float:
    """Returns the seconds of `holmdel.train`, its loading of the data set left out."""
    with tempfile.TemporaryDirectory() as folder:
        clock = _Clock()
        holmdel.train(
            "lenet",
            out=Path(folder) / "run",
            epochs=EPOCHS,
            limit=limit,
            callbacks=clock,
            engine="torch",  # what the bare loop computes with
        )
        return time.perf_counter() - clock.began


class _Clock(PlainReporter):
    began = 0.0

    def start(self, title: str, epochs: int) -> None:
        self.began = time.perf_counter()


def main() -> None:
    """Prints and, if asked, records the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--record", action="store_true")
    words = parser.parse_args()
    dataset = load("fashion-mnist")
    bare(dataset, 2000)  # the first steps of a process are slow
    ours(2000)
    pairs = [(bare(dataset, words.limit), ours(words.limit)) for _ in range(words.rounds)]
    ratios = sorted(mine / theirs for theirs, mine in pairs)
    ratio = statistics.median(ratios)
    print(f"overhead: {100 * (ratio - 1):.1f} % (ratios {', '.join(f'{r:.3f}' for r in ratios)})")
    if words.record:
        record("overhead", {"ratio": round(ratio, 4), "ratios": [round(r, 4) for r in ratios]})


if __name__ == "__main__":
    main()
