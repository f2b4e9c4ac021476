"""What goes wrong under the book's loops, said: a shape that does not fit, a start that is dead."""
# ruff: noqa: N803  X is the book's name

import logging
import math
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.programs.mistakes import stopped_at

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
    name, layer, given = stopped_at(net, X) or ("", net, ())
    if next(layer.children(), None) is not None or not given or not isinstance(given[0], Tensor):
        return  # it is no layer that stops, but a forward() of the user's own
    shape = "x".join(map(str, given[0].shape))
    expected = _expected(layer, given[0])
    raise UserError(f"layer {name}, {layer}, was given {shape}; {expected}") from error


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
