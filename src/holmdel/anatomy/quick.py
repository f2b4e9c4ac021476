"""Output shapes of the usual operators, so that PyTorch need not be asked.

PyTorch's own answers on the meta device load its compiler and sympy: a second and 80 MB. What is
not known here, or does not fit together, goes to PyTorch, which also words the error.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from holmdel.anatomy.calls import Call, tensors_in
from holmdel.errors import UserError
from holmdel.shapes import output_size


class Weightless(TorchDispatchMode):
    """Within it, tensors have a shape and no numbers, and operator calls give such tensors."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def follow(self, call: Call, results: list[Tensor]) -> None:
        """Is told of each operator call."""


def _answer(
    mode: Weightless, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
) -> Any:
    """Returns what an operator call gives."""
    call = Call.of(func, args, kwargs or {})
    result = quick_result(call)
    if result is None:
        result = func(*args, **(kwargs or {}))
    mode.follow(call, [*tensors_in(result)])
    return result


# Put here because PyTorch wraps one that it finds in a class so that it loads the compiler.
Weightless.__torch_dispatch__ = _answer  # type: ignore[method-assign,assignment]


@contextlib.contextmanager
def weightless() -> Iterator[None]:
    """Makes what is built within have shapes and no numbers, so that nothing is allocated."""
    with torch.device("meta"), Weightless():
        yield


def quick_result(call: Call) -> Any:
    """Returns what a call gives, on the meta device; None where PyTorch must say."""
    if any(tensor.device.type != "meta" for tensor in call.tensors()):
        return None
    rule = _pointwise if call.name in _NAMES else _RULES.get(call.name)
    try:
        return rule(call) if rule else None
    except UserError:
        return None


def _pointwise(call: Call) -> Tensor | None:
    tensors = call.tensors()
    first = tensors[0]
    shape = _broadcast([t.shape for t in tensors])
    if shape is None or "out" in call.arguments or call.arguments.get("rounding_mode"):
        return None
    if call.in_place:
        return first if shape == tuple(first.shape) else None
    alike = all(t.is_floating_point() and t.dtype == first.dtype for t in tensors)
    return _like(first, shape) if alike else None


def _broadcast(shapes: Sequence[Sequence[int]]) -> tuple[int, ...] | None:
    """Returns the shape that several are stretched to, or None if they do not fit."""
    longest = max(len(shape) for shape in shapes)
    filled = [(1,) * (longest - len(shape)) + tuple(shape) for shape in shapes]
    sides = [set(column) - {1} for column in zip(*filled, strict=True)]
    if any(len(side) > 1 for side in sides):
        return None
    return tuple(side.pop() if side else 1 for side in sides)


def _convolution(call: Call) -> Tensor | None:
    pixels, weight = call.arguments["input"], call.arguments["weight"]
    spatial = weight.ndim - 2
    fits = pixels.ndim == weight.ndim and pixels.dtype == weight.dtype
    fits = fits and pixels.shape[1] == weight.shape[1] * call.arguments["groups"]
    if call.arguments["transposed"] or not fits:
        return None
    numbers = (call.numbers(name, spatial) for name in ("stride", "padding", "dilation"))
    sizes = (
        output_size(size, (kernel - 1) * dilation + 1, stride, padding)
        for size, kernel, stride, padding, dilation in zip(
            pixels.shape[2:], weight.shape[2:], *numbers, strict=True
        )
    )
    return _like(pixels, (pixels.shape[0], weight.shape[0], *sizes))


def _pool(call: Call) -> Any:
    pixels = call.arguments["self"]
    spatial = 3 if "3d" in call.name else 2
    kernel = call.numbers("kernel_size", spatial)
    stride = call.numbers("stride", spatial) or kernel
    padding = call.numbers("padding", spatial)
    dilation = call.numbers("dilation", spatial) if "dilation" in call.arguments else (1,) * spatial
    too_wide = any(2 * p > k for p, k in zip(padding, kernel, strict=True))
    if call.arguments["ceil_mode"] or too_wide:
        return None
    sizes = (
        output_size(size, (k - 1) * d + 1, s, p)
        for size, k, s, p, d in zip(
            pixels.shape[-spatial:], kernel, stride, padding, dilation, strict=True
        )
    )
    result = _like(pixels, (*pixels.shape[:-spatial], *sizes))
    return (result, result) if "indices" in call.name else result


