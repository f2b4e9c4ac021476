"""What training adds and then folds into the weights: batch norms, and a calibration factor.

In eval mode a batch norm is an affine map per channel, so it folds into the layer before it; a
factor on the logits folds into the last layer. The network that is saved has the layers and the
parameter count of the plain one.
"""

import copy
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.utils import fuse_conv_bn_eval, fuse_linear_bn_eval

from holmdel.evaluation import logits_and_labels

LEAST, MOST = 0.1, 10.0  # of the factor on the logits


def with_batch_norm(network: nn.Module) -> nn.Module:
    """Returns a copy of a network with a batch norm behind each layer of weights but the last.

    Ioffe and Szegedy, "Batch normalization" (2015), section 3.2. The weights are the network's own,
    not drawn anew; `folded` takes the batch norms out again.

    Args:
        network: any tree of `nn.Sequential`, its `Conv2d` and `Linear` layers in forward order.
    """
    network = copy.deepcopy(network)
    layers = [name for name, module in network.named_modules() if _has_weights(module)]
    for name in layers[:-1]:
        parent, _, child = name.rpartition(".")
        layer = network.get_submodule(name)
        setattr(network.get_submodule(parent), child, _Normalised(layer))
    return network


def folded(network: nn.Module) -> nn.Module:
    """Returns a copy of a network of `with_batch_norm`, in eval mode, without its batch norms.

    Its outputs are the given network's in eval mode, up to rounding.
    """
    network = copy.deepcopy(network).eval()
    for name, module in list(network.named_modules()):
        if isinstance(module, _Normalised):
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, module.fold())
    return network


class _Normalised(nn.Sequential):
    """A Conv2d or Linear layer with its batch norm."""

    def __init__(self, layer: nn.Module) -> None:
        if isinstance(layer, nn.Conv2d):
            super().__init__(layer, nn.BatchNorm2d(layer.out_channels))
        else:
            assert isinstance(layer, nn.Linear)
            super().__init__(layer, nn.BatchNorm1d(layer.out_features))

    def fold(self) -> nn.Module:
        """Returns the layer with the batch norm's scale and shift in its weight and bias."""
        layer, norm = self
        if isinstance(layer, nn.Conv2d):
            return fuse_conv_bn_eval(layer, norm)  # type: ignore[arg-type]
        return fuse_linear_bn_eval(layer, norm)  # type: ignore[arg-type,type-var]


def _has_weights(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d | nn.Linear)


def calibrate(
    network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], layer: str | None = None
) -> float:
    """Scales a network's logits, in place, to the least cross-entropy; returns the factor.

    Temperature scaling, Guo et al., "On calibration of modern neural networks" (2017), section 4.2;
    the factor is 1 / T. It goes into the weights of the last layer that has any, so the
    predicted classes stay the same and only the confidence changes.

    Args:
        network: from (N, C, H, W) to logits (N, classes), linear behind its last layer of weights.
        batches: pairs of (pictures (N, C, H, W), labels (N,)).
        layer: the path of that layer; the last of the network if None.
    """
    said, truly = logits_and_labels(network, batches)
    factor = _best_factor(said.double(), truly)
    weighted = [m for m in network.modules() if _has_weights(m)]
    last = weighted[-1] if layer is None else network.get_submodule(layer)
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.mul_(factor)
    return factor


def _best_factor(logits: Tensor, labels: Tensor) -> float:
    """Returns the factor between `LEAST` and `MOST` of the least cross-entropy, by bisection.

    The cross-entropy is convex in the factor, so its slope changes its sign once.
    """
    of_truth = logits.gather(1, labels[:, None]).mean()
    low, high = LEAST, MOST
    while high - low > 1e-6:
        factor = (low + high) / 2
        slope = ((logits * factor).softmax(1) * logits).sum(1).mean() - of_truth
        low, high = (factor, high) if slope < 0 else (low, factor)
    return (low + high) / 2
