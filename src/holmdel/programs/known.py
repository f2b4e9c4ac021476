"""The layers and operators that a network kept as data may be made of.

All of them compute numbers from numbers: none reads a file, starts a program or runs code.
"""

import inspect
import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from holmdel.errors import UserError

_LAYERS: tuple[type[nn.Module], ...] = (
    *(nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d, nn.Linear),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d, nn.LayerNorm),
    *(nn.LocalResponseNorm, nn.RMSNorm),
    *(nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
    *(nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout),
    *(nn.Flatten, nn.Unflatten, nn.Identity),
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU),
    *(nn.Mish, nn.Sigmoid, nn.Tanh, nn.Hardtanh, nn.Hardswish, nn.Hardsigmoid, nn.Softplus),
    *(nn.Softsign, nn.LogSigmoid, nn.Softmax, nn.LogSoftmax, nn.Tanhshrink, nn.Threshold),
    *(nn.ZeroPad2d, nn.ConstantPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d, nn.Upsample),
    *(nn.PixelShuffle, nn.PixelUnshuffle, nn.ChannelShuffle),
)
LAYERS = {layer.__name__: layer for layer in _LAYERS}
_NOT_OPTIONS = ("device", "dtype", "args", "kwargs", "min_value", "max_value")

# Of PyTorch's namespace `aten`, in any overload, and in place with an underscore behind.
_NAMES = """
abs add clamp clamp_max clamp_min cos div erf exp log log1p maximum minimum mul neg pow
reciprocal rsqrt rsub sign sin sqrt square sub true_divide
eq ge gt le lt ne logical_and logical_not logical_or masked_fill where
celu elu gelu glu hardsigmoid hardswish hardtanh leaky_relu log_sigmoid log_softmax mish prelu
relu relu6 selu sigmoid silu softmax softplus tanh threshold
addmm baddbmm bmm conv1d conv2d conv_transpose2d convolution einsum linear matmul mm
scaled_dot_product_attention
batch_norm group_norm instance_norm layer_norm linalg_vector_norm norm rms_norm
adaptive_avg_pool2d adaptive_max_pool2d avg_pool1d avg_pool2d max_pool1d max_pool2d
max_pool2d_with_indices
amax amin argmax cumsum logsumexp max mean min prod std std_mean sum var var_mean
alias broadcast_tensors cat chunk clone constant_pad_nd contiguous detach dropout expand
expand_as feature_dropout flatten flip gather im2col index_select movedim narrow ones_like pad
permute pixel_shuffle pixel_unshuffle channel_shuffle reflection_pad2d repeat
replication_pad2d reshape roll select slice split split_with_sizes squeeze stack sym_size t
tile to transpose type_as unbind unflatten unfold unsqueeze upsample_bicubic2d
upsample_bilinear2d upsample_nearest2d view view_as zeros_like
"""
_OPERATORS = frozenset(_NAMES.split())
_PYTHON: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "floordiv": operator.floordiv,
    "getitem": operator.getitem,
    "mul": operator.mul,
    "sub": operator.sub,
}
_DTYPES = (
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.bool),
    *(torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
)
DTYPES = {str(dtype): dtype for dtype in _DTYPES}


def layer_of(kind: str, options: dict[str, Any]) -> nn.Module:
    """Returns a layer of `LAYERS`, its weights freshly drawn.

    Args:
        kind: its class.
        options: what `options_of` gave; lists stand for tuples.

    Raises:
        UserError: for another kind, an option that it does not have, or a value it does not take.
    """
    if kind not in LAYERS:
        raise UserError(
            f"it has a layer {kind!r}, which this version does not know; it knows "
            f"{', '.join(LAYERS)}"
        )
    unknown = [name for name in options if name not in _parameters(LAYERS[kind])]
    if unknown:
        raise UserError(f"its layer {kind} has the option {unknown[0]!r}, which is none")
    given = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    try:
        return LAYERS[kind](**given)
    except (TypeError, ValueError, RuntimeError, AssertionError, ZeroDivisionError) as error:
        reason = str(error).partition("\n")[0][:100]
        raise UserError(f"its layer {kind} does not take its options: {reason}") from None


def options_of(layer: nn.Module) -> dict[str, Any]:
    """Returns the arguments that make a layer of `LAYERS` again, as JSON takes them.

    >>> options_of(nn.Linear(3, 2, bias=False))
    {'in_features': 3, 'out_features': 2, 'bias': False}
    """
    found = {}
    for name, parameter in _parameters(type(layer)).items():
        value = getattr(layer, name, parameter.default)
        value = value is not None if name == "bias" else value
        if value != parameter.default:
            found[name] = plain(value)
    return found


def is_layer(module: nn.Module) -> bool:
    """Returns whether a module is a layer of `LAYERS` and nothing else: no subclass, no hooks."""
    return type(module) in _LAYERS and not is_changed(module)


def is_changed(module: nn.Module) -> bool:
    """Returns whether somebody hung hooks on a module, or gave it another `forward`."""
    return "forward" in vars(module) or any(getattr(module, hooks) for hooks in _HOOKS)


_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def operator_of(name: str) -> Callable[..., Any]:
    """Returns an operator by its name, such as `aten.add.Tensor` or `python.getitem`.

    Raises:
        UserError: for one that a network kept as data may not call.
    """
    space, _, rest = name.partition(".")
    if space == "python" and rest in _PYTHON:
        return _PYTHON[rest]
    packet, _, overload = rest.partition(".")
    if space == "aten" and packet.removesuffix("_") in _OPERATORS:
        try:
            found: Callable[..., Any] = getattr(getattr(torch.ops.aten, packet), overload)
            return found
        except AttributeError:
            pass
    raise UserError(f"it calls {name[:60]!r}, which no network of a run folder may call")


def name_of(target: Any) -> str:
    """Returns the name of an operator for `operator_of`."""
    if isinstance(target, torch._ops.OpOverload):
        return str(target)
    for name, function in _PYTHON.items():
        if target is function:
            return f"python.{name}"
    return str(getattr(target, "__name__", target))


def plain(value: Any) -> Any:
    """Returns an argument as JSON takes it: tuples as lists, a dtype by its name.

    Raises:
        UserError: for another value.
    """
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, torch.dtype):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise UserError(f"it has the argument {str(value)[:60]!r}, which a run folder does not keep")


def _parameters(layer: type[nn.Module]) -> dict[str, inspect.Parameter]:
    found = inspect.signature(layer).parameters
    return {name: about for name, about in found.items() if name not in _NOT_OPTIONS}
