"""The chain of a network, and the choice between the native engine and PyTorch."""

from typing import NamedTuple

import torch
from torch import nn

from holmdel.engine.chain import Chain, Shape
from holmdel.engine.library import status
from holmdel.engine.parts import Unsupported
from holmdel.images.contract import ImageContract
from holmdel.settings import TRAINING


def compile(network: nn.Module, image: ImageContract | Shape, *, frozen: bool = False) -> Chain:
    """Returns the chain of a network in the native engine.

    Args:
        network: a chain of the layers that docs/engine.md names, on the CPU, in float32.
        image: how uint8 images become what the network sees, or that size, (C, H, W). Where it
            asks for resizing, the chain takes float32 alone.
        frozen: answer by the network as it is now, without looking whether it changed.

    Raises:
        Unsupported: for a layer that the engine does not know, or if there is no engine.
    """
    if isinstance(image, tuple):
        image = ImageContract(stored=image, input=image)
    for name, parameter in network.named_parameters():
        if parameter.dtype != torch.float32 or parameter.device.type != "cpu":
            raise Unsupported(
                f"{name} is {parameter.dtype} on {parameter.device}; the engine takes "
                "torch.float32 on the CPU"
            )
    return Chain(network, image, frozen=frozen)


class Selection(NamedTuple):
    """The chain to use, or None for PyTorch, and the line that says which and why."""

    chain: Chain | None
    line: str


def select(network: nn.Module, image: ImageContract | Shape, choice: str = "auto") -> Selection:
    """Returns which engine a network runs on.

    Args:
        network: on the CPU.
        image: as for `compile`.
        choice: `auto` takes the native engine where it can; `native` insists on it; `torch`.

    Raises:
        UserError: for another choice.
        Unsupported: for `native` where it cannot.
    """
    TRAINING["engine"].check(choice)
    if choice == "torch":
        return Selection(None, "PyTorch")
    try:
        return Selection(compile(network, image), str(status()))
    except Unsupported as error:
        if choice == "native":
            raise
        return Selection(None, f"PyTorch: {error}")
