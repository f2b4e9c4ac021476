"""Batch norms that help a training and are gone after it.

In eval mode a batch norm is an affine map a channel, so it folds into the layer before it: the
network that is saved has the layers and the parameter count of the plain one.
"""

import copy

from torch import nn
from torch.nn.utils import fuse_conv_bn_eval, fuse_linear_bn_eval


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
