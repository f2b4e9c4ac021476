"""NiN, the network in network: each convolution is followed by two 1x1 ones, a net a pixel.

Lin, Chen and Yan, "Network in network" (2014), section 3; Zhang, Lipton, Li and Smola, "Dive into
Deep Learning", section "Network in Network (NiN)".
"""

from collections import OrderedDict

from torch import nn

from holmdel.settings import check_options
from holmdel.shapes import output_size, scaled


def nin(
    *,
    classes: int = 10,
    channels: int = 1,
    width: float = 1.0,
    ceil_mode: bool = False,
    size: tuple[int, int] = (224, 224),
) -> nn.Sequential:
    """Returns NiN as the book draws it: (N, 1, 224, 224) to logits (N, 10), 1,992,166 parameters.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | block1.conv | Conv2d 11x11, stride 4 | 96x54x54 | 11,712 |
        | block1.relu | ReLU | 96x54x54 | 0 |
        | block1.mlp1 | Conv2d 1x1 | 96x54x54 | 9,312 |
        | block1.relu1 | ReLU | 96x54x54 | 0 |
        | block1.mlp2 | Conv2d 1x1 | 96x54x54 | 9,312 |
        | block1.relu2 | ReLU | 96x54x54 | 0 |
        | pool1 | MaxPool2d 3x3, stride 2 | 96x26x26 | 0 |
        | block2.conv | Conv2d 5x5, padding 2 | 256x26x26 | 614,656 |
        | block2.relu | ReLU | 256x26x26 | 0 |
        | block2.mlp1 | Conv2d 1x1 | 256x26x26 | 65,792 |
        | block2.relu1 | ReLU | 256x26x26 | 0 |
        | block2.mlp2 | Conv2d 1x1 | 256x26x26 | 65,792 |
        | block2.relu2 | ReLU | 256x26x26 | 0 |
        | pool2 | MaxPool2d 3x3, stride 2 | 256x12x12 | 0 |
        | block3.conv | Conv2d 3x3, padding 1 | 384x12x12 | 885,120 |
        | block3.relu | ReLU | 384x12x12 | 0 |
        | block3.mlp1 | Conv2d 1x1 | 384x12x12 | 147,840 |
        | block3.relu1 | ReLU | 384x12x12 | 0 |
        | block3.mlp2 | Conv2d 1x1 | 384x12x12 | 147,840 |
        | block3.relu2 | ReLU | 384x12x12 | 0 |
        | pool3 | MaxPool2d 3x3, stride 2 | 384x5x5 | 0 |
        | drop | Dropout | 384x5x5 | 0 |
        | block4.conv | Conv2d 3x3, padding 1 | 10x5x5 | 34,570 |
        | block4.relu | ReLU | 10x5x5 | 0 |
        | block4.mlp1 | Conv2d 1x1 | 10x5x5 | 110 |
        | block4.relu1 | ReLU | 10x5x5 | 0 |
        | block4.mlp2 | Conv2d 1x1 | 10x5x5 | 110 |
        | block4.relu2 | ReLU | 10x5x5 | 0 |
        | mean | AdaptiveAvgPool2d | 10x1x1 | 0 |
        | flatten | Flatten | 10 | 0 |

    Differs from the paper:
        The paper's networks see 32x32 pictures through three blocks of 5x5 and 3x3 convolutions;
        this one takes AlexNet's 11x11, 5x5, 3x3 and its poolings, in four blocks. The last block
        ends in a ReLU, so logits are never negative, as in the book. One dropout in place of one
        behind each of the first two blocks.

    Args:
        classes: how many classes, so how many logits and maps of the last block.
        channels: C of the pictures.
        width: factor on the number of maps of the other blocks.
        ceil_mode: poolings round up, as Caffe's.
        size: H and W of the pictures; the parameters do not depend on it.

    Raises:
        UserError: for an option outside these values.
    """
    check_options(classes=classes, channels=channels, width=width, size=size, ceil_mode=ceil_mode)
    for side in size:
        _after_pool3(side, ceil_mode)  # raises where nothing is left
    m1, m2, m3 = (scaled(maps, width) for maps in (96, 256, 384))
    return nn.Sequential(
        OrderedDict(
            block1=nin_block(channels, m1, kernel_size=11, stride=4, padding=0),
            pool1=nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=ceil_mode),
            block2=nin_block(m1, m2, kernel_size=5, stride=1, padding=2),
            pool2=nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=ceil_mode),
            block3=nin_block(m2, m3, kernel_size=3, stride=1, padding=1),
            pool3=nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=ceil_mode),
            drop=nn.Dropout(p=0.5),
            block4=nin_block(m3, classes, kernel_size=3, stride=1, padding=1),
            mean=nn.AdaptiveAvgPool2d((1, 1)),
            flatten=nn.Flatten(),
        )
    )


def nin_block(
    in_channels: int, out_channels: int, kernel_size: int, stride: int, padding: int
) -> nn.Sequential:
    """Returns a block: a convolution and two 1x1 convolutions, a ReLU behind each.

    (N, in_channels, H, W) to (N, out_channels, H', W'), H' and W' as the first convolution says.

    Args:
        in_channels: maps that it sees.
        out_channels: maps that each convolution gives.
        kernel_size: K of the first convolution.
        stride: of the first convolution.
        padding: of the first convolution.
    """
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding),
            relu=nn.ReLU(),
            mlp1=nn.Conv2d(out_channels, out_channels, kernel_size=1),
            relu1=nn.ReLU(),
            mlp2=nn.Conv2d(out_channels, out_channels, kernel_size=1),
            relu2=nn.ReLU(),
        )
    )


def _after_pool3(side: int, ceil_mode: bool) -> int:
    """Returns the height or width of pool3's maps for a picture of `side` pixels."""
    side = output_size(side, kernel=11, stride=4)
    for _ in range(3):  # the convolutions between the poolings keep the size
        side = output_size(side, kernel=3, stride=2, ceil=ceil_mode)
    return side
