"""A training to an accuracy, in a process of its own: `python -m holmdel.benchmark.reach mnist`.

It reads the data set from disk, trains a LeNet for a fixed number of steps and prints one JSON line
with its accuracy on all test pictures. The time counts from the start of the process, so PyTorch is
loaded for `--out` alone.
"""

import argparse
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from holmdel.benchmark.bare import SIDE, BareLenet, Bytes, Labels, Rates
from holmdel.data import idx, roots
from holmdel.data.sources import SOURCES, Source
from holmdel.errors import UserError

PIXELS = SIDE * SIDE


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; chosen on a part of the training set, see docs/bench.md.

    SGD in small steps, its rate in a straight line up and down again as Smith and Topin,
    "Super-convergence" (2018), do, with the label smoothing of Szegedy et al., "Rethinking the
    Inception architecture" (2016).

    Attributes:
        network, options: for `holmdel.build`.
        side: pixels a side that the network sees; around the picture stands background.
        mean, std: of the training pixels, 0..1.
        epochs: passes over the training pictures.
        batch: pictures a step.
        lr: the learning rate at its peak.
        warmup: part of the steps in which the rate rises.
        shift: pixels that a batch is moved by at most, along each axis.
        rates: of SGD.
    """

    network: str
    options: dict[str, str]
    side: int
    mean: float
    std: float
    epochs: float
    batch: int
    lr: float
    warmup: float
    shift: int
    rates: Rates


RECIPES = {
    "fashion-mnist": Recipe(
        network="lenet5",
        options={"activation": "relu", "pooling": "max"},
        side=32,
        mean=0.2860,
        std=0.3530,
        epochs=4,
        batch=64,
        lr=0.08,
        warmup=0.3,
        shift=0,
        rates=Rates(momentum=0.9, weight_decay=5e-4, label_smoothing=0.05),
    ),
    "mnist": Recipe(
        network="lenet-max",
        options={"activation": "relu"},
        side=28,
        mean=0.1307,
        std=0.3081,
        epochs=3.5,
        batch=64,
        lr=0.06,
        warmup=0.3,
        shift=1,
        rates=Rates(momentum=0.9, weight_decay=5e-4, label_smoothing=0.05),
    ),
}


def train(recipe: Recipe, pictures: Bytes, labels: Labels, seed: int, threads: int) -> BareLenet:
    """Returns a network after the recipe's number of steps.

    A batch is moved as a whole, by reading it so many bytes earlier or later: what leaves a picture
    on one side comes in on the other, which is right where pictures have a margin.

    Args:
        recipe: the network and how it is trained.
        pictures: uint8 (N, 28, 28).
        labels: int64 (N,).
        seed: of the weights, the order and the shifts.
        threads: of the engine.
    """
    random = np.random.default_rng(seed)
    network = BareLenet(recipe.side, recipe.mean, recipe.std, recipe.rates, threads)
    network.draw(random)
    margin = recipe.shift * (SIDE + 1)
    memory = np.zeros(margin + pictures.size + margin, np.uint8)
    memory[margin : margin + pictures.size] = pictures.reshape(-1)
    start = memory.ctypes.data + margin
    batches = max(1, len(labels) // recipe.batch)
    steps = round(recipe.epochs * batches)
    moves = random.integers(-recipe.shift, recipe.shift + 1, (steps, 2)) @ (SIDE, 1)
    for step, move in enumerate(moves.tolist()):
        if step % batches == 0:
            order = random.permutation(len(labels))
        rows = order[step % batches * recipe.batch :][: recipe.batch]
        network.learn(start + move, labels, rows, recipe.lr * _part(step / steps, recipe.warmup))
    return network


def _part(progress: float, warmup: float) -> float:
    """Returns the part of the peak rate at a progress of 0..1."""
    return progress / warmup if progress < warmup else (1 - progress) / (1 - warmup)


def read(source: Source, limit: int | None) -> tuple[Bytes, Labels, Bytes, Labels]:
    """Returns pictures uint8 (N, 28, 28) and labels int64 (N,) for training, and for testing.

    Args:
        source: the data set.
        limit: train on the first so many pictures; None for all.

    Raises:
        UserError: if it is in no data root, or its files are at fault.
    """
    place = roots.find(source)
    if place is None:
        raise UserError(roots.missing(source))
    paths = [path for path in source.paths(place) if path]
    with ThreadPoolExecutor() as pool:
        pairs = list(pool.map(idx.read_pair, paths[::2], paths[1::2], [len(source.classes)] * 2))
    (pictures, labels), (unseen, their) = pairs
    train = pictures[:limit], labels[:limit].astype(np.int64)
    return *train, unseen, their.astype(np.int64)


def save(network: BareLenet, recipe: Recipe, source: Source, path: Path) -> None:
    """Writes a network as `holmdel train` does, for `evaluate`, `predict` and `load`."""
    import torch

    from holmdel.checkpoint import Header, save_model
    from holmdel.images import ImageContract
    from holmdel.networks import build

    module = build(recipe.network, **recipe.options)
    module.load_state_dict({name: torch.from_numpy(w) for name, w in network.weights.items()})
    image = ImageContract(
        input=(1, recipe.side, recipe.side),
        enlarge="pad" if recipe.side > SIDE else "none",
        framing=source.framing,
        mean=recipe.mean,
        std=recipe.std,
    )
    header = Header(
        network=recipe.network, options=recipe.options, classes=source.classes, image=image
    )
    save_model(path, module, header)


def _threads() -> int:
    """Returns how many threads torch would take."""
    if given := os.environ.get("OMP_NUM_THREADS"):
        return int(given)
    from holmdel.benchmark.machine import cores

    return cores()


def main(words: list[str] | None = None) -> None:
    """Trains, tests and prints the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=RECIPES)
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and shifts")
    parser.add_argument("--limit", type=int, help="train on the first so many pictures only")
    parser.add_argument("--out", type=Path, help="write the network to this .safetensors file")
    asked = parser.parse_args(words)
    recipe, source = RECIPES[asked.data], SOURCES[asked.data]
    threads = _threads()
    began = time.perf_counter()
    pictures, labels, unseen, their = read(source, asked.limit)
    had = time.perf_counter()
    network = train(recipe, pictures, labels, asked.seed, threads)
    trained = time.perf_counter()
    accuracy = float((network.logits(unseen).argmax(axis=1) == their).mean())
    if asked.out:
        save(network, recipe, source, asked.out)
    line = {
        "accuracy": accuracy,
        "network": recipe.network,
        "epochs": recipe.epochs,
        "seed": asked.seed,
        "threads": threads,
        "seconds": {"reading": round(had - began, 3), "training": round(trained - had, 3)},
    }
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
