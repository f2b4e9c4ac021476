"""Weights from elsewhere: files of MXNet/Gluon and of PyTorch into the networks here."""

from pathlib import Path
from typing import Any

import torch

from holmdel.errors import UserError
from holmdel.exchange.fitting import Converted, Weights, fit
from holmdel.exchange.folder import write_folder
from holmdel.exchange.mxnet import is_params, read_params
from holmdel.exchange.torch_state import (
    is_safetensors,
    is_torch,
    read_safetensors,
    read_state,
)

__all__ = [
    "MXNET",
    "Converted",
    "Weights",
    "convert",
    "read_params",
    "read_state",
    "read_weights",
    "write_folder",
]

MXNET = "MXNet parameters"


def read_weights(path: str | Path) -> Weights:
    """Returns what a file of weights holds; what it is, is seen by its first bytes, not its name.

    Raises:
        UserError: if it is missing, damaged, or of none of the three formats.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error})") from None
    if is_params(head):
        arrays = read_params(path)
        tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        return Weights(str(path), MXNET, tensors)
    if is_torch(head):
        return Weights(str(path), "PyTorch state dict", read_state(path))
    if is_safetensors(head):
        return Weights(str(path), "safetensors", read_safetensors(path), ordered=False)
    raise UserError(
        f"{path} is of another format; expected a .params file of MXNet, a PyTorch state dict, "
        "or safetensors"
    )


def convert(weights: Weights, network: str, **options: Any) -> Converted:
    """Returns the network `network` with the weights of a file.

    AlexNet from MXNet gets `padding=0` unless it is given: the book's MXNet listing has no padding
    at its first convolution, the PyTorch one has 1, and the weights do not show which.

    Args:
        weights: as `read_weights` gives them.
        network: a name in `networks.NETWORKS`.
        options: options of the network; those left out follow from the shapes where they can.

    Raises:
        UserError: as `fit`.
    """
    if network == "alexnet" and weights.form == MXNET:
        options = {"padding": 0} | options
    return fit(weights, network, options)
