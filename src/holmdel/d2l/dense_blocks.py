"""Blocks of the book's chapter on modern networks: batch normalisation from scratch, DenseNet."""
# ruff: noqa: N803, N806  X and Y are the book's names

from typing import Any

import torch
from torch import Tensor, nn


def batch_norm(
    X: Tensor,
    gamma: Tensor,
    beta: Tensor,
    moving_mean: Tensor,
    moving_var: Tensor,
    eps: float,
    momentum: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Returns a batch normalised, and the moving mean and variance after it.

    Ioffe and Szegedy, "Batch normalization" (2015), algorithm 1, as the book writes it. With
    gradients switched on the batch's own mean and variance are taken, else the moving ones.

    Args:
        X: (N, C), or (N, C, H, W), of which each channel is normalised.
        gamma: what the result is multiplied by.
        beta: what is then added.
        moving_mean: over the batches so far.
        moving_var: likewise.
        eps: added to the variance.
        momentum: the share of the moving mean and variance that stays.
    """
    if not torch.is_grad_enabled():
        normal = (X - moving_mean) / torch.sqrt(moving_var + eps)
        return gamma * normal + beta, moving_mean.data, moving_var.data
    over = (0,) if X.ndim == 2 else (0, 2, 3)
    mean = X.mean(dim=over, keepdim=X.ndim == 4)
    var = ((X - mean) ** 2).mean(dim=over, keepdim=X.ndim == 4)
    normal = (X - mean) / torch.sqrt(var + eps)
    moving_mean = momentum * moving_mean + (1.0 - momentum) * mean
    moving_var = momentum * moving_var + (1.0 - momentum) * var
    return gamma * normal + beta, moving_mean.data, moving_var.data


class BatchNorm(nn.Module):
    """Batch normalisation from scratch, the book's layer.

    Args:
        num_features: channels, or numbers of a dense layer.
        num_dims: 2 behind a dense layer, 4 behind a convolution.
    """

    def __init__(self, num_features: int, num_dims: int) -> None:
        super().__init__()
        shape = (1, num_features) if num_dims == 2 else (1, num_features, 1, 1)
        self.gamma = nn.Parameter(torch.ones(shape))
        self.beta = nn.Parameter(torch.zeros(shape))
        self.moving_mean = torch.zeros(shape)
        self.moving_var = torch.ones(shape)

    def forward(self, X: Tensor) -> Tensor:
        """Returns a batch normalised."""
        mean, var = self.moving_mean.to(X.device), self.moving_var.to(X.device)
        Y, self.moving_mean, self.moving_var = batch_norm(
            X, self.gamma, self.beta, mean, var, eps=1e-5, momentum=0.9
        )
        return Y


def conv_block(*channels: int) -> nn.Sequential:
    """Returns batch norm, ReLU and a 3x3 convolution.

    Args:
        channels: in and out, or out alone where the channels in are found at the first batch.
    """
    *given, wanted = channels
    norm: nn.Module = nn.BatchNorm2d(given[0]) if given else nn.LazyBatchNorm2d()
    return nn.Sequential(norm, nn.ReLU(), _conv(given, wanted, kernel_size=3, padding=1))


def transition_block(*channels: int) -> nn.Sequential:
    """Returns batch norm, ReLU, a 1x1 convolution, and a pooling that halves the sides.

    Args:
        channels: as for `conv_block`.
    """
    *given, wanted = channels
    norm: nn.Module = nn.BatchNorm2d(given[0]) if given else nn.LazyBatchNorm2d()
    conv = _conv(given, wanted, kernel_size=1)
    return nn.Sequential(norm, nn.ReLU(), conv, nn.AvgPool2d(kernel_size=2, stride=2))


class DenseBlock(nn.Module):
    """Convolutions, each of which sees all maps before it: (N, C, H, W) to (N, C + n * O, H, W).

    Huang, Liu, van der Maaten and Weinberger, "Densely connected convolutional networks" (2017).

    Args:
        num_convs: n, how many.
        channels: C and O, or O alone where C is found at the first batch, as in the 1.0 edition.
    """

    def __init__(self, num_convs: int, *channels: int) -> None:
        super().__init__()
        *given, wanted = channels
        self.net = nn.Sequential(
            *(
                conv_block(*([given[0] + wanted * number] if given else []), wanted)
                for number in range(num_convs)
            )
        )

    def forward(self, X: Tensor) -> Tensor:
        """Returns the maps, and behind them those of each convolution."""
        for block in self.net:
            X = torch.cat((X, block(X)), dim=1)
        return X


def _conv(given: list[int], wanted: int, **how: Any) -> nn.Module:
    return nn.Conv2d(given[0], wanted, **how) if given else nn.LazyConv2d(wanted, **how)
