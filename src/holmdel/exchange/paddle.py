"""Weights of PaddlePaddle: `.pdparams`, a pickle of which arrays and names alone are taken."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from holmdel.exchange import arrays
from holmdel.exchange.checkpoints import chosen
from holmdel.exchange.pickles import Name, Object
from holmdel.exchange.weights import Weights

FORM = "PaddlePaddle weights"
NAMES = "StructuredToParameterName@@"  # what Paddle itself calls the arrays


def read(path: str | Path, loaded: dict[Any, Any], key: str | None = None) -> Weights:
    """Returns the weights of a `.pdparams` file; a dense layer's are (in, out) in it.

    Args:
        path: what sentences call it.
        loaded: what its pickle holds.
        key: which of several state dicts in it is meant.

    Raises:
        UserError: if it is damaged, or holds something else.
    """
    tensors = {}
    state = chosen(path, loaded, key, is_state)
    paddles = NAMES in state
    for name in [name for name in state if name != NAMES]:
        tensors[name] = array_of(path, state.pop(name))  # goes, so that the numbers are there once
    if not paddles and _outputs_first(tensors):
        return Weights(str(path), "pickle of NumPy arrays", tensors)
    for name, array in tensors.items():
        tensors[name] = array.t().contiguous() if array.ndim == 2 else array
    return Weights(str(path), FORM, tensors)


def _outputs_first(tensors: Mapping[str, Tensor]) -> bool:
    """Tells whether dense layers are (out, in), as PyTorch's, which the biases behind them say."""
    for name, weight in tensors.items():
        bias = tensors.get(f"{name.removesuffix('weight')}bias")
        if bias is not None and weight.ndim == 2 and weight.shape[0] != weight.shape[1]:
            return bias.shape == weight.shape[:1]
    return False


def is_state(value: object) -> bool:
    """Tells whether something in a pickle is a dictionary of arrays by name."""
    if not isinstance(value, dict):
        return False
    named = {name: inner for name, inner in value.items() if name != NAMES}
    return bool(named) and all(
        isinstance(name, str) and arrays.is_array(_unwrapped(inner))
        for name, inner in named.items()
    )


def array_of(path: str | Path, value: object) -> Tensor:
    """Returns an array of Paddle's, which keeps bfloat16 as whole numbers of 16 bits."""
    found = arrays.of_pickle(path, _unwrapped(value)).copy()
    if found.dtype == np.uint16:
        return torch.from_numpy(found.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(found)


def _unwrapped(value: object) -> object:
    """Returns the array of a tuple of the name that Paddle gave it and the array."""
    if isinstance(value, Object) and value.made_by in _TUPLES and isinstance(value.given, tuple):
        value = value.given[0] if value.given else None
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        return value[1]
    return value


_TUPLES = (Name("builtins", "tuple"), Name("__builtin__", "tuple"))
