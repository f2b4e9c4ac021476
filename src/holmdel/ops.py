"""Cross-correlation, convolution and pooling from scratch: the reference, readable before fast.

One loop over the output's positions, one window at each; `docs/primer.md` teaches them in order.
Letters: N batch, C channels, H height, W width, K kernel, S stride, P padding, O output channels.
Zhang, Lipton, Li and Smola, "Dive into Deep Learning", chapter "Convolutional Neural Networks".
"""

from collections.abc import Iterator, Sequence
from types import EllipsisType
from typing import Literal

import torch
from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.shapes import Pair, output_size


def corr2d(x: Tensor, k: Tensor) -> Tensor:
    """Returns the 2-D cross-correlation: (H, W) with (K, K') to (H - K + 1, W - K' + 1).

    Each output is the sum of a window of x times k. What deep learning calls convolution is this.

    Raises:
        UserError: if x or k is not 2-D, or k does not fit into x.

    >>> x = torch.arange(9.0).reshape(3, 3)
    >>> corr2d(x, torch.tensor([[0.0, 1.0], [2.0, 3.0]]))
    tensor([[19., 25.],
            [37., 43.]])
    """
    _expect_axes("x", x, 2, "(H, W)")
    _expect_axes("the kernel", k, 2, "(K, K')")
    h, w = k.shape
    y = _zeros((output_size(x.shape[0], h), output_size(x.shape[1], w)), x, k)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] = (x[i : i + h, j : j + w] * k).sum()
    return y


def convolve2d(x: Tensor, k: Tensor) -> Tensor:
    """Returns the true convolution: (H, W) with (K, K') to (H - K + 1, W - K' + 1).

    As in mathematics: the cross-correlation with the kernel flipped along both axes.

    Raises:
        UserError: if x or k is not 2-D, or k does not fit into x.

    >>> convolve2d(torch.arange(9.0).reshape(3, 3), torch.tensor([[0.0, 1.0], [2.0, 3.0]]))
    tensor([[ 5., 11.],
            [23., 29.]])
    """
    _expect_axes("the kernel", k, 2, "(K, K')")
    return corr2d(x, k.flip(0, 1))


def corr2d_multi_in(x: Tensor, k: Tensor) -> Tensor:
    """Returns the sum over the channels: (C, H, W) with (C, K, K') to (H - K + 1, W - K' + 1).

    Every channel has a kernel of its own; what they find is added up.

    Raises:
        UserError: if x or k is not 3-D, they differ in C, or the kernels do not fit into x.

    >>> x = torch.stack([torch.arange(9.0), torch.arange(1.0, 10.0)]).reshape(2, 3, 3)
    >>> k = torch.stack([torch.arange(4.0), torch.arange(1.0, 5.0)]).reshape(2, 2, 2)
    >>> corr2d_multi_in(x, k)
    tensor([[ 56.,  72.],
            [104., 120.]])
    """
    _expect_axes("x", x, 3, "(C, H, W)")
    _expect_axes("the kernel", k, 3, "(C, K, K')")
    _expect_channels(x.shape[0], k.shape[0])
    return torch.stack([corr2d(xc, kc) for xc, kc in zip(x, k, strict=True)]).sum(0)


def corr2d_multi_in_out(x: Tensor, k: Tensor) -> Tensor:
    """Returns O feature maps: (C, H, W) with (O, C, K, K') to (O, H - K + 1, W - K' + 1).

    Every output channel has a kernel over all input channels.

    Raises:
        UserError: if x is not 3-D or k not 4-D, they differ in C, or the kernels do not fit into x.

    >>> corr2d_multi_in_out(torch.ones(2, 3, 3), torch.ones(5, 2, 2, 2)).shape
    torch.Size([5, 2, 2])
    """
    _expect_axes("the kernel", k, 4, "(O, C, K, K')")
    return torch.stack([corr2d_multi_in(x, ko) for ko in k])


