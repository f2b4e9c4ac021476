"""Functions that do what layers do, as `torch.export` meets them in a forward()."""

from typing import Any

from torch import Tensor, fx

from holmdel.programs.known import plain

Record = dict[str, Any]

_SIMPLE = {
    "relu": "ReLU",
    "sigmoid": "Sigmoid",
    "tanh": "Tanh",
    "silu": "SiLU",
    "mish": "Mish",
    "selu": "SELU",
    "hardswish": "Hardswish",
    "hardsigmoid": "Hardsigmoid",
}
_POOL = ("kernel_size", "stride", "padding")
_WITH_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "max_pool2d": ("MaxPool2d", (*_POOL, "dilation")),
    "avg_pool2d": (
        "AvgPool2d",
        (*_POOL, "ceil_mode", "count_include_pad", "divisor_override"),
    ),
    "adaptive_avg_pool2d": ("AdaptiveAvgPool2d", ("output_size",)),
    "leaky_relu": ("LeakyReLU", ("negative_slope",)),
}
_ALONG = {"log_softmax": "LogSoftmax", "softmax": "Softmax"}


def as_layers(node: fx.Node, name: str, *, training: bool) -> list[Record]:
    """Returns the layers that, one behind the other, do what a function does; none if none do.

    Args:
        node: the call.
        name: of the function, from `known.name_of`.
        training: whether the network was followed in training mode: a dropout that is on then, and
            only then, is the layer.
    """
    _, packet, overload = (*name.split("."), "", "")[:3]
    if packet in ("view", "reshape", "flatten") and _flattens(node):
        return [_layer("Flatten")]
    if not _only_first_is_a_value(node):
        return []
    options = list(map(plain, node.args[1:]))
    if packet == "gelu" and not options:
        return [_layer("GELU", **node.kwargs)]
    if node.kwargs:
        return []
    if packet in _ALONG and overload == "int" and len(options) == 1:
        return [_layer(_ALONG[packet], dim=options[0])]
    if packet == "mean" and overload == "dim":
        return _mean(node, *options)
    if packet == "dropout" and len(options) == 2:
        return [_layer("Dropout", p=options[0])] if options[1] is training else []
    return _plain_layer(packet, options) if overload == "default" else []


def _plain_layer(packet: str, given: list[Any]) -> list[Record]:
    """Returns the layer that a function with its arguments is, if there is one."""
    base = packet.removesuffix("_")
    if base in _SIMPLE and not given:
        return [_layer(_SIMPLE[base], **({"inplace": True} if base != packet else {}))]
    if packet not in _WITH_OPTIONS:
        return []
    kind, names = _WITH_OPTIONS[packet]
    options = dict(zip(names, given, strict=False))
    if not options.get("stride", True):
        del options["stride"]  # [] is the kernel's size
    return [_layer(kind, **options)]


def _mean(node: fx.Node, axes: Any, keep: bool = False) -> list[Record]:
    """Returns the layers of a mean over rows and columns."""
    before = value_of(node.args[0])
    if before is None or before.ndim != 4 or sorted(axis % 4 for axis in axes) != [2, 3]:
        return []
    pool = _layer("AdaptiveAvgPool2d", output_size=1)
    return [pool] if keep else [pool, _layer("Flatten")]


def _layer(kind: str, **options: Any) -> Record:
    return {"kind": kind, "options": options}


def value_of(node: Any) -> Any:
    """Returns the tensor without numbers that stands for a node's value, if it is one."""
    found = node.meta.get("val") if isinstance(node, fx.Node) else None
    return found if isinstance(found, Tensor) else None


def _only_first_is_a_value(node: fx.Node) -> bool:
    return node.all_input_nodes == [node.args[0]]


def _flattens(node: fx.Node) -> bool:
    """Returns whether a call makes one row of each image's numbers."""
    before, after = value_of(node.args[0]), value_of(node)
    if before is None or after is None or after.ndim != 2 or before.ndim < 2:
        return False
    return str(before.shape[0]) == str(after.shape[0])
