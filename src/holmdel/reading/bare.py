"""What is around a line and says nothing: even margins, frames and rules along the borders."""

import numpy as np
from numpy.typing import NDArray

from holmdel.reading.image import LEAST_SIDE, Picture

_EVEN = 12  # of 255 by which the pixels of an even row differ at most
_GRAIN = 6.0  # times the paper's grain, the same
_ROOM = 0.5  # of the lower side of what stands there: the margin that is left around it
_PAPER = 90  # percentile of what is inside: its paper, also between the broad strokes of a digit

Edges = tuple[int, int, int, int]  # left, top, right and bottom


def without_margins(grey: Picture) -> Edges:
    """Returns an image without the even margins around it, but for some room.

    Args:
        grey: uint8 (H, W).
    """
    height, width = grey.shape
    inner = left, top, right, bottom = _peeled(grey, float(np.median(_border(grey))))
    if not _is_whole(inner):
        return 0, 0, width, height
    room = round(_ROOM * min(right - left, bottom - top))
    return (
        max(left - room, 0),
        max(top - room, 0),
        min(right + room, width),
        min(bottom + room, height),
    )


def without_frames(grey: Picture) -> Edges:
    """Returns what is left of an image without frames and rules along its borders.

    These are even rows and columns unlike the paper inside, and what lies farther out.
    """
    height, width = grey.shape
    inner = left, top, right, bottom = _peeled(grey, None)
    if not _is_whole(inner):
        return 0, 0, width, height
    paper = float(np.percentile(grey[top:bottom, left:right], _PAPER))
    away = _away(grey)
    before, behind = grey[top:bottom, :left], grey[top:bottom, right:][:, ::-1]
    above, below = grey[:top, left:right], grey[bottom:, left:right][::-1]
    return (
        _last(np.median(before, 0), paper, away),
        _last(np.median(above, 1), paper, away),
        width - _last(np.median(behind, 0), paper, away),
        height - _last(np.median(below, 1), paper, away),
    )


def _last(levels: NDArray[np.float64], paper: float, away: float) -> int:
    """Returns behind which row or column, from the border, none is unlike the paper."""
    unlike = np.flatnonzero(np.abs(levels - paper) > away)
    return int(unlike[-1]) + 1 if len(unlike) else 0


def _is_whole(edges: Edges) -> bool:
    """Returns whether enough is left to be read."""
    left, top, right, bottom = edges
    return min(right - left, bottom - top) >= LEAST_SIDE


def _border(grey: Picture) -> Picture:
    return np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])


def _peeled(grey: Picture, level: float | None) -> Edges:
    """Returns what is left without even rows and columns at the borders, of a level or of any."""
    away = _away(grey)
    edges = [0, 0, *grey.shape[::-1]]
    before: list[int] = []
    while edges != before:
        before = edges.copy()
        for side, step in ((1, 1), (3, -1), (0, 1), (2, -1)):
            while edges[0] < edges[2] and edges[1] < edges[3]:
                at = edges[side] - (step < 0)
                line = grey[at, edges[0] : edges[2]] if side % 2 else grey[edges[1] : edges[3], at]
                if not _is_even(line, level, away):
                    break
                edges[side] += step
    left, top, right, bottom = edges
    return left, top, right, bottom


def _is_even(line: NDArray[np.uint8], level: float | None, away: float) -> bool:
    middle = float(np.median(line)) if level is None else level
    return bool(line.max() <= middle + away and line.min() >= middle - away)


def _away(grey: Picture) -> float:
    """Returns by how much the pixels of an even row differ: more where the border is grained."""
    steps = np.abs(np.diff(_border(grey).astype(np.int16)))
    return max(float(_EVEN), _GRAIN * 1.4826 * float(np.median(steps)) / 2**0.5)
