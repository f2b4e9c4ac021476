"""Steps inside the native library, with the settings and the state of a PyTorch optimizer."""

import ctypes
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from holmdel.engine.calls import is_plain, pointers
from holmdel.engine.library import ADAMW, SGD, OneStep
from holmdel.engine.watch import hooked_step
from holmdel.errors import UserError

_NAMES = {torch.optim.SGD: ("momentum_buffer",), torch.optim.AdamW: ("exp_avg", "exp_avg_sq")}


class Steps(NamedTuple):
    """The steps for the library, and the optimizer's buffers that it changes.

    Attributes:
        steps: one a tensor, in the library's order.
        first, second: where momentum, or AdamW's two averages lie.
        kept: tensor by tensor, its buffers by the optimizer's names.
        changed: the parameters that the steps change.
    """

    steps: ctypes.Array[OneStep]
    first: ctypes.Array[ctypes.c_void_p]
    second: ctypes.Array[ctypes.c_void_p]
    kept: list[dict[str, Tensor]]
    changed: list[Tensor]

    def finish(self, optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor | None]) -> None:
        """Leaves the optimizer as its own `step` would."""
        for parameter, kept in zip(parameters, self.kept, strict=True):
            if parameter is not None and kept:
                optimizer.state[parameter].update(kept)
        if counts := [kept["step"] for kept in self.kept if "step" in kept]:
            torch._foreach_add_(counts, 1)
        torch.autograd.graph.increment_version(self.changed)
        vars(optimizer)["_opt_called"] = True  # what a learning rate schedule looks for


def fused_steps(
    optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor | None]
) -> Steps | None:
    """Returns the optimizer's steps for the library, or None where PyTorch has to do them.

    Args:
        optimizer: SGD or AdamW; the settings of its groups count.
        parameters: in the library's order; what the optimizer does not have stays.

    Raises:
        UserError: for an optimizer of another class.
    """
    if type(optimizer) not in _NAMES:
        raise UserError(
            f"an optimizer was given as {type(optimizer).__name__}; expected torch.optim.SGD or "
            "AdamW"
        )
    if hooked_step(optimizer):
        return None
    groups = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    steps = (OneStep * len(parameters))()
    kept: list[dict[str, Tensor]] = [{} for _ in parameters]
    changed = []
    for i, parameter in enumerate(parameters):
        group = None if parameter is None else groups.get(id(parameter))
        if parameter is None or group is None or not parameter.requires_grad:
            continue  # no rule
        if _unusual(group) or not is_plain(parameter):
            return None
        found = _buffers(type(optimizer), group, optimizer.state[parameter], parameter)
        if any(not is_plain(b) or b.dtype != torch.float32 for b in found.values()):
            return None
        if any(b.shape != parameter.shape for name, b in found.items() if name != "step"):
            return None
        _set(steps[i], group, found)
        kept[i] = found
        changed.append(parameter)
    rows = [list(k.values())[: 2 if "step" in k else 1] for k in kept]
    first = pointers([row[0] if row else None for row in rows])
    second = pointers([row[1] if len(row) > 1 else None for row in rows])
    return Steps(steps, first, second, kept, changed)


def _unusual(group: Mapping[str, Any]) -> bool:
    """Tells whether a group asks for what the library does not do."""
    flags = ("dampening", "maximize", "amsgrad", "capturable", "differentiable")
    return any(group.get(flag) for flag in flags)


def _buffers(
    kind: type, group: Mapping[str, Any], state: Mapping[str, Any], parameter: Tensor
) -> dict[str, Tensor]:
    """Returns what the optimizer keeps for a parameter, made if it is not there yet."""
    if kind is torch.optim.SGD and not group["momentum"]:
        return {}
    found = {}
    for name in _NAMES[kind]:
        there = state.get(name)
        found[name] = torch.zeros_like(parameter) if there is None else there
    if kind is torch.optim.AdamW:
        found["step"] = state["step"] if "step" in state else torch.tensor(0.0)
    return found


def _set(step: OneStep, group: Mapping[str, Any], found: Mapping[str, Tensor]) -> None:
    """Fills in a step by the settings of its group."""
    step.lr, step.decay = float(group["lr"]), group["weight_decay"]
    if "step" not in found:
        step.rule, step.momentum, step.nesterov = SGD, group["momentum"], group["nesterov"]
        return
    step.rule, step.epsilon = ADAMW, group["eps"]
    step.momentum, step.beta = map(float, group["betas"])
    count = int(found["step"]) + 1
    step.correction = 1 - group["betas"][0] ** count
    step.root = math.sqrt(1 - group["betas"][1] ** count)
