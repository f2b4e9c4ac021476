"""How many answers of a network are right."""
# ruff: noqa: N806  X is the book's name

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from holmdel.d2l.bookkeeping import Accumulator
from holmdel.d2l.mistakes import through
from holmdel.d2l.native import Native, say_of_own_loop
from holmdel.errors import UserError
from holmdel.evaluation import in_eval_mode

Network: TypeAlias = nn.Module | Callable[..., Tensor]
Batches: TypeAlias = Iterable[Any]  # of pairs (X, y)


def accuracy(y_hat: Tensor, y: Tensor) -> float:
    """Returns how many predictions are right.

    Args:
        y_hat: scores (N, classes), or the classes themselves (N,).
        y: labels (N,).
    """
    say_of_own_loop(y_hat)
    return count_right(y_hat, y)


def count_right(y_hat: Tensor, y: Tensor) -> float:
    """Returns `accuracy`; for the loops here."""
    if y_hat.ndim > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(dim=1)
    return float((y_hat.type(y.dtype) == y).sum())


def evaluate_accuracy(net: Network, data_iter: Batches) -> float:
    """Returns `evaluate_accuracy_gpu` where the network is; the book's name before it has a GPU."""
    return evaluate_accuracy_gpu(net, data_iter)


def evaluate_accuracy_gpu(
    net: Network, data_iter: Batches, device: torch.device | str | None = None
) -> float:
    """Returns the part of the examples that a network classifies right, 0..1.

    A module is put into eval mode and back into the mode it was in.

    Args:
        net: from X to scores (N, classes).
        data_iter: pairs (X, y); X may be a list of tensors.
        device: where the batches are moved to; None for where the module is.

    Raises:
        UserError: if there is no batch.
    """
    device = device or home(net)
    metric, native = Accumulator(2), Native(net)
    with in_eval_mode(net), torch.no_grad():
        for X, y in data_iter:
            X, y = moved(X, device), moved(y, device)
            chain = native.chain(X, y)
            y_hat = chain.logits(X) if chain else through(net, X)
            metric.add(count_right(y_hat, y), y.numel())
    if not metric[1]:
        raise UserError("data_iter gave no batch; expected an iterable of pairs (X, y)")
    return metric[0] / metric[1]


def home(net: Network) -> torch.device | None:
    """Returns where a module's parameters lie, None for a function."""
    first = next(net.parameters(), None) if isinstance(net, nn.Module) else None
    return None if first is None else first.device


def moved(value: Any, device: torch.device | str | None) -> Any:
    """Returns a tensor, or a list of them, on a device; as it is for None."""
    if device is None:
        return value
    return [part.to(device) for part in value] if isinstance(value, list) else value.to(device)
