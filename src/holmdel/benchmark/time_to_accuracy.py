"""Time to accuracy: from the start of a process to the end of the training that reaches it.

Each process, `python -m holmdel.benchmark.time_to_accuracy mnist`, reads the data set from disk,
trains the NumPy LeNet (`engine.numpy_lenet`, the native engine without PyTorch) for a fixed number
of steps and prints one JSON line with its accuracy on all test images.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np

from holmdel.benchmark.rounds import Conditions, spread
from holmdel.data import idx, roots
from holmdel.data.sources import SOURCES, Source
from holmdel.data.unpacked import content
from holmdel.engine.numpy_lenet import RECIPES, Bytes, Labels, train
from holmdel.errors import UserError

GOALS = {"fashion-mnist-0.90": ("fashion-mnist", 0.90), "mnist-0.99": ("mnist", 0.99)}


def read(source: Source) -> tuple[Bytes, Labels, Bytes, Labels]:
    """Returns images uint8 (N, 28, 28) and labels int64 (N,) for training, and for testing.

    Raises:
        UserError: if it is in no data root, or its files are at fault.
    """
    folder = roots.find(source)
    if folder is None:
        raise UserError(roots.missing(source))
    paths = [path for path in source.paths(folder) if path]
    pair = partial(idx.read_pair, classes=len(source.classes), read=content)
    with ThreadPoolExecutor() as pool:
        pairs = list(pool.map(pair, paths[::2], paths[1::2]))
    (images, labels), (unseen, their) = pairs
    return images, labels.astype(np.int64), unseen, their.astype(np.int64)


def main(words: list[str] | None = None) -> None:
    """Trains, tests and prints the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=RECIPES)
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and shifts")
    parser.add_argument("--threads", type=int, default=1, help="of the engine")
    asked = parser.parse_args(words)
    recipe = RECIPES[asked.data]
    began = time.perf_counter()
    images, labels, unseen, their = read(SOURCES[asked.data])
    had = time.perf_counter()
    network = train(recipe, images, labels, asked.seed, asked.threads)
    trained = time.perf_counter()
    line = {
        "accuracy": float((network.logits(unseen).argmax(axis=1) == their).mean()),
        "network": recipe.network,
        "seconds": {"reading": round(had - began, 3), "training": round(trained - had, 3)},
    }
    sys.stdout.write(json.dumps(line) + "\n")


def time_to_accuracy(conditions: Conditions) -> dict[str, dict[str, Any]]:
    """Returns each goal's median, seconds and accuracy: a fresh process a seed, goals in turns.

    The seconds are from before a process is started to after it has ended; the accuracy, 0..1, is
    on the test images.

    Args:
        conditions: as many seeds as rounds, from 0 on.

    Raises:
        UserError: if a process fails, such as without the data set.
    """
    done: dict[str, list[tuple[float, float]]] = {name: [] for name in GOALS}
    for seed in range(conditions.rounds):
        for name, (data, _) in GOALS.items():
            done[name].append(_once(data, seed, conditions))
    return {
        name: {
            "median": spread([took for took, _ in runs]).median,
            "seconds": [took for took, _ in runs],
            "accuracy": [accuracy for _, accuracy in runs],
        }
        for name, runs in done.items()
    }


def _once(data: str, seed: int, conditions: Conditions) -> tuple[float, float]:
    """Returns the seconds of one process from start to end, and the accuracy that it says."""
    command = [sys.executable, "-m", "holmdel.benchmark.time_to_accuracy", data]
    command += ["--seed", str(seed), "--threads", str(conditions.threads)]
    root = {"HOLMDEL_DATA": str(conditions.data_root)} if conditions.data_root else {}
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | root)
    seconds = time.perf_counter() - began
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UserError(f"the training on {data} with seed {seed} failed: {last}")
    return seconds, float(json.loads(done.stdout.splitlines()[-1])["accuracy"])


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
