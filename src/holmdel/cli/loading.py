"""Modules loaded quickly: PyTorch alone brings a thousand, whose objects all stay."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Looks for no garbage while modules are loaded, and later not among what was loaded.

    Looking through the objects of PyTorch's modules, at every few hundred new ones and at the end
    of the process, takes a quarter of the time that loading them does. Where it is loaded already,
    nothing changes.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
