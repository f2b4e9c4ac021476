"""Weights of TorchScript archives: the tensors are taken, the program is not run."""

from pathlib import Path

from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange.archive import damaged, opened
from holmdel.exchange.pickles import Object
from holmdel.exchange.torch_archive import TorchArchive, is_tensor
from holmdel.exchange.weights import Weights

FORM = "TorchScript archive"
DEEPEST = 64
MOST_MODULES = 20_000  # a module may be there many times, and so may those in it
CONSTANTS = "/constants/"


def read(path: str | Path) -> Weights:
    """Returns the weights of what `torch.jit.save` wrote.

    Raises:
        UserError: if it is damaged, or frozen, so that the weights have no names.
    """
    with opened(path) as archive:
        saved = TorchArchive(archive)
        tensors = _tensors(saved)
        frozen = any(CONSTANTS in name for name in archive.names)
    if not tensors and frozen:
        raise UserError(
            f"{path} is a frozen program of TorchScript, whose weights are constants without "
            "names; save the module as it was before torch.jit.freeze"
        )
    return Weights(str(path), FORM, tensors)


def _tensors(saved: TorchArchive) -> dict[str, Tensor]:
    """Returns the tensors of a module and of those in it, by their dotted names, in its order."""
    found: dict[str, Tensor] = {}
    left = [(0, "", saved.content)]
    for _ in range(MOST_MODULES):
        if not left:
            return found
        depth, name, value = left.pop()
        if is_tensor(value):
            found[name] = saved.tensor(name, value)
        elif isinstance(value, Object) and isinstance(value.state, dict) and depth <= DEEPEST:
            dot = f"{name}." if name else ""
            inner = [(depth + 1, f"{dot}{key}", one) for key, one in value.state.items()]
            left += reversed(inner)
    raise damaged(saved.path, f"more than {MOST_MODULES} modules and numbers")
