"""Two builds of Holmdel train the same network in turns: examples/sec of both, and their ratio.

python bench/builds.py ../before --threads 2 --rounds 7
python bench/builds.py ../before --recipe book --limit 60000

A build is a checkout with its compiled engine. Each has a process of its own that waits while the
other trains. `steps` counts forward, backward and step, as `holmdel train` prints it; `all` the
whole epoch with its evaluation; `cpu` examples per second of processor time, which a busy machine
changes least.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FIGURES = ("steps", "all", "cpu")


def worker() -> None:
    """Trains once for each line of settings on standard input; answers with a line of figures."""
    import torch

    import holmdel

    for line in sys.stdin:
        words = json.loads(line)
        torch.set_num_threads(words.pop("threads"))
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            run = holmdel.train(out=Path(folder) / "run", **words)
            passed = time.process_time() - began
        last = run.history[-1]
        figures = last.examples_per_sec, last.wall_examples_per_sec, words["limit"] / passed
        print(json.dumps(dict(zip(FIGURES, figures, strict=True))), flush=True)


def begin(tree: Path) -> "subprocess.Popen[str]":
    """Starts the process of a build."""
    if not (tree / "src" / "holmdel").is_dir():
        raise SystemExit(f"{tree} is no checkout of Holmdel; expected one with src/holmdel")
    return subprocess.Popen(
        [sys.executable, __file__, "--worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=os.environ | {"PYTHONPATH": str(tree.resolve() / "src")},
    )


def turn(process: "subprocess.Popen[str]", words: dict[str, object]) -> dict[str, float]:
    """Returns the figures of one training."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(words) + "\n")
    process.stdin.flush()
    figures: dict[str, float] = json.loads(process.stdout.readline())
    return figures


def main() -> None:
    """Prints a line a round, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, nargs="?", help="the checkout to compare with")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--network", default="lenet")
    parser.add_argument("--data", default="fashion-mnist")
    parser.add_argument("--recipe", default="modern")
    parser.add_argument("--limit", type=int, default=12_800, help="examples a turn")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    if asked.worker:
        worker()
        return
    words = {
        "network": asked.network, "data": asked.data, "recipe": asked.recipe, "epochs": 1,
        "limit": asked.limit, "threads": asked.threads,
    }  # fmt: skip
    builds = {"before": begin(asked.before), "now": begin(Path(__file__).parent.parent)}
    for process in builds.values():  # the first training of a process loads what it needs
        turn(process, words | {"limit": 256})
    found: dict[str, list[dict[str, float]]] = {name: [] for name in builds}
    for _ in range(asked.rounds):
        for name, process in builds.items():
            found[name].append(turn(process, words))
        report({name: rows[-1:] for name, rows in found.items()})
    report(found)
    for process in builds.values():
        process.kill()


def report(found: dict[str, list[dict[str, float]]]) -> None:
    """Prints the medians of both, and of the rounds' ratios."""
    parts = []
    for figure in FIGURES:
        before, now = ([row[figure] for row in rows] for rows in found.values())
        ratio = statistics.median(b / a for a, b in zip(before, now, strict=True))
        parts.append(
            f"{figure} {statistics.median(before):,.0f} -> {statistics.median(now):,.0f} "
            f"({ratio:.2f}x)"
        )
    print("; ".join(parts), flush=True)


if __name__ == "__main__":
    main()
