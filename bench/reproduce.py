"""The book's trainings, run by the book recipe: what docs/reproduction.md puts beside its figures.

    python bench/reproduce.py                                  # all of them, 3 seeds, 10 epochs
    python bench/reproduce.py lenet lenet-max                  # some
    python bench/reproduce.py nin --limit 6000 --epochs 3 --seeds 0   # a subset, labelled so

Each run is a process of its own, its log in bench/logs/, its folder in bench/runs/, where it is
gone on with when the command is given again. `make docs` writes the table from what was recorded.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from holmdel.training.folder import RunFolder
from record import record

HERE = Path(__file__).parent
# The book's text, the network here, its options.
CASES = {
    "lenet": ("lenet", []),
    "lenet-max": ("lenet-max", []),
    "alexnet": ("alexnet", []),
    "alexnet-mxnet": ("alexnet", ["--padding", "0"]),
    "vgg11": ("vgg11", []),
    "nin": ("nin", []),
    "googlenet": ("googlenet", []),
}


def run(case: str, seed: int, words: argparse.Namespace) -> dict[str, object]:
    """Returns the figures of one training; its log lies in bench/logs."""
    network, options = CASES[case]
    part = "" if words.limit is None else f"-{words.limit}"
    name = f"{case}-{words.epochs}-epochs{part}-{words.device.replace(':', '')}-seed-{seed}"
    folder = HERE / "runs" / f"reproduce-{name}"
    command = ["train", network, "--data", "fashion-mnist", "--recipe", "book", *options]
    command += ["--seed", str(seed), "--epochs", str(words.epochs), "--device", words.device]
    command += [] if words.limit is None else ["--limit", str(words.limit)]
    finished = RunFolder(folder).finished()
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "holmdel", *command, "--out", str(folder), "--resume"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"NO_COLOR": "1"},
        check=False,
    )
    log = HERE / "logs" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    if not (log.exists() and finished):
        text = f"$ holmdel {' '.join(command)}\n{_portable(done.stdout)}"
        log.write_text(text, encoding="utf-8")
    if done.returncode:
        raise SystemExit(f"{name} ended with {done.returncode}: {done.stdout}")
    lines = (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    epochs = [json.loads(line) for line in lines]
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    rate = len(epochs) / sum(1 / epoch["examples_per_sec"] for epoch in epochs)
    return {
        "network": case,
        "input": "x".join(map(str, config["image"]["input"])),
        "seed": seed,
        "epochs": words.epochs,
        "train": config["data"]["train"],
        "test": config["data"]["test"],
        **{key: round(epochs[-1][key], 4) for key in ("loss", "train_acc", "test_acc")},
        "examples_per_sec": round(rate, 1),
        "device": words.device,
        "restarts": done.stdout.count("Starting over with seed"),
        "seconds": round(time.perf_counter() - began),
        "log": f"bench/logs/{log.name}",
    }


def _portable(text: str) -> str:
    """Returns a log without the folder it was written in."""
    return text.replace(str(HERE.parent), ".")


def main() -> None:
    """Runs what was asked for, prints a line a run and records it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("networks", nargs="*", choices=[*CASES, []], default=[])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--device", default="cpu")
    words = parser.parse_args()
    for case in words.networks or CASES:
        for seed in words.seeds:
            row = run(case, seed, words)
            record("reproduce", row)
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
