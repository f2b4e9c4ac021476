"""PyTorch state dicts, from `torch.save` or as safetensors; nothing in a file is ever run."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange.checkpoints import chosen
from holmdel.exchange.weights import Weights
from holmdel.files.tensors import load_tensors

# `torch.save` writes a zip today; before 1.6 it wrote pickles, the first of them this number.
BEFORE_ZIPS = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."


def pickled(path: str | Path) -> UserError:
    """Returns the sentence for a file that holds code beside weights, and what to do with it."""
    state = f"{Path(path).stem}-state.pt"
    return UserError(
        f"{path} is a pickled module or object, which could run any code, so it is not opened; "
        f"where it was made, run: net = torch.load({Path(path).name!r}, weights_only=False); "
        f"torch.save(net.state_dict(), {state!r})"
    )


def is_safetensors(head: bytes) -> bool:
    """Tells whether a file begins as safetensors do: a length of eight bytes, then JSON."""
    return head[8:9] == b"{"


def read(path: str | Path, key: str | None = None) -> Weights:
    """Returns the weights of a state dict, in the file's order.

    A checkpoint is taken too, a dictionary with state dicts among its values.

    Args:
        path: what `torch.save(net.state_dict(), path)` wrote; read with `weights_only=True`.
        key: which state dict of a checkpoint is meant; None for the only one.

    Raises:
        UserError: if the file is cut short, of another format, a pickled module, or holds no
            state dict, several, or none of that key.
    """
    loaded = _load(path)
    if not isinstance(loaded, dict):
        raise UserError(f"{path} holds a {type(loaded).__name__}; expected a state dict")
    return Weights(str(path), "PyTorch state dict", dict(chosen(path, loaded, key, _is_state)))


def read_safetensors(path: str | Path) -> Weights:
    """Returns the weights of a safetensors file; its order means nothing.

    Raises:
        UserError: if it is damaged, or was written by holmdel and needs no import.
    """
    tensors, metadata = load_tensors(Path(path))
    if "holmdel" in metadata:
        raise UserError(f"{path} is a holmdel model already; use it: holmdel predict {path} ...")
    return Weights(str(path), "safetensors", tensors, ordered=False)


def _load(path: str | Path) -> Any:
    """Returns what `torch.load` gives."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" in str(error).lower():  # a class that would have to be imported and run
            raise pickled(path) from None
        raise _unreadable(path) from None
    except Exception:  # of damage, torch.load makes almost anything
        raise _unreadable(path) from None


def _unreadable(path: str | Path) -> UserError:
    return UserError(
        f"{path} cannot be read as a PyTorch file; it is cut short, damaged or of another format; "
        "copy it again"
    )


def _is_state(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) > 0
        and all(isinstance(k, str) and isinstance(v, Tensor) for k, v in value.items())
    )
