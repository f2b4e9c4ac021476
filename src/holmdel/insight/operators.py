"""Sums of units by the PyTorch operator that makes them."""

from collections.abc import Callable

import torch
from torch import Tensor

from holmdel.anatomy.kinds import ACTIVATIONS
from holmdel.insight.sums import Steps, Sum, cut, window_of
from holmdel.insight.watching import Step

Index = tuple[int, ...]
Axes = list[tuple[Steps, Steps]]


def sum_by_operator(step: Step, value: Tensor, unit: Index) -> Sum | None:
    """Returns how a unit comes out of one operator call; None for one that is not known.

    Args:
        step: the call.
        value: (C, H, W) or (F,), what it gave.
        unit: which of its numbers.
    """
    name = step.call.name
    given = step.given[0]
    if name in ACTIVATIONS and given.shape == value.shape:
        return activation(name, given, unit)
    rule = _RULES.get(name)
    return rule(step, given, value, unit) if rule else None


def activation(name: str, given: Tensor, unit: Index) -> Sum:
    """Returns how a unit comes out of a function of the same unit of the layer before."""
    if given.ndim != 3:
        return Sum("activation", unit[-1:], patch=given[unit].reshape(1), function=name)
    channel, row, column = unit
    at = Steps(row, 1), Steps(column, 1)
    patch = cut(given, [channel], *at)
    return Sum("activation", (channel,), window_of(*at), patch, function=name)


def _convolution(step: Step, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    weight, bias = step.call.arguments["weight"], step.call.arguments["bias"]
    if step.name != "input" or weight.ndim != 4 or step.call.arguments["transposed"]:
        return None
    out, row, column = unit
    group = out // (weight.shape[0] // step.call.arguments["groups"])
    seen = weight.shape[1]
    channels = range(group * seen, (group + 1) * seen)
    stride, padding, dilation = (
        step.call.numbers(name, 2) for name in ("stride", "padding", "dilation")
    )
    rows, columns = (
        Steps(at * s - p, count, d)
        for at, s, p, count, d in zip(
            (row, column), stride, padding, weight.shape[2:], dilation, strict=True
        )
    )
    return Sum(
        "convolution",
        tuple(channels),
        window_of(rows, columns),
        cut(given, channels, rows, columns),
        weight[out].detach(),
        None if bias is None else float(bias.detach()[out]),
    )


def _linear(step: Step, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    arguments = step.call.arguments
    if step.name not in ("mat1", "self") or "mat2" not in arguments or value.ndim != 1:
        return None
    bias = arguments.get("self")  # of addmm
    if bias is not None and (bias.ndim != 1 or arguments["alpha"] != 1 or arguments["beta"] != 1):
        return None
    kernel = arguments["mat2"][:, unit[0]].detach()
    weight = None if bias is None else float(bias.detach()[unit[0]])
    return Sum("linear", tuple(range(len(given))), None, given, kernel, weight)


def _average(step: Step, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    if given.ndim != 3:
        return None
    _, height, width = given.shape
    pad_h, pad_w = step.call.numbers("padding", 2)
    rows, columns = _pooled(step, unit)
    ends = zip((rows, columns), (height + pad_h, width + pad_w), strict=True)
    rows, columns = (Steps(at.first, min(at.count, end - at.first)) for at, end in ends)
    count = rows.count * columns.count
    if not step.call.arguments["count_include_pad"]:
        count = rows.within(height) * columns.within(width)
    return _mean(given, unit, rows, columns, step.call.arguments["divisor_override"] or count)


def _mean(given: Tensor, unit: Index, rows: Steps, columns: Steps, count: int) -> Sum:
    patch = cut(given, unit[:1], rows, columns)
    kernel = torch.full_like(patch, 1 / count)
    return Sum("average", unit[:1], window_of(rows, columns), patch, kernel)


def _adaptive_average(step: Step, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    if given.ndim != 3:
        return None
    rows, columns = _adapted(given, value, unit)
    return _mean(given, unit, rows, columns, rows.count * columns.count)


def _whole_mean(step: Step, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    """Returns the mean over whole maps, which PyTorch makes of an adaptive pooling to 1x1."""
    dims = step.call.arguments.get("dim")
    if given.ndim != 3 or not dims or {dim % 4 for dim in dims} != {2, 3}:
        return None
    rows, columns = (Steps(0, size) for size in given.shape[1:])
    return _mean(given, unit, rows, columns, rows.count * columns.count)


def _maximum(step: Step, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    if given.ndim != 3:
        return None
    return _largest(given, unit, *_pooled(step, unit))


def _adaptive_maximum(step: Step, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    if given.ndim != 3:
        return None
    return _largest(given, unit, *_adapted(given, value, unit))


def _largest(given: Tensor, unit: Index, rows: Steps, columns: Steps) -> Sum:
    patch = cut(given, unit[:1], rows, columns)
    best = int(cut(given, unit[:1], rows, columns, outside=-torch.inf).argmax())
    argmax = (0, best // columns.count, best % columns.count)
    return Sum("maximum", unit[:1], window_of(rows, columns), patch, argmax=argmax)


def _pooled(step: Step, unit: Index) -> tuple[Steps, Steps]:
    """Returns where the window of a pooling's unit lies, along H and W."""
    kernel = step.call.numbers("kernel_size", 2)
    stride = step.call.numbers("stride", 2) or kernel
    padding = step.call.numbers("padding", 2)
    dilation = step.call.numbers("dilation", 2) if "dilation" in step.call.arguments else (1, 1)
    rows, columns = (
        Steps(at * s - p, k, d)
        for at, s, p, k, d in zip(unit[1:], stride, padding, kernel, dilation, strict=True)
    )
    return rows, columns


def _adapted(given: Tensor, value: Tensor, unit: Index) -> tuple[Steps, Steps]:
    """Returns where the window of an adaptive pooling's unit lies, along H and W."""
    rows, columns = (
        Steps(at * size // wanted, -(-(at + 1) * size // wanted) - at * size // wanted)
        for at, size, wanted in zip(unit[1:], given.shape[1:], value.shape[1:], strict=True)
    )
    return rows, columns


Rule = Callable[[Step, Tensor, Tensor, Index], Sum | None]
_RULES: dict[str, Rule] = {
    "convolution": _convolution,
    "addmm": _linear,
    "mm": _linear,
    "avg_pool2d": _average,
    "_adaptive_avg_pool2d": _adaptive_average,
    "mean": _whole_mean,
    "max_pool2d_with_indices": _maximum,
    "adaptive_max_pool2d": _adaptive_maximum,
}
