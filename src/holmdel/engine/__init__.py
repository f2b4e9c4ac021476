"""The native CPU engine: chains of convolution, pooling, activation and dense layers in C++.

`select` chooses between it and PyTorch; `compile` gives the `Chain` of a network; `status` says
what this machine has. The names are loaded when first used: `status` and `peak` need no torch.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holmdel.engine.chain import Chain as Chain
    from holmdel.engine.choice import Selection as Selection
    from holmdel.engine.choice import compile as compile
    from holmdel.engine.choice import select as select
    from holmdel.engine.learning import Step as Step
    from holmdel.engine.library import Status as Status
    from holmdel.engine.library import peak as peak
    from holmdel.engine.library import status as status
    from holmdel.engine.parts import Unsupported as Unsupported

_HOMES = {
    "Chain": "chain",
    "Selection": "choice",
    "Status": "library",
    "Step": "learning",
    "Unsupported": "parts",
    "compile": "choice",
    "peak": "library",
    "select": "choice",
    "status": "library",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Returns a public name from its home, importing that on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'holmdel.engine' has no attribute {name!r}")
    return getattr(importlib.import_module(f"holmdel.engine.{_HOMES[name]}"), name)
