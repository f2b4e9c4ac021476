"""Squared paper: the lines of its grid, also where writing hides them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from holmdel.reading.frames import Bar, Segment

_LEAST = 4  # lines across, and down, that make squared paper
_LONG = 0.6  # of the sheet's side: the length of a line that is seen
_REGULAR = 0.7  # of the steps between lines that are one pitch, or some
_OFF = 2, 0.1  # pixels, and parts of the pitch, by which they are off
_BENT = 8  # lines from which on their steps may change
_NARROW = 8.0  # pixels: no grid is finer


def squares(
    levels: Sequence[Segment], uprights: Sequence[Segment], shape: tuple[int, ...]
) -> list[Bar]:
    """Returns all lines of squared paper; none where the paper is not squared.

    Args:
        levels: lines across.
        uprights: lines down, as on the sheet turned over its diagonal.
        shape: height and width of the sheet.
    """
    height, width = shape[:2]
    across, down = _grid(levels, width, height), _grid(uprights, height, width)
    if not (across and down):
        return []
    return across + [Bar(bar.y0, bar.x0, bar.y1, bar.x1, bar.thick) for bar in down]


def _grid(lines: Sequence[Segment], along: int, across: int) -> list[Bar]:
    """Returns the lines of one direction from border to border, or none; their pitch is even."""
    long = [line for line in lines if line.length >= _LONG * along]
    seen = sorted(long, key=lambda line: line.at(along / 2))
    places = np.array([line.at(along / 2) for line in seen])
    if len(seen) < _LEAST:
        return []
    pitch = _pitch(places)
    if pitch is None:
        return []
    thick = float(np.median([line.thick for line in seen]))
    return [
        Bar(0, y - slope * along / 2, along - 1, y + slope * along / 2, thick)
        for y, slope in _fitted(seen, places, pitch, along / 2, across)
    ]


def _fitted(
    seen: Sequence[Segment], places: NDArray[np.float64], pitch: float, middle: float, across: int
) -> list[tuple[float, float]]:
    """Returns where each line of a grid is, at its middle, and its slope.

    Both change evenly from line to line: on a sheet that was not photographed from above, steps
    become smaller and lines turn. Seen lines are where they are; others are put between.

    Args:
        seen: lines, in the order of their places.
        places: (N,), where they are, at their middle.
        pitch: the step from line to line.
        middle: half of the sheet's side along them.
        across: its other side.
    """
    steps = np.round(np.diff(places) / pitch).astype(int)
    number = np.concatenate([[0], np.cumsum(steps)])
    slopes = np.array([line.slope for line in seen])
    bent = 2 if len(np.unique(number)) >= _BENT else 1
    place, slope = np.polyfit(number, places, bent), np.polyfit(number, slopes, 1)
    before, behind = int(places[0] / pitch) + 2, int((across - places[-1]) / pitch) + 3
    own = {int(n): (float(y), float(v)) for n, y, v in zip(number, places, slopes, strict=True)}
    lines = [
        own.get(n, (float(np.polyval(place, n)), float(np.polyval(slope, n))))
        for n in range(-before, int(number[-1]) + behind)
    ]
    reach = [abs(v) * middle for _, v in lines]
    return [line for line, r in zip(lines, reach, strict=True) if -r <= line[0] <= across + r]


def _pitch(places: NDArray[np.float64]) -> float | None:
    """Returns the step from line to line, where most are one such step apart or some."""
    steps = np.diff(places)
    steps = steps[steps >= _NARROW]
    if len(steps) < _LEAST - 1:
        return None
    rough = float(np.median(steps[steps <= 1.5 * steps.min()]))
    times = np.round(steps / rough)
    fits = np.abs(steps - times * rough) <= _OFF[0] + _OFF[1] * rough
    if fits.mean() < _REGULAR:
        return None
    return float(steps[fits].sum() / times[fits].sum())
