"""Linear regression from scratch, as the book's earlier chapters hand it to the later ones."""
# ruff: noqa: N803, N806  X is the book's name for a batch of examples

from collections.abc import Iterable

import torch
from torch import Tensor


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
