"""The fast CPU engine: chains of convolutions, pooling, activations and dense layers in C++.

`select` chooses between it and PyTorch; `compile` gives the `Chain` of a network; `status` says
what this machine has.
"""

from holmdel.engine.chain import Chain, Step, compile
from holmdel.engine.layers import Unsupported
from holmdel.engine.library import Status, peak, status
from holmdel.engine.selection import ENGINES, Selection, select

__all__ = [
    "ENGINES",
    "Chain",
    "Selection",
    "Status",
    "Step",
    "Unsupported",
    "compile",
    "peak",
    "select",
    "status",
]
