"""Sizes computed with integers alone.

Letters: N batch, C channels, H height, W width, K kernel, S stride, P padding.
Tensors are (N, C, H, W).
"""

from dataclasses import dataclass
from typing import Any

from holmdel.errors import UserError

Pair = tuple[int, int]  # along H and W


def output_size(
    size: int, kernel: int, stride: int = 1, padding: int = 0, *, ceil: bool = False
) -> int:
    """Returns the output size, in pixels, of a convolution or pooling along one axis.

    floor((size + 2 P - K) / S) + 1; Dumoulin and Visin, "A guide to convolution arithmetic for
    deep learning" (2016), relationship 6. With `ceil` (pooling alone) the fraction is rounded up:
    a last window that hangs over the edge counts if it starts inside the picture or the padding
    before it, as in PyTorch.

    Raises:
        UserError: if the window does not fit into the padded picture.

    >>> output_size(28, kernel=5, padding=2)
    28
    >>> output_size(28, kernel=2, stride=2)
    14
    >>> output_size(6, kernel=3, stride=2), output_size(6, kernel=3, stride=2, ceil=True)
    (2, 3)
    """
    room = size + 2 * padding - kernel
    steps = -(-room // stride) if ceil else room // stride
    if steps < 0:
        raise UserError(
            f"a window of {kernel} does not fit into {size} pixels with a padding of {padding}; "
            "give a larger picture or a smaller kernel"
        )
    if ceil and steps * stride >= size + padding:
        steps -= 1
    return steps + 1


def scaled(maps: int, width: float) -> int:
    """Returns a number of maps times the factor `width`, rounded, at least 1.

    >>> scaled(64, 0.25)
    16
    """
    return max(1, round(maps * width))


def refuse_smaller(size: Pair, least: int) -> None:
    """Raises a UserError for pictures, height and width, of fewer than `least` pixels a side."""
    if min(size) < least:
        raise UserError(
            f"size was given as {size[0]}x{size[1]}; expected at least {least} pixels a side"
        )


def parse_size(text: str) -> tuple[int, int, int]:
    """Returns (C, H, W) from a text such as `1x28x28`.

    Raises:
        UserError: if the text has another form, or a number below 1.

    >>> parse_size("3x32x32")
    (3, 32, 32)
    """
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(p.isdecimal() and int(p) > 0 for p in parts):
        raise UserError(
            f"an input size was given as {text!r}; expected CxHxW, channels, height and width, "
            "such as 1x28x28"
        )
    channels, height, width = (int(p) for p in parts)
    return channels, height, width


@dataclass(frozen=True)
class ReceptiveField:
    """The window of pixels that one output position of a layer sees, along H and W.

    Output (i, j) sees rows `offset[0] + i * stride[0]` up to, without, that plus `size[0]`; so for
    columns. Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks"
    (Distill, 2019).

    Attributes:
        size: height and width of the window, in pixels.
        stride: pixels from one position's window to the next one's.
        offset: row and column where the window of output (0, 0) begins; negative in the padding.

    >>> ReceptiveField().through(kernel=(5, 5)).through(kernel=(2, 2), stride=(2, 2))
    ReceptiveField(size=(6, 6), stride=(2, 2), offset=(0, 0))
    """

    size: Pair = (1, 1)
    stride: Pair = (1, 1)
    offset: Pair = (0, 0)

    def through(
        self, kernel: Pair, stride: Pair = (1, 1), padding: Pair = (0, 0), dilation: Pair = (1, 1)
    ) -> "ReceptiveField":
        """Returns what a position sees behind one more convolution or pooling.

        Araujo et al. (2019), equations 1 and 2, from the front: the kernel's K positions lie
        D x S pixels apart, the padding moves the first one by P x S.

        Args:
            kernel: K along H and W.
            stride: of the layer.
            padding: P on the upper and on the left side.
            dilation: D, the distance between neighbours in the kernel.
        """
        one, two = (
            (
                self.size[axis] + (kernel[axis] - 1) * dilation[axis] * self.stride[axis],
                self.stride[axis] * stride[axis],
                self.offset[axis] - padding[axis] * self.stride[axis],
            )
            for axis in (0, 1)
        )
        return ReceptiveField(*zip(one, two, strict=True))

    def joined(self, other: "ReceptiveField") -> "ReceptiveField":
        """Returns the smallest window that holds those of two branches; the larger stride."""
        first = [min(pair) for pair in zip(self.offset, other.offset, strict=True)]
        ends = zip(self._end(), other._end(), strict=True)
        height, width = (max(pair) - begin for pair, begin in zip(ends, first, strict=True))
        rows, columns = (max(pair) for pair in zip(self.stride, other.stride, strict=True))
        return ReceptiveField((height, width), (rows, columns), (first[0], first[1]))

    def to_json(self) -> dict[str, list[int]]:
        """Returns size, stride and offset as JSON takes them, each [along H, along W]."""
        return {name: list(pair) for name, pair in vars(self).items()}

    def _end(self) -> Pair:
        """Returns the row and column behind the window of output (0, 0)."""
        return self.offset[0] + self.size[0], self.offset[1] + self.size[1]


def parameter_count(module: Any) -> int:
    """Returns how many numbers an `nn.Module` learns, those that several layers share once."""
    return sum(int(parameter.numel()) for parameter in module.parameters())