def corr2d_multi_in_out_1x1(x: Tensor, k: Tensor) -> Tensor:
    """Returns the 1x1 convolution as one matrix product: (C, H, W), (O, C, 1, 1) to (O, H, W).

    A 1x1 window sees one pixel: a dense layer over the channels, the same at every pixel.

    Raises:
        UserError: if x is not 3-D, k not (O, C, 1, 1), or they differ in C.

    >>> x = torch.tensor([[[1.0, 2.0]], [[10.0, 20.0]]])
    >>> corr2d_multi_in_out_1x1(x, torch.tensor([[1.0, 1.0], [3.0, 0.0]]).reshape(2, 2, 1, 1))
    tensor([[[11., 22.]],
    <BLANKLINE>
            [[ 3.,  6.]]])
    """
    _expect_axes("x", x, 3, "(C, H, W)")
    _expect_axes("the kernel", k, 4, "(O, C, 1, 1)")
    if k.shape[2:] != (1, 1):
        raise UserError(f"the kernel is {tuple(k.shape)}; expected a 1x1 kernel, (O, C, 1, 1)")
    _expect_channels(x.shape[0], k.shape[1])
    c, h, w = x.shape
    return (k.reshape(-1, c) @ x.reshape(c, h * w)).reshape(-1, h, w)


