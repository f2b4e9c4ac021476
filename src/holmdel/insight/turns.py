"""Threads that look through one network take turns."""

import contextlib
import threading
from collections.abc import Iterator
from weakref import WeakKeyDictionary

from torch import nn

from holmdel.evaluation import Answer

_locks: WeakKeyDictionary[nn.Module, threading.Lock] = WeakKeyDictionary()
_guard = threading.Lock()


@contextlib.contextmanager
def alone_with(network: Answer) -> Iterator[None]:
    """Waits until no other thread looks through a network; a function needs no turns.

    Hooks and modes belong to a module, not to a thread.
    """
    if not isinstance(network, nn.Module):
        yield
        return
    with _guard:
        lock = _locks.setdefault(network, threading.Lock())
    with lock:
        yield
