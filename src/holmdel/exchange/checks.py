"""Whether what a file holds can be the weights of a network."""

import torch
from torch import nn

from holmdel.errors import UserError
from holmdel.exchange.layers import is_count
from holmdel.exchange.weights import HWC, Weights
from holmdel.networks import WITH_NORMS


def check_numbers(weights: Weights) -> None:
    """Raises a UserError for a file without tensors, or with such as cannot be weights."""
    if not weights.tensors:
        raise UserError(f"{weights.file} holds no weights; expected those of a network")
    for name, tensor in weights.tensors.items():
        if tensor.is_meta:
            raise UserError(
                f"{weights.file} has {name!r} without numbers, from the device meta; save it with "
                "its weights"
            )
        if tensor.layout != torch.strided or tensor.is_quantized:
            raise UserError(f"{weights.file} has {name!r} sparse or quantised; save it dense")
        if not tensor.is_floating_point() and not is_count(tensor):
            raise UserError(
                f"{weights.file} has {name!r} of {str(tensor.dtype).removeprefix('torch.')}; "
                "expected floating point numbers; quantised weights are not read"
            )
    _refuse_parts(weights)


_PARTS = (  # how a layer ends whose weight is kept in parts, and what puts it together
    ("weight_mask", "torch.nn.utils.prune.remove(layer, 'weight')"),
    ("weight_g", "torch.nn.utils.remove_weight_norm(layer)"),
    ("weight_u", "torch.nn.utils.remove_spectral_norm(layer)"),
    (
        "parametrizations.weight.original0",
        "torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight')",
    ),
    (
        "parametrizations.weight.original",
        "torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight')",
    ),
)


def _refuse_parts(weights: Weights) -> None:
    """Raises a UserError for a layer whose weight is still made of others when it runs."""
    for name in weights.tensors:
        for ending, whole in _PARTS:
            if name == ending or name.endswith(f".{ending}"):
                raise UserError(
                    f"{weights.file} has {name!r}, a part of which a weight is made as the network "
                    f"runs; put each together before saving: {whole}"
                )


def check_finite(file: str, network: nn.Module) -> None:
    """Raises a UserError if a weight is no number, or too large for float32."""
    for name, tensor in network.state_dict().items():
        if not all(end.isfinite() for end in tensor.aminmax()):  # allocates nothing
            raise UserError(
                f"{file} has weights that are no finite numbers in what would be {name!r}; "
                "the training may have diverged; save it again"
            )


def refuse_norms(weights: Weights, name: str) -> None:
    """Raises a UserError for batch norms of frameworks that keep channels last.

    Theirs add another number to the variance, and their padding differs at strides of 2.
    """
    if weights.flattened == HWC and name in WITH_NORMS:
        raise UserError(
            f"{weights.file} is of {weights.form}, and {name} of Keras and Flax pads and "
            "normalises otherwise than here; import it from PyTorch, Paddle or MXNet"
        )