class Conv2D(nn.Module):
    """A convolutional layer with a kernel and a bias: (H, W) to (H - K + 1, W - K' + 1).

    Attributes:
        weight: the kernel, (K, K'); drawn uniformly from [0, 1), as in the book.
        bias: (1,); starts at 0.

    >>> Conv2D((1, 2))(torch.ones(6, 8)).shape
    torch.Size([6, 7])
    """

    def __init__(self, kernel_size: int | Pair) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(_pair("kernel_size", kernel_size, 1)))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Returns the feature map: (H, W) to (H - K + 1, W - K' + 1)."""
        return corr2d(x, self.weight) + self.bias


def pad2d(x: Tensor, padding: int | Pair, value: float = 0.0) -> Tensor:
    """Returns x with a border of `value`: (..., H, W) to (..., H + 2 P, W + 2 P').

    Args:
        x: a picture, or any number of them, on the last two axes.
        padding: pixels on each side, P = (rows above and below, columns left and right).
        value: of the border.

    Raises:
        UserError: if x has less than two axes, or the padding is not whole numbers from 0.

    >>> pad2d(torch.ones(1, 2), (1, 0))
    tensor([[0., 0.],
            [1., 1.],
            [0., 0.]])
    """
    if x.dim() < 2:
        raise UserError(f"x is {tuple(x.shape)}; expected two axes or more, (..., H, W)")
    above, left = _pair("padding", padding, 0)
    *rest, h, w = x.shape
    padded = x.new_full((*rest, h + 2 * above, w + 2 * left), value)
    padded[..., above : above + h, left : left + w] = x
    return padded


def conv2d(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
) -> Tensor:
    """Returns a batch's feature maps: (N, C, H, W) with (O, C, K, K') to (N, O, H', W').

    H' = floor((H + 2 P - K) / S) + 1, W' likewise: a last window that does not fit is left out.

    Args:
        x: the batch, (N, C, H, W).
        weight: the kernels, (O, C, K, K').
        bias: one number an output channel, (O,), or None.
        stride: steps of the window, (down, to the right).
        padding: rows and columns of zeros on each side.

    Raises:
        UserError: if an argument has another shape, or the window does not fit.

    >>> conv2d(torch.ones(1, 3, 28, 28), torch.ones(6, 3, 5, 5), stride=2, padding=2).shape
    torch.Size([1, 6, 14, 14])
    """
    _expect_axes("x", x, 4, "(N, C, H, W)")
    _expect_axes("the kernel", weight, 4, "(O, C, K, K')")
    _expect_channels(x.shape[1], weight.shape[1])
    if bias is not None and bias.shape != weight.shape[:1]:
        raise UserError(f"the bias is {tuple(bias.shape)}; expected ({weight.shape[0]},)")
    kernel = (weight.shape[2], weight.shape[3])
    strides, paddings = _pair("stride", stride, 1), _pair("padding", padding, 0)
    size = _output_sizes(x, kernel, strides, paddings, ceil=False)
    y = _zeros((x.shape[0], weight.shape[0], *size), x, weight)
    padded = pad2d(x.to(y), paddings)
    for i, j, window in _windows(size, kernel, strides):
        y[:, :, i, j] = torch.einsum("nchw,ochw->no", padded[window], weight.to(y))
    return y if bias is None else y + bias.reshape(1, -1, 1, 1)


def pool2d(
    x: Tensor,
    pool_size: int | Pair,
    mode: Literal["max", "avg"] = "max",
    *,
    stride: int | Pair = 1,
    padding: int | Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Returns the largest or the mean value of each window: (..., H, W) to (..., H', W').

    H' = floor((H + 2 P - K) / S) + 1, or the ceiling of the fraction: the last window then hangs
    over the edge, but starts inside the picture or the padding before it. The window moves by one,
    as in the book, unless a stride is given (`nn.MaxPool2d` moves by its own size).

    Args:
        x: (H, W), (C, H, W) or (N, C, H, W); channels are pooled one by one.
        pool_size: the window, K = (height, width).
        mode: `max` or `avg`.
        stride: steps of the window, (down, to the right).
        padding: rows and columns on each side, at most half the window; it never is the maximum.
        ceil_mode: keep a last window that hangs over the edge.
        count_include_pad: whether an average counts the padding, as zeros (torch's default), or
            the picture's own pixels alone. What hangs over the padding is never counted.

    Raises:
        UserError: for other axes, another mode, a window that does not fit or more padding.

    >>> x = torch.arange(9.0).reshape(3, 3)
    >>> pool2d(x, (2, 2))
    tensor([[4., 5.],
            [7., 8.]])
    >>> pool2d(x, (2, 2), "avg")
    tensor([[2., 3.],
            [5., 6.]])
    """
    if x.dim() not in (2, 3, 4):
        raise UserError(f"x is {tuple(x.shape)}; expected (H, W), (C, H, W) or (N, C, H, W)")
    if mode not in ("max", "avg"):
        raise UserError(f"mode was given as {mode!r}; choose from max, avg")
    kernel, strides = _pair("pool_size", pool_size, 1), _pair("stride", stride, 1)
    paddings = _pair("padding", padding, 0)
    if any(2 * p > k for p, k in zip(paddings, kernel, strict=True)):
        raise UserError(
            f"a padding of {paddings} was given for a window of {kernel}; expected at most half "
            "the window, so that every window holds a pixel"
        )
    size = _output_sizes(x, kernel, strides, paddings, ceil=ceil_mode)
    y = _zeros((*x.shape[:-2], *size), x, x)
    padded = pad2d(x.to(y), paddings, -torch.inf if mode == "max" else 0.0)
    counted = pad2d(y.new_ones(x.shape[-2:]), paddings, float(count_include_pad))
    for i, j, window in _windows(size, kernel, strides):
        if mode == "max":
            y[..., i, j] = padded[window].flatten(-2).max(-1).values
        else:
            y[..., i, j] = padded[window].sum((-2, -1)) / counted[window].sum()
    return y


def _windows(
    size: Pair, kernel: Pair, strides: Pair
) -> Iterator[tuple[int, int, tuple[EllipsisType, slice, slice]]]:
    """Yields (i, j, window of output i, j): x[window] is (..., K, K'), less over the edge of x."""
    for i in range(size[0]):
        for j in range(size[1]):
            top, left = i * strides[0], j * strides[1]
            yield i, j, (..., slice(top, top + kernel[0]), slice(left, left + kernel[1]))


def _output_sizes(x: Tensor, kernel: Pair, strides: Pair, paddings: Pair, ceil: bool) -> Pair:
    along = zip(x.shape[-2:], kernel, strides, paddings, strict=True)
    height, width = (output_size(side, k, s, p, ceil=ceil) for side, k, s, p in along)
    return height, width


def _zeros(size: Sequence[int], x: Tensor, k: Tensor) -> Tensor:
    """Returns zeros of the type of x times k, float32 for whole numbers, as in the book."""
    dtype = torch.promote_types(x.dtype, k.dtype)
    if not dtype.is_floating_point:
        dtype = torch.get_default_dtype()
    return torch.zeros(*size, dtype=dtype, device=x.device)


def _pair(name: str, given: int | Pair, least: int) -> Pair:
    """Returns (along H, along W) from one number or two, all from `least`."""
    both = given if isinstance(given, tuple | list) else (given, given)
    if len(both) != 2 or not all(isinstance(n, int) and n >= least for n in both):
        raise UserError(f"{name} was given as {given!r}; expected one or two numbers from {least}")
    return both[0], both[1]


def _expect_axes(name: str, given: Tensor, axes: int, letters: str) -> None:
    if given.dim() != axes:
        raise UserError(f"{name} is {tuple(given.shape)}; expected {axes} axes, {letters}")


def _expect_channels(of_x: int, of_kernel: int) -> None:
    if of_x != of_kernel:
        raise UserError(f"x has {of_x} channels, the kernel {of_kernel}; expected as many in both")
