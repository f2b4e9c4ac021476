"""Sums of units by the class of their layer, where no single operator tells."""

from functools import singledispatch
from math import prod

import torch
from torch import Tensor, nn

from holmdel.insight.operators import Index, activation
from holmdel.insight.sums import Steps, Sum, cut, window_of
from holmdel.networks.lenet_papers import ScaledTanh, Subsampling, TableConv2d


@singledispatch
def sum_by_module(module: nn.Module, given: Tensor, unit: Index) -> Sum | None:
    """Returns how a unit comes out of a module; None for a class that is not known.

    Args:
        module: the layer.
        given: (C, H, W) or (F,), what it took.
        unit: which number of its output.
    """
    return None


@sum_by_module.register
def _(module: TableConv2d, given: Tensor, unit: Index) -> Sum:
    """Returns the sum over the maps that the table has; the bias may be the unit's own."""
    out, row, column = unit
    pairs, bias = module.rows == out, module.bias.detach()  # bias (M, 1, 1) or (M, H', W')
    channels = tuple(module.columns[pairs].tolist())
    size = module.weight.shape[-1]
    rows, columns = (Steps(at * module.stride, size) for at in (row, column))
    return Sum(
        "convolution",
        channels,
        window_of(rows, columns),
        cut(given, channels, rows, columns),
        module.weight[pairs].detach(),
        float(bias[out, row % bias.shape[1], column % bias.shape[2]]),
    )


@sum_by_module.register
def _(module: Subsampling, given: Tensor, unit: Index) -> Sum:
    """Returns four pixels, each times the map's coefficient, plus its bias."""
    channel, row, column = unit
    rows, columns = Steps(2 * row, 2), Steps(2 * column, 2)
    patch = cut(given, [channel], rows, columns)
    kernel = torch.full_like(patch, float(module.coefficient.detach()[channel]))
    bias = float(module.bias.detach()[channel])
    return Sum("average", (channel,), window_of(rows, columns), patch, kernel, bias)


@sum_by_module.register
def _(module: ScaledTanh, given: Tensor, unit: Index) -> Sum:
    return activation("scaled_tanh", given, unit)


@sum_by_module.register
def _(module: nn.ConstantPad2d, given: Tensor, unit: Index) -> Sum:
    left, _, top, _ = module.padding
    at = Steps(unit[1] - top, 1), Steps(unit[2] - left, 1)
    return Sum("other", unit[:1], window_of(*at))


@sum_by_module.register
def _(module: nn.Flatten, given: Tensor, unit: Index) -> Sum:
    if given.ndim != 3 or len(unit) != 1:
        return Sum("other")
    channel, rest = divmod(unit[0], prod(given.shape[1:]))
    row, column = divmod(rest, given.shape[2])
    return Sum("other", (channel,), window_of(Steps(row, 1), Steps(column, 1)))


@sum_by_module.register
def _(module: nn.LocalResponseNorm, given: Tensor, unit: Index) -> Sum:
    """Returns the neighbouring maps at the same place: size // 2 before, the rest behind."""
    first = unit[0] - module.size // 2
    channels = range(max(0, first), min(len(given), first + module.size))
    return Sum("other", tuple(channels), window_of(Steps(unit[1], 1), Steps(unit[2], 1)))
