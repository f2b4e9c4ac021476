"""Open combs: bars that are alike and evenly spaced, standing on a rule or hanging from one.

A crop may have cut the rule away: then they stand at the edge of the image.
"""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.frames import THICKEST, Bar, Row, Segment
from holmdel.reading.image import Picture

_TICKS = 4  # from how many on they are a comb's
_SHORTEST = 6  # pixels
_HIGHEST = 120  # pixels of a tick
_NARROWEST = 10  # pixels from one to the next
_EDGE = 4.0  # pixels: as thick as a rule that was cut away
_SHORT = 0.5  # of the image's height: longer is what stands at its edge no tick
_OFF = 0.06  # of the pitch
_LIKE = 0.12  # of the height


def open_combs(mask: Picture, lines: Sequence[Segment], rows: Sequence[Row]) -> list[Row]:
    """Returns the combs without a top, or without a bottom.

    Args:
        mask: uint8 (h, w), 255 on ink.
        lines: its level lines.
        rows: closed ones, found already.
    """
    found: list[Row] = []
    height, width = mask.shape
    bottom, top = (Segment(0, y, width - 1, y, _EDGE) for y in (height - 1, 0))
    short = min(_HIGHEST, _SHORT * height)
    looked_at: list[tuple[Segment, tuple[bool, ...], tuple[float, float]]] = [
        *((line, (True, False), (line.thick + 2, _HIGHEST)) for line in lines),
        (bottom, (True,), (THICKEST, short)),
        (top, (False,), (THICKEST, short)),
    ]
    for line, ways, most in looked_at:
        if line.length < 60 or line.filled < 0.8 or any(_is_wall(line, row) for row in rows):
            continue
        for up in ways:
            row = _comb_on(mask, line, up, most)
            if row is not None and not _known(row, rows):
                found.append(row)
                break
    return found


def _known(row: Row, rows: Sequence[Row]) -> bool:
    """Returns whether its cells are found already."""
    x, y, w, h = row.cells[len(row.cells) // 2]
    middle = x + w / 2, y + h / 2
    cells = (cell for other in rows for cell in other.cells)
    return any(a <= middle[0] <= a + c and b <= middle[1] <= b + d for a, b, c, d in cells)


def _is_wall(line: Segment, row: Row) -> bool:
    middle = (line.x0 + line.x1) / 2
    return any(
        bar.level
        and bar.x0 - 4 <= middle <= bar.x1 + 4
        and abs(line.at(middle) - _at(bar, middle)) < 6
        for bar in row.bars
    )


def _at(bar: Bar, x: float) -> float:
    return bar.y0 + (x - bar.x0) * (bar.y1 - bar.y0) / max(bar.x1 - bar.x0, 1)


def _comb_on(mask: Picture, line: Segment, up: bool, most: tuple[float, float]) -> Row | None:
    """Returns the comb above or below a line; `most` is how thick and how high its ticks are."""
    size = (round(line.length) + 9, _HIGHEST)
    left = line.x0 - 4
    sign = -1.0 if up else 1.0
    start = line.at(left) + sign * (line.thick / 2 + 2)
    # columns along the line, rows away from it
    matrix = np.array([[1.0, -sign * line.slope, left], [line.slope, sign, start]])
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    strip = cv2.warpAffine(mask, matrix, size, flags=flags, borderValue=(0,))
    if not strip[0].any():  # nothing stands on the line
        return None
    wide = cv2.dilate(strip, np.ones((1, 3), np.uint8)).astype(bool)
    high = np.cumprod(wide, axis=0).sum(0)
    ticks = _ticks(high, most[1])
    if len(ticks) < _TICKS:
        return None
    usual = float(np.median([h for _, h, _ in ticks]))
    ticks = [t for t in ticks if abs(t[1] - usual) <= _LIKE * usual + 1]
    places = _even([t[0] for t in ticks if t[2] <= most[0]])
    if len(places) < _TICKS:
        return None
    pitch = (places[-1] - places[0]) / (len(places) - 1)
    ends = (places[0] - 4, line.length - places[-1] + 4)
    missing = [abs(end - pitch) <= 0.15 * pitch for end in ends]
    if any(end > 0.3 * pitch + 4 for end, one in zip(ends, missing, strict=True) if not one):
        return None
    first = [places[0] - pitch] if missing[0] else []  # a digit stands over it, or it was cut away
    last = [places[-1] + pitch] if missing[1] else []
    places = [*first, *places, *last]
    return _row(line, left, places, usual, up, float(np.median([t[2] for t in ticks])))


def _ticks(high: NDArray[np.int64], highest: float) -> list[tuple[float, float, float]]:
    """Returns the thin bars: their middle column, height and thickness."""
    flags = np.concatenate([[False], high >= _SHORTEST, [False]])
    edges = np.flatnonzero(np.diff(flags.astype(np.int8)))
    ticks = []
    for u0, u1 in zip(edges[::2], edges[1::2], strict=True):
        tall = float(high[u0:u1].max())
        thick = u1 - u0 - 2
        if thick <= THICKEST and tall >= max(_SHORTEST, 1.5 * thick) and tall < highest:
            ticks.append(((u0 + u1 - 1) / 2, tall, float(max(thick, 1))))
    return ticks


def _even(places: list[float]) -> list[float]:
    """Returns the places that are one step apart, one in a row left out at most; else none."""
    best: list[float] = []
    most = 0.0
    for i, first in enumerate(places):
        for second in places[i + 1 : i + 3]:
            chain = _chain(places, first, second - first) if second - first >= _NARROWEST else []
            seen = sum(place in places for place in chain)
            value = seen - 1.5 * (len(chain) - seen)
            if value > most and len(places) - seen <= seen // 2:
                best, most = chain, value
    return best


def _chain(places: list[float], first: float, pitch: float) -> list[float]:
    chain, at, missed = [first], first, False
    while at <= places[-1]:
        at += pitch
        off, near = min((abs(p - at), p) for p in places)
        if off <= max(2.0, _OFF * pitch):
            at, missed = near, False
        elif missed:
            break
        else:
            missed = True
        chain.append(at)
    while chain[-1] not in places:
        chain.pop()
    return chain


def _row(
    line: Segment, left: float, places: list[float], tall: float, up: bool, thick: float
) -> Row | None:
    pitch = (places[-1] - places[0]) / (len(places) - 1)
    if not 0.1 * pitch <= tall <= 3.5 * pitch:
        return None
    sign = -1.0 if up else 1.0
    away = max(1.3 * pitch, tall)
    bars = [Bar(line.x0 - 2, line.at(line.x0 - 2), line.x1 + 2, line.at(line.x1 + 2), line.thick)]
    cells = []
    for place in places:
        x, y = left + place, line.at(left + place)
        bars.append(
            Bar(x, y, x - sign * line.slope * tall, y + sign * (tall + 2 + line.thick), thick)
        )
    for a, b in pairwise(places):
        x0, x1 = round(left + a + thick), round(left + b)
        y = line.at((x0 + x1) / 2)
        y0, y1 = sorted((y + sign * line.thick, y + sign * away))
        y0 = max(y0, 0)
        cells.append((x0, round(y0), x1 - x0, round(y1 - y0)))
    return Row(tuple(cells), tuple(bars))
