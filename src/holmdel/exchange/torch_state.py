"""PyTorch state dicts, from `torch.save` or as safetensors; nothing in a file is ever run."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.files import load_tensors

ZIP, PICKLE = b"PK\x03\x04", b"\x80"  # `torch.save` writes the one today, before 1.6 the other
SAVE_STATE = "save the state dict instead: torch.save(net.state_dict(), file)"


def is_torch(head: bytes) -> bool:
    """Tells whether a file that begins with these bytes may be one of `torch.save`."""
    return head.startswith((ZIP, PICKLE))


def is_safetensors(head: bytes) -> bool:
    """Tells whether a file begins as safetensors do: a length of eight bytes, then JSON."""
    return head[8:9] == b"{"


def read_state(path: str | Path) -> dict[str, Tensor]:
    """Returns the tensors of a state dict by name, in the file's order.

    A checkpoint is taken too, a dictionary with one state dict among its values.

    Args:
        path: what `torch.save(net.state_dict(), path)` wrote; read with `weights_only=True`.

    Raises:
        UserError: if the file is cut short, of another format, a pickled module, or holds no
            state dict or several.
    """
    loaded = _load(path)
    if not isinstance(loaded, dict):
        raise UserError(f"{path} holds a {type(loaded).__name__}; expected a state dict")
    inner = [value for value in [loaded, *loaded.values()] if _is_state(value)]
    if len(inner) != 1:
        keys = ", ".join(str(key) for key in list(loaded)[:5])
        raise UserError(
            f"{path} holds a dictionary with {len(inner) or 'no'} state dicts in it ({keys}); "
            f"{SAVE_STATE}"
        )
    return dict(inner[0])


def read_safetensors(path: str | Path) -> dict[str, Tensor]:
    """Returns the tensors of a safetensors file by name; the file's order means nothing.

    Raises:
        UserError: if it is damaged, or was written by holmdel and needs no import.
    """
    tensors, metadata = load_tensors(Path(path))
    if "holmdel" in metadata:
        raise UserError(f"{path} is a holmdel model already; use it: holmdel predict {path} ...")
    return tensors


def _load(path: str | Path) -> Any:
    """Returns what `torch.load` gives."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" in str(error).lower():  # a class that would have to be imported and run
            raise UserError(
                f"{path} is a pickled module or object, which could run any code; {SAVE_STATE}"
            ) from None
        raise _unreadable(path) from None
    except Exception as error:  # of a damaged file, torch.load raises almost anything
        if "TorchScript" in str(error):
            raise UserError(f"{path} is a TorchScript program; {SAVE_STATE}") from None
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
