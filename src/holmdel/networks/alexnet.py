"""AlexNet, as *Dive into Deep Learning* draws it for small data.

Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural networks"
(2012), section 3.5; Zhang, Lipton, Li and Smola, "Dive into Deep Learning", section "Deep
Convolutional Neural Networks (AlexNet)".
"""

from collections import OrderedDict

from torch import nn

from holmdel.settings import check_options
from holmdel.shapes import output_size, scaled


def alexnet(
    *,
    classes: int = 10,
    channels: int = 1,
    width: float = 1.0,
    lrn: bool = False,
    padding: int = 1,
    ceil_mode: bool = False,
    size: tuple[int, int] = (224, 224),
) -> nn.Sequential:
    """Returns AlexNet as the book draws it: (N, 1, 224, 224) to logits (N, 10).

    46,764,746 parameters.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | conv1 | Conv2d 11x11, stride 4, padding 1 | 96x54x54 | 11,712 |
        | relu1 | ReLU | 96x54x54 | 0 |
        | pool1 | MaxPool2d 3x3, stride 2 | 96x26x26 | 0 |
        | conv2 | Conv2d 5x5, padding 2 | 256x26x26 | 614,656 |
        | relu2 | ReLU | 256x26x26 | 0 |
        | pool2 | MaxPool2d 3x3, stride 2 | 256x12x12 | 0 |
        | conv3 | Conv2d 3x3, padding 1 | 384x12x12 | 885,120 |
        | relu3 | ReLU | 384x12x12 | 0 |
        | conv4 | Conv2d 3x3, padding 1 | 384x12x12 | 1,327,488 |
        | relu4 | ReLU | 384x12x12 | 0 |
        | conv5 | Conv2d 3x3, padding 1 | 256x12x12 | 884,992 |
        | relu5 | ReLU | 256x12x12 | 0 |
        | pool5 | MaxPool2d 3x3, stride 2 | 256x5x5 | 0 |
        | flatten | Flatten | 6400 | 0 |
        | fc6 | Linear | 4096 | 26,218,496 |
        | relu6 | ReLU | 4096 | 0 |
        | drop6 | Dropout | 4096 | 0 |
        | fc7 | Linear | 4096 | 16,781,312 |
        | relu7 | ReLU | 4096 | 0 |
        | drop7 | Dropout | 4096 | 0 |
        | fc8 | Linear | 10 | 40,970 |

    Differs from the paper:
        One tower in place of two that were split over two GPUs, so conv2, conv4 and conv5 see all
        maps; 96 and 256 maps as both towers together have. A padding of 1 at conv1, where the paper
        says 224x224 and computes with 227x227. No local response normalisation unless
        `lrn=True`, which puts it behind relu1 and relu2 as section 3.3 does (n = 5, alpha = 1e-4,
        beta = 0.75, k = 2). Ten classes of one channel in place of a thousand of three.

    Args:
        classes: how many classes, so how many logits.
        channels: C of the pictures.
        width: factor on the number of maps and of dense units.
        lrn: local response normalisation, as the paper has it.
        padding: P of conv1: 1 in the book's PyTorch text, 0 in its MXNet text.
        ceil_mode: poolings round up, as Caffe's.
        size: H and W of the pictures; the first dense layer follows from it.

    Raises:
        UserError: for an option outside these values.
    """
    check_options(classes=classes, channels=channels, width=width, size=size)
    check_options(lrn=lrn, padding=padding, ceil_mode=ceil_mode)
    c1, c2, c3, c5, dense = (scaled(maps, width) for maps in (96, 256, 384, 256, 4096))
    height, width_5 = (_after_pool5(side, padding, ceil_mode) for side in size)
    layers: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(channels, c1, kernel_size=11, stride=4, padding=padding),
        "relu1": nn.ReLU(),
        "norm1": _response_norm(),
        "pool1": nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=ceil_mode),
        "conv2": nn.Conv2d(c1, c2, kernel_size=5, padding=2),
        "relu2": nn.ReLU(),
        "norm2": _response_norm(),
        "pool2": nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=ceil_mode),
        "conv3": nn.Conv2d(c2, c3, kernel_size=3, padding=1),
        "relu3": nn.ReLU(),
        "conv4": nn.Conv2d(c3, c3, kernel_size=3, padding=1),
        "relu4": nn.ReLU(),
        "conv5": nn.Conv2d(c3, c5, kernel_size=3, padding=1),
        "relu5": nn.ReLU(),
        "pool5": nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=ceil_mode),
        "flatten": nn.Flatten(),
        "fc6": nn.Linear(c5 * height * width_5, dense),
        "relu6": nn.ReLU(),
        "drop6": nn.Dropout(p=0.5),
        "fc7": nn.Linear(dense, dense),
        "relu7": nn.ReLU(),
        "drop7": nn.Dropout(p=0.5),
        "fc8": nn.Linear(dense, classes),
    }
    if not lrn:
        del layers["norm1"], layers["norm2"]
    return nn.Sequential(OrderedDict(layers))


def _response_norm() -> nn.Module:
    """Returns the paper's normalisation over five neighbouring maps, section 3.3.

    PyTorch divides alpha by the number of maps, the paper does not.
    """
    return nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2.0)


def _after_pool5(side: int, padding: int, ceil_mode: bool) -> int:
    """Returns the height or width of pool5's maps for a picture of `side` pixels."""
    side = output_size(side, kernel=11, stride=4, padding=padding)
    for _ in range(3):  # the convolutions between the poolings keep the size
        side = output_size(side, kernel=3, stride=2, ceil=ceil_mode)
    return side
