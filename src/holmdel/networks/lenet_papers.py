"""The LeNets as their papers have them: 1989, for zip codes, and LeNet-5 of 1998.

LeCun et al., "Backpropagation applied to handwritten zip code recognition", Neural Computation 1,
1989, section 3; LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE 86(11), 1998, section II.B.
"""

from collections import OrderedDict
from collections.abc import Sequence
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from holmdel.settings import check_options
from holmdel.shapes import output_size

Table = Sequence[Sequence[int]]  # for each map of a layer, the maps before it that it sees

# 1998, table I: three neighbours, four neighbours, four of which two are apart, all six.
C3_TABLE: Table = (
    *[[first, (first + 1) % 6, (first + 2) % 6] for first in range(6)],
    *[[first, (first + 1) % 6, (first + 2) % 6, (first + 3) % 6] for first in range(6)],
    [0, 1, 3, 4],
    [1, 2, 4, 5],
    [0, 2, 3, 5],
    [0, 1, 2, 3, 4, 5],
)
# 1989 says eight of twelve and not which: a guess, the one of Karpathy's re-implementation (2022).
H2_TABLE: Table = (*[range(8)] * 4, *[range(4, 12)] * 4, *[[*range(4), *range(8, 12)]] * 4)

# What F6 should look like for each digit, 7x12, drawn after figure 3 of 1998.
DIGITS = """
 .#####. ...#... .#####. .#####. ....##. ####### ..####. ####### .#####. .#####.
 ##...## ..##... ##...## ##...## ...###. ##..... .##.... ##...## ##...## ##...##
 ##...## .###... .....## .....## ..#.##. ##..... ##..... .....## ##...## ##...##
 ##...## ..##... .....## .....## .#..##. ##..... ##..... ....##. ##...## ##...##
 ##...## ..##... ....##. ..####. ##..##. ######. ##.###. ....##. .#####. .######
 ##...## ..##... ...##.. .....## ##..##. .....## ###..## ...##.. ##...## .....##
 ##...## ..##... ..##... .....## ####### .....## ##...## ...##.. ##...## .....##
 ##...## ..##... .##.... ##...## ....##. ##...## ##...## ..##... ##...## ....##.
 ##...## ..##... ##..... ##...## ....##. ##...## ##...## ..##... ##...## ...##..
 .#####. .#####. ####### .#####. ....##. .#####. .#####. ..##... .#####. .###...
 ....... ....... ....... ....... ....... ....... ....... ....... ....... .......
 ....... ....... ....... ....... ....... ....... ....... ....... ....... .......
"""


