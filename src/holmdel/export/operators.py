"""The operators of PyTorch that can be exported, each with its translation into ONNX's."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from holmdel.export import pooling
from holmdel.export.builder import ROOT_HALF, Builder, refuse
from holmdel.export.steps import Step, Value, varies

Translation = Callable[[Builder, Step], Any]


def translate(build: Builder, step: Step) -> None:
    """Adds what a step does to the graph.

    Raises:
        UserError: for an operator or a use of one that cannot be exported; it names the layer.
    """
    translation = OPERATORS.get(step.operator)
    if translation is None:
        raise refuse(step, f"uses the operator {step.operator}")
    if step.operator not in _TOLD_SIZES and any(map(varies, step.arguments.values())):
        raise refuse(step, "uses a number that is another for other images")
    results = translation(build, step)
    results = results if isinstance(results, list) else [results]
    for value, result in zip(step.outputs, results, strict=False):
        build.names[value.name] = result


def _first(step: Step) -> Any:
    """Returns what an operator of one tensor takes."""
    arguments = step.arguments
    return arguments["self"] if "self" in arguments else arguments["input"]


def _same(build: Builder, step: Step) -> str:
    kind = step.arguments.get("dtype")
    if kind not in (None, torch.float32):
        raise refuse(step, f"turns numbers into {str(kind).removeprefix('torch.')}")
    return build.name(_first(step))


def _unary(operator: str, build: Builder, step: Step, **attributes: Any) -> str:
    return build.add(operator, [build.name(_first(step))], step, attributes)


def _leaky(build: Builder, step: Step) -> str:
    return _unary("LeakyRelu", build, step, alpha=step.arguments["negative_slope"])


def _elu(build: Builder, step: Step) -> str:
    if step.arguments["scale"] != 1 or step.arguments["input_scale"] != 1:
        raise refuse(step, "is an ELU with a scale")
    return _unary("Elu", build, step, alpha=step.arguments["alpha"])


def _softplus(build: Builder, step: Step) -> str:
    if step.arguments["beta"] != 1:
        raise refuse(step, "is a softplus with a beta")
    return _unary("Softplus", build, step)


def _gelu(build: Builder, step: Step) -> str:
    name = build.name(_first(step))
    if step.arguments["approximate"] != "none":
        raise refuse(step, "is a GELU by tanh")
    inner = build.add("Erf", [build.with_number("Mul", name, ROOT_HALF, step)], step)
    whole = build.with_number("Add", inner, 1.0, step)
    return build.add("Mul", [build.with_number("Mul", name, 0.5, step), whole], step)


def _silu(build: Builder, step: Step) -> str:
    name = build.name(_first(step))
    return build.add("Mul", [name, build.add("Sigmoid", [name], step)], step)


def _mish(build: Builder, step: Step) -> str:
    name = build.name(_first(step))
    soft = build.add("Tanh", [build.add("Softplus", [name], step)], step)
    return build.add("Mul", [name, soft], step)


def _clip(low: str, high: str | None, build: Builder, step: Step) -> str:
    name = build.name(_first(step))
    for operator, key in (("Max", low), ("Min", high)):
        if key and step.arguments.get(key) is not None:
            name = build.with_number(operator, name, step.arguments[key], step)
    return name


def _prelu(build: Builder, step: Step) -> str:
    slope = build.constant(step.arguments["weight"], step, "weight")
    return build.add("PRelu", [build.name(_first(step)), slope], step)


def _two(operator: str, build: Builder, step: Step) -> str:
    """Adds an operator of two tensors, of which one may be constant or a number."""
    other = step.arguments["other"]
    factor = step.arguments.get("alpha", 1)
    if factor != 1:
        if isinstance(other, Value):
            raise refuse(step, "adds with an alpha")
        other = other * factor
    if step.arguments.get("rounding_mode"):
        raise refuse(step, "divides and rounds")
    first, second = step.arguments["self"], other
    pair = [build.taken(first, step, "weight"), build.taken(second, step, "weight")]
    return build.add(operator, pair, step)


def _reversed_sub(build: Builder, step: Step) -> str:
    swapped = step.arguments | {"self": step.arguments["other"], "other": step.arguments["self"]}
    return _two("Sub", build, Step(step.operator, swapped, step.outputs, step.layer))


def _power(build: Builder, step: Step) -> str:
    given, exponent = step.arguments["self"], step.arguments["exponent"]
    if not isinstance(given, Value) or not isinstance(exponent, int | float):
        raise refuse(step, "raises to a power that is no fixed number")
    name = build.name(given)
    if exponent == 2:
        return build.add("Mul", [name, name], step)
    return build.with_number("Pow", name, exponent, step)


def _square(build: Builder, step: Step) -> str:
    name = build.name(_first(step))
    return build.add("Mul", [name, name], step)


def _reciprocal_root(build: Builder, step: Step) -> str:
    return build.add("Reciprocal", [_unary("Sqrt", build, step)], step)


def _linear(build: Builder, step: Step) -> str:
    """Adds a dense layer: bias + input x weight."""
    bias, given, weight = (step.arguments[key] for key in ("self", "mat1", "mat2"))
    plain = step.arguments["beta"] == 1 and step.arguments["alpha"] == 1
    if isinstance(weight, Value) or isinstance(bias, Value) or not plain:
        raise refuse(step, "multiplies by a matrix that is made of the images")
    inputs = [
        build.name(given),
        build.constant(weight.T, step, "weight"),
        build.constant(bias, step, "bias"),
    ]
    return build.add("Gemm", inputs, step, {"transB": 1})


def _product(build: Builder, step: Step) -> str:
    """Adds a matrix product; a dense layer without a bias is one."""
    given, other = step.arguments["self"], step.arguments["mat2"]
    if isinstance(given, Value) and not isinstance(other, Value) and other.ndim == 2:
        inputs = [build.name(given), build.constant(other.T, step, "weight")]
        return build.add("Gemm", inputs, step, {"transB": 1})
    pair = [build.taken(given, step, "weight"), build.taken(other, step, "weight")]
    return build.add("MatMul", pair, step)


def _batch_norm(build: Builder, step: Step) -> str:
    """Adds a factor and a sum for each channel: what a batch norm is once it is trained."""
    arguments = step.arguments
    mean = arguments["running_mean"]
    if mean is None or arguments.get("training"):
        raise refuse(step, "normalises by the batch that it sees")
    mean, variance = mean.double(), arguments["running_var"].double()
    factor = (variance + arguments.get("eps", arguments.get("epsilon"))).rsqrt()
    if arguments["weight"] is not None:
        factor = factor * arguments["weight"].double()
    sum_ = -mean * factor
    if arguments["bias"] is not None:
        sum_ = sum_ + arguments["bias"].double()
    sides = [-1] + [1] * (len(step.outputs[0].shape) - 2)
    inputs = [build.name(arguments["input"]), build.constant(factor.view(sides), step, "factor")]
    scaled = build.add("Mul", inputs, step)
    return build.add("Add", [scaled, build.constant(sum_.view(sides), step, "shift")], step)


def _layer_norm(build: Builder, step: Step) -> str:
    count = len(step.arguments["normalized_shape"])
    name = build.name(step.arguments["input"])
    return _scaled(build, step, _standardised(build, step, name, step.outputs[0].shape, count))


def _standardised(build: Builder, step: Step, name: str, shape: Any, count: int) -> str:
    """Adds what gives the last `count` dimensions a mean of 0 and a deviation of 1."""
    axes = list(range(len(shape) - count, len(shape)))
    small = (*shape[: len(shape) - count], *[1] * count)
    attributes = {"axes": axes, "keepdims": 1}
    mean = build.add("ReduceMean", [name], step, attributes, small)
    away = build.add("Sub", [name, mean], step, shape=shape)
    square = build.add("Mul", [away, away], step, shape=shape)
    variance = build.add("ReduceMean", [square], step, attributes, small)
    eps = build.with_number("Add", variance, step.arguments["eps"], step, small)
    deviation = build.add("Sqrt", [eps], step, shape=small)
    return build.add("Div", [away, deviation], step, shape=shape)


def _scaled(build: Builder, step: Step, name: str, sides: list[int] | None = None) -> str:
    """Adds a normalisation's weight and bias."""
    for operator, key in (("Mul", "weight"), ("Add", "bias")):
        if step.arguments[key] is not None:
            numbers = step.arguments[key]
            numbers = numbers if sides is None else numbers.view(sides)
            name = build.add(operator, [name, build.constant(numbers, step, key)], step)
    return name


