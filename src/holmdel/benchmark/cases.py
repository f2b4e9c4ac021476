"""What `holmdel bench` measures: LeNet's training and inference, by name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from holmdel.benchmark import contenders as who
from holmdel.benchmark import workload
from holmdel.benchmark.rounds import Comparison, Conditions, Maker, compare
from holmdel.errors import UserError

BATCH = 256


def train_case(
    title: str,
    work: Callable[[int], workload.Workload],
    trainers: Callable[[workload.Workload], dict[str, Maker]] = who.trainers,
) -> Callable[[Conditions], Comparison]:
    """Returns the case of a training step at batch 256."""

    def case(conditions: Conditions) -> Comparison:
        given = work(BATCH)
        flops = 2 * workload.multiply_adds(given.build(), given.input)
        name = f"{title}, training, batch {BATCH}"
        asked = Comparison(name, who.FUSED, (who.CHANNELS_LAST,), flops)
        return compare(asked, trainers(given), conditions)

    return case


def _infer(batch: int) -> Callable[[Conditions], Comparison]:
    def case(conditions: Conditions) -> Comparison:
        what = "one image" if batch == 1 else f"batch {batch}"
        makers = who.inferrers(workload.lenet(batch), conditions.threads)
        over = who.runtime_names(conditions.threads)
        asked = Comparison(f"lenet, inference, {what}", who.ENGINE, over)
        return compare(asked, makers, conditions)

    return case


CASES: dict[str, Callable[[Conditions], Comparison]] = {
    "train-lenet": train_case("lenet", workload.lenet),
    "train-lenet-max": train_case("lenet-max with ReLU", workload.lenet_max),
    "infer-256": _infer(256),
    "infer-1": _infer(1),
}


def choose_cases(names: list[str], conditions: Conditions) -> list[str]:
    """Returns the cases of these names, or all of them for none.

    Raises:
        UserError: for a name that is not in `CASES`, or a contender to leave out that is in none.
    """
    for name in names:
        if name not in CASES:
            raise UserError(f"there is no case {name!r}; choose from {', '.join(CASES)}")
    runtimes = who.runtime_names(conditions.threads)
    known = (who.FUSED, *who.LAYOUTS, who.COMPILED, who.ENGINE, *runtimes)
    for name in conditions.without:
        if name not in known:
            raise UserError(f"there is no contender {name!r}; they are: {'; '.join(known)}")
    return names or list(CASES)


@contextmanager
def threads_set(count: int) -> Iterator[None]:
    """Lets torch, and the engine with it, take so many threads; puts the number back."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
