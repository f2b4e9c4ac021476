"""VGG: blocks of 3x3 convolutions, each block followed by a pooling that halves the maps.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition" (2015),
table 1; Zhang, Lipton, Li and Smola, "Dive into Deep Learning", section "Networks Using Blocks
(VGG)".
"""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import chain, count

from torch import nn

from holmdel.errors import UserError
from holmdel.settings import check_options
from holmdel.shapes import scaled

Architecture = Sequence[tuple[int, int]]  # (convolutions, maps) a block

VGG11: Architecture = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))
VGG16: Architecture = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))


def vgg11(
    *,
    classes: int = 10,
    channels: int = 1,
    width: float = 0.25,
    size: tuple[int, int] = (224, 224),
) -> nn.Sequential:
    """Returns the book's small VGG-11: (N, 1, 224, 224) to logits (N, 10), 43,093,322 parameters.

    A quarter of the paper's maps; the dense layers as wide as the paper's. `width=1` with
    `channels=3` and `classes=1000` is configuration A of the paper, 132,863,336 parameters.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | block1.conv1 | Conv2d 3x3, padding 1 | 16x224x224 | 160 |
        | block1.relu1 | ReLU | 16x224x224 | 0 |
        | block1.pool | MaxPool2d 2x2, stride 2 | 16x112x112 | 0 |
        | block2.conv1 | Conv2d 3x3, padding 1 | 32x112x112 | 4,640 |
        | block2.relu1 | ReLU | 32x112x112 | 0 |
        | block2.pool | MaxPool2d 2x2, stride 2 | 32x56x56 | 0 |
        | block3.conv1 | Conv2d 3x3, padding 1 | 64x56x56 | 18,496 |
        | block3.relu1 | ReLU | 64x56x56 | 0 |
        | block3.conv2 | Conv2d 3x3, padding 1 | 64x56x56 | 36,928 |
        | block3.relu2 | ReLU | 64x56x56 | 0 |
        | block3.pool | MaxPool2d 2x2, stride 2 | 64x28x28 | 0 |
        | block4.conv1 | Conv2d 3x3, padding 1 | 128x28x28 | 73,856 |
        | block4.relu1 | ReLU | 128x28x28 | 0 |
        | block4.conv2 | Conv2d 3x3, padding 1 | 128x28x28 | 147,584 |
        | block4.relu2 | ReLU | 128x28x28 | 0 |
        | block4.pool | MaxPool2d 2x2, stride 2 | 128x14x14 | 0 |
        | block5.conv1 | Conv2d 3x3, padding 1 | 128x14x14 | 147,584 |
        | block5.relu1 | ReLU | 128x14x14 | 0 |
        | block5.conv2 | Conv2d 3x3, padding 1 | 128x14x14 | 147,584 |
        | block5.relu2 | ReLU | 128x14x14 | 0 |
        | block5.pool | MaxPool2d 2x2, stride 2 | 128x7x7 | 0 |
        | flatten | Flatten | 6272 | 0 |
        | fc6 | Linear | 4096 | 25,694,208 |
        | relu6 | ReLU | 4096 | 0 |
        | drop6 | Dropout | 4096 | 0 |
        | fc7 | Linear | 4096 | 16,781,312 |
        | relu7 | ReLU | 4096 | 0 |
        | drop7 | Dropout | 4096 | 0 |
        | fc8 | Linear | 10 | 40,970 |

    Differs from the paper:
        A quarter of the maps; ten classes of one channel in place of a thousand of three.

    Args:
        classes: how many classes, so how many logits.
        channels: C of the pictures.
        width: factor on the number of maps; the dense layers keep their 4,096 units.
        size: H and W of the pictures; the first dense layer follows from it.

    Raises:
        UserError: for an option outside these values.
    """
    return vgg(VGG11, classes=classes, channels=channels, width=width, size=size)