def _group_norm(build: Builder, step: Step) -> str:
    shape, groups = step.outputs[0].shape, step.arguments["group"]
    if None in shape[1:]:
        raise refuse(step, "normalises groups of images of any size")
    flat = (shape[0], groups, int(np.prod([n for n in shape[1:] if n])) // groups)
    name = build.reshape(build.name(step.arguments["input"]), flat, step)
    name = build.reshape(_standardised(build, step, name, flat, 1), shape, step)
    return _scaled(build, step, name, [-1] + [1] * (len(shape) - 2))


def _reduce(operator: str, build: Builder, step: Step) -> str:
    given, dims = step.arguments["self"], step.arguments.get("dim")
    rank = len(given.shape)
    dims = [dims] if isinstance(dims, int) else dims
    if not dims or step.arguments.get("dtype") or 0 in [dim % rank for dim in dims]:
        raise refuse(step, "takes a mean, sum or largest over the batch")
    axes = [dim % rank for dim in dims]
    attributes: dict[str, Any] = {"keepdims": int(step.arguments["keepdim"])}
    inputs = [build.name(given)]
    if operator == "ReduceSum":  # whose axes became an input before those of the others
        inputs.append(build.graph.constant(np.array(axes, np.int64), f"{step.layer}.axes"))
    else:
        attributes["axes"] = axes
    return build.add(operator, inputs, step, attributes)


def _along(operator: str, build: Builder, step: Step) -> str:
    given = step.arguments["self"]
    axis = step.arguments["dim"] % len(given.shape)
    return build.add(operator, [build.name(given)], step, {"axis": axis})


def _reshape(build: Builder, step: Step) -> str:
    return build.reshape(build.name(_first(step)), step.outputs[0].shape, step)


def _permute(build: Builder, step: Step) -> str:
    rank = len(step.outputs[0].shape)
    if "dims" in step.arguments:
        order = [dim % rank for dim in step.arguments["dims"]]
    else:
        order = list(range(rank))
        one, two = (step.arguments.get(k, n) % rank for k, n in (("dim0", 0), ("dim1", 1)))
        order[one], order[two] = two, one
    return build.add("Transpose", [build.name(_first(step))], step, {"perm": order})


def _concatenate(build: Builder, step: Step) -> str:
    axis = step.arguments["dim"] % len(step.outputs[0].shape)
    names = [build.taken(value, step, "part") for value in step.arguments["tensors"]]
    return build.add("Concat", names, step, {"axis": axis})


def _stack(build: Builder, step: Step) -> str:
    shape = step.outputs[0].shape
    axis = step.arguments["dim"] % len(shape)
    single = (*shape[:axis], 1, *shape[axis + 1 :])
    parts = [build.reshape(build.name(v), single, step) for v in step.arguments["tensors"]]
    return build.add("Concat", parts, step, {"axis": axis})


def _cut(build: Builder, step: Step, dim: int, start: int, end: int, by: int, shape: Any) -> str:
    """Adds a slice along one dimension, from start up to, without, end."""
    inputs = [build.name(_first(step))]
    for name, number in (("starts", start), ("ends", end), ("axes", dim), ("steps", by)):
        inputs.append(build.graph.constant(np.array([number], np.int64), f"{step.layer}.{name}"))
    return build.add("Slice", inputs, step, shape=shape)


def _slice(build: Builder, step: Step) -> str:
    given, shape = _first(step), step.outputs[0].shape
    dim = step.arguments["dim"] % len(shape)
    start, end = step.arguments["start"] or 0, step.arguments["end"]
    end = np.iinfo(np.int64).max if end is None else end
    if given.shape[dim] is not None:
        start, end, _ = slice(start, end).indices(given.shape[dim])
    return _cut(build, step, dim, start, end, step.arguments["step"], shape)


def _select(build: Builder, step: Step) -> str:
    given = _first(step)
    dim = step.arguments["dim"] % len(given.shape)
    size, index = given.shape[dim], step.arguments["index"]
    if size is None:
        raise refuse(step, "takes a part of what varies in number")
    index %= size
    shape = (*given.shape[:dim], 1, *given.shape[dim + 1 :])
    return build.reshape(
        _cut(build, step, dim, index, index + 1, 1, shape), step.outputs[0].shape, step
    )


def _split(build: Builder, step: Step) -> list[str]:
    given = _first(step)
    dim = step.arguments["dim"] % len(given.shape)
    parts, start = [], 0
    for part in step.outputs:
        size = part.shape[dim]
        if size is None:
            raise refuse(step, "splits what varies in number")
        parts.append(_cut(build, step, dim, start, start + size, 1, part.shape))
        start += size
    return parts


def _pad(mode: str, build: Builder, step: Step) -> str:
    sides = step.arguments["pad" if "pad" in step.arguments else "padding"]
    if any(side < 0 for side in sides):
        raise refuse(step, "pads by less than nothing")
    starts, ends = sides[::2][::-1], sides[1::2][::-1]
    value = float(step.arguments.get("value") or 0.0)
    shape = step.outputs[0].shape
    return build.pad(build.name(_first(step)), shape, starts, ends, value, step, mode)


_TOLD_SIZES = ("view", "_unsafe_view", "reshape", "native_group_norm")  # and N among them
_RESHAPES = ("view", "_unsafe_view", "reshape", "squeeze", "unsqueeze")
_PLAIN = {
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "hardswish": "HardSwish",
    "neg": "Neg",
    "exp": "Exp",
    "log": "Log",
    "sqrt": "Sqrt",
    "abs": "Abs",
    "reciprocal": "Reciprocal",
}
OPERATORS: dict[str, Translation] = {
    **{ours: partial(_unary, theirs) for ours, theirs in _PLAIN.items()},
    **dict.fromkeys(("clone", "detach", "alias", "lift_fresh", "_to_copy"), _same),
    **dict.fromkeys(_RESHAPES, _reshape),
    **dict.fromkeys(("permute", "transpose", "t"), _permute),
    **dict.fromkeys(("split", "split_with_sizes"), _split),
    **dict.fromkeys(
        ("native_batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"),
        _batch_norm,
    ),
    "convolution": pooling.convolution,
    "max_pool2d_with_indices": pooling.max_pool,
    "max_pool3d_with_indices": pooling.max_pool,
    "avg_pool2d": pooling.average_pool,
    "avg_pool3d": pooling.average_pool,
    "_adaptive_avg_pool2d": pooling.adaptive_average,
    "adaptive_max_pool2d": pooling.adaptive_max,
    "addmm": _linear,
    "mm": _product,
    "bmm": _product,
    "native_layer_norm": _layer_norm,
    "native_group_norm": _group_norm,
    "leaky_relu": _leaky,
    "elu": _elu,
    "softplus": _softplus,
    "gelu": _gelu,
    "silu": _silu,
    "mish": _mish,
    "hardsigmoid": partial(_unary, "HardSigmoid", alpha=1 / 6, beta=0.5),
    "hardtanh": partial(_clip, "min_val", "max_val"),
    "clamp": partial(_clip, "min", "max"),
    "clamp_min": partial(_clip, "min", None),
    "_prelu_kernel": _prelu,
    "add": partial(_two, "Add"),
    "sub": partial(_two, "Sub"),
    "mul": partial(_two, "Mul"),
    "div": partial(_two, "Div"),
    "rsub": _reversed_sub,
    "pow": _power,
    "square": _square,
    "rsqrt": _reciprocal_root,
    "mean": partial(_reduce, "ReduceMean"),
    "sum": partial(_reduce, "ReduceSum"),
    "amax": partial(_reduce, "ReduceMax"),
    "amin": partial(_reduce, "ReduceMin"),
    "_softmax": partial(_along, "Softmax"),
    "_log_softmax": partial(_along, "LogSoftmax"),
    "cat": _concatenate,
    "stack": _stack,
    "slice": _slice,
    "select": _select,
    "constant_pad_nd": partial(_pad, "constant"),
    "reflection_pad2d": partial(_pad, "reflect"),
    "replication_pad2d": partial(_pad, "edge"),
}
