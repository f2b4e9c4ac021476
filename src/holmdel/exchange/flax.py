"""Weights of JAX as Flax serialises them, linen's and nnx's: msgpack."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange.archive import damaged
from holmdel.exchange.arrays import array, is_array, of_pickle
from holmdel.exchange.weights import HWC, NAMES, Weights, channels_first

FORM = "Flax weights"
ARRAY, CHUNKED = 1, "__msgpack_chunked_array__"
NO_WEIGHTS = ("rngs", "opt_state", "step")  # of a training state, and of nnx's dropout
DEEPEST = 32
TOLD = {"same": True}  # how padding is meant where a window strides


def is_flax(head: bytes) -> bool:
    """Tells whether a file begins as a map of msgpack does, its first key a text."""
    begin = {0xDE: 3, 0xDF: 5}.get(head[0], 1) if head else 0
    a_map = bool(head) and (0x81 <= head[0] <= 0x8F or begin > 1)
    return a_map and len(head) > begin and (0xA1 <= head[begin] <= 0xBF or head[begin] == 0xD9)


def read(path: str | Path) -> Weights:
    """Returns the weights of what `flax.serialization.to_bytes` wrote.

    Raises:
        UserError: if it is damaged, of another program, or msgpack is not installed.
    """
    loaded = _unpacked(path, Path(path).read_bytes())
    if not isinstance(loaded, dict):
        raise UserError(f"{path} holds no weights of Flax; save to_bytes(params)")
    return of_tree(path, loaded)


def is_tree(loaded: object) -> bool:
    """Tells whether dictionaries within one another have kernels as Flax names them."""
    level: list[object] = [loaded]
    seen: set[int] = set()
    for _ in range(DEEPEST):
        found = {id(one): one for one in level if isinstance(one, dict)}
        if any("kernel" in one for one in found.values()):
            return True
        level = [inner for key in found.keys() - seen for inner in found[key].values()]
        seen |= found.keys()
    return False


def of_tree(path: str | Path, loaded: dict[Any, Any]) -> Weights:
    """Returns the weights in dictionaries within one another, as Flax has its parameters.

    Args:
        path: what sentences call the file.
        loaded: the outermost; its arrays NumPy's, or as a pickle has them.

    Raises:
        UserError: if there are none.
    """
    if isinstance(loaded.get("params"), dict):
        loaded = loaded["params"]  # beside a state's optimizer and step
    tensors = {}
    for (*layers, kind), value in _leaves(path, loaded, set()):
        layer = "/".join(layers)
        tensors[f"{layer}.{NAMES.get(kind, kind)}"] = channels_first(value)
    return Weights(
        str(path), FORM, tensors, ordered=False, flattened=HWC, assumed=True, options=TOLD
    )


def _unpacked(path: str | Path, content: bytes) -> Any:
    try:
        import msgpack
    except ImportError:
        raise UserError(
            f"{path} is a msgpack file, which needs msgpack: pip install 'holmdel[weights]'"
        ) from None
    try:
        return msgpack.unpackb(
            content,
            ext_hook=lambda kind, packed: _array(path, kind, packed, msgpack.unpackb),
            strict_map_key=False,
        )
    except UserError:
        raise
    except Exception as error:  # whatever msgpack makes of damage
        raise damaged(path, str(error) or type(error).__name__) from None


def _array(path: str | Path, kind: int, packed: bytes, unpack: Any) -> object:
    """Returns the array of one of Flax's own types; None for its single numbers."""
    if kind != ARRAY:
        return None
    made = unpack(packed)
    if not isinstance(made, list) or len(made) != 3:
        raise damaged(path, "an array that is none")
    shape, type_, content = made
    if isinstance(type_, bytes):
        type_ = type_.decode(errors="replace")
    brain = type_ == "bfloat16"
    sides = tuple(shape) if isinstance(shape, list) else shape
    found = array(path, content, "uint16" if brain else type_, sides, columns=False)
    # The upper half of a float32.
    return (found.astype(np.uint32) << 16).view(np.float32) if brain else found


def _leaves(
    path: str | Path, value: dict[Any, Any], seen: set[int], names: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Tensor]]:
    """Yields the arrays of dictionaries within one another, each with its way there."""
    if len(names) > DEEPEST:
        raise damaged(path, "dictionaries that are too deep")
    if CHUNKED in value:
        raise UserError(f"{path} has an array in pieces of a gigabyte, which is not read")
    seen.add(id(value))
    for key, inner in value.items():
        if key in NO_WEIGHTS or id(inner) in seen:  # a pickle may hold a dictionary many times
            continue
        if isinstance(inner, dict):
            yield from _leaves(path, inner, seen, (*names, str(key)))
        elif is_array(inner):
            yield (*names, str(key)), torch.from_numpy(of_pickle(path, inner).copy())
        elif isinstance(inner, np.ndarray):
            yield (*names, str(key)), torch.from_numpy(inner.copy())
