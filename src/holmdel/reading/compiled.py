"""The search and the alignment in C++, where they were built; elsewhere Python does the same."""

import ctypes
import os
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holmdel.engine.library import VARIABLE, built

Texts = list[tuple[bytes, float]]  # the numbers of characters, and the ln of a probability


def search(
    probabilities: NDArray[np.float64],
    table: NDArray[np.intp],
    final: NDArray[np.uint8],
    beam: int,
    *,
    look_ahead: bool,
) -> Texts | None:
    """Returns what `reading.search.search` returns; None where nothing was built.

    Args:
        probabilities: float64 (T, K), the last class the blank.
        table: int64 (S, C), the state after each character; the last is the one of no return.
        final: uint8 (S,), 1 for the states in which a text may end.
        beam: how many prefixes are kept.
        look_ahead: whether a prefix is worth what may still follow it too.
    """
    found = _library()
    if found is None:
        return None
    values = np.ascontiguousarray(probabilities)
    steps, classes = values.shape
    texts = np.empty((beam, max(steps, 1)), np.uint8)
    lengths, logs = np.empty(beam, np.int32), np.empty(beam)
    count = found.holmdel_search(
        values.ctypes.data, steps, classes, table.ctypes.data, *table.shape, final.ctypes.data,
        look_ahead, beam, texts.ctypes.data, lengths.ctypes.data, logs.ctypes.data,
    )  # fmt: skip
    if count < 0:
        raise MemoryError("not enough memory for the search of a line's texts")
    rows = zip(texts[:count], lengths.tolist(), logs.tolist(), strict=False)
    return [(row[:length].tobytes(), value) for row, length, value in rows]


def alignment(values: NDArray[np.float64], places: NDArray[np.int32]) -> list[int] | None:
    """Returns the place of each step in the best alignment; None where nothing was built.

    Args:
        values: float64 (T, K), ln of each class's probability at each step.
        places: int32 (P,), the classes in order, every other one the blank.
    """
    found = _library()
    if found is None:
        return None
    values = np.ascontiguousarray(values)
    path = np.empty(len(values), np.int32)
    failed = found.holmdel_align(
        values.ctypes.data, *values.shape, places.ctypes.data, len(places), path.ctypes.data
    )
    if failed:
        raise MemoryError("not enough memory for the alignment of a line's text")
    return path.tolist()


def _library() -> ctypes.CDLL | None:
    return None if os.environ.get(VARIABLE) == "none" else _opened()


@cache
def _opened() -> ctypes.CDLL | None:
    path = built(Path(__file__).parent, "search")
    if path is None:
        return None
    opened = ctypes.CDLL(str(path))
    pointer, number = ctypes.c_void_p, ctypes.c_int
    grid = (pointer, number, number)
    opened.holmdel_search.argtypes = (
        *grid, *grid, pointer, number, number, pointer, pointer, pointer,
    )  # fmt: skip
    opened.holmdel_align.argtypes = (*grid, pointer, number, pointer)
    return opened
