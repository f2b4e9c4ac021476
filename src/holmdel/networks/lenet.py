"""LeNet, as books and papers draw it: three variants of one chain of layers.

LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition",
Proceedings of the IEEE 86(11), 1998, section II.B; Zhang, Lipton, Li and Smola, "Dive into Deep
Learning", section "Convolutional Neural Networks (LeNet)".
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial

from torch import nn

from holmdel.settings import check_options
from holmdel.shapes import output_size

ACTIVATIONS: dict[str, type[nn.Module]] = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}
POOLINGS: dict[str, type[nn.Module]] = {"avg": nn.AvgPool2d, "max": nn.MaxPool2d}


@dataclass(frozen=True)
class Variant:
    """What LeNets differ in.

    Attributes:
        kernel: K of c1.
        padding: P of c1.
        maps: of c1 and of c3.
        dense: numbers that the dense layers before the last give.
        active: the layers that a nonlinear function follows.
    """

    kernel: int = 5
    padding: int = 2
    maps: tuple[int, int] = (6, 16)
    dense: tuple[int, ...] = (120, 84)
    active: tuple[str, ...] = ("c1", "c3", "f5", "f6")


VARIANTS = {
    "book": Variant(),
    "paddle": Variant(kernel=3, padding=1, active=("c1", "c3")),
    "caffe": Variant(padding=0, maps=(20, 50), dense=(500,), active=("f5",)),
}


def lenet(
    *,
    activation: str = "sigmoid",
    pooling: str = "avg",
    variant: str = "book",
    ceil_mode: bool = False,
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
        variant: `book`; `paddle`: as `paddle.vision.models.LeNet`, 61,610 parameters, c1 of 3x3
            with a padding of 1, and no function between the dense layers; `caffe`: as the example
            of Caffe, 431,080 parameters, 20 and 50 maps, no padding, a single dense layer of 500
            before the last, and a function behind that one alone. Both were made for `relu` and
            `max`.
        ceil_mode: poolings round up.
        classes: how many classes, so how many logits.
        channels: C of the pictures.
        size: H and W of the pictures; the first dense layer follows from it.

    Raises:
        UserError: for an option outside these values.
    """
    check_options(variant=variant)
    shape = VARIANTS[variant]
    return _chain(activation, pooling, ceil_mode, classes, channels, size, shape)


def lenet_max(
    *,
    activation: str = "sigmoid",
    pooling: str = "max",
    ceil_mode: bool = False,
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
    return _chain(activation, pooling, ceil_mode, classes, channels, size, _UNPADDED)


def lenet5(
    *,
    activation: str = "sigmoid",
    pooling: str = "avg",
    ceil_mode: bool = False,
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
    return _chain(activation, pooling, ceil_mode, classes, channels, size, _UNPADDED)


_UNPADDED = replace(VARIANTS["book"], padding=0)


def _chain(
    activation: str,
    pooling: str,
    ceil_mode: bool,
    classes: int,
    channels: int,
    size: tuple[int, int],
    shape: Variant,
) -> nn.Sequential:
    """Returns the chain that the variants share."""
    check_options(activation=activation, pooling=pooling, ceil_mode=ceil_mode)
    check_options(classes=classes, channels=channels, size=size)
    pool = partial(POOLINGS[pooling], kernel_size=2, stride=2, ceil_mode=ceil_mode)
    height, width = (_after_s4(side, shape, ceil_mode) for side in size)
    first, second = shape.maps
    layers: dict[str, nn.Module] = {
        "c1": nn.Conv2d(channels, first, kernel_size=shape.kernel, padding=shape.padding),
        "s2": pool(),
        "c3": nn.Conv2d(first, second, kernel_size=5),
        "s4": pool(),
        "flatten": nn.Flatten(),
    }
    given = second * height * width
    for number, wanted in enumerate(shape.dense, start=5):
        layers[f"f{number}"] = nn.Linear(given, wanted)
        given = wanted
    layers["output"] = nn.Linear(given, classes)
    return nn.Sequential(_activated(layers, shape.active, ACTIVATIONS[activation]))


def _activated(
    layers: dict[str, nn.Module], active: tuple[str, ...], function: type[nn.Module]
) -> OrderedDict[str, nn.Module]:
    """Returns layers with a function behind some: `act1` behind `c1`."""
    found: OrderedDict[str, nn.Module] = OrderedDict()
    for name, layer in layers.items():
        found[name] = layer
        if name in active:
            found[f"act{name[1:]}"] = function()
    return found


def _after_s4(side: int, shape: Variant, ceil_mode: bool) -> int:
    """Returns the height or width of s4's maps for a picture of `side` pixels."""
    c1 = output_size(side, kernel=shape.kernel, padding=shape.padding)
    s2 = output_size(c1, kernel=2, stride=2, ceil=ceil_mode)
    return output_size(output_size(s2, kernel=5), kernel=2, stride=2, ceil=ceil_mode)
