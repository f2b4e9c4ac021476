"""Operators whose kernel slides over maps: convolution and pooling."""

from typing import Any

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.shapes import output_size
from holmdel.tracing.call import Axis, Call
from holmdel.tracing.positions import Positions
from holmdel.tracing.sums import Index, Sum, Taps, cut, mean_of, weighted, window_of


def conv_kind(call: Call) -> str:
    """Returns `conv2d`, or `conv_transpose1d`."""
    transpose = "_transpose" if call.arguments["transposed"] else ""
    return f"conv{transpose}{call.arguments['weight'].ndim - 2}d"


def conv_detail(call: Call) -> str:
    """Returns the kernel in words: `5x5, stride 2, padding 2`."""
    words = _words(_conv_axes(call), usual_stride=1)
    groups = call.arguments["groups"]
    return f"{words}, groups {groups}" if groups > 1 else words


def conv_result(call: Call) -> Tensor | None:
    """Returns a convolution's result on the meta device; None for PyTorch to say."""
    pixels, weight = call.arguments["input"], call.arguments["weight"]
    fits = pixels.ndim == weight.ndim and pixels.dtype == weight.dtype
    fits = fits and pixels.shape[1] == weight.shape[1] * call.arguments["groups"]
    if call.arguments["transposed"] or not fits:
        return None
    return _slid(pixels, (pixels.shape[0], weight.shape[0]), _conv_axes(call))


def conv_macs(call: Call, weights: set[str], result: Tensor) -> tuple[int, bool]:
    """Counts the weights at every position, of the input where the convolution is transposed."""
    where = call.arguments["input"] if call.arguments["transposed"] else result
    positions = where.numel() // where.shape[1]
    return call.arguments["weight"].numel() * positions, call.arguments["bias"] is not None


def conv_positions(
    before: Positions, call: Call, source: Tensor, result: Tensor
) -> Positions | None:
    """Slides the kernel; what is transposed with a stride begins at no multiple of a pixel."""
    axes = _conv_axes(call)
    if call.arguments["transposed"]:
        if any(axis.stride > 1 for axis in axes):
            return None
        axes = [Axis(k, s, d * (k - 1) - p, d) for k, s, p, d in axes]
    after = before.slid(source, result, _by_dim(axes))
    return after and after.contracted(-len(axes) - 1)


