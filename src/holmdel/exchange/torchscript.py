"""Weights of TorchScript archives: the tensors are taken, the program is not run."""

from collections.abc import Iterator
from pathlib import Path

from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange.archive import opened
from holmdel.exchange.pickles import Object
from holmdel.exchange.torch_archive import TorchArchive, is_tensor
from holmdel.exchange.weights import Weights

FORM = "TorchScript archive"
DEEPEST = 64
CONSTANTS = "/constants/"


def read(path: str | Path) -> Weights:
    """Returns the weights of what `torch.jit.save` wrote.

    Raises:
        UserError: if it is damaged, or frozen, so that the weights have no names.
    """
    with opened(path) as archive:
        saved = TorchArchive(archive)
        tensors = dict(_tensors(saved, saved.content))
        frozen = any(CONSTANTS in name for name in archive.names)
    if not tensors and frozen:
        raise UserError(
            f"{path} is a frozen program of TorchScript, whose weights are constants without "
            "names; save the module as it was before torch.jit.freeze"
        )
    return Weights(str(path), FORM, tensors)


def _tensors(
    saved: TorchArchive, module: object, name: str = "", depth: int = 0
) -> Iterator[tuple[str, Tensor]]:
    """Yields the tensors of a module and of those in it, by their dotted names."""
    if not isinstance(module, Object) or not isinstance(module.state, dict) or depth > DEEPEST:
        return
    for key, value in module.state.items():
        inner = f"{name}.{key}" if name else str(key)
        if is_tensor(value):
            yield inner, saved.tensor(inner, value)
        else:
            yield from _tensors(saved, value, inner, depth + 1)
