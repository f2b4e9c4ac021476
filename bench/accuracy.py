"""Test accuracy over seeds: the figures of the README's table.

    python bench/accuracy.py lenet fashion-mnist modern [--seeds 0 1 2] [--jobs 2] [--record]

Runs stand under bench/runs/ and are gone on with when the command is given again.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from record import record

RUNS = Path(__file__).parent / "runs"


def train(network: str, data: str, recipe: str, seed: int, jobs: int) -> dict[str, float]:
    """Returns the last line of the metrics of a run, trained in a process of its own."""
    folder = RUNS / f"{network}-{data}-{recipe}-{seed}"
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


def main() -> None:
    """Prints and, if asked, records mean and spread."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network")
    parser.add_argument("data")
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--record", action="store_true")
    words = parser.parse_args()
    case = (words.network, words.data, words.recipe)
    with ThreadPoolExecutor(words.jobs) as pool:
        rows = list(pool.map(lambda seed: train(*case, seed, words.jobs), words.seeds))
    found = [row["test_acc"] for row in rows]
    mean, spread = statistics.mean(found), statistics.stdev(found) if len(found) > 1 else 0.0
    print(f"{' '.join(case)}: {mean:.4f} +- {spread:.4f} over seeds {words.seeds}")
    if words.record:
        figures = {"network": case[0], "data": case[1], "recipe": case[2], "seeds": words.seeds}
        record("accuracy", figures | {"test_acc": found, "mean": mean, "stdev": spread})


if __name__ == "__main__":
    main()
