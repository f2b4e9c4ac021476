"""Follows a network part by part: a chain, or a graph whose ways meet again in sums."""

import operator
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import torch
from torch import nn
from torch.nn import functional as F

from holmdel.engine.watch import hooked, is_sequence
from holmdel.errors import UserError
from holmdel.programs.program import REFERENCE, SUMS, Group


class Unsupported(UserError):  # noqa: N818  as UserError's family, named for what it says
    """A network, or a layer of it, that the engine does not take."""


class Part(NamedTuple):
    """A layer of a network, or a sum of two values, in the order they are computed.

    Attributes:
        name: the layer's path.
        module: the layer; None for a sum.
        reads: values: 0 is the image, i + 1 what part i gives.
    """

    name: str
    module: nn.Module | None
    reads: tuple[int, ...]


_ADDS: tuple[Any, ...] = (operator.add, operator.iadd, torch.add)
_LAYERS: dict[Any, Callable[[], nn.Module]] = {
    torch.relu: nn.ReLU, F.relu: nn.ReLU, torch.tanh: nn.Tanh, F.tanh: nn.Tanh,
    torch.sigmoid: nn.Sigmoid, F.sigmoid: nn.Sigmoid, F.silu: nn.SiLU,
}  # fmt: skip


def parts_of(network: nn.Module) -> list[Part]:
    """Returns the parts of a network in order; what does nothing is left out.

    Raises:
        Unsupported: for a module that is neither a layer, a chain, nor a graph that is known.
    """
    walk = _Walk()
    last = walk.through("", network, 0)
    if last != len(walk.parts):
        raise Unsupported("its last layer is not what it gives")
    readers = Counter(value for part in walk.parts for value in part.reads)
    for name, value in walk.overwritten:
        if readers[value] > 1:
            raise Unsupported(f"{name or 'it'} works in place on what another layer reads too")
    return walk.parts


class _Walk:
    """Collects parts; values are numbered as `Part.reads` are."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.overwritten: list[tuple[str, int]] = []  # values, and what changes them in place

    def through(self, name: str, module: nn.Module, value: int) -> int:
        """Adds the parts of a module that is given a value; returns the value that it gives."""
        if hooked(module):
            raise Unsupported(
                f"the layer {name or 'given'} has hooks, which the engine does not call"
            )
        if is_sequence(module):
            for part, child in module._modules.items():  # named_children leaves out repetitions
                assert child is not None
                value = self.through(_joined(name, part), child, value)
            return value
        if isinstance(module, Group):
            return self._group(name, module, value)
        if is_graph(module):
            return self._graph(name, module, value)
        return value if type(module) is nn.Identity else self._add(name, module, value)

    def _add(self, name: str, module: nn.Module | None, *reads: int, in_place: bool = False) -> int:
        self.parts.append(Part(name, module, reads))
        if in_place or getattr(module, "inplace", False):
            self.overwritten.append((name, reads[0]))
        return len(self.parts)

    def _group(self, name: str, group: Group, value: int) -> int:
        """Goes through the calls of a network that is kept as data."""
        if len(group._inputs) != 1 or len(group._outputs) != 1 or group._tensors:
            unknown(name, group)
        values: dict[Any, int] = {REFERENCE + group._inputs[0]: value}
        for call in group._calls:
            given = call["arguments"]
            reads = [values[one] for one in given if isinstance(one, str) and one in values]
            if len(reads) < len(given) or call["named"]:
                unknown(name, group)
            if call["operator"] in SUMS and len(reads) == 2:
                in_place = call["operator"] == SUMS[1]
                found = self._add(name, None, *reads, in_place=in_place)
            elif call["layer"] is not None and len(reads) == 1:
                layer = group.get_submodule(call["layer"])
                found = self.through(_joined(name, call["layer"]), layer, *reads)
            else:
                unknown(name, group)
            values[REFERENCE + call["name"]] = found
        if group._outputs[0] not in values:
            unknown(name, group)
        return values[group._outputs[0]]

    def _graph(self, name: str, module: nn.Module, value: int) -> int:
        """Goes through the forward() of a module of ours."""
        values: dict[Any, int] = {}
        nodes = _Shallow().trace(module).nodes
        for node in nodes:
            reads = [values[given] for given in node.all_input_nodes]
            if node.op == "placeholder":
                values[node] = value
            elif node.op == "output" and len(reads) == 1:
                values[node] = reads[0]
            elif node.op == "call_module" and len(reads) == 1:
                path = str(node.target)
                child = module.get_submodule(path)
                values[node] = self.through(_joined(name, path), child, *reads)
            elif node.target in _ADDS and len(reads) == len(node.args) == 2 and not node.kwargs:
                in_place = node.target is operator.iadd
                values[node] = self._add(name, None, *reads, in_place=in_place)
            elif node.target in _LAYERS and len(reads) == 1:
                values[node] = self._add(name, _LAYERS[node.target](), *reads)
            else:
                unknown(name, module)
        return values[next(iter(reversed(nodes)))]


class _Shallow(torch.fx.Tracer):
    """Follows a forward() from layer to layer, and into none of them."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True


def is_graph(module: nn.Module) -> bool:
    """Tells whether a module is one of Holmdel's own with parts, whose forward() may be followed.

    What a user wrote may do otherwise the next time; `training` keeps that as data, a `Group`.
    """
    ours = type(module).__module__.startswith("holmdel.")
    return ours and bool(module._modules) and not isinstance(module, nn.Sequential)


def unknown(name: str, module: nn.Module, where: str = "") -> NoReturn:
    """Raises the sentence on a layer that the engine does not know."""
    text = " ".join(part for part in (str(module).split("\n")[0], where) if part)
    raise Unsupported(f"the engine does not know the layer {name or 'given'}: {text}")


def _joined(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part
