"""What goes wrong under the book's loops, said: a shape that does not fit, a start that is dead."""
# ruff: noqa: N803, N806  X is the book's name

import logging
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.errors import UserError

USUAL_CLASSES = 10
_log = logging.getLogger("holmdel")


def through(net: nn.Module | Callable[..., Tensor], X: Any) -> Tensor:
    """Returns what a network makes of a batch.

    Raises:
        UserError: that names the layer of a chain that the shapes do not fit.
    """
    try:
        return net(X)
    except RuntimeError as error:
        if isinstance(net, nn.Sequential) and isinstance(X, Tensor):
            _name_the_layer(net, X, error)
        raise


def _name_the_layer(net: nn.Sequential, X: Tensor, error: RuntimeError) -> None:
    """Raises a UserError if a layer of the chain cannot take what those before it give."""
    with torch.no_grad():
        for number, layer in enumerate(_layers(net)):
            shape = "x".join(map(str, X.shape))
            try:
                X = layer(X)
            except RuntimeError:
                raise UserError(
                    f"layer {number}, {layer}, was given {shape}; {_expected(layer, X)}"
                ) from error


def _layers(net: nn.Sequential) -> Iterator[nn.Module]:
    for layer in net:
        if isinstance(layer, nn.Sequential):
            yield from _layers(layer)
        else:
            yield layer


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
