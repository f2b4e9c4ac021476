"""Which engine a network runs on, and the line that says so."""

from typing import NamedTuple

from torch import nn

from holmdel.engine.chain import Chain, Shape, compile
from holmdel.engine.layers import Unsupported
from holmdel.engine.library import status
from holmdel.images import ImageContract
from holmdel.settings import TRAINING


class Selection(NamedTuple):
    """The chain to use, or None for PyTorch, and the line that says which and why."""

    chain: Chain | None
    line: str


def select(network: nn.Module, image: ImageContract | Shape, choice: str = "auto") -> Selection:
    """Returns which engine a network runs on.

    Args:
        network: on the CPU.
        image: as for `compile`.
        choice: `auto` takes the native engine where it can; `native` insists on it; `torch`.

    Raises:
        UserError: for another choice.
        Unsupported: for `native` where it cannot.
    """
    TRAINING["engine"].check(choice)
    if choice == "torch":
        return Selection(None, "PyTorch")
    try:
        return Selection(compile(network, image), str(status()))
    except Unsupported as error:
        if choice == "native":
            raise
        return Selection(None, f"PyTorch: {error}")
