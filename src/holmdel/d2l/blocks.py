"""Blocks and networks that the book defines once and uses again."""
# ruff: noqa: N803, N806  X and Y are the book's names

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn


def init_cnn(module: nn.Module) -> None:
    """Draws the weights of a dense or a convolutional layer again, with xavier_uniform.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks"
    (2010), equation 16. For `net.apply`; any other module is left as it is, lazy ones too.
    """
    if type(module) is nn.Linear or type(module) is nn.Conv2d:
        nn.init.xavier_uniform_(module.weight)


class Residual(nn.Module):
    """A residual block: (N, C, H, W) to (N, num_channels, H / strides, W / strides).

    He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2016), section 3.3: two
    3x3 convolutions with batch normalisation, added to the input; with `use_1x1conv` the input goes
    through a 1x1 convolution first.

    Both signatures of the book are taken:

        Residual(input_channels, num_channels, use_1x1conv=False, strides=1)
        Residual(num_channels, use_1x1conv=False, strides=1)

    The second, of the current English edition, finds C at the first batch. It is meant where there
    is one number of channels, or the second argument is True or False.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        numbers = len(args) + ("input_channels" in kwargs) + ("num_channels" in kwargs)
        lazy = numbers < 2 or (len(args) > 1 and isinstance(args[1], bool))
        read = _current_arguments if lazy else _earlier_arguments
        input_channels, num_channels, use_1x1conv, strides = read(*args, **kwargs)
        self.conv1 = _conv(input_channels, num_channels, 3, strides, padding=1)
        self.conv2 = _conv(input_channels and num_channels, num_channels, 3, 1, padding=1)
        self.conv3 = _conv(input_channels, num_channels, 1, strides) if use_1x1conv else None
        self.bn1 = nn.BatchNorm2d(num_channels)
        self.bn2 = nn.BatchNorm2d(num_channels)

    def forward(self, X: Tensor) -> Tensor:
        """Returns the block's maps of X (N, C, H, W)."""
        Y = F.relu(self.bn1(self.conv1(X)))
        Y = self.bn2(self.conv2(Y))
        return F.relu(Y + (self.conv3(X) if self.conv3 else X))


class ResNeXtBlock(nn.Module):
    """A ResNeXt block: (N, C, H, W) to (N, num_channels, H / strides, W / strides).

    Xie, Girshick, Dollar, Tu and He, "Aggregated residual transformations for deep neural networks"
    (2017), figure 3c: 1x1, grouped 3x3, 1x1. C is found at the first batch.

    Args:
        num_channels: maps that come out.
        groups: maps a group of the 3x3 convolution.
        bot_mul: maps within the block, as a factor on `num_channels`.
        use_1x1conv: whether the input goes through a 1x1 convolution before it is added.
        strides: of the 3x3 convolution, and of that on the input.
    """

    def __init__(
        self,
        num_channels: int,
        groups: int,
        bot_mul: float,
        use_1x1conv: bool = False,
        strides: int = 1,
    ) -> None:
        super().__init__()
        within = round(num_channels * bot_mul)
        self.conv1 = nn.LazyConv2d(within, kernel_size=1)
        self.conv2 = nn.LazyConv2d(
            within, kernel_size=3, stride=strides, padding=1, groups=within // groups
        )
        self.conv3 = nn.LazyConv2d(num_channels, kernel_size=1)
        self.bn1, self.bn2 = nn.BatchNorm2d(within), nn.BatchNorm2d(within)
        self.bn3 = nn.BatchNorm2d(num_channels)
        self.conv4, self.bn4 = None, None
        if use_1x1conv:
            self.conv4 = nn.LazyConv2d(num_channels, kernel_size=1, stride=strides)
            self.bn4 = nn.BatchNorm2d(num_channels)

    def forward(self, X: Tensor) -> Tensor:
        """Returns the block's maps of X (N, C, H, W)."""
        Y = F.relu(self.bn1(self.conv1(X)))
        Y = F.relu(self.bn2(self.conv2(Y)))
        Y = self.bn3(self.conv3(Y))
        return F.relu(Y + (self.bn4(self.conv4(X)) if self.conv4 and self.bn4 else X))


def resnet18(num_classes: int, in_channels: int = 1) -> nn.Sequential:
    """Returns the book's ResNet-18 for small images: (N, in_channels, H, W) to (N, num_classes).

    He et al. (2016), table 1, but begun as the book's chapter on several GPUs begins it: a 3x3
    convolution of stride 1, and no pooling.
    """
    net = nn.Sequential(
        nn.Conv2d(in_channels, 64, kernel_size=3, stride=1, padding=1),
        nn.BatchNorm2d(64),
        nn.ReLU(),
    )
    for number, (incoming, maps) in enumerate(((64, 64), (64, 128), (128, 256), (256, 512)), 1):
        halved = maps != incoming
        first = Residual(incoming, maps, use_1x1conv=halved, strides=2 if halved else 1)
        net.add_module(f"resnet_block{number}", nn.Sequential(first, Residual(maps, maps)))
    net.add_module("global_avg_pool", nn.AdaptiveAvgPool2d((1, 1)))
    net.add_module("fc", nn.Sequential(nn.Flatten(), nn.Linear(512, num_classes)))
    return net


def _earlier_arguments(
    input_channels: int, num_channels: int, use_1x1conv: bool = False, strides: int = 1
) -> tuple[int | None, int, bool, int]:
    return input_channels, num_channels, use_1x1conv, strides


def _current_arguments(
    num_channels: int, use_1x1conv: bool = False, strides: int = 1
) -> tuple[int | None, int, bool, int]:
    return None, num_channels, use_1x1conv, strides


def _conv(
    incoming: int | None, outgoing: int, kernel_size: int, stride: int, padding: int = 0
) -> nn.Conv2d:
    """Returns a convolution that finds its number of incoming maps itself where it is None."""
    if incoming is None:
        return nn.LazyConv2d(outgoing, kernel_size, stride=stride, padding=padding)
    return nn.Conv2d(incoming, outgoing, kernel_size, stride=stride, padding=padding)