def vgg16(
    *,
    classes: int = 10,
    channels: int = 1,
    width: float = 1.0,
    size: tuple[int, int] = (224, 224),
) -> nn.Sequential:
    """Returns VGG-16: (N, 1, 224, 224) to logits (N, 10), 134,300,362 parameters.

    With `channels=3` and `classes=1000` it is configuration D of the paper, 138,357,544 parameters.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | block1.conv1 | Conv2d 3x3, padding 1 | 64x224x224 | 640 |
        | block1.relu1 | ReLU | 64x224x224 | 0 |
        | block1.conv2 | Conv2d 3x3, padding 1 | 64x224x224 | 36,928 |
        | block1.relu2 | ReLU | 64x224x224 | 0 |
        | block1.pool | MaxPool2d 2x2, stride 2 | 64x112x112 | 0 |
        | block2.conv1 | Conv2d 3x3, padding 1 | 128x112x112 | 73,856 |
        | block2.relu1 | ReLU | 128x112x112 | 0 |
        | block2.conv2 | Conv2d 3x3, padding 1 | 128x112x112 | 147,584 |
        | block2.relu2 | ReLU | 128x112x112 | 0 |
        | block2.pool | MaxPool2d 2x2, stride 2 | 128x56x56 | 0 |
        | block3.conv1 | Conv2d 3x3, padding 1 | 256x56x56 | 295,168 |
        | block3.relu1 | ReLU | 256x56x56 | 0 |
        | block3.conv2 | Conv2d 3x3, padding 1 | 256x56x56 | 590,080 |
        | block3.relu2 | ReLU | 256x56x56 | 0 |
        | block3.conv3 | Conv2d 3x3, padding 1 | 256x56x56 | 590,080 |
        | block3.relu3 | ReLU | 256x56x56 | 0 |
        | block3.pool | MaxPool2d 2x2, stride 2 | 256x28x28 | 0 |
        | block4.conv1 | Conv2d 3x3, padding 1 | 512x28x28 | 1,180,160 |
        | block4.relu1 | ReLU | 512x28x28 | 0 |
        | block4.conv2 | Conv2d 3x3, padding 1 | 512x28x28 | 2,359,808 |
        | block4.relu2 | ReLU | 512x28x28 | 0 |
        | block4.conv3 | Conv2d 3x3, padding 1 | 512x28x28 | 2,359,808 |
        | block4.relu3 | ReLU | 512x28x28 | 0 |
        | block4.pool | MaxPool2d 2x2, stride 2 | 512x14x14 | 0 |
        | block5.conv1 | Conv2d 3x3, padding 1 | 512x14x14 | 2,359,808 |
        | block5.relu1 | ReLU | 512x14x14 | 0 |
        | block5.conv2 | Conv2d 3x3, padding 1 | 512x14x14 | 2,359,808 |
        | block5.relu2 | ReLU | 512x14x14 | 0 |
        | block5.conv3 | Conv2d 3x3, padding 1 | 512x14x14 | 2,359,808 |
        | block5.relu3 | ReLU | 512x14x14 | 0 |
        | block5.pool | MaxPool2d 2x2, stride 2 | 512x7x7 | 0 |
        | flatten | Flatten | 25088 | 0 |
        | fc6 | Linear | 4096 | 102,764,544 |
        | relu6 | ReLU | 4096 | 0 |
        | drop6 | Dropout | 4096 | 0 |
        | fc7 | Linear | 4096 | 16,781,312 |
        | relu7 | ReLU | 4096 | 0 |
        | drop7 | Dropout | 4096 | 0 |
        | fc8 | Linear | 10 | 40,970 |

    Differs from the paper:
        Ten classes of one channel in place of a thousand of three.

    Args and Raises: as `vgg11`.
    """
    return vgg(VGG16, classes=classes, channels=channels, width=width, size=size)


def vgg(
    arch: Architecture,
    *,
    classes: int = 10,
    channels: int = 1,
    width: float = 1.0,
    size: tuple[int, int] = (224, 224),
) -> nn.Sequential:
    """Returns the VGG of an architecture: (N, channels, H, W) to logits (N, classes).

    Args:
        arch: (number of convolutions, number of maps) of each block, such as `VGG11`.
        classes: how many classes, so how many logits.
        channels: C of the pictures.
        width: factor on the number of maps; the dense layers keep their 4,096 units.
        size: H and W of the pictures; each block halves them, rounding down.

    Raises:
        UserError: for an option outside these values, or pictures too small for the blocks.
    """
    check_options(classes=classes, channels=channels, width=width, size=size)
    height, width_out = (side >> len(arch) for side in size)
    if not height or not width_out:
        raise UserError(
            f"size was given as {size[0]}x{size[1]}; {len(arch)} poolings that halve it leave "
            f"nothing; expected at least {2 ** len(arch)} pixels a side"
        )
    blocks: dict[str, nn.Module] = {}
    incoming = channels
    for number, (convolutions, maps) in enumerate(arch, start=1):
        outgoing = scaled(maps, width)
        blocks[f"block{number}"] = vgg_block(convolutions, incoming, outgoing)
        incoming = outgoing
    return nn.Sequential(
        OrderedDict(
            blocks,
            flatten=nn.Flatten(),
            fc6=nn.Linear(incoming * height * width_out, 4096),
            relu6=nn.ReLU(),
            drop6=nn.Dropout(p=0.5),
            fc7=nn.Linear(4096, 4096),
            relu7=nn.ReLU(),
            drop7=nn.Dropout(p=0.5),
            fc8=nn.Linear(4096, classes),
        )
    )


def vgg_block(convolutions: int, in_channels: int, out_channels: int) -> nn.Sequential:
    """Returns a block: 3x3 convolutions that keep the size, then a pooling that halves it.

    (N, in_channels, H, W) to (N, out_channels, H // 2, W // 2).

    Args:
        convolutions: how many.
        in_channels: maps that the first one sees.
        out_channels: maps that each one gives.
    """
    incoming = chain([in_channels], (out_channels for _ in count()))
    layers: dict[str, nn.Module] = {}
    for number, maps in zip(range(1, convolutions + 1), incoming, strict=False):
        layers[f"conv{number}"] = nn.Conv2d(maps, out_channels, kernel_size=3, padding=1)
        layers[f"relu{number}"] = nn.ReLU()
    return nn.Sequential(OrderedDict(layers, pool=nn.MaxPool2d(kernel_size=2, stride=2)))
