"""The order in which maps are flattened, put right for networks that keep channels first."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.anatomy import weightless
from holmdel.exchange.layers import Layer
from holmdel.networks import build, network_options

Maps = tuple[int, int, int]


def maps_to_channels_first(name: str, options: dict[str, Any], layers: Sequence[Layer]) -> bool:
    """Puts the columns of the first dense layer in the order of a network here; tells whether.

    Args:
        name: the network's.
        options: its options.
        layers: those of a file that flattens maps as rows, columns, channels; in forward order.
    """
    maps = flattened_maps(name, options)
    dense = next(
        (layer.tensors for layer in layers if len(layer.shapes.get("weight", ())) == 2), None
    )
    if dense is None or maps is None or maps[1:] == (1, 1):
        return False
    dense["weight"] = _channels_first(dense["weight"], maps)
    return True


def flattened_maps(name: str, options: dict[str, Any]) -> Maps | None:
    """Returns (C, H, W) of the maps that a network flattens; None if it does not."""
    known = network_options(name) | options
    found: list[Maps] = []

    def look(_layer: nn.Module, given: tuple[Tensor]) -> None:
        if given[0].ndim == 4:
            _, channels, height, width = given[0].shape
            found.append((channels, height, width))

    with weightless(), torch.no_grad():
        network = build(name, **options).eval()
        for layer in network.modules():
            if isinstance(layer, nn.Flatten):
                layer.register_forward_pre_hook(look)
        network(torch.empty(1, known["channels"], *known["size"]))
    return found[0] if found else None


def _channels_first(weight: Tensor, maps: Maps) -> Tensor:
    """Returns a dense weight (out, H * W * C) as (out, C * H * W)."""
    channels, height, width = maps
    return weight.reshape(-1, height, width, channels).permute(0, 3, 1, 2).flatten(1)
