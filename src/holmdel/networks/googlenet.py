"""GoogLeNet: Inception blocks, each of four paths side by side.

Szegedy et al., "Going deeper with convolutions" (2015), table 1; Zhang, Lipton, Li and Smola, "Dive
into Deep Learning", section "Multi-Branch Networks (GoogLeNet)".
"""

from collections import OrderedDict
from functools import partial

import torch
from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.settings import check_options
from holmdel.shapes import scaled

# Maps of each block's paths: 1x1; 1x1 and 3x3; 1x1 and 5x5; 1x1 behind the pooling. Table 1.
Paths = tuple[int, tuple[int, int], tuple[int, int], int]
INCEPTIONS: dict[str, Paths] = {
    "inception3a": (64, (96, 128), (16, 32), 32),
    "inception3b": (128, (128, 192), (32, 96), 64),
    "inception4a": (192, (96, 208), (16, 48), 64),
    "inception4b": (160, (112, 224), (24, 64), 64),
    "inception4c": (128, (128, 256), (24, 64), 64),
    "inception4d": (112, (144, 288), (32, 64), 64),
    "inception4e": (256, (160, 320), (32, 128), 128),
    "inception5a": (256, (160, 320), (32, 128), 128),
    "inception5b": (384, (192, 384), (48, 128), 128),
}
POOLED = {"inception3b": "pool3", "inception4e": "pool4"}  # the pooling behind these blocks


class Inception(nn.Module):
    """Four paths over the same maps, their outputs joined: (N, C, H, W) to (N, C', H, W).

    Path 1 is a 1x1 convolution, path 2 a 1x1 and a 3x3, path 3 a 1x1 and a 5x5, path 4 a pooling
    and a 1x1; a ReLU follows each convolution. C' is c1 + c2[1] + c3[1] + c4. Paper, section 4.

    Args:
        in_channels: C.
        c1: maps of path 1.
        c2: maps of path 2, before and after its 3x3 convolution.
        c3: maps of path 3, before and after its 5x5 convolution.
        c4: maps of path 4.
    """

    def __init__(
        self, in_channels: int, c1: int, c2: tuple[int, int], c3: tuple[int, int], c4: int
    ) -> None:
        super().__init__()
        self.path1 = _path(conv=nn.Conv2d(in_channels, c1, kernel_size=1))
        self.path2 = _path(
            reduce=nn.Conv2d(in_channels, c2[0], kernel_size=1),
            conv=nn.Conv2d(c2[0], c2[1], kernel_size=3, padding=1),
        )
        self.path3 = _path(
            reduce=nn.Conv2d(in_channels, c3[0], kernel_size=1),
            conv=nn.Conv2d(c3[0], c3[1], kernel_size=5, padding=2),
        )
        self.path4 = _path(
            pool=nn.MaxPool2d(kernel_size=3, stride=1, padding=1),
            conv=nn.Conv2d(in_channels, c4, kernel_size=1),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Returns the four paths' maps, one behind the other."""
        paths = (self.path1, self.path2, self.path3, self.path4)
        return torch.cat([path(maps) for path in paths], dim=1)


def _path(**layers: nn.Module) -> nn.Sequential:
    """Returns layers in a row, a ReLU behind each convolution."""
    named: dict[str, nn.Module] = {}
    for name, layer in layers.items():
        named[name] = layer
        if isinstance(layer, nn.Conv2d):
            named[f"{name}_relu"] = nn.ReLU()
    return nn.Sequential(OrderedDict(named))


def googlenet(
    *,
    classes: int = 10,
    channels: int = 1,
    width: float = 1.0,
    ceil_mode: bool = False,
    same: bool = False,
    size: tuple[int, int] = (96, 96),
) -> nn.Sequential:
    """Returns GoogLeNet as the book draws it: (N, 1, 96, 96) to logits (N, 10).

    5,977,530 parameters, whatever the size of the pictures.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | conv1 | Conv2d 7x7, stride 2, padding 3 | 64x48x48 | 3,200 |
        | relu1 | ReLU | 64x48x48 | 0 |
        | pool1 | MaxPool2d 3x3, stride 2, padding 1 | 64x24x24 | 0 |
        | reduce2 | Conv2d 1x1 | 64x24x24 | 4,160 |
        | reduce2_relu | ReLU | 64x24x24 | 0 |
        | conv2 | Conv2d 3x3, padding 1 | 192x24x24 | 110,784 |
        | relu2 | ReLU | 192x24x24 | 0 |
        | pool2 | MaxPool2d 3x3, stride 2, padding 1 | 192x12x12 | 0 |
        | inception3a | Inception | 256x12x12 | 163,696 |
        | inception3b | Inception | 480x12x12 | 388,736 |
        | pool3 | MaxPool2d 3x3, stride 2, padding 1 | 480x6x6 | 0 |
        | inception4a | Inception | 512x6x6 | 376,176 |
        | inception4b | Inception | 512x6x6 | 449,160 |
        | inception4c | Inception | 512x6x6 | 510,104 |
        | inception4d | Inception | 528x6x6 | 605,376 |
        | inception4e | Inception | 832x6x6 | 868,352 |
        | pool4 | MaxPool2d 3x3, stride 2, padding 1 | 832x3x3 | 0 |
        | inception5a | Inception | 832x3x3 | 1,043,456 |
        | inception5b | Inception | 1024x3x3 | 1,444,080 |
        | mean | AdaptiveAvgPool2d | 1024x1x1 | 0 |
        | flatten | Flatten | 1024 | 0 |
        | output | Linear | 10 | 10,250 |

    Differs from the paper:
        No local response normalisation, no auxiliary classifiers, no dropout before the last layer;
        96x96 pictures of one channel and ten classes in place of 224x224 of three and a thousand.

    Args:
        classes: how many classes, so how many logits.
        channels: C of the pictures.
        width: factor on the number of maps.
        ceil_mode: poolings without padding that round up, as Caffe's and the paper's.
        same: padding where a window strides as TensorFlow and JAX call it: as much as keeps half of
            the pixels, the odd one at the far side. Maps are of the same size either way at 96x96.
        size: H and W of the pictures; the parameters do not depend on it.

    Raises:
        UserError: for an option outside these values.
    """
    check_options(classes=classes, channels=channels, width=width, size=size)
    check_options(ceil_mode=ceil_mode, same=same)
    if same and ceil_mode:
        raise UserError("same and ceil_mode were given together; expected one of them")
    around = 0 if ceil_mode or same else 1
    pool = partial(nn.MaxPool2d, kernel_size=3, stride=2, padding=around, ceil_mode=ceil_mode)
    stem1, stem2 = scaled(64, width), scaled(192, width)
    layers: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(channels, stem1, kernel_size=7, stride=2, padding=0 if same else 3),
        "relu1": nn.ReLU(),
        "pool1": pool(),
        "reduce2": nn.Conv2d(stem1, stem1, kernel_size=1),
        "reduce2_relu": nn.ReLU(),
        "conv2": nn.Conv2d(stem1, stem2, kernel_size=3, padding=1),
        "relu2": nn.ReLU(),
        "pool2": pool(),
    }
    incoming = stem2
    for name, paths in INCEPTIONS.items():
        c1, (r2, c2), (r3, c3), c4 = _scaled_paths(paths, width)
        layers[name] = Inception(incoming, c1, (r2, c2), (r3, c3), c4)
        incoming = c1 + c2 + c3 + c4
        if name in POOLED:
            layers[POOLED[name]] = pool()
    if same:
        layers = _padded(layers, size)
    return nn.Sequential(
        OrderedDict(
            layers,
            mean=nn.AdaptiveAvgPool2d((1, 1)),
            flatten=nn.Flatten(),
            output=nn.Linear(incoming, classes),
        )
    )


