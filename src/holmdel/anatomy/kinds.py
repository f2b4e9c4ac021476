"""How a layer is called: the kind of an operator call, and what is written beside it."""

from torch import Tensor

from holmdel.anatomy.calls import Call

# Operators that are layers where a forward() calls them, and how the forward() calls them.
_KINDS = {
    "addmm": "linear",
    "mm": "linear",
    "max_pool2d_with_indices": "max_pool2d",
    "max_pool3d_with_indices": "max_pool3d",
    "avg_pool2d": "avg_pool2d",
    "avg_pool3d": "avg_pool3d",
    "_adaptive_avg_pool2d": "adaptive_avg_pool2d",
    "adaptive_max_pool2d": "adaptive_max_pool2d",
    "mean": "mean",
    "amax": "amax",
    "native_batch_norm": "batch_norm",
    "native_group_norm": "group_norm",
    "native_layer_norm": "layer_norm",
    "_softmax": "softmax",
    "_log_softmax": "log_softmax",
    "_prelu_kernel": "prelu",
    "cat": "cat",
}
ACTIVATIONS = {
    *("relu", "sigmoid", "tanh", "gelu", "silu", "hardtanh", "leaky_relu", "elu", "hardswish"),
    *("hardsigmoid", "softplus", "mish"),
}
_JOINS = {"add", "sub", "mul", "div", "bmm", "stack"}


def kind_of(call: Call, pictures: int, weighted: bool) -> str | None:
    """Returns the kind of the layer that a call is; None where it is none, as a reshape.

    Args:
        call: what was called.
        pictures: how many different tensors among its arguments come from the picture.
        weighted: whether there are parameters among its arguments.
    """
    if call.name == "convolution":
        spatial = call.arguments["weight"].ndim - 2
        return f"conv{'_transpose' if call.arguments['transposed'] else ''}{spatial}d"
    if call.name in ("mm", "bmm") and pictures > 1:
        return "matmul"
    if call.name in ACTIVATIONS:
        return call.name
    if call.name in _JOINS and pictures > 1:
        return call.name
    return _KINDS.get(call.name) or (call.name if weighted else None)


def detail_of(call: Call) -> str:
    """Returns what a call's kernel is like: `5x5, stride 2, padding 2`; "" without a kernel."""
    if call.name == "constant_pad_nd":
        return _pad(call.arguments["pad"])
    if call.name == "convolution":
        weight: Tensor = call.arguments["weight"]
        return _kernel(call, tuple(weight.shape[2:]), usual_stride=1)
    if call.name in ("max_pool2d_with_indices", "avg_pool2d"):
        return _kernel(call, call.numbers("kernel_size", 2), usual_stride=None)
    return ""


def _kernel(call: Call, kernel: tuple[int, ...], usual_stride: int | None) -> str:
    """Returns a kernel in words; what is as usual is not said."""
    usual = {"stride": usual_stride, "padding": 0, "dilation": 1}
    parts = [_times(kernel)]
    for name, value in usual.items():
        if name in call.arguments:
            numbers = call.numbers(name, len(kernel)) or kernel
            if any(number != value for number in numbers):
                parts.append(f"{name} {_short(numbers)}")
    if call.arguments.get("groups", 1) > 1:
        parts.append(f"groups {call.arguments['groups']}")
    return ", ".join(parts)


def _pad(sides: list[int]) -> str:
    """Returns a padding in words: `padding 2`, or left, right, top, bottom where they differ."""
    if len(sides) != 4:
        return ""  # of dimensions that are no height and width
    same = len(set(sides)) == 1
    return f"padding {sides[0] if same else '/'.join(map(str, sides))}"


def _short(numbers: tuple[int, ...]) -> str:
    return str(numbers[0]) if len(set(numbers)) == 1 else _times(numbers)


def _times(numbers: tuple[int, ...]) -> str:
    return "x".join(map(str, numbers))
