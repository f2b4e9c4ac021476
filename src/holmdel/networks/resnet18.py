"""ResNet-18, as the book has it: blocks of two convolutions with batch norms, and a way around.

He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2016), table 1; Zhang,
Lipton, Li and Smola, "Dive into Deep Learning", section "Residual Networks (ResNet)".
"""

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn

from holmdel.settings import check_options
from holmdel.shapes import refuse_smaller, scaled

_LEAST = 8  # pixels a side


def resnet18(
    *,
    classes: int = 10,
    channels: int = 1,
    width: float = 1.0,
    size: tuple[int, int] = (96, 96),
) -> nn.Sequential:
    """Returns ResNet-18: (N, 1, 96, 96) to logits (N, 10), 11,178,378 parameters.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | conv | Conv2d 7x7, stride 2, padding 3 | 64x48x48 | 3,200 |
        | norm | BatchNorm2d | 64x48x48 | 128 |
        | relu | ReLU | 64x48x48 | 0 |
        | pool | MaxPool2d 3x3, stride 2, padding 1 | 64x24x24 | 0 |
        | stage1 | Sequential | 64x24x24 | 148,224 |
        | stage2 | Sequential | 128x12x12 | 525,952 |
        | stage3 | Sequential | 256x6x6 | 2,100,480 |
        | stage4 | Sequential | 512x3x3 | 8,395,264 |
        | mean | AdaptiveAvgPool2d | 512x1x1 | 0 |
        | flatten | Flatten | 512 | 0 |
        | output | Linear | 10 | 5,130 |

    Differs from the paper:
        As in the book, each convolution has a bias, 4,800 in all, and the 1x1 convolution around a
        block no batch norm, 1,792 parameters: with `channels=3` and `classes=1000` it has
        11,692,520, the paper's 11,689,512.

    Args:
        classes: how many classes, so how many logits.
        channels: C of the pictures.
        width: factor on the number of maps.
        size: H and W of the pictures; the parameters do not depend on it.

    Raises:
        UserError: for an option outside these values, or pictures under 8 pixels a side.
    """
    check_options(classes=classes, channels=channels, width=width, size=size)
    refuse_smaller(size, _LEAST)
    maps = [scaled(count, width) for count in (64, 64, 128, 256, 512)]
    stages = {
        f"stage{number}": nn.Sequential(
            OrderedDict(
                block1=NormedResidual(before, after, stride=1 if number == 1 else 2),
                block2=NormedResidual(after, after),
            )
        )
        for number, (before, after) in enumerate(pairwise(maps), start=1)
    }
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(channels, maps[0], kernel_size=7, stride=2, padding=3),
            norm=nn.BatchNorm2d(maps[0]),
            relu=nn.ReLU(),
            pool=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
            **stages,
            mean=nn.AdaptiveAvgPool2d((1, 1)),
            flatten=nn.Flatten(),
            output=nn.Linear(maps[-1], classes),
        )
    )


class NormedResidual(nn.Module):
    """Two 3x3 convolutions with batch norms, added to what they were given.

    (N, C, H, W) to (N, O, H', W'). Its layers stand in the order in which the book makes them, so
    that its weights come in order.

    Args:
        in_channels: maps that it sees.
        out_channels: maps that it gives.
        stride: of the first convolution; with another than 1 the way around is a 1x1 convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1)
        self.around = None
        if stride > 1 or in_channels != out_channels:
            self.around = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.relu1 = nn.ReLU()
        self.relu2 = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """Returns the sum, and nothing of it below 0."""
        found = self.relu1(self.norm1(self.conv1(images)))
        found = self.norm2(self.conv2(found))
        around = images if self.around is None else self.around(images)
        result: Tensor = self.relu2(found + around)
        return result