def _padded(layers: dict[str, nn.Module], size: tuple[int, int]) -> dict[str, nn.Module]:
    """Returns layers, in front of those that stride the padding that TensorFlow calls `same`.

    A pooling loses nothing by zeros around its maps: they come from ReLUs.
    """
    found: dict[str, nn.Module] = {}
    for name, layer in layers.items():
        if name == "conv1" or name.startswith("pool"):
            kernel = 7 if name == "conv1" else 3
            (top, bottom), (left, right) = (_same(side, kernel) for side in size)
            found[f"{name}_pad"] = nn.ZeroPad2d((left, right, top, bottom))
            size = -(-size[0] // 2), -(-size[1] // 2)
        found[name] = layer
    return found


def _same(side: int, kernel: int) -> tuple[int, int]:
    """Returns the pixels before and behind `side` with which a stride of 2 gives half, rounded up.

    >>> _same(96, kernel=7), _same(48, kernel=3), _same(3, kernel=3)
    ((2, 3), (0, 1), (1, 1))
    """
    both = max(2 * (-(-side // 2) - 1) + kernel - side, 0)
    return both // 2, both - both // 2


def _scaled_paths(paths: Paths, width: float) -> Paths:
    """Returns the maps of the four paths, each scaled by `width`."""
    c1, (r2, c2), (r3, c3), c4 = paths
    r2, c2, r3, c3 = (scaled(maps, width) for maps in (r2, c2, r3, c3))
    return scaled(c1, width), (r2, c2), (r3, c3), scaled(c4, width)