def conv_unit(call: Call, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    """Returns the sum over the maps of the unit's group."""
    weight, bias = call.arguments["weight"], call.arguments["bias"]
    if call.arguments["input"] is not given or weight.ndim != 4 or call.arguments["transposed"]:
        return None
    out = unit[0]
    maps = weight.shape[1]
    group = out // (weight.shape[0] // call.arguments["groups"])
    channels = range(group * maps, (group + 1) * maps)
    constant = None if bias is None else float(bias.detach()[out])
    taps = _taps(_conv_axes(call), unit[1:])
    return weighted("convolution", given[0], channels, taps, weight[out].detach(), constant)


def pool_detail(call: Call) -> str:
    """Returns the window of a pooling in words: `2x2, stride 2`."""
    return _words(_pool_axes(call), usual_stride=None)


def pool_result(call: Call) -> Any:
    """Returns a pooling's result on the meta device; None for PyTorch to say."""
    pixels, axes = call.arguments["self"], _pool_axes(call)
    if call.arguments["ceil_mode"] or any(2 * axis.padding > axis.kernel for axis in axes):
        return None
    result = _slid(pixels, pixels.shape[: -len(axes)], axes)
    return (result, result) if result is not None and "indices" in call.name else result


def pool_positions(
    before: Positions, call: Call, source: Tensor, result: Tensor
) -> Positions | None:
    """Slides the window."""
    return before.slid(source, result, _by_dim(_pool_axes(call)))


def average_unit(call: Call, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    """Returns the mean of a window; padding counts where the pooling says so."""
    if value.ndim != 3:
        return None
    _, height, width = given.shape[1:]
    axes = _pool_axes(call)
    ends = (size + axis.padding for size, axis in zip((height, width), axes, strict=True))
    rows, columns = (
        Taps(taps.first, min(taps.count, end - taps.first))
        for taps, end in zip(_taps(axes, unit[1:]), ends, strict=True)
    )
    count = rows.count * columns.count
    if not call.arguments["count_include_pad"]:
        count = rows.within(height) * columns.within(width)
    factor = 1 / (call.arguments["divisor_override"] or count)
    return weighted("average", given[0], unit[:1], (rows, columns), factor)


def maximum_unit(call: Call, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    """Returns the largest of a window, which is never the padding."""
    return _largest(given[0], unit, _taps(_pool_axes(call), unit[1:])) if value.ndim == 3 else None


def adaptive_result(call: Call) -> Tensor:
    """Returns an adaptive pooling's result on the meta device."""
    pixels = call.arguments["self"]
    return _empty(pixels, (*pixels.shape[:-2], *call.numbers("output_size", 2)))


def adaptive_positions(
    before: Positions, call: Call, source: Tensor, result: Tensor
) -> Positions | None:
    """Slides the window where all windows are of one size."""
    kernels = {}
    for dim in (-2, -1):
        size, wanted = source.shape[dim], result.shape[dim]
        if size % wanted:
            return None
        kernels[dim] = Axis(size // wanted, size // wanted)
    return before.slid(source, result, kernels)


def adaptive_average_unit(call: Call, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    """Returns the mean of a window."""
    return mean_of(given[0], unit, _adapted(given, value, unit)) if value.ndim == 3 else None


def adaptive_maximum_unit(call: Call, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    """Returns the largest of a window."""
    return _largest(given[0], unit, _adapted(given, value, unit)) if value.ndim == 3 else None


def _conv_axes(call: Call) -> list[Axis]:
    return call.axes(call.arguments["weight"].shape[2:])


def _pool_axes(call: Call) -> list[Axis]:
    return call.axes(call.numbers("kernel_size", 3 if "3d" in call.name else 2))


def _by_dim(axes: list[Axis]) -> dict[int, Axis]:
    return dict(enumerate(axes, start=-len(axes)))


def _slid(pixels: Tensor, head: tuple[int, ...], axes: list[Axis]) -> Tensor | None:
    """Returns what kernels leave of an image, on the meta device; None where one does not fit."""
    sides = zip(pixels.shape[-len(axes) :], axes, strict=True)
    try:
        sizes = [output_size(n, (k - 1) * d + 1, s, p) for n, (k, s, p, d) in sides]
    except UserError:
        return None
    return _empty(pixels, (*head, *sizes))


def _empty(pixels: Tensor, shape: tuple[int, ...]) -> Tensor:
    return torch.empty(shape, dtype=pixels.dtype, device="meta")


def _taps(axes: list[Axis], place: Index) -> tuple[Taps, Taps]:
    rows, columns = map(Taps.of, axes, place)
    return rows, columns


def _adapted(given: Tensor, value: Tensor, unit: Index) -> tuple[Taps, Taps]:
    """Returns where the window of an adaptive pooling's unit lies, along H and W."""
    rows, columns = (
        Taps(at * size // wanted, -(-(at + 1) * size // wanted) - at * size // wanted)
        for at, size, wanted in zip(unit[1:], given.shape[2:], value.shape[1:], strict=True)
    )
    return rows, columns


def _largest(given: Tensor, unit: Index, taps: tuple[Taps, Taps]) -> Sum:
    best = int(cut(given, unit[:1], *taps, outside=-torch.inf).argmax())
    argmax = (0, *divmod(best, taps[1].count))
    return Sum("maximum", unit[:1], window_of(*taps), cut(given, unit[:1], *taps), argmax=argmax)


def _words(axes: list[Axis], usual_stride: int | None) -> str:
    """Returns a kernel in words; what is as usual is not said."""
    parts = ["x".join(str(axis.kernel) for axis in axes)]
    for name, usual in (("stride", usual_stride), ("padding", 0), ("dilation", 1)):
        numbers = [getattr(axis, name) for axis in axes]
        if any(number != usual for number in numbers):
            same = len(set(numbers)) == 1
            parts.append(f"{name} {numbers[0] if same else 'x'.join(map(str, numbers))}")
    return ", ".join(parts)
