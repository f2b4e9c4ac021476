"""LeNet, as books and papers draw it: three variants of one chain of layers.

LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition",
Proceedings of the IEEE 86(11), 1998, section II.B; Zhang, Lipton, Li and Smola, "Dive into Deep
Learning", section "Convolutional Neural Networks (LeNet)".
"""

from collections import OrderedDict
from functools import partial

from torch import nn

from holmdel.settings import check_options
from holmdel.shapes import output_size

ACTIVATIONS: dict[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
POOLINGS: dict[str, type[nn.Module]] = {"avg": nn.AvgPool2d, "max": nn.MaxPool2d}


def lenet(
    *,
    activation: str = "sigmoid",
    pooling: str = "avg",
    classes: int = 10,
    channels: int = 1,
    size: tuple[int, int] = (28, 28),
) -> nn.Sequential:
    """Returns LeNet as the book draws it: (N, 1, 28, 28) to logits (N, 10), 61,706 parameters.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | c1 | Conv2d 5x5, padding 2 | 6x28x28 | 156 |
        | act1 | Sigmoid | 6x28x28 | 0 |
        | s2 | AvgPool2d 2x2, stride 2 | 6x14x14 | 0 |
        | c3 | Conv2d 5x5 | 16x10x10 | 2,416 |
        | act3 | Sigmoid | 16x10x10 | 0 |
        | s4 | AvgPool2d 2x2, stride 2 | 16x5x5 | 0 |
        | flatten | Flatten | 400 | 0 |
        | f5 | Linear | 120 | 48,120 |
        | act5 | Sigmoid | 120 | 0 |
        | f6 | Linear | 84 | 10,164 |
        | act6 | Sigmoid | 84 | 0 |
        | output | Linear | 10 | 850 |

    Differs from the paper:
        28x28 with a padding of 2 in place of 32x32; sigmoid in place of a scaled tanh; plain
        averaging in place of trainable subsampling; every map of c3 sees all six maps of s2; a
        linear output in place of radial basis functions.

    Args:
        activation: `sigmoid`, `tanh` or `relu`.
        pooling: `avg` or `max`.
        classes: how many classes, so how many logits.
        channels: C of the pictures.
        size: H and W of the pictures; the first dense layer follows from it.

    Raises:
        UserError: for an option outside these values.
    """
    return _chain(activation, pooling, classes, channels, size, padding=2)


def lenet_max(
    *,
    activation: str = "sigmoid",
    pooling: str = "max",
    classes: int = 10,
    channels: int = 1,
    size: tuple[int, int] = (28, 28),
) -> nn.Sequential:
    """Returns LeNet without padding and with max pooling: 44,426 parameters at (N, 1, 28, 28).

    The variant of the book's MXNet/Gluon text and of the PyTorch class that follows it.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | c1 | Conv2d 5x5 | 6x24x24 | 156 |
        | act1 | Sigmoid | 6x24x24 | 0 |
        | s2 | MaxPool2d 2x2, stride 2 | 6x12x12 | 0 |
        | c3 | Conv2d 5x5 | 16x8x8 | 2,416 |
        | act3 | Sigmoid | 16x8x8 | 0 |
        | s4 | MaxPool2d 2x2, stride 2 | 16x4x4 | 0 |
        | flatten | Flatten | 256 | 0 |
        | f5 | Linear | 120 | 30,840 |
        | act5 | Sigmoid | 120 | 0 |
        | f6 | Linear | 84 | 10,164 |
        | act6 | Sigmoid | 84 | 0 |
        | output | Linear | 10 | 850 |

    Differs from the paper:
        As `lenet`, and max pooling; 28x28 without padding leaves 4x4 maps before the dense layers.

    Args and Raises: as `lenet`.
    """
    return _chain(activation, pooling, classes, channels, size, padding=0)


def lenet5(
    *,
    activation: str = "sigmoid",
    pooling: str = "avg",
    classes: int = 10,
    channels: int = 1,
    size: tuple[int, int] = (32, 32),
) -> nn.Sequential:
    """Returns LeNet on the paper's 32x32 pictures: (N, 1, 32, 32) to (N, 10), 61,706 parameters.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | c1 | Conv2d 5x5 | 6x28x28 | 156 |
        | act1 | Sigmoid | 6x28x28 | 0 |
        | s2 | AvgPool2d 2x2, stride 2 | 6x14x14 | 0 |
        | c3 | Conv2d 5x5 | 16x10x10 | 2,416 |
        | act3 | Sigmoid | 16x10x10 | 0 |
        | s4 | AvgPool2d 2x2, stride 2 | 16x5x5 | 0 |
        | flatten | Flatten | 400 | 0 |
        | f5 | Linear | 120 | 48,120 |
        | act5 | Sigmoid | 120 | 0 |
        | f6 | Linear | 84 | 10,164 |
        | act6 | Sigmoid | 84 | 0 |
        | output | Linear | 10 | 850 |

    Differs from the paper:
        Sigmoid in place of a scaled tanh; plain averaging in place of trainable subsampling; every
        map of c3 sees all six maps of s2; a linear output in place of radial basis functions.

    Args and Raises: as `lenet`.
    """
    return _chain(activation, pooling, classes, channels, size, padding=0)


def _chain(
    activation: str,
    pooling: str,
    classes: int,
    channels: int,
    size: tuple[int, int],
    padding: int,
) -> nn.Sequential:
    """Returns the chain that the three variants share."""
    check_options(
        activation=activation, pooling=pooling, classes=classes, channels=channels, size=size
    )
    act = ACTIVATIONS[activation]
    pool = partial(POOLINGS[pooling], kernel_size=2, stride=2)
    height, width = (_after_s4(side, padding) for side in size)
    return nn.Sequential(
        OrderedDict(
            c1=nn.Conv2d(channels, 6, kernel_size=5, padding=padding),
            act1=act(),
            s2=pool(),
            c3=nn.Conv2d(6, 16, kernel_size=5),
            act3=act(),
            s4=pool(),
            flatten=nn.Flatten(),
            f5=nn.Linear(16 * height * width, 120),
            act5=act(),
            f6=nn.Linear(120, 84),
            act6=act(),
            output=nn.Linear(84, classes),
        )
    )


def _after_s4(side: int, padding: int) -> int:
    """Returns the height or width of s4's maps for a picture of `side` pixels."""
    s2 = output_size(output_size(side, kernel=5, padding=padding), kernel=2, stride=2)
    return output_size(output_size(s2, kernel=5), kernel=2, stride=2)
