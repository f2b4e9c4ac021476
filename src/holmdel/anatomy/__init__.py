"""What a network is made of, layer by layer."""

import torch
from torch import Tensor, nn

from holmdel.anatomy.layers import Anatomy, Group, Layer

__all__ = ["Anatomy", "Group", "Layer"]


def layers(network: nn.Module, size: tuple[int, int, int]) -> list[Layer]:
    """Returns the layers of a network in the order they run, for one picture of (C, H, W).

    One picture of zeros goes through it.
    """
    rows: list[Layer] = []
    hooks = []

    def note(name: str, module: nn.Module, output: Tensor) -> None:
        count = sum(p.numel() for p in module.parameters() if p.requires_grad)
        shape = tuple(output.shape[1:])
        rows.append(Layer(name, type(module).__name__, "", shape, count, 0, 0, None, 0, ()))

    for name, module in network.named_modules():
        if not list(module.children()):
            hooks.append(
                module.register_forward_hook(
                    lambda module, inputs, output, name=name: note(name, module, output)
                )
            )
    where = next(network.parameters())
    try:
        with torch.inference_mode():
            network(torch.zeros(1, *size, device=where.device, dtype=where.dtype))
    finally:
        for hook in hooks:
            hook.remove()
    return rows
