"""Test accuracy over seeds: the figures of the README's table.

    python bench/accuracy.py lenet fashion-mnist modern [--seeds 0 1 2 3 4] [--jobs 2] [--record]

Where a training mirrored its images, the accuracy of the mean of the logits of an image and of its
mirror image stands beside. Runs stand under bench/runs/ and are gone on with when the command is
given again.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import holmdel
from holmdel import data
from mirrored import mirrored_accuracy
from record import record

RUNS = Path(__file__).parent / "runs"


def train(network: str, data: str, recipe: str, seed: int, jobs: int) -> dict[str, float]:
    """Returns the last line of the metrics of a run, trained in a process of its own."""
    folder = folder_of(network, data, recipe, seed)
    words = [sys.executable, "-m", "holmdel", "train", network, "--data", data, "--recipe", recipe]
    threads = max(1, (os.cpu_count() or 1) // jobs)
    subprocess.run(
        [*words, "--seed", str(seed), "--out", str(folder), "--resume"],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
    )
    last: dict[str, float] = json.loads(
        (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1]
    )
    print(f"{folder.name}: test acc {last['test_acc']:.4f}", flush=True)
    return last


def folder_of(network: str, data: str, recipe: str, seed: int) -> Path:
    """Returns where a run stands."""
    return RUNS / f"{network}-{data}-{recipe}-{seed}"


def mirrored(folder: Path, name: str) -> float | None:
    """Returns the test accuracy with mirror images; None where the training mirrored none."""
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))["settings"]
    if "flip" not in settings["augment"]:
        return None
    classifier = holmdel.load(folder)
    return mirrored_accuracy(classifier.network, classifier.contract, data.load(name).test)


def mean_and_spread(values: list[float]) -> dict[str, Any]:
    """Returns the accuracies, their mean and standard deviation."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"test_acc": values, "mean": statistics.mean(values), "stdev": spread}


def main() -> None:
    """Prints and, if asked, records mean and spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network")
    parser.add_argument("data")
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--record", action="store_true")
    words = parser.parse_args()
    case = (words.network, words.data, words.recipe)
    with ThreadPoolExecutor(words.jobs) as pool:
        rows = list(pool.map(lambda seed: train(*case, seed, words.jobs), words.seeds))
    found = mean_and_spread([row["test_acc"] for row in rows])
    both = [mirrored(folder_of(*case, seed), words.data) for seed in words.seeds]
    beside = mean_and_spread([value for value in both if value is not None]) if all(both) else None
    for what, figures in (("", found), (", mirror images too", beside)):
        if figures:
            print(
                f"{' '.join(case)}{what}: {figures['mean']:.4f} +- {figures['stdev']:.4f} "
                f"over seeds {words.seeds}"
            )
    if words.record:
        figures = {"network": case[0], "data": case[1], "recipe": case[2], "seeds": words.seeds}
        record("accuracy", figures | found | ({"mirrored": beside} if beside else {}))


if __name__ == "__main__":
    main()
