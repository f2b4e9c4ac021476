"""What goes wrong under the book's loops, said: a shape that does not fit, a start that is dead."""
# ruff: noqa: N803  X is the book's name

import logging
import math
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.errors import UserError

USUAL_CLASSES = 10
_log = logging.getLogger("holmdel")


def through(net: nn.Module | Callable[..., Tensor], X: Any) -> Tensor:
    """Returns what a network makes of a batch.

    Raises:
        UserError: that names the layer that the shapes do not fit.
    """
    try:
        return net(X)
    except RuntimeError as error:
        if isinstance(net, nn.Module) and isinstance(X, Tensor):
            _name_the_layer(net, X, error)
        raise


def _name_the_layer(net: nn.Module, X: Tensor, error: RuntimeError) -> None:
    """Raises a UserError if one of the layers cannot take what it is given."""
    within: list[tuple[str, nn.Module, Tensor]] = []  # the layers that have begun and not ended
    with ExitStack() as stack, torch.no_grad():
        for name, layer in net.named_modules():
            if next(layer.children(), None) is None:
                begin = layer.register_forward_pre_hook(_begins(within, name))
                end = layer.register_forward_hook(lambda *_: within.pop() and None)
                stack.callback(begin.remove)
                stack.callback(end.remove)
        with suppress(RuntimeError):
            net(X)
    if within:
        name, layer, given = within[-1]
        shape = "x".join(map(str, given.shape))
        expected = _expected(layer, given)
        raise UserError(f"layer {name}, {layer}, was given {shape}; {expected}") from error


def _begins(
    within: list[tuple[str, nn.Module, Tensor]], name: str
) -> Callable[[nn.Module, tuple[Any, ...]], None]:
    def begin(layer: nn.Module, given: tuple[Any, ...]) -> None:
        within.append((name, layer, given[0] if given else torch.empty(0)))

    return begin


def _expected(layer: nn.Module, X: Tensor) -> str:
    """Returns what a layer could have taken, in words."""
    if isinstance(layer, nn.Linear):
        return f"expected {layer.in_features} numbers an example: Linear({X.shape[-1]}, ...) fits"
    if isinstance(layer, nn.Conv2d) and X.ndim == 4 and X.shape[1] != layer.in_channels:
        return f"expected {layer.in_channels} channels"
    return "it does not fit; look at the layers before it"


def warn_of_chance(loss: float, accuracy: float, classes: int = USUAL_CLASSES) -> None:
    """Says so if a training has ended where it began, at guessing."""
    if abs(loss - math.log(classes)) < 0.02 and accuracy < 1.3 / classes:
        _log.warning(
            "the start is dead: the loss is %.4f, guessing among %d classes is %.4f; another "
            "torch.manual_seed, a larger learning rate or ReLU may wake it",
            *(loss, classes, math.log(classes)),
        )
