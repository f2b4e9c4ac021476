"""What a hand-written training loop needs: counters, timers, devices, regression."""

import inspect
import time

# ruff: noqa: N803, N806  X is the book's name for a batch of examples
from collections.abc import Callable, Iterable, Sequence
from typing import Any, SupportsFloat, TypeVar

import numpy as np
import torch
from torch import Tensor

from holmdel.errors import UserError


class Timer:
    """A stopwatch that keeps every reading, in seconds; it runs from its making on."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.start()

    def start(self) -> None:
        """Starts the watch, from zero."""
        self._began = time.perf_counter()

    def stop(self) -> float:
        """Returns the seconds since the last start, and keeps them."""
        self.times.append(time.perf_counter() - self._began)
        return self.times[-1]

    def avg(self) -> float:
        """Returns the mean reading, 0 before the first one."""
        return self.sum() / max(1, len(self.times))

    def sum(self) -> float:
        """Returns the sum of the readings."""
        return sum(self.times)

    def cumsum(self) -> list[float]:
        """Returns the running sum of the readings."""
        totals: list[float] = np.cumsum(self.times).tolist()
        return totals


class Accumulator:
    """Running sums of `n` values: `add` adds to each, `[i]` reads one."""

    def __init__(self, n: int) -> None:
        self.data = [0.0] * n

    def add(self, *args: SupportsFloat) -> None:
        """Adds one value to each sum.

        Raises:
            UserError: for more or fewer values than sums.
        """
        if len(args) != len(self.data):
            raise UserError(
                f"{len(args)} values were added to an Accumulator({len(self.data)}); expected "
                "one a sum"
            )
        self.data = [total + float(value) for total, value in zip(self.data, args, strict=True)]

    def reset(self) -> None:
        """Sets every sum to 0."""
        self.data = [0.0] * len(self.data)

    def __getitem__(self, index: int) -> float:
        return self.data[index]


def cpu() -> torch.device:
    """Returns the processor as a device."""
    return torch.device("cpu")


def gpu(i: int = 0) -> torch.device:
    """Returns the CUDA device number `i`, whether this machine has it or not."""
    return torch.device(f"cuda:{i}")


def num_gpus() -> int:
    """Returns how many CUDA devices this machine has."""
    return torch.cuda.device_count()


def try_gpu(i: int = 0) -> torch.device:
    """Returns the CUDA device number `i` where there is one, else the processor."""
    return gpu(i) if num_gpus() > i else cpu()


def try_all_gpus() -> list[torch.device]:
    """Returns every CUDA device, or the processor alone where there is none."""
    return [gpu(i) for i in range(num_gpus())] or [cpu()]


T = TypeVar("T", bound=Callable[..., Any])


def add_to_class(Class: type) -> Callable[[T], T]:
    """Returns a decorator that makes a function a method of a class that is already defined."""

    def add(function: T) -> T:
        setattr(Class, function.__name__, function)
        return function

    return add


class HyperParameters:
    """A class that can keep the arguments of its `__init__` as attributes.

    Attributes:
        hparams: the arguments, by name.
    """

    hparams: dict[str, Any]

    def save_hyperparameters(self, ignore: Sequence[str] = ()) -> None:
        """Keeps the local variables of the method that calls it, so its arguments, by their names.

        Args:
            ignore: names that are left out; `self` and names with a leading underscore always are.
        """
        frame = inspect.currentframe()
        caller = frame.f_back if frame else None
        found = dict(caller.f_locals) if caller else {}
        left_out = {"self", *ignore}
        self.hparams = {
            name: value
            for name, value in found.items()
            if name not in left_out and not name.startswith("_")
        }
        for name, value in self.hparams.items():
            setattr(self, name, value)


def synthetic_data(w: Tensor, b: float, num_examples: int) -> tuple[Tensor, Tensor]:
    """Returns X (N, D) and y (N, 1) = X w + b + noise; X is N(0, 1), the noise N(0, 0.01).

    Args:
        w: weights (D,).
        b: the bias.
        num_examples: N.
    """
    X = torch.normal(0, 1, (num_examples, len(w)))
    exact = X @ w + b
    return X, (exact + torch.normal(0, 0.01, exact.shape)).reshape(-1, 1)


def linreg(X: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Returns X w + b."""
    return X @ w + b


def squared_loss(y_hat: Tensor, y: Tensor) -> Tensor:
    """Returns half the squared error of every example, in the shape of `y_hat`."""
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params: Iterable[Tensor], lr: float, batch_size: int) -> None:
    """Makes a step of stochastic gradient descent, and sets the gradients to zero.

    Args:
        params: what is changed; each has a gradient, the sum over a batch.
        lr: the learning rate.
        batch_size: how many examples the sum was over.
    """
    with torch.no_grad():
        for param in params:
            if param.grad is not None:
                param -= lr * param.grad / batch_size
                param.grad.zero_()
