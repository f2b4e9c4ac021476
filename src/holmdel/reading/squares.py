"""Squared paper: the lines of its grid, also where writing hides them."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from holmdel.reading.frames import Bar, Segment

_LEAST = 4  # lines across, and down, that make squared paper
_LONG = 0.6  # of the sheet's side: the length of a line that is seen
_REGULAR = 0.7  # of the steps between lines that are one pitch, or some
_OFF = 2, 0.1  # pixels, and parts of the pitch, by which they are off
_BENT = 8  # lines from which on their steps may change
_NARROW = 8.0  # pixels: no grid is finer
_TABLE = 1.5, 1.1  # times as wide as high, and the writing's height: cells of a table


def squares(
    levels: Sequence[Segment], uprights: Sequence[Segment], shape: tuple[int, ...], high: float
) -> list[Bar]:
    """Returns all lines of squared paper; none where the paper is not squared.

    Of a table they are none: its cells are longer than high, and writing stands in them.

    Args:
        levels: lines across.
        uprights: lines down, as on the sheet turned over its diagonal.
        shape: height and width of the sheet.
        high: pixels of the writing.
    """
    height, width = shape[:2]
    (across, rows), (down, columns) = _grid(levels, width, height), _grid(uprights, height, width)
    if not (across and down):
        return []
    narrow, wide = sorted((rows, columns))
    if wide >= _TABLE[0] * narrow and narrow >= _TABLE[1] * high:
        return []
    return across + [Bar(bar.y0, bar.x0, bar.y1, bar.x1, bar.thick) for bar in down]


def _grid(lines: Sequence[Segment], along: int, across: int) -> tuple[list[Bar], float]:
    """Returns the lines of one direction from border to border, or none, and their even pitch."""
    rows = _rows(lines, along / 2)
    long = [row for row in rows if sum(line.length for line in row) >= _LONG * along]
    found = _even(
        [_place(row, along / 2) for row in long], [_place(row, along / 2) for row in rows]
    )
    if found is None:
        return [], 0.0
    chosen, pitch = found
    seen = [max(long[n], key=lambda line: line.length) for n in chosen]
    places = np.array([line.at(along / 2) for line in seen])
    thick = float(np.median([line.thick for line in seen]))
    bars = [
        Bar(0, y - slope * along / 2, along - 1, y + slope * along / 2, thick)
        for y, slope in _fitted(seen, places, pitch, along / 2, across)
    ]
    return bars, pitch


def _rows(lines: Sequence[Segment], middle: float) -> list[list[Segment]]:
    """Returns lines from above, those together that lie on one: pieces between strokes."""
    rows: list[list[Segment]] = []
    for line in sorted(lines, key=lambda line: line.at(middle)):
        if rows and line.at(middle) - _place(rows[-1], middle) <= _OFF[0]:
            rows[-1].append(line)
        else:
            rows.append([line])
    return rows


def _place(row: Sequence[Segment], middle: float) -> float:
    """Returns where the longest line of a row is."""
    return max(row, key=lambda line: line.length).at(middle)


def _even(long: Sequence[float], places: Sequence[float]) -> tuple[list[int], float] | None:
    """Returns which lines stand at one step from one another, and the step; None for too few.

    Lines of the grid may be hidden by writing in part, and other lines stand among them, such as a
    rule printed on what lies on the squared paper.

    Args:
        long: where long lines are, from above.
        places: where lines of any length are.
    """
    best: tuple[list[int], float] | None = None
    least = max(_LEAST, _REGULAR * len(long))
    for first, start in enumerate(long):
        if len(long) - first < least:  # too few are left
            return best
        for second in long[first + 1 : first + 4]:
            if second - start < _NARROW:
                continue
            chosen, times = _followed(long, first, second - start)
            if len(chosen) < least or not _are_met([long[n] for n in chosen], times, places):
                continue
            best = chosen, (long[chosen[-1]] - start) / sum(times)
            least = len(chosen) + 1
    return best


def _followed(long: Sequence[float], first: int, pitch: float) -> tuple[list[int], list[int]]:
    """Returns the lines that stand some steps each from the one before, and how many steps.

    In a photograph at an angle the step grows or shrinks from line to line.
    """
    chosen: list[int] = [first]
    steps: list[int] = []
    while True:
        at = long[chosen[-1]]
        offs: list[tuple[int, float, int]] = []
        for number in range(chosen[-1] + 1, len(long)):
            times = max(round((long[number] - at) / pitch), 1)
            if offs and times > offs[0][0]:
                break
            off = abs(long[number] - at - times * pitch)
            if off <= _OFF[0] + _OFF[1] * pitch:
                offs.append((times, off, number))
        if not offs:
            return chosen, steps
        times, _, number = min(offs)
        pitch = (pitch + (long[number] - at) / times) / 2
        chosen.append(number)
        steps.append(times)


def _are_met(seen: Sequence[float], steps: Sequence[int], places: Sequence[float]) -> bool:
    """Returns whether lines stand where the grid has them, most of those not seen among `places`.

    Args:
        seen: where lines of the grid are.
        steps: how many steps each is from the one before.
        places: where lines of any length are.
    """
    met = len(seen)
    for (before, after), times in zip(pairwise(seen), steps, strict=True):
        pitch = (after - before) / times
        hidden = (before + number * pitch for number in range(1, times))
        met += sum(_is_near(place, places, pitch) for place in hidden)
    return met >= _REGULAR * (sum(steps) + 1)


def _is_near(place: float, places: Sequence[float], pitch: float) -> bool:
    return any(abs(place - other) <= _OFF[0] + _OFF[1] * pitch for other in places)


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
