"""Data sets: their sources, their form in memory, and the batches drawn from them.

The names are loaded when first used, so that the modules that need no torch load none.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holmdel.data.dataset import Dataset as Dataset
    from holmdel.data.dataset import Split as Split
    from holmdel.data.download import Progress as Progress
    from holmdel.data.loading import load as load
    from holmdel.data.loading import names as names
    from holmdel.data.loading import unknown as unknown
    from holmdel.data.sources import SOURCES as SOURCES

_HOMES = {
    "SOURCES": "sources",
    "Dataset": "dataset",
    "Progress": "download",
    "Split": "dataset",
    "load": "loading",
    "names": "loading",
    "unknown": "loading",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Returns a public name from its home, importing that on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'holmdel.data' has no attribute {name!r}")
    return getattr(importlib.import_module(f"holmdel.data.{_HOMES[name]}"), name)