def lenet5_1998(
    *, classes: int = 10, channels: int = 1, size: tuple[int, int] = (32, 32)
) -> nn.Sequential:
    """Returns LeNet-5 as the paper has it: (N, 1, 32, 32) to logits (N, 10).

    60,000 trainable parameters, 340,908 connections. docs/anatomy.md says where the 345,308 that
    are passed around too come from.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | c1 | Conv2d 5x5 | 6x28x28 | 156 |
        | act1 | ScaledTanh | 6x28x28 | 0 |
        | s2 | Subsampling 2x2, stride 2 | 6x14x14 | 12 |
        | act2 | ScaledTanh | 6x14x14 | 0 |
        | c3 | TableConv2d 5x5 | 16x10x10 | 1,516 |
        | act3 | ScaledTanh | 16x10x10 | 0 |
        | s4 | Subsampling 2x2, stride 2 | 16x5x5 | 32 |
        | act4 | ScaledTanh | 16x5x5 | 0 |
        | c5 | Conv2d 5x5 | 120x1x1 | 48,120 |
        | act5 | ScaledTanh | 120x1x1 | 0 |
        | flatten | Flatten | 120 | 0 |
        | f6 | Linear | 84 | 10,164 |
        | act6 | ScaledTanh | 84 | 0 |
        | output | RadialBasis | 10 | 0 |

    Differs from the paper:
        The outputs are negative squared distances, so that the largest wins and cross-entropy is
        the paper's equation 9 without its rubbish class. The bitmaps of the ten digits were drawn
        after figure 3; further classes get random ones of +1 and -1. The subsampling starts as an
        average. Any size is taken: c5's kernels cover s4's maps.

    Args:
        classes: how many classes, so how many logits.
        channels: C of the pictures.
        size: H and W of the pictures.

    Raises:
        UserError: for an option outside these values.
    """
    check_options(classes=classes, channels=channels, size=size)
    s2 = [output_size(side, kernel=5) // 2 for side in size]
    height, width = (output_size(side, kernel=5) // 2 for side in s2)
    return nn.Sequential(
        OrderedDict(
            c1=nn.Conv2d(channels, 6, kernel_size=5),
            act1=ScaledTanh(),
            s2=Subsampling(6),
            act2=ScaledTanh(),
            c3=TableConv2d(C3_TABLE, kernel_size=5),
            act3=ScaledTanh(),
            s4=Subsampling(16),
            act4=ScaledTanh(),
            c5=nn.Conv2d(16, 120, kernel_size=(height, width)),
            act5=ScaledTanh(),
            flatten=nn.Flatten(),
            f6=nn.Linear(120, 84),
            act6=ScaledTanh(),
            output=RadialBasis(_codes(classes)),
        )
    )


def lenet_1989(
    *, classes: int = 10, channels: int = 1, size: tuple[int, int] = (16, 16)
) -> nn.Sequential:
    """Returns the zip code network of 1989: (N, 1, 16, 16) to outputs (N, 10) in -1.7159..1.7159.

    9,760 parameters, 64,660 connections, 1,256 units with the 256 of the picture.

    Layers:
        | name | kind | output | parameters |
        | --- | --- | --- | --- |
        | pad1 | ConstantPad2d padding 2 | 1x20x20 | 0 |
        | h1 | TableConv2d 5x5, stride 2 | 12x8x8 | 1,068 |
        | act1 | ScaledTanh | 12x8x8 | 0 |
        | pad2 | ConstantPad2d padding 2 | 12x12x12 | 0 |
        | h2 | TableConv2d 5x5, stride 2 | 12x4x4 | 2,592 |
        | act2 | ScaledTanh | 12x4x4 | 0 |
        | flatten | Flatten | 192 | 0 |
        | h3 | Linear | 30 | 5,790 |
        | act3 | ScaledTanh | 30 | 0 |
        | output | Linear | 10 | 310 |
        | act4 | ScaledTanh | 10 | 0 |

    Differs from the paper:
        Which eight maps each map of h2 sees is a guess, as the paper does not say. The outputs are
        trained as logits by cross-entropy, not towards targets by squared error; bounded as they
        are, they say at most 0.77 for one class of ten.

    Args and Raises: as `lenet5_1998`.
    """
    check_options(classes=classes, channels=channels, size=size)
    h1 = [output_size(side, kernel=5, stride=2, padding=2) for side in size]
    h2 = [output_size(side, kernel=5, stride=2, padding=2) for side in h1]
    every = [range(channels)] * 12
    return nn.Sequential(
        OrderedDict(
            pad1=nn.ConstantPad2d(2, value=-1.0),
            h1=TableConv2d(every, kernel_size=5, stride=2, biases=(h1[0], h1[1])),
            act1=ScaledTanh(),
            pad2=nn.ConstantPad2d(2, value=-1.0),
            h2=TableConv2d(H2_TABLE, kernel_size=5, stride=2, biases=(h2[0], h2[1])),
            act2=ScaledTanh(),
            flatten=nn.Flatten(),
            h3=nn.Linear(12 * prod(h2), 30),
            act3=ScaledTanh(),
            output=nn.Linear(30, classes),
            act4=ScaledTanh(),
        )
    )


class ScaledTanh(nn.Module):
    """1.7159 tanh(2 x / 3): f(1) = 1 and f(-1) = -1. 1998, equation 6 and appendix A."""

    def forward(self, x: Tensor) -> Tensor:
        """Returns the activations, in -1.7159..1.7159, of the same shape."""
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsampling(nn.Module):
    """Sums of 2x2 pixels times a trainable coefficient, plus a trainable bias, one each a map.

    (N, C, H, W) to (N, C, H // 2, W // 2); C coefficients and C biases. 1998, layers S2 and S4.
    """

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(maps))
        self.bias = nn.Parameter(torch.empty(maps))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Starts as an average, which draws nothing at random."""
        nn.init.constant_(self.coefficient, 1 / 4)
        nn.init.zeros_(self.bias)

    def forward(self, maps: Tensor) -> Tensor:
        """Returns the maps at half the height and width."""
        sums = 4 * F.avg_pool2d(maps, kernel_size=2)
        return sums * self.coefficient[:, None, None] + self.bias[:, None, None]


class TableConv2d(nn.Module):
    """A convolution whose maps each see some of the maps before: (N, C, H, W) to (N, M, H', W').

    Only the kernels of the table exist: weight (connected pairs, K, K).

    Args:
        table: for each of the M maps, which of the C maps it sees.
        kernel_size: K.
        stride: S.
        biases: (H', W') where each unit has a bias of its own; None for one a map.
    """

    rows: Tensor
    columns: Tensor

    def __init__(
        self,
        table: Table,
        kernel_size: int,
        stride: int = 1,
        biases: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        pairs = [(row, column) for row, seen in enumerate(table) for column in seen]
        self.fan_in = [len(seen) * kernel_size**2 for seen in table]
        self.stride = stride
        self.shape = (len(table), 1 + max(column for _, column in pairs))
        rows, columns = zip(*pairs, strict=True)
        self.register_buffer("rows", torch.tensor(rows), persistent=False)
        self.register_buffer("columns", torch.tensor(columns), persistent=False)
        self.weight = nn.Parameter(torch.empty(len(pairs), kernel_size, kernel_size))
        self.bias = nn.Parameter(torch.empty(len(table), *(biases or (1, 1))))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws weights uniformly from +-2.4 / fan-in (1998, appendix A); biases are 0."""
        nn.init.uniform_(self.weight, -2.4, 2.4)
        with torch.no_grad():
            fan_in = torch.tensor(self.fan_in, device=self.rows.device)
            self.weight.div_(fan_in[self.rows, None, None])
            self.bias.zero_()

    def forward(self, maps: Tensor) -> Tensor:
        """Returns the M maps."""
        kernels = self.weight.new_zeros(*self.shape, *self.weight.shape[1:])
        kernels = kernels.index_put((self.rows, self.columns), self.weight)
        return F.conv2d(maps, kernels, stride=self.stride) + self.bias


class RadialBasis(nn.Module):
    """Negative squared distances to fixed codes: (N, F) to (N, classes). 1998, equation 7."""

    codes: Tensor

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.register_buffer("codes", codes)

    def forward(self, features: Tensor) -> Tensor:
        """Returns logits, none above 0."""
        return -(features[:, None] - self.codes).square().sum(dim=2)


def _codes(classes: int) -> Tensor:
    """Returns what F6 should be for each class: (classes, 84) of +1 and -1."""
    lines = [line.split() for line in DIGITS.strip().splitlines()]
    glyphs = ["".join(rows) for rows in zip(*lines, strict=True)]
    drawn = torch.tensor([[1.0 if dot == "#" else -1.0 for dot in glyph] for glyph in glyphs])
    more = max(0, classes - len(drawn))
    chance = torch.Generator(device="cpu").manual_seed(1998)
    random = torch.randint(2, (more, drawn.shape[1]), generator=chance, device="cpu") * 2.0 - 1
    return torch.cat([drawn, random.to(drawn.device)])[:classes]
