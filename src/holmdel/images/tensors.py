"""PyTorch's tensors where there is PyTorch; exported files are used without it."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING or find_spec("torch"):
    from torch import Tensor as Tensor
else:

    class Tensor:
        """Stands for a tensor, of which there is none without PyTorch."""
