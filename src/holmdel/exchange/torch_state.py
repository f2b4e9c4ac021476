"""PyTorch state dicts, from `torch.save` or as safetensors; nothing in a file is ever run."""

import pickle
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange.archive import opened
from holmdel.exchange.checkpoints import chosen
from holmdel.exchange.pickles import Object, read_pickle
from holmdel.exchange.torch_archive import (
    TorchArchive,
    dimensions,
    is_module,
    is_tensor,
    pickled_in,
)
from holmdel.exchange.weights import Weights
from holmdel.files.tensors import load_tensors

# `torch.save` writes a zip today; before 1.6 it wrote pickles, the first of them this number.
BEFORE_ZIPS = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."

BEFORE_NUMBERS = 5  # pickles: it, the protocol, the machine, what was saved, the keys of numbers


def pickled(path: str | Path, where: str = "") -> UserError:
    """Returns the sentence for a file that holds code beside weights, and what to do with it.

    Args:
        path: what it calls the file.
        where: what takes the module out of what the file holds, such as `['model']`.
    """
    state = f"{Path(path).stem}-state.pt"
    return UserError(
        f"{path} is a pickled module or object, which could run any code, so it is not opened; "
        f"where it was made, run: net = torch.load({Path(path).name!r}, weights_only=False)"
        f"{where}; torch.save(net.state_dict(), {state!r})"
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
    if loaded is None:
        return _looked_at(path, key)
    if not isinstance(loaded, dict):
        raise UserError(f"{path} holds a {type(loaded).__name__}; expected a state dict")
    state = chosen(path, loaded, key, lambda value: _is_state(value, _is_tensor, Tensor.dim))
    tensors = {name: made for name, made in state.items() if _is_tensor(made)}
    return Weights(str(path), FORM, tensors)


FORM = "PyTorch state dict"
PLAIN = (bool, int, float, str, type(None))  # what may stand beside tensors in a state dict


def _looked_at(path: str | Path, key: str | None) -> Weights:
    """Returns the weights of a checkpoint with objects beside them, which are not made."""
    if not zipfile.is_zipfile(path):  # before PyTorch 1.6
        raise pickled(path)
    with opened(path) as archive:
        saved = TorchArchive(archive)
        loaded = saved.content
        if isinstance(loaded, Object) and loaded.pairs:
            loaded = loaded.pairs  # of a class of dictionaries
        if not isinstance(loaded, dict):
            raise pickled(path)
        modules = [name for name, value in loaded.items() if is_module(value)]
        try:
            state = chosen(path, loaded, key, lambda value: _is_state(value, is_tensor, dimensions))
        except UserError:
            if modules and key is None:
                raise pickled(path, f"[{modules[0]!r}]") from None
            raise
        tensors = {
            name: saved.tensor(name, value) for name, value in state.items() if is_tensor(value)
        }
    return Weights(str(path), FORM, tensors)


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
    """Returns what `torch.load` gives; None where it would have to import something and run it."""
    _refuse_costly(Path(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" in str(error).lower():  # a class
            return None
        raise _unreadable(path) from None
    except Exception:  # of damage, torch.load makes almost anything
        raise _unreadable(path) from None
    if loaded is None:
        raise UserError(f"{path} holds nothing (None); expected a state dict")
    return loaded


def _refuse_costly(path: Path) -> None:
    """Raises a UserError for a file with which `torch.load` would be busy for hours, or full.

    Its pickles are followed here first: no size in them is believed, and nothing is called.
    """
    if zipfile.is_zipfile(path):
        with opened(path) as archive:
            archive.refuse_bomb()
            read_pickle(path, archive.read(pickled_in(archive)))
        return
    with path.open("rb") as file:
        for _ in range(BEFORE_NUMBERS):
            read_pickle(path, file)


def _unreadable(path: str | Path) -> UserError:
    return UserError(
        f"{path} cannot be read as a PyTorch file; it is cut short, damaged or of another format; "
        "copy it again"
    )


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor)


def _is_state(
    value: object, is_tensor: Callable[[object], bool], dimensions: Callable[[Any], int]
) -> bool:
    """Tells whether something is a dictionary of tensors by name, one of them a layer's weight."""
    return (
        isinstance(value, dict)
        and all(isinstance(k, str) and (is_tensor(v) or type(v) in PLAIN) for k, v in value.items())
        and any(is_tensor(v) and dimensions(v) > 1 for v in value.values())
    )
