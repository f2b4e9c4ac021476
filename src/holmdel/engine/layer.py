"""A layer as the engine takes it, and layers that only answer."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from holmdel.engine.library import FIELDS

Shape = tuple[int, int, int]
Pair = tuple[int, int]
Learner = nn.Conv2d | nn.Linear | nn.BatchNorm1d | nn.BatchNorm2d


@dataclass(frozen=True)
class Layer:
    """One layer as the engine takes it.

    Attributes:
        kind: one of `library.KINDS`.
        input, output: (C, H, W).
        kernel, stride, padding: along H and W.
        dilation: along H and W, of a convolution.
        groups: parts of the channels, of each of which a part of a convolution's outputs is made.
        count_padding: whether an average takes in the padding's zeros.
        number: a batch norm's epsilon, a dropout's part, or the slope of a LeakyReLU below zero.
        momentum: of a batch norm's running statistics.
        module: whose weight and bias it uses, if it has any.
        norm: the batch norm that is folded into it, if one is.
        switch: the module whose training mode it goes by, if it does.
        reads: values: 0 is the image, i + 1 what layer i gives. A sum reads two.
    """

    kind: str
    input: Shape
    output: Shape
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1
    count_padding: bool = False
    number: float = 0.0
    momentum: float = 0.0
    module: Learner | None = None
    norm: nn.BatchNorm1d | nn.BatchNorm2d | None = None
    switch: nn.Module | None = None
    reads: tuple[int, ...] = (0,)

    def described(self) -> dict[str, Any]:
        """Returns what the library is told of the layer, by the names in `library.FIELDS`."""
        own = {name: getattr(self, name) for name in FIELDS - {"normalised"}}
        return own | {"normalised": self.norm is not None}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns the shapes of weight and bias, for a layer that has them."""
        out = self.output[0]
        if self.kind == "norm":
            return {"weight": (out,), "bias": (out,)}
        if self.kind == "linear":
            return {"weight": (out, math.prod(self.input)), "bias": (out,)}
        return {"weight": (out, self.input[0] // self.groups, *self.kernel), "bias": (out,)}


def answering(layers: Sequence[Layer]) -> list[Layer]:
    """Returns the layers in eval mode: no dropout, a batch norm folded into the layer before it."""
    readers = Counter(value for layer in layers for value in layer.reads)
    found: list[Layer] = []
    values = [0]  # of the layers found, for each of those given
    for layer in layers:
        reads = tuple(values[value] for value in layer.reads)
        before = found[reads[0] - 1] if reads[0] else None
        alone = readers[layer.reads[0]] == 1
        if layer.kind == "dropout":
            values.append(reads[0])
            readers[len(values) - 1] += readers[layer.reads[0]] - 1
        elif layer.kind == "norm" and before and alone and _takes_norm(before):
            assert isinstance(layer.module, nn.BatchNorm1d | nn.BatchNorm2d)
            found[reads[0] - 1] = replace(before, norm=layer.module, number=layer.number)
            values.append(reads[0])
        else:
            found.append(replace(layer, reads=reads))
            values.append(len(found))
    return found


def _takes_norm(layer: Layer) -> bool:
    return layer.kind in ("conv", "linear") and not layer.norm


def bytes_kept(layers: Sequence[Layer]) -> int:
    """Returns about how much memory a step takes for values and gradients of an image.

    Where there are batch norms, all images are kept from layer to layer; else some at a time.
    """
    if not any(layer.kind == "norm" for layer in layers):
        return 0
    return 8 * sum(math.prod(layer.output) for layer in layers)
