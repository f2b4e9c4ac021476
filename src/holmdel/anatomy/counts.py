"""Connections and MACs by kind of layer; what is written beside the kind.

MACs are weights x output positions, connections (weights + bias) x output positions. A transposed
convolution has its weights at every *input* position.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import singledispatch

from torch import Tag, Tensor, nn

from holmdel.anatomy.calls import Call
from holmdel.networks.lenet_papers import RadialBasis, Subsampling, TableConv2d


@dataclass(frozen=True)
class Counts:
    """Connections and MACs of a layer; None where they are not known."""

    connections: int | None
    macs: int | None

    def __add__(self, other: "Counts") -> "Counts":
        """Returns the sums; None where one part is not known."""
        if None in (self.connections, self.macs, other.connections, other.macs):
            return UNKNOWN
        return Counts(self.connections + other.connections, self.macs + other.macs)  # type: ignore[operator]


NONE = Counts(0, 0)
UNKNOWN = Counts(None, None)


@singledispatch
def counts_of_module(module: nn.Module, output: Tensor) -> Counts | None:
    """Returns the counts of a module that its class alone knows; None where its calls tell."""
    return None


@counts_of_module.register
def _(module: TableConv2d, output: Tensor) -> Counts:
    """Counts the kernels that the table has, and the biases as they are shared."""
    height, width = output.shape[-2:]
    macs = module.weight.numel() * height * width
    return Counts(macs + output.numel(), macs)


@counts_of_module.register
def _(module: Subsampling, output: Tensor) -> Counts:
    """Counts as the paper: four pixels and a bias an output; 1998, layer S2. One coefficient."""
    return Counts(output.numel() * (4 + 1), output.numel())


@counts_of_module.register
def _(module: RadialBasis, output: Tensor) -> Counts:
    """Counts the fixed codes: 84 connections a class, none of them trainable."""
    return Counts(module.codes.numel(), module.codes.numel())


def counts_of_call(call: Call, weights: Collection[int], result: Tensor) -> Counts:
    """Returns the counts of one operator call.

    Args:
        call: what was called with pictures, or what was made of them.
        weights: the ids of the tensors among its arguments that are made of parameters alone.
        result: what it gave.
    """
    given = {name for name, value in call.arguments.items() if id(value) in weights}
    if call.name in _COUNTS:
        return _COUNTS[call.name](call, given, result)
    weighted = any(id(tensor) in weights for tensor in call.tensors())
    if not weighted or call.name in ("cat", "stack"):
        return NONE
    if Tag.pointwise not in call.operator.tags and call.name != "_prelu_kernel":
        return UNKNOWN
    if call.name in ("add", "sub"):
        return Counts(result.numel(), 0)
    if call.name in ("mul", "div", "_prelu_kernel"):
        return Counts(result.numel(), result.numel())
    return UNKNOWN


def _convolution(call: Call, given: set[str], result: Tensor) -> Counts:
    pixels, weight = call.arguments["input"], call.arguments["weight"]
    where = pixels if call.arguments["transposed"] else result
    macs = weight.numel() * (where.numel() // where.shape[1])
    return _with_bias(macs, call.arguments["bias"], result)


def _addmm(call: Call, given: set[str], result: Tensor) -> Counts:
    return _with_bias(result.numel() * call.arguments["mat1"].shape[1], "self" in given, result)


def _product(call: Call, given: set[str], result: Tensor) -> Counts:
    """Counts a product with weights; one of two pictures' numbers has none."""
    macs = result.numel() * call.arguments["self"].shape[-1] if given else 0
    return Counts(macs, macs)


def _norm(call: Call, given: set[str], result: Tensor) -> Counts:
    macs = result.numel() if call.arguments["weight"] is not None else 0
    return _with_bias(macs, call.arguments["bias"], result)


def _with_bias(macs: int, bias: object, result: Tensor) -> Counts:
    return Counts(macs + (0 if bias is None or bias is False else result.numel()), macs)


_COUNTS: dict[str, Callable[[Call, set[str], Tensor], Counts]] = {
    "convolution": _convolution,
    "addmm": _addmm,
    **dict.fromkeys(("mm", "bmm"), _product),
    **dict.fromkeys(("native_batch_norm", "native_group_norm", "native_layer_norm"), _norm),
}
