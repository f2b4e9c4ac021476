"""Writes down what a module calls, as `torch.export` has followed it."""

from collections.abc import Iterator, Sequence
from typing import Any

from torch import fx, nn

from holmdel.programs.functions import as_layers, value_of
from holmdel.programs.known import is_layer, name_of, operator_of, options_of, plain
from holmdel.programs.program import REFERENCE

Record = dict[str, Any]
_CHECKS = ("aten._assert", "aten.sym_constrain_range", "aten._assert_tensor_metadata")


def group_of(part: nn.Module, original: nn.Module) -> Record:
    """Returns the record of a module and of the modules that it calls."""
    if is_layer(original):
        return {"kind": type(original).__name__, "options": options_of(original)}
    return _Writer(part, original).record()


class _Writer:
    """Writes down one module's calls."""

    def __init__(self, part: nn.Module, original: nn.Module) -> None:
        self.part, self.original = part, original
        self.layers: dict[str, Record] = {}
        self.tensors: dict[str, Record] = {}
        self.inputs: list[str] = []
        self.calls: list[Record] = []
        self.outputs: list[Any] = []
        self.names: dict[fx.Node, str] = {}  # of what is another value by another name

    def record(self) -> Record:
        """Returns the record, without calls whose results nobody takes."""
        for node in self.part.graph.nodes:  # type: ignore[union-attr]
            getattr(self, f"_{node.op}")(node)
        used = set(_references(self.outputs))
        for call in reversed(self.calls):
            if call["name"] in used or _in_place(call):
                used |= set(_references([call["arguments"], *call["named"].values()]))
        calls = [call for call in self.calls if call["name"] in used or _in_place(call)]
        layers = {call["layer"] for call in calls}
        return {
            "kind": type(self.original).__name__,
            "layers": {name: record for name, record in self.layers.items() if name in layers},
            "tensors": {name: about for name, about in self.tensors.items() if name in used},
            "inputs": self.inputs,
            "calls": calls,
            "outputs": self.outputs,
        }

    def _placeholder(self, node: fx.Node) -> None:
        self.inputs.append(node.name)

    def _get_attr(self, node: fx.Node) -> None:
        path = str(node.target)
        parent, _, name = path.rpartition(".")
        value = getattr(self.part.get_submodule(parent), name)
        self.tensors[path] = {
            "shape": list(value.shape),
            "dtype": str(value.dtype),
            "parameter": isinstance(value, nn.Parameter),
        }
        self.names[node] = path

    def _call_module(self, node: fx.Node) -> None:
        target = str(node.target)
        original = self.original.get_submodule(plain_path(target))
        path = plain_path(target) if is_layer(original) else target
        if path not in self.layers:
            self.layers[path] = group_of(self.part.get_submodule(target), original)
        self._add(node, layer=path)

    def _call_function(self, node: fx.Node) -> None:
        name = name_of(node.target)
        if name.startswith(_CHECKS):
            return
        if _is_cast_to_itself(node, name):
            self.names[node] = self._named(node.args[0])
            return
        if layers := as_layers(node, name, training=self.original.training):
            self._add_layers(node, layers)
            return
        operator_of(name)  # refuses what no program may call
        self._add(node, operator=name)

    def _add_layers(self, node: fx.Node, layers: Sequence[Record]) -> None:
        """Adds layers, one behind the other, that do what a function does."""
        given = self._plain(node.args[0])
        taken = {other.name for other in self.part.graph.nodes}  # type: ignore[union-attr]
        for place, layer in enumerate(layers, start=1):
            path = "flatten" if layer["kind"] == "Flatten" else node.name
            while path in self.layers or hasattr(self.part, path):
                path += "_"
            self.layers[path] = layer
            name = str(node.name)
            while place < len(layers) and name in taken:
                name += "_"
            self.calls.append(call_of(name, [given], layer=path))
            given = REFERENCE + name

    def _output(self, node: fx.Node) -> None:
        given = node.args[0]
        outputs = self._plain(given)
        self.outputs = outputs if isinstance(given, list | tuple) else [outputs]

    def _add(self, node: fx.Node, **what: str) -> None:
        call = call_of(node.name, self._plain(node.args), **what)
        call["named"] = {key: self._plain(value) for key, value in node.kwargs.items()}
        self.calls.append(call)

    def _plain(self, value: Any) -> Any:
        if isinstance(value, fx.Node):
            return REFERENCE + self._named(value)
        if isinstance(value, list | tuple):
            return [self._plain(item) for item in value]
        return plain(value)

    def _named(self, node: Any) -> str:
        return self.names.get(node) or str(node.name)


def call_of(
    name: str, arguments: Any, *, layer: str | None = None, operator: str | None = None
) -> Record:
    """Returns the record of a call of a layer, by its path, or of an operator."""
    return {
        "name": name,
        "layer": layer,
        "operator": operator,
        "arguments": arguments,
        "named": {},
    }


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value.startswith(REFERENCE):
        yield value[len(REFERENCE) :]
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _in_place(call: Record) -> bool:
    name = str(call["operator"]).split(".")
    return len(name) > 1 and name[1].endswith("_")


def plain_path(path: str) -> str:
    """Returns a path without the numbers of modules that are called again, `act@1`."""
    return ".".join(part.partition("@")[0] for part in path.split("."))


def _is_cast_to_itself(node: fx.Node, name: str) -> bool:
    """Returns whether a call makes float32 of float32, which would hinder other precisions."""
    if not name.startswith(("aten.to.", "aten._to_copy.", "aten.type_as.")):
        return False
    given, result = (value_of(one) for one in (node.args[0], node))
    return given is not None and result is not None and given.dtype == result.dtype
