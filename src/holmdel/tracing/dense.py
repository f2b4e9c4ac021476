"""Operators without a kernel that slides: products, normalisations, means, functions of numbers."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from holmdel.tracing.call import Call
from holmdel.tracing.positions import Positions, from_end
from holmdel.tracing.sums import Index, Sum, Taps, activated, mean_of


def product_result(call: Call) -> Tensor | None:
    """Returns a matrix product on the meta device; None where the matrices do not fit."""
    one, two = _first(call), call.arguments["mat2"]
    if one.shape[1] != two.shape[0] or one.dtype != two.dtype:
        return None
    return _empty(one, (one.shape[0], two.shape[1]))


def linear_macs(call: Call, weights: set[str], result: Tensor) -> tuple[int, bool]:
    """Counts a product plus a bias."""
    return result.numel() * _first(call).shape[1], "self" in weights


def product_macs(call: Call, weights: set[str], result: Tensor) -> tuple[int, bool]:
    """Counts a product with weights; one of two tensors from the image has none."""
    return result.numel() * _first(call).shape[-1] if weights else 0, False


def product_positions(
    before: Positions, call: Call, source: Tensor, result: Tensor
) -> Positions | None:
    """Sums over the dimension that both factors share."""
    return before.contracted(-1 if _first(call) is source else -2)


def linear_unit(call: Call, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    """Returns the sum of a vector times a column of the weights."""
    arguments = call.arguments
    if _first(call) is not given or value.ndim != 1:
        return None
    bias = arguments["self"] if call.name == "addmm" else None
    if bias is not None and (bias.ndim != 1 or arguments["alpha"] != 1 or arguments["beta"] != 1):
        return None
    kernel = arguments["mat2"][:, unit[0]].detach()
    constant = None if bias is None else float(bias.detach()[unit[0]])
    return Sum("linear", tuple(range(given.shape[1])), None, given[0], kernel, constant)


def norm_result(call: Call) -> Any:
    """Returns a normalisation's results on the meta device, the statistics empty."""
    pixels = call.arguments["input"]
    return tuple(_empty(pixels, shape) for shape in (pixels.shape, (0,), (0,)))


def batch_norm_result(call: Call) -> Any:
    """Returns a batch normalisation's results in eval mode; None for PyTorch to say."""
    pixels, mean = call.arguments["input"], call.arguments["running_mean"]
    if call.arguments["training"] or mean is None or pixels.shape[1] != mean.shape[0]:
        return None
    return norm_result(call)


def norm_macs(call: Call, weights: set[str], result: Tensor) -> tuple[int, bool]:
    """Counts a weight and a bias a number."""
    scaled = call.arguments["weight"] is not None
    return result.numel() if scaled else 0, call.arguments["bias"] is not None


def mean_result(call: Call) -> Tensor | None:
    """Returns a mean or sum over dimensions on the meta device; None for PyTorch to say."""
    pixels, given = call.arguments["self"], call.arguments.get("dim")
    if not isinstance(given, list) or not given or call.arguments.get("dtype"):
        return None
    dims = {dim % pixels.ndim for dim in given}
    keep = call.arguments["keepdim"]
    sides = [1 if at in dims else n for at, n in enumerate(pixels.shape) if keep or at not in dims]
    return _empty(pixels, sides)


def mean_positions(
    before: Positions, call: Call, source: Tensor, result: Tensor
) -> Positions | None:
    """Covers what a mean, sum or maximum over dimensions takes together."""
    given = call.arguments.get("dim")
    given = [given] if isinstance(given, int) else given
    dims = {from_end(dim, source.ndim) for dim in given or range(source.ndim)}
    keep = result.ndim == source.ndim
    for axis in before.at(dims):
        before = before.covered(axis).placed(axis, before.places[axis] if keep else None)
    return before if keep else before.without(dims, source.ndim)


def mean_unit(call: Call, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    """Returns the mean over whole maps, which PyTorch makes of an adaptive pooling to 1x1."""
    dims = call.arguments.get("dim")
    if given.ndim != 4 or not dims or {dim % 4 for dim in dims} != {2, 3}:
        return None
    _, height, width = given[0].shape
    return mean_of(given[0], unit, (Taps(0, height), Taps(0, width)))


def softmax_positions(
    before: Positions, call: Call, source: Tensor, result: Tensor
) -> Positions | None:
    """Follows a softmax over channels; over positions it has no window."""
    return None if before.several([from_end(call.arguments["dim"], source.ndim)]) else before


def cat_result(call: Call) -> Tensor | None:
    """Returns tensors behind one another on the meta device; None where they do not fit."""
    tensors = call.arguments["tensors"]
    first = tensors[0]
    at = call.arguments["dim"] % first.ndim
    rest = {(*t.shape[:at], *t.shape[at + 1 :], t.ndim, t.dtype) for t in tensors}
    if len(rest) > 1:
        return None
    total = sum(t.shape[at] for t in tensors)
    return _empty(first, (*first.shape[:at], total, *first.shape[at + 1 :]))


def index_result(call: Call) -> Tensor | None:
    """Returns what one tensor of indices takes, on the meta device; None for PyTorch to say."""
    taken, indices = call.arguments["self"], call.arguments["indices"]
    if len(indices) != 1 or indices[0] is None or indices[0].is_floating_point():
        return None
    return _empty(taken, (*indices[0].shape, *taken.shape[1:]))


def same_result(call: Call) -> Tensor:
    """Returns a tensor of the same shape on the meta device."""
    pixels: Tensor = call.arguments["self"]
    return pixels if call.in_place else _empty(pixels, pixels.shape)


def pointwise_result(call: Call) -> Tensor | None:
    """Returns a function of single numbers on the meta device; None for PyTorch to say."""
    tensors = call.tensors()
    first = tensors[0]
    shape = _broadcast([tensor.shape for tensor in tensors])
    if shape is None or "out" in call.arguments or call.arguments.get("rounding_mode"):
        return None
    if call.in_place:
        return first if shape == tuple(first.shape) else None
    alike = all(t.is_floating_point() and t.dtype == first.dtype for t in tensors)
    return _empty(first, shape) if alike else None


def factor_macs(call: Call, weights: set[str], result: Tensor) -> tuple[int, bool]:
    """Counts a weight a number."""
    return result.numel() if weights else 0, False


def bias_macs(call: Call, weights: set[str], result: Tensor) -> tuple[int, bool]:
    """Counts a bias a number."""
    return 0, bool(weights)


def no_macs(call: Call, weights: set[str], result: Tensor) -> tuple[int, bool]:
    """Counts nothing: parameters are moved."""
    return 0, False


def function_unit(call: Call, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    """Returns an activation of the same unit of the layer before."""
    return activated(call.name, given[0], unit) if given.shape[1:] == value.shape else None


def _first(call: Call) -> Tensor:
    """Returns the first factor of a product; of addmm `self` is the bias."""
    first: Tensor = call.arguments["mat1" if call.name == "addmm" else "self"]
    return first


def _broadcast(shapes: Sequence[Sequence[int]]) -> tuple[int, ...] | None:
    """Returns the shape that several are stretched to, or None if they do not fit."""
    longest = max(len(shape) for shape in shapes)
    filled = [(1,) * (longest - len(shape)) + tuple(shape) for shape in shapes]
    sides = [set(column) - {1} for column in zip(*filled, strict=True)]
    if any(len(side) > 1 for side in sides):
        return None
    return tuple(side.pop() if side else 1 for side in sides)


def _empty(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    return torch.empty(tuple(shape), dtype=tensor.dtype, device="meta")
