"""The networks by name, one file each."""

import inspect
from collections.abc import Callable
from typing import Any

from torch import nn

from holmdel.errors import UserError
from holmdel.networks.alexnet import alexnet
from holmdel.networks.densenet import densenet
from holmdel.networks.googlenet import googlenet
from holmdel.networks.lenet import lenet, lenet5, lenet_max
from holmdel.networks.lenet_papers import lenet5_1998, lenet_1989
from holmdel.networks.nin import nin
from holmdel.networks.resnet import resnet8
from holmdel.networks.resnet18 import resnet18
from holmdel.networks.vgg import vgg11, vgg16

NETWORKS: dict[str, Callable[..., nn.Sequential]] = {
    "lenet": lenet,
    "lenet-max": lenet_max,
    "lenet5": lenet5,
    "lenet5-1998": lenet5_1998,
    "lenet-1989": lenet_1989,
    "resnet8": resnet8,
    "alexnet": alexnet,
    "vgg11": vgg11,
    "vgg16": vgg16,
    "nin": nin,
    "googlenet": googlenet,
    "resnet18": resnet18,
    "densenet": densenet,
}
WITH_NORMS = ("resnet18", "densenet")  # which have batch norms of their own


def build(name: str, **options: Any) -> nn.Module:
    """Returns the network `name` as an `nn.Module`, its weights freshly drawn by PyTorch.

    Args:
        name: one of `NETWORKS`.
        options: keyword arguments of that network's function.

    Raises:
        UserError: for an unknown name, an unknown option, or a value the network does not take.

    >>> sum(p.numel() for p in build("lenet").parameters())
    61706
    """
    known = network_options(name)
    for option in options:
        if option not in known:
            raise UserError(f"{name} was given the option {option!r}; it takes {', '.join(known)}")
    return NETWORKS[name](**options)


def network_options(name: str) -> dict[str, Any]:
    """Returns the options of network `name` with their defaults.

    Raises:
        UserError: for an unknown name.

    >>> network_options("lenet")["activation"]
    'sigmoid'
    """
    if name not in NETWORKS:
        raise UserError(f"there is no network {name!r}; choose from {', '.join(NETWORKS)}")
    parameters = inspect.signature(NETWORKS[name]).parameters
    return {key: parameter.default for key, parameter in parameters.items()}
