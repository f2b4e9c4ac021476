"""Modules of which their class says more than the operators that they call."""

from functools import singledispatch
from math import prod

from torch import Tensor, nn

from holmdel.networks.lenet_papers import RadialBasis, ScaledTanh, Subsampling, TableConv2d
from holmdel.tracing.sums import Index, Sum, Taps, activated, same_place, weighted


@singledispatch
def counts_of_module(module: nn.Module, output: Tensor) -> tuple[int, int] | None:
    """Returns a module's connections and MACs; None where its calls tell."""
    return None


@counts_of_module.register
def _(module: TableConv2d, output: Tensor) -> tuple[int, int]:
    """Counts the kernels that the table has, and the biases as they are shared."""
    macs = module.weight.numel() * prod(output.shape[-2:])
    return macs + output.numel(), macs


@counts_of_module.register
def _(module: Subsampling, output: Tensor) -> tuple[int, int]:
    """Counts as the paper: four pixels and a bias an output; 1998, layer S2. One coefficient."""
    return output.numel() * (4 + 1), output.numel()


@counts_of_module.register
def _(module: RadialBasis, output: Tensor) -> tuple[int, int]:
    """Counts the fixed codes: 84 connections a class, none of them trainable."""
    return module.codes.numel(), module.codes.numel()


@singledispatch
def unit_of_module(module: nn.Module, given: Tensor, unit: Index) -> Sum | None:
    """Returns how a unit comes out of a module; None where its calls tell.

    Args:
        module: the layer.
        given: (C, H, W) or (F,), what it took.
        unit: which number of its output.
    """
    return None


@unit_of_module.register
def _(module: TableConv2d, given: Tensor, unit: Index) -> Sum:
    """Returns the sum over the maps that the table has; the bias may be the unit's own."""
    out, row, column = unit
    pairs, bias = module.rows == out, module.bias.detach()  # bias (M, 1, 1) or (M, H', W')
    channels = module.columns[pairs].tolist()
    size = module.weight.shape[-1]
    taps = Taps(row * module.stride, size), Taps(column * module.stride, size)
    constant = float(bias[out, row % bias.shape[1], column % bias.shape[2]])
    return weighted("convolution", given, channels, taps, module.weight[pairs].detach(), constant)


@unit_of_module.register
def _(module: Subsampling, given: Tensor, unit: Index) -> Sum:
    """Returns four pixels, each times the map's coefficient, plus its bias."""
    channel, row, column = unit
    coefficient, bias = (float(t.detach()[channel]) for t in (module.coefficient, module.bias))
    taps = Taps(2 * row, 2), Taps(2 * column, 2)
    return weighted("average", given, [channel], taps, coefficient, bias)


@unit_of_module.register
def _(module: ScaledTanh, given: Tensor, unit: Index) -> Sum:
    return activated("scaled_tanh", given, unit)


@unit_of_module.register
def _(module: nn.ConstantPad2d, given: Tensor, unit: Index) -> Sum:
    left, _, top, _ = module.padding
    return same_place(unit[:1], unit[1] - top, unit[2] - left)


@unit_of_module.register
def _(module: nn.Flatten, given: Tensor, unit: Index) -> Sum:
    if given.ndim != 3 or len(unit) != 1:
        return Sum("other")
    channel, rest = divmod(unit[0], prod(given.shape[1:]))
    return same_place([channel], *divmod(rest, given.shape[2]))


@unit_of_module.register
def _(module: nn.LocalResponseNorm, given: Tensor, unit: Index) -> Sum:
    """Returns the neighbouring maps at the same place: size // 2 before, the rest behind."""
    first = unit[0] - module.size // 2
    channels = range(max(0, first), min(len(given), first + module.size))
    return same_place(channels, *unit[1:])
