"""From any module to a program: what `torch.export` sees of its forward(), as data."""

import contextlib
import copy
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from holmdel.errors import UserError
from holmdel.programs.forms import form_of, is_layers_and_sums
from holmdel.programs.functions import as_layers, value_of
from holmdel.programs.known import is_changed, is_layer, name_of, operator_of, options_of, plain
from holmdel.programs.program import REFERENCE, build_program

Size = tuple[int, int, int]
Record = dict[str, Any]
_TOLERANCE = 1e-4  # of logits, between a module and its program
_CHECKS = ("aten._assert", "aten.sym_constrain_range", "aten._assert_tensor_metadata")


@dataclass(frozen=True)
class Exported:
    """A module as data.

    Attributes:
        program: for `build_program`, as JSON takes it.
        constants: tensors that are no parameters nor buffers of the module, by their names in it.
        alike: whether the program is of layers and sums alone and is trained as the module is,
            dropout and batch norms included.
    """

    program: Record
    constants: dict[str, Tensor]
    alike: bool

    def network(self, weights: nn.Module) -> nn.Module:
        """Returns the network of the program, on the CPU and in eval mode, with a module's weights.

        Args:
            weights: the module that was exported, or a copy of it that has been trained.
        """
        network = build_program(self.program).eval()
        given = {
            **self.constants,
            **dict(weights.named_parameters(remove_duplicate=False)),
            **dict(weights.named_buffers(remove_duplicate=False)),
        }
        wanted = network.state_dict()
        network.load_state_dict({name: given[_plain_path(name)].detach() for name in wanted})
        return network


def export(network: nn.Module, size: Size) -> Exported:
    """Returns a network as data.

    A tree of `nn.Sequential` and layers is written down as it stands; of everything else
    `torch.export` follows the forward() once, on zeros, for any number of images.

    Args:
        network: from (N, C, H, W) to logits; it is left as it was.
        size: (C, H, W) of an image.

    Raises:
        UserError: if its forward() cannot be written down: it decides by the numbers, or calls
            what no program may.
    """
    network = copy.deepcopy(network).cpu().eval()
    if record := _chain(network):
        return Exported(record, {}, alike=True)
    unfolded, constants = _unfolded(network, size)
    program = _group(unfolded, network)
    exported = Exported(program, constants, alike=_trains_alike(network, size, program))
    _expect_same(network.eval(), exported, size)
    return exported


def _trains_alike(network: nn.Module, size: Size, program: Record) -> bool:
    """Returns whether a program is of layers and sums, and the module's in training mode too."""
    if not is_layers_and_sums(program) or any(map(is_changed, network.modules())):
        return False
    try:
        unfolded, _ = _unfolded(network.train(), size)
        return bool(form_of(_group(unfolded, network)) == form_of(program))
    except UserError:
        return False


def _chain(module: nn.Module) -> Record | None:
    """Returns the record of a tree of `nn.Sequential` and known layers; None for other modules."""
    if is_layer(module):
        return {"kind": type(module).__name__, "options": options_of(module)}
    if type(module) is not nn.Sequential or is_changed(module) or not len(module):
        return None
    layers, calls, last = {}, [], "input"
    for name, child in module._modules.items():
        record = _chain(child) if child is not None else None
        if record is None:
            return None
        layers[name] = record
        calls.append(_call(f"of_{name}", [REFERENCE + last], layer=name))
        last = f"of_{name}"
    shared = len({id(p) for p in module.parameters()})
    if shared < sum(1 for _ in module.named_parameters(remove_duplicate=False)):
        return None
    return {
        "kind": "Sequential",
        "layers": layers,
        "inputs": ["input"],
        "calls": calls,
        "outputs": [REFERENCE + last],
    }


def _unfolded(network: nn.Module, size: Size) -> tuple[nn.Module, dict[str, Tensor]]:
    """Returns what `torch.export` makes of a network, module by module, and its constants."""
    images = torch.zeros(2, *size)  # of one image it would take the 1 for a constant
    batch = ({0: torch.export.Dim.DYNAMIC},)
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)  # it logs what it then raises
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            found = torch.export.export(network, (images,), dynamic_shapes=batch, strict=False)
            unfolded = torch.export.unflatten(found)
    except Exception as error:
        raise UserError(_why_not(network, error)) from None
    finally:
        logging.disable(before)
    changed = found.graph_signature.buffers_to_mutate
    if changed and not network.training:
        raise UserError(
            f"{type(network).__name__} changes {next(iter(changed.values()))!r} in its forward() "
            "in eval mode too, which a run folder does not keep; change it in training only"
        )
    constants = {k: v for k, v in found.constants.items() if isinstance(v, Tensor)}
    return unfolded, constants


def _why_not(network: nn.Module, error: Exception) -> str:
    """Returns the sentence for a module that `torch.export` cannot follow."""
    name, reason = type(network).__name__, str(error).strip().partition("\n")[0][:160]
    if "data-dependent" in str(error) or "DataDependent" in type(error).__name__:
        return (
            f"{name} decides in its forward() by the numbers in a tensor, so that it cannot be "
            "written down as layers and calls; use torch.where in place of if, or move it out"
        )
    if "specialized" in str(error) or "ConstraintViolation" in str(error):
        return (
            f"{name} works for one number of images only; write x.view(x.shape[0], -1) or "
            "x.flatten(1) in place of a fixed number"
        )
    return f"{name} cannot be written down as layers and calls: {reason.rstrip('. ')}"


def _group(part: nn.Module, original: nn.Module) -> Record:
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
        original = self.original.get_submodule(_plain_path(target))
        path = _plain_path(target) if is_layer(original) else target
        if path not in self.layers:
            self.layers[path] = _group(self.part.get_submodule(target), original)
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
            self.calls.append(_call(name, [given], layer=path))
            given = REFERENCE + name

    def _output(self, node: fx.Node) -> None:
        given = node.args[0]
        outputs = self._plain(given)
        self.outputs = outputs if isinstance(given, list | tuple) else [outputs]

    def _add(self, node: fx.Node, **what: str) -> None:
        call = _call(node.name, self._plain(node.args), **what)
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


def _call(
    name: str, arguments: Any, *, layer: str | None = None, operator: str | None = None
) -> Record:
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


def _plain_path(path: str) -> str:
    """Returns a path without the numbers of modules that are called again, `act@1`."""
    return ".".join(part.partition("@")[0] for part in path.split("."))


def _is_cast_to_itself(node: fx.Node, name: str) -> bool:
    """Returns whether a call makes float32 of float32, which would hinder other precisions."""
    if not name.startswith(("aten.to.", "aten._to_copy.", "aten.type_as.")):
        return False
    given, result = (value_of(one) for one in (node.args[0], node))
    return given is not None and result is not None and given.dtype == result.dtype


def _expect_same(network: nn.Module, exported: Exported, size: Size) -> None:
    """Raises a UserError unless a network and its program answer alike, whatever the batch."""
    chance = torch.Generator().manual_seed(1)
    images = torch.rand(3, *size, generator=chance)
    with torch.no_grad():
        said, kept = network(images), exported.network(network)(images)
    if said.shape != kept.shape or not torch.allclose(said, kept, _TOLERANCE, _TOLERANCE):
        raise UserError(
            f"{type(network).__name__} does not answer twice alike, or differently for another "
            "number of images; expected a forward() that gives the same for the same image"
        )
