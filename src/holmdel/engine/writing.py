"""Chains as text, for `written` to make them of again where there is no PyTorch."""

import json

from torch import nn

from holmdel.engine.layer import answering
from holmdel.engine.layers import layers_of
from holmdel.engine.parts import Unsupported
from holmdel.images.contract import ImageContract


def to_json(network: nn.Module, image: ImageContract) -> str:
    """Returns a network as the engine computes it, with the names of its tensors, as JSON.

    Args:
        network: as for `compile`, with what the engine is built for.
        image: how bytes become what it sees.

    Raises:
        Unsupported: for a network that the engine does not take, or images that are resized.
    """
    if image.enlarge == "resize":
        raise Unsupported("its images are resized, which the engine leaves to PyTorch")
    layers, logs = layers_of(network, image.input)
    names = {id(module): f"{name}." if name else "" for name, module in network.named_modules()}
    rows = []
    for layer in answering(layers):
        tensors: list[str | None] = []
        for module in (layer.module, layer.norm):
            if module is not None:
                own = ["weight", "bias"]
                own += ["running_mean", "running_var"] if hasattr(module, "running_mean") else []
                at = names[id(module)]
                tensors += [None if getattr(module, name) is None else at + name for name in own]
        rows.append(layer.described() | {"tensors": tensors})
    return json.dumps({"layers": rows, "log_softmax": logs})
