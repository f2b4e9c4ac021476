"""Few training images of any kind: with batch norms at `modern`'s rate, or without at a lower one.

    python bench/few_images.py mnist fashion-mnist [--counts 200 500 1000] [--seeds 0 1 2]

Each seed draws other training images; all are tested on 2,000 further training images. The figures
in docs/recipes.md are these.
"""

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import torch

import holmdel
from holmdel import data
from holmdel.data import Split
from holmdel.training.callbacks import Callback

TESTED = 2_000
WAYS = {"without, 0.002": (False, 2e-3), "with, 0.005": (True, 5e-3)}


def accuracy(whole: Split, count: int, seed: int, norm: bool, lr: float) -> float:
    """Returns the accuracy on images that had no part in a training on `count` others."""
    order = torch.randperm(len(whole), generator=torch.Generator().manual_seed(100 + seed))
    parts = [
        (whole.images[rows, 0].numpy(), whole.labels[rows].numpy())
        for rows in (order[:count], order[-TESTED:])
    ]
    settings: dict[str, Any] = {"seed": seed, "batch_norm": norm, "lr": lr}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        run = holmdel.train("lenet", tuple(parts), out=out, callbacks=Callback(), **settings)
    return run.test_acc


def main() -> None:
    """Prints a line a data set, a number of images and a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+")
    parser.add_argument("--counts", type=int, nargs="+", default=[200, 500, 1000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    asked = parser.parse_args()
    for name in asked.data:
        whole = data.load(name).train
        for count in asked.counts:
            for way, (norm, lr) in WAYS.items():
                found = [accuracy(whole, count, seed, norm, lr) for seed in asked.seeds]
                each = ", ".join(f"{one:.4f}" for one in found)
                print(f"{name}, {count} images, {way}: {statistics.mean(found):.4f} ({each})")


if __name__ == "__main__":
    main()
