"""What is wrong where a network does not run for its images: the layer, and what it was given."""

from typing import Any

import torch
from torch import Tensor, nn

_PER_CHANNEL = (nn.BatchNorm2d, nn.InstanceNorm2d)


def misfit(path: str, layer: nn.Module, given: Tensor) -> str | None:
    """Returns that a layer takes another number of channels or values than it was given.

    >>> misfit("6", nn.Linear(400, 120), torch.zeros(1, 256))
    'its layer 6, Linear(400, 120), was given 256 values'

    Args:
        path: the layer's name in the network.
        layer: of any kind.
        given: what it took.

    Returns:
        None where that is not what is wrong.
    """
    found = None
    if isinstance(layer, nn.Linear) and given.shape[-1:] != (layer.in_features,):
        found = f"Linear({layer.in_features}, {layer.out_features})", _values(given)
    elif isinstance(layer, nn.Conv2d) and _channels(given) not in (None, layer.in_channels):
        kind = f"Conv2d({layer.in_channels}, {layer.out_channels}, {_side(layer.kernel_size)})"
        found = kind, f"{_channels(given)} channels"
    elif isinstance(layer, _PER_CHANNEL) and _channels(given) not in (None, layer.num_features):
        found = f"{type(layer).__name__}({layer.num_features})", f"{_channels(given)} channels"
    return found and f"its layer {path or 'given'}, {found[0]}, was given {found[1]}"


def _channels(given: Tensor) -> int | None:
    return given.shape[-3] if given.ndim in (3, 4) else None


def _values(given: Tensor) -> str:
    if given.ndim == 4:
        maps = "x".join(map(str, given.shape[1:]))
        return f"maps of {maps}; a Flatten before it makes {given[0].numel()} values of them"
    return f"{given.shape[-1] if given.ndim else 1} values"


def _side(kernel: tuple[int, ...]) -> str:
    return str(kernel[0] if len(set(kernel)) == 1 else kernel)


def failing(network: nn.Module, images: Tensor) -> str | None:
    """Returns what is wrong with the layer at which a network stops; None where that is not known.

    Args:
        network: does not run for these images.
        images: (N, C, H, W).
    """
    stopped = stopped_at(network, images)
    if stopped and len(stopped[2]) == 1 and isinstance(stopped[2][0], Tensor):
        return misfit(stopped[0], stopped[1], stopped[2][0])
    return None


def stopped_at(network: nn.Module, images: Tensor) -> tuple[str, nn.Module, Any] | None:
    """Returns the innermost module in which a network stops: its path, itself, what it was given.

    Args:
        network: is run once, without gradients.
        images: what it is given.

    Returns:
        None where it does not stop.
    """
    running: list[tuple[str, nn.Module, Any]] = []
    handles = []
    for path, module in network.named_modules():

        def open_(module: nn.Module, given: Any, path: str = path) -> None:
            running.append((path, module, given))

        def close(module: nn.Module, given: Any, output: Any) -> None:
            running.pop()

        handles.append(module.register_forward_pre_hook(open_))
        handles.append(module.register_forward_hook(close))
    try:
        with torch.no_grad():
            network(images)
    except Exception:  # it is known that it fails, and how
        return running[-1] if running else None
    finally:
        for handle in handles:
            handle.remove()
    return None
