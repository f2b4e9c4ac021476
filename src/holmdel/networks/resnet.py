"""A small residual network: three blocks, each a sum of two convolutions and the way around them.

He, Zhang, Ren and Sun, "Deep residual learning for image recognition" (2016), section 4.2, with
n = 1; Zhang, Lipton, Li and Smola, "Dive into Deep Learning", section "Residual Networks (ResNet)".
"""

from collections import OrderedDict

from torch import Tensor, nn

from holmdel.settings import check_options
from holmdel.shapes import refuse_smaller, scaled

_LEAST = 8  # pixels a side, which two strides of 2 make 2


def resnet8(
    *,
    classes: int = 10,
    channels: int = 3,
    width: float = 1.0,
    size: tuple[int, int] = (32, 32),
) -> nn.Sequential:
    """Returns a residual network of 8 layers: (N, 3, 32, 32) to logits (N, 10), 77,706 parameters.

    For colour images of 32x32 to 96x96; the parameters do not depend on the size. `width=1.9` has
    3.6 times as many, 279,044.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | conv | Conv2d 3x3, padding 1 | 16x32x32 | 448 |
        | relu | ReLU | 16x32x32 | 0 |
        | block1 | Residual | 16x32x32 | 4,640 |
        | block2 | Residual | 32x16x16 | 14,432 |
        | block3 | Residual | 64x8x8 | 57,536 |
        | mean | AdaptiveAvgPool2d | 64x1x1 | 0 |
        | flatten | Flatten | 64 | 0 |
        | output | Linear | 10 | 650 |

    Differs from the paper:
        Where the maps shrink, the way around is a 1x1 convolution, the paper's option B, in place
        of zeros for the new maps. Batch norms are no layers here: recipes train with one behind
        each convolution, where the paper has them, and fold them into the weights.

    Args:
        classes: how many classes, so how many logits.
        channels: C of the pictures.
        width: factor on the number of maps.
        size: H and W of the pictures.

    Raises:
        UserError: for an option outside these values, or pictures under 8 pixels a side.
    """
    check_options(classes=classes, channels=channels, width=width, size=size)
    refuse_smaller(size, _LEAST)
    m1, m2, m3 = (scaled(maps, width) for maps in (16, 32, 64))
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(channels, m1, kernel_size=3, padding=1),
            relu=nn.ReLU(),
            block1=Residual(m1, m1),
            block2=Residual(m1, m2, stride=2),
            block3=Residual(m2, m3, stride=2),
            mean=nn.AdaptiveAvgPool2d((1, 1)),
            flatten=nn.Flatten(),
            output=nn.Linear(m3, classes),
        )
    )


class Residual(nn.Module):
    """Two 3x3 convolutions, added to what they were given: (N, C, H, W) to (N, O, H', W').

    Args:
        in_channels: maps that it sees.
        out_channels: maps that it gives.
        stride: of the first convolution; with another than 1, or other maps, the way around is a
            1x1 convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, kernel_size=3, stride=stride, padding=1)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1)
        self.around = None
        if stride > 1 or in_channels != out_channels:
            self.around = nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride)
        self.relu2 = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """Returns the sum, and nothing of it below 0."""
        found = self.conv2(self.relu1(self.conv1(images)))
        around = images if self.around is None else self.around(images)
        result: Tensor = self.relu2(found + around)
        return result
