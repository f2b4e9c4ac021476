"""How many images go to a worker together, and what is said of one that ends its worker."""

import os

from holmdel.prediction import Failure

CHUNK = 32  # lines that go to a worker together
TRIES = 3  # of an image that ends the process which reads it


def deadly(path: str | None) -> Failure:
    """Returns what is said of an image that ended each process that was to read it."""
    name = path or "the picture"
    return Failure(path, f"{name} ended the process that read it; its memory did not suffice")


def cores() -> int:
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
