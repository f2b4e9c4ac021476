"""Every comparison of docs/bench.md, in interleaved rounds; writes bench/results/NAME.json.

python bench/compare.py                     # all of them
python bench/compare.py train-lenet curve-threads --rounds 3
"""

import argparse
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from torch import nn

from curves import CURVES
from epochs import BOOK, OURS, epoch_makers
from frameworks import all_trainers
from gradients import gradient_errors
from holmdel.benchmark import cases, workload
from holmdel.benchmark import contenders as who
from holmdel.benchmark.machine import conditions_of, cores, head
from holmdel.benchmark.rounds import Comparison, Conditions, compare
from holmdel.benchmark.time_to_accuracy import time_to_accuracy
from other_process import engine_with
from record import RESULTS, record_times, write_result

ALEXNET_LIMIT = 512  # images: all of them take the book's loop an hour on two cores
# The least ratio that will do, and the one hoped for; seconds for the times to an accuracy.
BARS: dict[str, tuple[float, float]] = {
    "train-lenet": (5, 5.5),
    "train-lenet-max": (3.5, 5),
    "train-chain": (3.5, 5),
    "train-lenet-avx2": (2.5, 3),
    "infer-256": (3.2, 3.6),
    "infer-1": (2, 2.5),
    "epoch-lenet": (12, 15),
    "epoch-alexnet": (2, 3),
    "fashion-mnist-0.90": (1.5, 1.2),
    "mnist-0.99": (1.0, 0.8),
}


def plain_chain() -> nn.Sequential:
    """Returns three convolutions that nothing was tuned for: (N, 1, 28, 28) to (N, 10)."""
    widths = (1, 12, 24, 32)
    poolings = (nn.MaxPool2d(2), nn.Identity(), nn.AvgPool2d(2))
    layers: list[nn.Module] = []
    for (into, out), padding, pool in zip(pairwise(widths), (1, 0, 0), poolings, strict=True):
        layers += [nn.Conv2d(into, out, kernel_size=3, padding=padding), nn.ReLU(), pool]
    dense = [nn.Linear(32 * 5 * 5, 64), nn.Tanh(), nn.Linear(64, 10)]
    return nn.Sequential(*layers, nn.Flatten(), *dense)


def train(
    title: str, work: Callable[[int], workload.Workload]
) -> Callable[[Conditions], Comparison]:
    """Returns the case of a training step, with every framework that is installed."""
    return cases.train_case(title, work, all_trainers)


def train_with_avx2(conditions: Conditions) -> Comparison:
    """Returns the engine held to AVX2, in a process of its own, beside PyTorch as it is."""
    mine = f"{who.FUSED}, AVX2"
    with engine_with(mine, "avx2", cases.BATCH, conditions.threads) as maker:
        makers = who.trainers(workload.lenet(cases.BATCH))
        both = {name: makers[name] for name in who.LAYOUTS}
        title = f"lenet, training, batch {cases.BATCH}, AVX2 only"
        return compare(Comparison(title, mine, tuple(both)), {mine: maker} | both, conditions)


def epoch(network: str, conditions: Conditions, *, limit: int | None = None) -> Comparison:
    """Returns whole epochs of `holmdel train` beside the book's loop."""
    part = f"a part: {limit:,} images" if limit else None
    title = f"{network}, a whole epoch with its test"
    asked = Comparison(title, OURS, (BOOK,), part=part)
    return compare(asked, epoch_makers(network, limit, conditions), conditions)


CASES: dict[str, Callable[[Conditions], Any]] = {
    "train-lenet": train("lenet", workload.lenet),
    "train-lenet-max": train("lenet-max with ReLU", workload.lenet_max),
    "train-chain": train(
        "a chain of three convolutions", lambda batch: workload.workload(plain_chain, batch, 0.05)
    ),
    "train-lenet-avx2": train_with_avx2,
    "infer-256": cases.CASES["infer-256"],
    "infer-1": cases.CASES["infer-1"],
    "epoch-lenet": partial(epoch, "lenet"),
    "epoch-alexnet": partial(epoch, "alexnet", limit=ALEXNET_LIMIT),
    **CURVES,
    "gradients": gradient_errors,
}
ACCURACY = "time-to-accuracy"


def main() -> None:
    """Runs the cases and writes what they measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", choices=[*CASES, ACCURACY, []])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="that a turn takes")
    parser.add_argument("--threads", type=int, default=cores())
    parser.add_argument("--out", type=Path, default=RESULTS.with_suffix(""))
    asked = parser.parse_args()
    conditions = Conditions(asked.threads, asked.rounds, asked.seconds)
    around = conditions_of(asked.threads)
    print(head(around))
    for name in asked.cases or [*CASES, ACCURACY]:
        if name == ACCURACY:
            goals = time_to_accuracy(conditions)
            figures = {goal: found | bars(goal) for goal, found in goals.items()}
            write_result(asked.out, name, around, {"goals": figures}, {})
            if asked.out == RESULTS.with_suffix(""):
                record_times(around, goals)
            print("\n".join(f"{goal}: {found['median']:.2f} s" for goal, found in goals.items()))
            continue
        with cases.threads_set(asked.threads):
            result = CASES[name](conditions)
        images = result.draw() if name in CURVES else {}
        write_result(asked.out, name, around, result.to_json() | bars(name), images)
        print("\n" + "\n".join(result.lines()), flush=True)


def bars(name: str) -> dict[str, float]:
    """Returns what is asked of a case, and what is hoped for; {} for a case without a bar."""
    return dict(zip(("bar", "aim"), BARS.get(name, ()), strict=False))


if __name__ == "__main__":
    main()
