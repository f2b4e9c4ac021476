"""LeNet's idea run along a line: a fully convolutional network that reads strings of digits.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document
Recognition" (1998), section VII (space displacement neural networks), with the loss of A. Graves et
al., "Connectionist Temporal Classification" (2006).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from holmdel.alphabet import ALPHABET, BLANK
from holmdel.errors import UserError

CHANNELS = (16, 48, 96, 192, 224, 224, 224)


class LineNetwork(nn.Sequential):
    """(N, 1, 32, W) to logits (N, K, T): a class a step, T = 2 * (W // 4), K = 22.

    Step t looks at the columns around 2 t + 1. The pictures come from `images.to_line`. The last
    convolutions stand every four columns; the very last one gives two steps at each place, for
    between two ones must be room for a blank.

    Args:
        channels: of the convolutions.
        dropout: the part of the features left out in training before the last layer.
        alphabet: the classes in order, without the blank, which is the last.
        layers: `strided`, or `pooled`, that of the first readers: seven convolutions with poolings
            between them, three times the work.

    Raises:
        UserError: if there are too few channels, or too many.
    """

    def __init__(
        self,
        channels: Sequence[int] = CHANNELS,
        dropout: float = 0.0,
        alphabet: str = ALPHABET,
        layers: str = "strided",
    ) -> None:
        if len(channels) != 7 and (layers == "pooled" or len(channels) < 4):
            count = "7" if layers == "pooled" else "4 or more"
            raise UserError(
                f"channels was given as {len(channels)} numbers; {layers} layers need {count}"
            )
        convolutions = (_pooled if layers == "pooled" else _strided)(*channels)
        last = nn.Conv2d(channels[-1], 2 * (len(alphabet) + 1), 1)
        super().__init__(*convolutions, nn.Dropout(dropout), last, _TwoSteps())
        self.options: dict[str, Any] = {
            "channels": list(channels),
            "dropout": dropout,
            "layers": layers,
        }
        self.alphabet = alphabet


def widened(network: LineNetwork) -> LineNetwork:
    """Returns a network of the whole alphabet that reads as one of fewer characters does.

    What it did not know is next to impossible until it is learned.
    """
    if network.alphabet == ALPHABET:
        return network
    known = [*map(ALPHABET.index, network.alphabet), BLANK]
    wide = LineNetwork(**network.options)
    state = network.state_dict()
    for name, tensor in wide.state_dict().items():
        if tensor.shape != state[name].shape:  # of the last layer, whose halves are two steps
            halves = tensor.zero_().add_(-10.0 if tensor.dim() == 1 else 0.0).chunk(2)
            for half, own in zip(halves, state[name].chunk(2), strict=True):
                half[known] = own
            state[name] = tensor
    wide.load_state_dict(state)
    return wide.train(network.training)


def _strided(c1: int, c2: int, c3: int, c4: int, *along: int) -> list[nn.Module]:
    """Returns convolutions that take 32 rows to 16, 8, 4 and 1; the first two halve the columns."""
    return [
        _unit(1, c1, 4, 1, stride=2),
        _unit(c1, c2, 4, 1, stride=2),
        _unit(c2, c3, (4, 3), 1, stride=(2, 1)),
        _unit(c3, c4, (4, 3), (0, 1)),
        *(_unit(before, after, (1, 3), (0, 1)) for before, after in pairwise((c4, *along))),
    ]


def _pooled(c1: int, c2: int, c3: int, c4: int, c5: int, c6: int, c7: int) -> list[nn.Module]:
    """Returns seven convolutions, with poolings between them."""
    return [
        _unit(1, c1, 3, 1),
        nn.MaxPool2d(2),
        _unit(c1, c2, 3, 1),
        nn.MaxPool2d(2),
        _unit(c2, c3, 3, 1),
        _unit(c3, c4, 3, 1),
        nn.MaxPool2d((2, 1)),
        _unit(c4, c5, 3, 1),
        _unit(c5, c6, (4, 3), (0, 1)),  # the four rows that are left become one
        _unit(c6, c7, (1, 5), (0, 2)),
    ]


class _TwoSteps(nn.Module):
    """(N, 2 K, 1, T) to (N, K, 2 T): the two halves of the channels are two steps."""

    def forward(self, x: Tensor) -> Tensor:
        n, channels, _, steps = x.shape
        return x.view(n, 2, channels // 2, steps).permute(0, 2, 3, 1).reshape(n, -1, 2 * steps)


def _unit(
    inputs: int,
    outputs: int,
    kernel: int | tuple[int, int],
    padding: int | tuple[int, int],
    stride: int | tuple[int, int] = 1,
) -> nn.Sequential:
    """Returns convolution, batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
