"""What a chain depends on besides the numbers in the weights: layers, settings, hooks."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from torch import Tensor, nn
from torch.nn.modules import module as _module
from torch.optim import Optimizer
from torch.optim import optimizer as _optimizer

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_OF_EVERY_MODULE = [getattr(_module, f"_global{name}") for name in _HOOKS]
_OF_EVERY_OPTIMIZER = [
    getattr(_optimizer, f"_global_optimizer_{when}_hooks") for when in ("pre", "post")
]


class _Seen(NamedTuple):
    """A module as it was: its class, and its settings with what reads them."""

    module: nn.Module
    attributes: dict[str, Any]
    kind: type[nn.Module]
    read: Callable[[dict[str, Any]], Any]
    settings: Any


class Watch:
    """Tells whether a network is still the one that a chain was made of.

    Args:
        network: what was looked at; its layers and their settings are noted, not its weights.
    """

    def __init__(self, network: nn.Module) -> None:
        modules = list(network.modules())
        self._seen = [_seen(module) for module in modules]
        self._children = [(m._modules, list(m._modules.values())) for m in modules if m._modules]
        self._hooks = [getattr(m, name) for m in modules for name in _HOOKS] + _OF_EVERY_MODULE

    def same(self) -> bool:
        """Tells whether nothing was replaced, added, taken away, set otherwise or hooked."""
        if any(self._hooks):
            return False
        for module, attributes, kind, read, settings in self._seen:
            if module.__class__ is not kind or "forward" in attributes:
                return False
            if read(attributes) != settings:
                return False
        return all(list(now.values()) == before for now, before in self._children)


def _seen(module: nn.Module) -> _Seen:
    names = [name for name in getattr(module, "__constants__", ()) if name in vars(module)]
    read: Callable[[dict[str, Any]], Any] = itemgetter(*names) if names else _nothing
    return _Seen(module, vars(module), type(module), read, read(vars(module)))


def _nothing(attributes: dict[str, Any]) -> None:
    """Reads a module without settings."""


def is_sequence(module: nn.Module) -> bool:
    """Tells whether a module does no more than call its parts one after the other."""
    kind = type(module)
    plain = kind.__call__ is nn.Module.__call__
    return plain and getattr(kind, "forward", None) is nn.Sequential.forward


def hooked(module: nn.Module) -> bool:
    """Tells whether calls of a module do something that the engine would leave out."""
    own = any(getattr(module, name) for name in _HOOKS) or "forward" in vars(module)
    return own or any(_OF_EVERY_MODULE)


def hooked_gradient(parameter: Tensor) -> bool:
    """Tells whether something is to be called with a parameter's gradient."""
    return bool(parameter._backward_hooks or parameter._post_accumulate_grad_hooks)


def hooked_step(optimizer: Optimizer) -> bool:
    """Tells whether an optimizer's step does more than its class says.

    A learning rate schedule puts a step of its own there, which only counts.
    """
    step = vars(optimizer).get("step")
    own = step is not None and not hasattr(step, "_wrapped_by_lr_sched")
    hooks = optimizer._optimizer_step_pre_hooks or optimizer._optimizer_step_post_hooks
    return own or bool(hooks) or any(_OF_EVERY_OPTIMIZER)
