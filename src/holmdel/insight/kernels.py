"""The kernels of convolutions."""

from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.networks.lenet_papers import TableConv2d


def has_kernels(module: nn.Module | None) -> bool:
    """Returns whether a module is a convolution whose kernels `kernels` gives."""
    return isinstance(module, nn.Conv2d | TableConv2d)


def kernels(network: nn.Module, layer: str) -> Tensor:
    """Returns the kernels of a convolution: (O, I, K, K), I the maps that each of the O sees.

    Where a convolution sees some of the maps before by a table, kernels that it lacks are zeros.

    Args:
        network: any module.
        layer: the name of its layer, such as `inception3a.path2.conv`.

    Raises:
        UserError: if there is no such layer, or it is no convolution in two dimensions.
    """
    modules = dict(network.named_modules())
    module = modules.get(layer.partition(":")[0])
    if isinstance(module, TableConv2d):
        whole = module.weight.new_zeros(*module.shape, *module.weight.shape[1:])
        return whole.index_put((module.rows, module.columns), module.weight).detach()
    if isinstance(module, nn.Conv2d):
        return module.weight.detach()
    known = [name for name, part in modules.items() if has_kernels(part)]
    raise UserError(
        f"{layer!r} was given as a layer with kernels; those of this network are "
        f"{', '.join(known) or 'none'}"
    )
