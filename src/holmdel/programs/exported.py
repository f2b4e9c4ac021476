"""From any module to a program: what `torch.export` sees of its forward(), as data."""

import contextlib
import copy
import io
import logging
import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.programs.forms import form_of, is_layers_and_sums
from holmdel.programs.known import is_changed, is_layer, options_of
from holmdel.programs.program import REFERENCE, build_program
from holmdel.programs.writer import call_of, group_of, plain_path

Size = tuple[int, int, int]
Record = dict[str, Any]
_TOLERANCE = 1e-4  # of logits, between a module and its program


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
        network.load_state_dict({name: given[plain_path(name)].detach() for name in wanted})
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
    program = group_of(unfolded, network)
    exported = Exported(program, constants, alike=_trains_alike(network, size, program))
    _expect_same(network.eval(), exported, size)
    return exported


def _trains_alike(network: nn.Module, size: Size, program: Record) -> bool:
    """Returns whether a program is of layers and sums, and the module's in training mode too."""
    if not is_layers_and_sums(program) or any(map(is_changed, network.modules())):
        return False
    try:
        unfolded, _ = _unfolded(network.train(), size)
        return bool(form_of(group_of(unfolded, network)) == form_of(program))
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
        calls.append(call_of(f"of_{name}", [REFERENCE + last], layer=name))
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
    logging.disable(logging.CRITICAL)  # it logs what it then raises, and prints graphs before it
    said = io.StringIO()
    quiet = contextlib.redirect_stdout(said), contextlib.redirect_stderr(said)
    try:
        with warnings.catch_warnings(), quiet[0], quiet[1]:
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
