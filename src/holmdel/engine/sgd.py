"""SGD inside the native library, with the settings and momentum buffers of a PyTorch optimizer."""

import ctypes
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from holmdel.engine.calls import is_plain, pointers
from holmdel.engine.library import Sgd
from holmdel.engine.watch import hooked_step
from holmdel.errors import UserError


class Steps(NamedTuple):
    """The steps of SGD for the library, and the buffers of momentum it changes."""

    steps: ctypes.Array[Sgd]
    velocities: ctypes.Array[ctypes.c_void_p]
    buffers: list[Tensor | None]

    def finish(self, optimizer: torch.optim.SGD, parameters: Sequence[Tensor | None]) -> None:
        """Leaves the optimizer as its own `step` would."""
        changed = [p for p in parameters if p is not None]
        for parameter, buffer in zip(parameters, self.buffers, strict=True):
            if parameter is not None and buffer is not None:
                optimizer.state[parameter]["momentum_buffer"] = buffer
        torch.autograd.graph.increment_version(changed)
        vars(optimizer)["_opt_called"] = True  # what a learning rate schedule looks for


def fused_steps(optimizer: torch.optim.SGD, parameters: Sequence[Tensor | None]) -> Steps | None:
    """Returns the optimizer's steps for the library, or None where PyTorch has to do them.

    Args:
        optimizer: its groups' lr, momentum, nesterov and weight_decay count.
        parameters: in the library's order; a parameter that the optimizer does not have stays.

    Raises:
        UserError: for an optimizer of another class.
    """
    if type(optimizer) is not torch.optim.SGD:
        raise UserError(
            f"an optimizer was given as {type(optimizer).__name__}; expected torch.optim.SGD"
        )
    if hooked_step(optimizer):
        return None
    groups = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    steps = (Sgd * len(parameters))()
    buffers: list[Tensor | None] = []
    for step, parameter in zip(steps, parameters, strict=True):
        buffers.append(None)
        group = None if parameter is None else groups.get(id(parameter))
        if parameter is None or group is None or not parameter.requires_grad:
            continue  # lr is 0
        if group["dampening"] or group["maximize"] or not is_plain(parameter):
            return None
        step.lr, step.momentum = float(group["lr"]), group["momentum"]
        step.decay, step.nesterov = group["weight_decay"], group["nesterov"]
        if step.momentum:
            buffer = optimizer.state[parameter].get("momentum_buffer")
            buffers[-1] = buffer = torch.zeros_like(parameter) if buffer is None else buffer
            if (
                not is_plain(buffer)
                or buffer.dtype != torch.float32
                or buffer.shape != parameter.shape
            ):
                return None
    return Steps(steps, pointers(buffers), buffers)