def _adaptive(call: Call) -> Tensor | None:
    pixels = call.arguments["self"]
    return _like(pixels, (*pixels.shape[:-2], *call.numbers("output_size", 2)))


def _reduced(call: Call) -> Tensor | None:
    pixels, given = call.arguments["self"], call.arguments.get("dim")
    if not isinstance(given, list) or not given or call.arguments.get("dtype"):
        return None
    dims = {dim % pixels.ndim for dim in given}
    keep = call.arguments["keepdim"]
    sides = (1 if at in dims else side for at, side in enumerate(pixels.shape))
    left = (side for at, side in enumerate(pixels.shape) if at not in dims)
    return _like(pixels, tuple(sides if keep else left))


def _product(call: Call) -> Tensor | None:
    one = call.arguments["mat1"] if call.name == "addmm" else call.arguments["self"]
    two = call.arguments["mat2"]
    if one.shape[1] != two.shape[0] or one.dtype != two.dtype:
        return None
    return _like(one, (one.shape[0], two.shape[1]))


def _cat(call: Call) -> Tensor | None:
    tensors, dim = call.arguments["tensors"], call.arguments["dim"]
    first = tensors[0]
    at = dim % first.ndim
    rest = {(*t.shape[:at], *t.shape[at + 1 :], t.ndim, t.dtype) for t in tensors}
    if len(rest) > 1:
        return None
    total = sum(t.shape[at] for t in tensors)
    return _like(first, (*first.shape[:at], total, *first.shape[at + 1 :]))


def _normalised(call: Call) -> Any:
    pixels: Tensor = call.arguments["input"]
    return tuple(_like(pixels, shape) for shape in (pixels.shape, (0,), (0,)))


def _batch_norm(call: Call) -> Any:
    pixels, mean = call.arguments["input"], call.arguments["running_mean"]
    if call.arguments["training"] or mean is None or pixels.shape[1] != mean.shape[0]:
        return None
    return _normalised(call)


def _index(call: Call) -> Tensor | None:
    taken, indices = call.arguments["self"], call.arguments["indices"]
    if len(indices) != 1 or indices[0] is None or indices[0].is_floating_point():
        return None
    return _like(taken, (*indices[0].shape, *taken.shape[1:]))


def _same(call: Call) -> Tensor:
    pixels = call.arguments["self"]
    return pixels if call.in_place else _like(pixels, pixels.shape)


def _like(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    return torch.empty(tuple(shape), dtype=tensor.dtype, device="meta")


# Pointwise operators whose results are of their arguments' type.
_NAMES = {
    *("add", "sub", "mul", "div", "neg", "square", "sqrt", "rsqrt", "exp", "reciprocal", "pow"),
    *("relu", "sigmoid", "tanh", "gelu", "silu", "hardtanh", "leaky_relu", "elu", "hardswish"),
    *("hardsigmoid", "softplus", "clamp", "clamp_min", "_prelu_kernel"),
}
_RULES: dict[str, Callable[[Call], Any]] = {
    "convolution": _convolution,
    **dict.fromkeys(("max_pool2d_with_indices", "avg_pool2d", "avg_pool3d"), _pool),
    "_adaptive_avg_pool2d": _adaptive,
    **dict.fromkeys(("mean", "sum"), _reduced),
    **dict.fromkeys(("addmm", "mm"), _product),
    "cat": _cat,
    "index": _index,
    "native_batch_norm": _batch_norm,
    **dict.fromkeys(("native_group_norm", "native_layer_norm"), _normalised),
    **dict.fromkeys(("_softmax", "_log_softmax", "clone", "index_put"), _same),
}
