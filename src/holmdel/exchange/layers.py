"""Named tensors as a row of layers, in the order of the forward pass."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

# What stands behind a layer's name: `features.0.weight` of PyTorch and of Gluon's structural
# names, `conv0_weight` of Gluon's prefixes.
_PREFIXED = re.compile(
    r"(.*)_(weight|bias|gamma|beta|running_mean|running_var|moving_mean|moving_var)"
)
_NORMS = {  # what a batch norm's tensors are called elsewhere: MXNet, Keras, Paddle
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_var": "running_var",
    "moving_variance": "running_var",
    "_mean": "running_mean",
    "_variance": "running_var",
}
KINDS = frozenset({"weight", "bias", "running_mean", "running_var", "num_batches_tracked"})


@dataclass(frozen=True)
class Layer:
    """A layer's tensors.

    Attributes:
        name: the layer's, such as `conv0` or `features.0`.
        tensors: its tensors by kind, such as `weight` and `bias`.
    """

    name: str
    tensors: dict[str, Tensor]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each tensor by kind, the kinds sorted."""
        return {kind: tuple(self.tensors[kind].shape) for kind in sorted(self.tensors)}

    def __str__(self) -> str:
        """Returns the layer for a sentence: its name, and the shape of each tensor."""
        kinds = sorted(self.tensors, key=lambda kind: (kind != "weight", kind))
        shapes = (f"{kind} {'x'.join(map(str, self.shapes[kind])) or '()'}" for kind in kinds)
        return f"{self.name!r} ({', '.join(shapes)})"


def layers_of(tensors: Mapping[str, Tensor]) -> list[Layer]:
    """Returns the layers of named tensors, in the order in which each is first named.

    >>> import torch
    >>> [layer.name for layer in layers_of(torch.nn.Sequential(torch.nn.Linear(2, 1)).state_dict())]
    ['0']
    """
    found: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        layer, kind = _parts(name)
        if not is_count(tensor):
            found.setdefault(layer, {})[_NORMS.get(kind, kind)] = tensor
    return [Layer(name, kinds) for name, kinds in found.items()]


def is_count(tensor: Tensor) -> bool:
    """Tells whether a tensor only counts something of a training, such as batches or epochs."""
    return tensor.ndim == 0 and not tensor.is_floating_point() and not tensor.is_complex()


def by_name(layers: list[Layer], norms_last: bool = False) -> list[Layer]:
    """Returns layers sorted by name, numbers as numbers, convolutions before dense layers.

    For files whose order says nothing: safetensors, and MXNet's where a sorted map wrote them.

    Args:
        layers: any.
        norms_last: whether in each block batch norms come behind convolutions, as the book's
            residual blocks make them.
    """

    def place(layer: Layer) -> tuple[Any, ...]:
        block = natural(layer.name.rpartition(".")[0]) if norms_last else []
        return _is_dense(layer), block, norms_last and is_norm(layer), natural(layer.name)

    return sorted(layers, key=place)


def _parts(name: str) -> tuple[str, str]:
    """Returns the layer's name and the tensor's kind."""
    if "." in name:
        layer, _, kind = name.rpartition(".")
        return layer, kind
    prefixed = _PREFIXED.fullmatch(name)
    return (prefixed[1], prefixed[2]) if prefixed else ("", name)


def _is_dense(layer: Layer) -> bool:
    return not is_norm(layer) and all(tensor.ndim <= 2 for tensor in layer.tensors.values())


def is_norm(layer: Layer) -> bool:
    """Tells whether a layer is a batch norm."""
    return "running_mean" in layer.tensors


def natural(name: str) -> list[tuple[int, str]]:
    """Returns a key that sorts `conv10` behind `conv2`."""
    parts = re.split(r"0*(\d+)", name)  # every second one is a number
    return [(len(part) if place % 2 else -1, part) for place, part in enumerate(parts)]
