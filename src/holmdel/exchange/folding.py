"""Layers of a file made those of a network here: batch norms put into weights, biases of zero."""

from collections.abc import Sequence
from itertools import groupby, pairwise

import torch

from holmdel.exchange.layers import Layer, by_name, is_norm

EPSILON = 1e-5  # what PyTorch, MXNet and Paddle add to a variance unless told otherwise
_BRANCH = 2  # layers of a way around: a 1x1 convolution and its norm


def adapted(ours: Sequence[Layer], theirs: Sequence[Layer], bare: set[int]) -> list[Layer] | None:
    """Returns the layers of a file as a network here has them; None where that cannot be.

    A batch norm that stands where ours has none is put into the layer before it; a layer without
    a bias, where ours has one and no other of its kind does, gets one of zeros.

    Args:
        ours: the network's, whose shapes do not matter.
        theirs: the file's, in the same order.
        bare: what `without_biases` says of the file.
    """
    found: list[Layer] = []
    left = list(theirs)
    for mine, after in pairwise([*ours, None]):
        if mine is None or not left or is_norm(mine) != is_norm(left[0]):
            return None
        other = left.pop(0)
        if not is_norm(mine):
            if left and is_norm(left[0]) and not (after and is_norm(after)):
                folded = _folded(other, left.pop(0))
                if folded is None:
                    return None
                other = folded
            weight = other.tensors.get("weight")
            if weight is not None and len(other.tensors) == 1 and weight.ndim in bare:
                zeros = {"bias": weight.new_zeros(len(weight))} if "bias" in mine.tensors else {}
                other = Layer(other.name, {"weight": weight, **zeros})
        found.append(other)
    return None if left else found


def without_biases(layers: Sequence[Layer]) -> set[int]:
    """Returns the dimensions of weights, 4 of convolutions, beside which there is no bias at all.

    A single bias that is missing is a mistake.
    """
    weighed = [layer for layer in layers if "weight" in layer.tensors and not is_norm(layer)]
    all_, with_ = (
        {layer.tensors["weight"].ndim for layer in some} - {0}
        for some in (weighed, [layer for layer in weighed if "bias" in layer.tensors])
    )
    return all_ - with_


def with_ways_around(layers: Sequence[Layer]) -> list[Layer]:
    """Returns layers by name, as `by_name` with norms last, each way around a single layer.

    torchvision's residual blocks have a norm behind the convolution around them, the book's none.
    """
    found: list[Layer] = []
    for block, members in groupby(layers, key=lambda layer: layer.name.rpartition(".")[0]):
        some = list(members)
        if len(some) == _BRANCH and "." in block and not is_norm(some[0]) and is_norm(some[1]):
            around = _folded(*some)
            some = [Layer(block, around.tensors)] if around else some
        found += some
    return by_name(found, norms_last=True)


def _folded(layer: Layer, norm: Layer) -> Layer | None:
    """Returns a layer that does what it and the batch norm behind it do; None for other shapes."""
    weight, mean = layer.tensors.get("weight"), norm.tensors["running_mean"].double()
    if weight is None or weight.ndim < 2 or mean.shape != weight.shape[:1]:
        return None
    if any(tensor.shape != mean.shape for tensor in norm.tensors.values()):
        return None
    variance = norm.tensors.get("running_var", torch.ones_like(mean)).double()
    scale = norm.tensors.get("weight", torch.ones_like(mean)).double()
    factor = scale / (variance + EPSILON).sqrt()
    bias = layer.tensors.get("bias", torch.zeros_like(mean)).double()
    if bias.shape != mean.shape:
        return None
    shift = norm.tensors.get("bias", torch.zeros_like(mean)).double()
    kernel = weight.double() * factor.view(-1, *[1] * (weight.ndim - 1))
    whole = {"weight": kernel.to(weight.dtype), "bias": (shift + (bias - mean) * factor).float()}
    return Layer(f"{layer.name}+{norm.name}", whole)
