"""Everything that the benchmark measures, by name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch

from holmdel.benchmark.chains import multiply_adds, workload
from holmdel.benchmark.comparison import Comparison, Question, compare
from holmdel.benchmark.curves import CURVES
from holmdel.benchmark.elsewhere import engine_with
from holmdel.benchmark.epochs import BOOK, OURS, epoch_makers
from holmdel.benchmark.gradients import gradient_errors
from holmdel.benchmark.inference import ENGINE, inference_makers, onnx_names
from holmdel.benchmark.rounds import Conditions
from holmdel.benchmark.training import (
    CHANNELS_LAST,
    CONTIGUOUS,
    FUSED,
    TRAINERS,
    training_makers,
)
from holmdel.errors import UserError

BATCH = 256
ALEXNET_LIMIT = 512  # pictures: all of them take the book's loop an hour on two cores


class Result(Protocol):
    """What a case gives back."""

    def to_json(self) -> dict[str, Any]:
        """Returns everything, JSON-ready."""

    def lines(self) -> list[str]:
        """Returns it for people."""

    def draw(self) -> dict[str, bytes]:
        """Returns its pictures by the ending of their files; {} if it has none."""


def _train(network: str, title: str, bar: float, aim: float) -> Callable[[Conditions], Comparison]:
    def case(conditions: Conditions) -> Comparison:
        work = workload(network, BATCH)
        count = multiply_adds(work.build(), work.input)
        question = Question(
            f"{title}, training, batch {BATCH}", FUSED, (CHANNELS_LAST,), bar, aim, count
        )
        return compare(question, training_makers(work), conditions)

    return case


def _train_with_avx2(conditions: Conditions) -> Comparison:
    """The engine held to AVX2, in a process of its own; PyTorch as it is."""
    mine = f"{FUSED}, AVX2"
    with engine_with(mine, "avx2", "lenet", BATCH, conditions.threads) as maker:
        makers = training_makers(workload("lenet", BATCH))
        both = {name: makers[name] for name in (CHANNELS_LAST, CONTIGUOUS)}
        question = Question(
            f"lenet, training, batch {BATCH}, AVX2 only", mine, tuple(both), bar=2.5, aim=3
        )
        return compare(question, {mine: maker} | both, conditions)


def _infer(batch: int) -> Callable[[Conditions], Comparison]:
    def case(conditions: Conditions) -> Comparison:
        what = "one picture" if batch == 1 else f"batch {batch}"
        over = onnx_names(conditions.threads)
        question = Question(f"lenet, inference, {what}", ENGINE, over, bar=3, aim=4)
        makers = inference_makers(workload("lenet", batch), conditions.threads)
        return compare(question, makers, conditions)

    return case


def _epoch(
    network: str, bar: float, aim: float, limit: int | None
) -> Callable[[Conditions], Comparison]:
    def case(conditions: Conditions) -> Comparison:
        most = conditions.limit or limit
        question = Question(f"{network}, a whole epoch with its test", OURS, (BOOK,), bar, aim)
        part = f"a part: {most:,} pictures" if most else None
        return compare(question, epoch_makers(network, most, conditions), conditions, part)

    return case


CASES: dict[str, Callable[[Conditions], Result]] = {
    "train-lenet": _train("lenet", "lenet", bar=5, aim=5.5),
    "train-lenet-max": _train("lenet-max", "lenet-max with ReLU", bar=3.5, aim=5),
    "train-chain": _train("chain", "a chain of three convolutions", bar=3.5, aim=5),
    "train-lenet-avx2": _train_with_avx2,
    "infer-256": _infer(256),
    "infer-1": _infer(1),
    "epoch-lenet": _epoch("lenet", bar=12, aim=15, limit=None),
    "epoch-alexnet": _epoch("alexnet", bar=2, aim=3, limit=ALEXNET_LIMIT),
    **CURVES,
    "gradients": gradient_errors,
}


def choose_cases(names: list[str], conditions: Conditions) -> list[str]:
    """Returns the cases of these names, or all of them for none.

    Raises:
        UserError: for a name that is not in `CASES`, or a contender to leave out that is in none.
    """
    for name in names:
        if name not in CASES:
            raise UserError(f"there is no case {name!r}; choose from {', '.join(CASES)}")
    known = (*TRAINERS, ENGINE, *onnx_names(conditions.threads), OURS, BOOK)
    for name in conditions.without:
        if name not in known:
            raise UserError(f"there is no contender {name!r}; they are: {'; '.join(known)}")
    return names or list(CASES)


def run_case(name: str, conditions: Conditions) -> Result:
    """Returns what one case measured.

    Args:
        name: one of `CASES`.
        conditions: threads, rounds and time.
    """
    with _threads(conditions.threads):
        return CASES[name](conditions)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Lets torch, and the engine with it, take so many threads; puts the number back."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
