"""A network as data: its layers and calls by name, from which it is built again without its code.

A program is a tree. A leaf is a layer of `known.LAYERS` and its options; a group has layers,
tensors of its own, and what its forward() calls, one line a call. Nothing in it is Python.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.programs.known import DTYPES, layer_of, operator_of
from holmdel.schema import Setting, read_record

REFERENCE = "%"  # before the name of a value among the arguments of a call
SUMS = ("aten.add.Tensor", "aten.add_.Tensor")  # of two values; the second overwrites the first
_DEPTH = 32
_STEPS = 100_000
_LEAF = (Setting(name="kind", type="str"), Setting(name="options", type="object", default={}))
_GROUP = (
    Setting(name="kind", type="str"),
    Setting(name="layers", type="object", default={}),
    Setting(name="tensors", type="object", default={}),
    Setting(name="inputs", type="texts"),
    Setting(name="calls", type="list"),
    Setting(name="outputs", type="list"),
)
_CALL = (
    Setting(name="name", type="str"),
    Setting(name="layer", type="str", optional=True),
    Setting(name="operator", type="str", optional=True),
    Setting(name="arguments", type="list"),
    Setting(name="named", type="object", default={}),
)
_TENSOR = (
    Setting(name="shape", type="counts"),
    Setting(name="dtype", type="str", choices=tuple(DTYPES)),
    Setting(name="parameter", type="bool"),
)


def build_program(program: Mapping[str, Any]) -> nn.Module:
    """Returns the network of a program, its weights freshly drawn, tensors of its own zeros.

    A group that hands one layer's output to the next is an `nn.Sequential`.

    Raises:
        UserError: for a program that is none, or calls what no program may.
    """
    network = _built(dict(program), 0)
    if _steps(program) > _STEPS:
        raise UserError(f"its groups call one another more than {_STEPS:,} times")
    return network


def _steps(record: Mapping[str, Any]) -> int:
    """Returns how many calls a program makes in all, those of its groups each time."""
    if "calls" not in record:
        return 1
    each = {name: _steps(layer) for name, layer in record.get("layers", {}).items()}
    return 1 + sum(each.get(call.get("layer"), 1) for call in record["calls"])


def _built(record: Any, depth: int) -> nn.Module:
    if depth > _DEPTH:
        raise UserError(f"its groups lie more than {_DEPTH} deep in one another")
    if isinstance(record, dict) and "calls" not in record:
        leaf = read_record(record, _LEAF, "a layer of the program")
        return layer_of(leaf["kind"], leaf["options"])
    group = read_record(record, _GROUP, "a group of the program")
    layers = {name: _built(part, depth + 1) for name, part in group["layers"].items()}
    calls = [read_record(call, _CALL, "a call of the program") for call in group["calls"]]
    if chain := _chain(group, layers, calls):
        return chain
    kind = group["kind"] if group["kind"].isidentifier() else "Group"
    made: nn.Module = type(kind, (Group,), {})(group, layers, calls)
    return made


def _chain(
    group: dict[str, Any], layers: dict[str, nn.Module], calls: list[dict[str, Any]]
) -> nn.Sequential | None:
    """Returns the layers as a chain, if each is called once on what the one before gave."""
    last = group["inputs"][0]
    chain: dict[str, nn.Module] = {}
    for call in calls:
        layer = layers.get(call["layer"])
        if call["arguments"] != [REFERENCE + last] or call["named"] or layer is None:
            return None
        name = call["layer"]
        if name in chain:
            if any(True for _ in layer.parameters()):
                return None
            name = call["name"]
        if not name or "." in name or name in chain or hasattr(nn.Sequential, name):
            return None
        chain[name], last = layer, call["name"]
    alone = len(group["inputs"]) == 1 and group["outputs"] == [REFERENCE + last]
    if not alone or not chain or group["tensors"]:
        return None
    return nn.Sequential(OrderedDict(chain))


def last_layer(program: Mapping[str, Any]) -> str | None:
    """Returns the path of the layer of weights that gives the logits; None where another call does.

    Behind it there is only what leaves a factor on the logits as it is: a mean, a reshape, nothing;
    or a log-softmax, which takes one away from all logits, and so leaves the probabilities as
    they are.

    >>> last_layer({"kind": "Linear", "options": {}})
    ''
    """
    if "calls" not in program:
        return "" if program["kind"] in ("Linear", "Conv2d") else None
    calls = {REFERENCE + call["name"]: call for call in program["calls"]}
    value = program["outputs"][0] if len(program["outputs"]) == 1 else None
    while call := calls.get(value):
        name = call["layer"]
        if name is None or sum(other["layer"] == name for other in program["calls"]) > 1:
            return None
        layer = program["layers"][name]
        if layer["kind"] not in _LINEAR or "calls" in layer:
            inner = last_layer(layer)
            return None if inner is None else f"{name}.{inner}".rstrip(".")
        value = call["arguments"][0]
    return None


_LINEAR = (
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "Dropout",
    "Flatten",
    "Identity",
    "LogSoftmax",
    "Unflatten",
)


class Group(nn.Module):
    """Layers and the calls between them; takes and gives tensors, or numbers such as a size.

    Args:
        group: a record of a program, its fields checked.
        layers: by their paths.
        calls: in the order they run.

    Raises:
        UserError: for a call of what is not there.
    """

    # Here too, so that no layer takes these names.
    _inputs: tuple[str, ...] = ()
    _calls: Sequence[dict[str, Any]] = ()
    _outputs: Sequence[Any] = ()
    _tensors: tuple[str, ...] = ()
    _dropped: Sequence[tuple[str, ...]] = ()

    def __init__(
        self, group: dict[str, Any], layers: dict[str, nn.Module], calls: list[dict[str, Any]]
    ) -> None:
        super().__init__()
        for path, layer in layers.items():
            home, name = _home(self, path)
            home.add_module(name, layer)
        for path, about in group["tensors"].items():
            self._register(path, read_record(about, _TENSOR, f"the tensor {path!r} of the program"))
        self._inputs = tuple(group["inputs"])
        self._calls = calls
        self._outputs = group["outputs"]
        known = {*self._inputs, *group["tensors"]}
        for call in calls:
            self._check(call, layers, known)
            known.add(call["name"])
        _expect_known(self._outputs, known)
        if not self._outputs:
            raise UserError("it has a group without outputs")
        self._tensors = tuple(group["tensors"])
        self._dropped = _last_uses(calls, {*self._tensors, *_names(self._outputs)})

    def forward(self, *given: Any) -> Any:
        """Returns the output of the last call, or several as a tuple."""
        values = dict(zip(self._inputs, given, strict=True))
        values |= {path: _attribute(self, path) for path in self._tensors}
        for call, dropped in zip(self._calls, self._dropped, strict=True):
            arguments = [_filled(value, values) for value in call["arguments"]]
            named = {name: _filled(value, values) for name, value in call["named"].items()}
            if call["layer"] is not None:
                result = self.get_submodule(call["layer"])(*arguments, **named)
            else:
                result = operator_of(call["operator"])(*arguments, **named)
            values[call["name"]] = result
            for name in dropped:
                values.pop(name, None)
        outputs = [_filled(value, values) for value in self._outputs]
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def _register(self, path: str, about: dict[str, Any]) -> None:
        home, name = _home(self, path)
        zeros = torch.zeros(tuple(about["shape"]), dtype=DTYPES[about["dtype"]])
        if about["parameter"]:
            home.register_parameter(name, nn.Parameter(zeros, zeros.is_floating_point()))
        else:
            home.register_buffer(name, zeros)

    def _check(self, call: dict[str, Any], layers: Mapping[str, Any], known: set[str]) -> None:
        if call["layer"] is None:
            operator_of(str(call["operator"]))
        elif call["layer"] not in layers:
            raise UserError(f"it calls a layer {call['layer'][:60]!r}, which it does not have")
        _expect_known([call["arguments"], list(call["named"].values())], known)


def _home(root: nn.Module, path: str) -> tuple[nn.Module, str]:
    """Returns the module that holds what a dotted path names, made if need be, and its name."""
    *parents, name = path.split(".")
    for parent in parents:
        if not isinstance(getattr(root, parent, None), nn.Module):
            _expect_free(root, parent)
            root.add_module(parent, nn.Module())
        root = root.get_submodule(parent)
    _expect_free(root, name)
    return root, name


def _expect_free(module: nn.Module, name: str) -> None:
    if not name or hasattr(module, name):
        raise UserError(f"it has a part named {name[:60]!r}, which cannot be its name")


def _attribute(root: nn.Module, path: str) -> Tensor:
    parent, _, name = path.rpartition(".")
    found: Tensor = getattr(root.get_submodule(parent), name)
    return found


def _names(value: Any) -> Iterator[str]:
    """Gives the names of the values that an argument refers to."""
    if isinstance(value, str) and value.startswith(REFERENCE):
        yield value[len(REFERENCE) :]
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)


def _expect_known(value: Any, known: set[str]) -> None:
    for name in _names(value):
        if name not in known:
            raise UserError(f"it uses a value {name[:60]!r} before there is one")


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """Returns an argument with the values that it refers to."""
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, str):
        if value.startswith(REFERENCE):
            return values[value[len(REFERENCE) :]]
        return DTYPES.get(value, value)
    return value


def _last_uses(calls: list[dict[str, Any]], kept: set[str]) -> list[tuple[str, ...]]:
    """Returns for each call the values that no later call takes."""
    seen = set(kept)
    found = []
    for call in reversed(calls):
        used = {*_names([call["arguments"], list(call["named"].values())]), call["name"]}
        found.append(tuple(used - seen))
        seen |= used
    return found[::-1]
