"""The tensors that the layers of a chain work with, where they are at every call."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.engine.layer import Layer
from holmdel.engine.parts import Unsupported


class Places:
    """Looks up the tensors of layers in the library's order.

    A layer of weights has weight and bias, a batch norm its running mean and variance too; behind a
    layer that a batch norm is folded into, stand the four of that.

    Args:
        layers: as the library gets them.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        # The dictionaries, for a module's own lookup takes longer than an image's convolutions.
        self._places: list[tuple[dict[str, Any], str]] = []
        for layer in layers:
            for module in (layer.module, layer.norm):
                if module is not None:
                    self._places += _places_of(module)
        self._shapes = self._now()

    def same(self) -> bool:
        """Tells whether all tensors are there still, in the same shapes."""
        return self._now() == self._shapes

    def _now(self) -> list[torch.Size | None]:
        return [None if t is None else t.shape for t in self.found()]

    def found(self) -> list[Tensor | None]:
        """Returns the tensors; None for one that a layer does without."""
        return [own.get(name) for own, name in self._places]

    def checked(self) -> list[Tensor | None]:
        """Returns the tensors, all of a type and a device that the library takes."""
        found = self.found()
        for tensor in found:
            if tensor is not None and not (tensor.dtype is torch.float32 and tensor.is_cpu):
                raise Unsupported(
                    f"a weight is {tensor.dtype} on {tensor.device} now; the engine takes "
                    "torch.float32 on the CPU"
                )
        return found


def _places_of(module: nn.Module) -> list[tuple[dict[str, Any], str]]:
    places: list[tuple[dict[str, Any], str]] = [
        (module._parameters, name) for name in ("weight", "bias")
    ]
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        places += [(module._buffers, name) for name in ("running_mean", "running_var")]
    return places
