"""DenseNet, as the book has it: blocks in which each convolution sees all maps before it.

Huang, Liu, van der Maaten and Weinberger, "Densely connected convolutional networks" (2017), table
1; Zhang, Lipton, Li and Smola, "Dive into Deep Learning", section "Densely Connected Networks
(DenseNet)".
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from holmdel.settings import check_options
from holmdel.shapes import refuse_smaller, scaled

_BLOCKS = (4, 4, 4, 4)  # convolutions of each block
_FIRST, _GROWTH = 64, 32  # maps of the first convolution, and that each further one adds
_LEAST = 32  # pixels a side, which a stride and four poolings halve


def densenet(
    *,
    classes: int = 10,
    channels: int = 1,
    width: float = 1.0,
    size: tuple[int, int] = (96, 96),
) -> nn.Sequential:
    """Returns the book's DenseNet: (N, 1, 96, 96) to logits (N, 10), 758,226 parameters.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | conv | Conv2d 7x7, stride 2, padding 3 | 64x48x48 | 3,200 |
        | norm | BatchNorm2d | 64x48x48 | 128 |
        | relu | ReLU | 64x48x48 | 0 |
        | pool | MaxPool2d 3x3, stride 2, padding 1 | 64x24x24 | 0 |
        | block1 | Dense | 192x24x24 | 130,048 |
        | transition1.norm | BatchNorm2d | 192x24x24 | 384 |
        | transition1.relu | ReLU | 192x24x24 | 0 |
        | transition1.conv | Conv2d 1x1 | 96x24x24 | 18,528 |
        | transition1.pool | AvgPool2d 2x2, stride 2 | 96x12x12 | 0 |
        | block2 | Dense | 224x12x12 | 167,168 |
        | transition2.norm | BatchNorm2d | 224x12x12 | 448 |
        | transition2.relu | ReLU | 224x12x12 | 0 |
        | transition2.conv | Conv2d 1x1 | 112x12x12 | 25,200 |
        | transition2.pool | AvgPool2d 2x2, stride 2 | 112x6x6 | 0 |
        | block3 | Dense | 240x6x6 | 185,728 |
        | transition3.norm | BatchNorm2d | 240x6x6 | 480 |
        | transition3.relu | ReLU | 240x6x6 | 0 |
        | transition3.conv | Conv2d 1x1 | 120x6x6 | 28,920 |
        | transition3.pool | AvgPool2d 2x2, stride 2 | 120x3x3 | 0 |
        | block4 | Dense | 248x3x3 | 195,008 |
        | norm5 | BatchNorm2d | 248x3x3 | 496 |
        | relu5 | ReLU | 248x3x3 | 0 |
        | mean | AdaptiveAvgPool2d | 248x1x1 | 0 |
        | flatten | Flatten | 248 | 0 |
        | output | Linear | 10 | 2,490 |

    Differs from the paper:
        Four convolutions a block, as many as ResNet-18 has, in place of 6, 12, 24 and 16 pairs of a
        1x1 and a 3x3; each convolution has a bias, as in the book.

    Args:
        classes: how many classes, so how many logits.
        channels: C of the pictures.
        width: factor on the number of maps.
        size: H and W of the pictures; the parameters do not depend on it.

    Raises:
        UserError: for an option outside these values, or pictures under 32 pixels a side.
    """
    check_options(classes=classes, channels=channels, width=width, size=size)
    refuse_smaller(size, _LEAST)
    maps, growth = scaled(_FIRST, width), scaled(_GROWTH, width)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(channels, maps, kernel_size=7, stride=2, padding=3),
        norm=nn.BatchNorm2d(maps),
        relu=nn.ReLU(),
        pool=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
    )
    for number, count in enumerate(_BLOCKS, start=1):
        layers[f"block{number}"] = Dense(count, maps, growth)
        maps += count * growth
        if number < len(_BLOCKS):
            layers[f"transition{number}"] = _transition(maps, maps // 2)
            maps //= 2
    layers |= {"norm5": nn.BatchNorm2d(maps), "relu5": nn.ReLU()}
    layers |= {"mean": nn.AdaptiveAvgPool2d((1, 1)), "flatten": nn.Flatten()}
    layers["output"] = nn.Linear(maps, classes)
    return nn.Sequential(layers)


class Dense(nn.Module):
    """Convolutions, each of which sees all maps before it: (N, C, H, W) to (N, C + n * O, H, W).

    Args:
        count: n, how many.
        in_channels: C.
        growth: O, the maps that each adds.
    """

    def __init__(self, count: int, in_channels: int, growth: int) -> None:
        super().__init__()
        for number in range(count):
            before = in_channels + number * growth
            self.add_module(
                f"part{number + 1}",
                nn.Sequential(
                    OrderedDict(
                        norm=nn.BatchNorm2d(before),
                        relu=nn.ReLU(),
                        conv=nn.Conv2d(before, growth, kernel_size=3, padding=1),
                    )
                ),
            )

    def forward(self, images: Tensor) -> Tensor:
        """Returns the maps, and behind them those of each convolution."""
        for part in self.children():
            images = torch.cat([images, part(images)], dim=1)
        return images


def _transition(in_channels: int, out_channels: int) -> nn.Sequential:
    """Returns what halves the maps' number, and their sides."""
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(in_channels),
            relu=nn.ReLU(),
            conv=nn.Conv2d(in_channels, out_channels, kernel_size=1),
            pool=nn.AvgPool2d(kernel_size=2, stride=2),
        )
    )
