"""PyTorch's tensors, without PyTorch where nobody has loaded it, or there is none."""

import sys
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from torch import Tensor as Tensor
else:

    class Tensor:
        """Stands for a tensor where types are written down."""


def is_tensor(value: object) -> TypeGuard[Tensor]:
    """Tells whether a value is a tensor; there is none before PyTorch is loaded."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)
