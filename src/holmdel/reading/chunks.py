"""The workers of a reading: how many images go to one, what is said of one that ends it."""

import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from holmdel.prediction import Failure
from holmdel.processes import end_with_parent

CHUNK = 32  # lines that go to a worker together
TRIES = 3  # of an image that ends the process which reads it


def deadly(path: str | None) -> Failure:
    """Returns what is said of an image that ended each process that was to read it."""
    name = path or "the picture"
    return Failure(path, f"{name} ended the process that read it; its memory did not suffice")


def pool_of(
    jobs: int, module: str, begin: Callable[..., None], given: tuple[Any, ...] = ()
) -> ProcessPoolExecutor:
    """Returns a pool that starts its processes when there is work for them; they end with this one.

    Args:
        jobs: how many processes.
        module: what they need, loaded once for all of them, and not in this process.
        begin: makes one ready.
        given: the arguments of it.
    """
    # A fork of a process with threads may hang. The fork server has loaded torch, and no threads.
    kind = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(kind)
    context.set_forkserver_preload([module])
    return ProcessPoolExecutor(jobs, context, initializer=_begin, initargs=(begin, given))


def _begin(begin: Callable[..., None], given: tuple[Any, ...]) -> None:
    """Makes a worker ready, in it, and lets it end when the process that asked for it is gone.

    Of itself it would wait for work for ever, with a network in its memory.
    """
    end_with_parent()
    begin(*given)


def cores() -> int:
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
