"""Walls and rules taken away from the ink, strokes that crossed them mended."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.frames import Bar
from holmdel.reading.image import Picture, dilated, eroded
from holmdel.reading.segments import components

_WIDER = 1.5  # pixels on each side of a line that are the line's
_EDGE = 0.5  # the same of one whose thickness is measured
_ALONG = 0.7  # of its ink that is there at a side of a line: what is less is a stroke's
_STRAYS = 2  # pixels that a line strays from where it should be
_FAR = 0.08  # how much less a place counts for each pixel that it is away from there
_EVEN = 31  # pixels along a line over which it is looked for
_BESIDE = 7  # pixels on each side that are looked at
_PALER = 60  # of 255 that a line must be paler than the writing for strokes over it to be seen
_SLIVER = 2  # pixels: what is left along a line that was taken away


class _Lane(NamedTuple):
    """The surroundings of a bar set level: rows and columns (n, k) of the sheet's pixels.

    `off` (n, 1) is where the bar's middle is, `away` (n, k) how far each pixel is from it.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    away: NDArray[np.float64]
    half: float
    level: bool

    def of(self, image: Picture) -> Picture:
        """Returns the surroundings on an image."""
        return image[self.rows, self.columns]

    def add(self, image: Picture, mask: NDArray[np.bool_]) -> None:
        """Makes ink of part of the surroundings."""
        image[self.rows[mask], self.columns[mask]] = 255


def without_bars(
    ink: Picture, light: Picture, faint: Picture, bars: Sequence[Bar], zoom: float | None = None
) -> tuple[Picture, Picture]:
    """Returns the ink without some bars, and the ink that was taken away.

    Args:
        ink: uint8 (h, w), 255 on ink.
        light: uint8 (h, w), paper 255.
        faint: uint8 (h, w), 255 on ink and on pale lines.
        bars: the walls and rules.
        zoom: how much larger the image is than that on which they were found: their thickness is
            measured on it then. None where they were found on this one.
    """
    lines = np.zeros_like(ink)
    lanes = [lane for bar in bars for lane in [_lane(faint, bar, zoom or 1.0)] if lane is not None]
    if zoom:
        lanes = _as_thick(lanes, faint)
    for lane in lanes:
        own = (lane.of(faint) > 0) & (np.abs(lane.away) <= lane.half)
        lane.add(lines, own | _fringe(lane, faint) if zoom else own)
    if not lines.any():
        return ink, lines
    bare = ink & ~lines
    core = eroded(light, 3, 3)
    pen = float(np.percentile(core[bare > 0], 40)) if bare.any() else 255.0
    clean = bare.copy()
    for lane in lanes:
        _mend(clean, bare, ink & lines, light, pen, lane)
    return without_slivers(clean, lines, zoom or 1.0), lines


def _lane(faint: Picture, bar: Bar, zoom: float) -> _Lane | None:
    """Returns the surroundings of a bar, its middle where its ink is."""
    height, width = faint.shape
    begin, end, first, last = bar.x0, bar.x1, bar.y0, bar.y1
    if not bar.level:
        height, width = width, height
        begin, end, first, last = bar.y0, bar.y1, bar.x0, bar.x1
    if end < begin:
        begin, end, first, last = end, begin, last, first
    along = np.arange(max(round(begin), 0), min(round(end) + 1, width))
    if not len(along):
        return None
    half = bar.thick / 2 + _WIDER
    reach = round(half + _BESIDE * zoom)
    middle = first + (along - begin) * (last - first) / max(end - begin, 1.0)
    steps = np.arange(-reach, reach + 1)
    across = np.round(middle)[:, None].astype(np.int64) + steps
    inside = (across >= 0) & (across < height)
    across = across.clip(0, height - 1)
    places = np.broadcast_to(along[:, None], across.shape)
    rows, columns = (across, places) if bar.level else (places, across)
    inked = np.where(inside, faint[rows, columns], 0).astype(np.float32) / 255
    even = min(round(_EVEN * zoom), len(along))
    size = (max(round(bar.thick), 1) | 1, even)
    seen = cv2.blur(inked, size, borderType=cv2.BORDER_REPLICATE) - _FAR / zoom * np.abs(steps)
    seen[:, np.abs(steps) > _STRAYS * zoom] = -1
    found = steps[seen.argmax(1)].astype(np.float32)[:, None]
    off = cv2.blur(found, (1, even), borderType=cv2.BORDER_REPLICATE)
    away = np.where(inside, steps - off, 1e3)
    return _Lane(rows, columns, away, half, bar.level)


def _as_thick(lanes: Sequence[_Lane], faint: Picture) -> list[_Lane]:
    """Returns the lanes, the bars in them no thicker than most of their kind are."""
    sides = [_sides(lane, faint) for lane in lanes]
    level = np.array([lane.level for lane in lanes])
    thick = np.array([last - first for first, last in sides])
    done = []
    for lane, (first, last) in zip(lanes, sides, strict=True):
        usual = float(np.median(thick[level == lane.level]))
        half = min(last - first, usual + 1) / 2 + _EDGE
        done.append(lane._replace(away=lane.away - (first + last) / 2, half=half))
    return done


def _sides(lane: _Lane, faint: Picture) -> tuple[int, int]:
    """Returns from where to where a bar reaches across, in whole pixels from its middle."""
    far = int(np.ceil(lane.half))
    place = np.round(lane.away[lane.of(faint) > 0]).astype(np.int64)
    inked = np.bincount(place[np.abs(place) <= far] + far, minlength=2 * far + 1)
    first = last = far - 1 + int(inked[far - 1 : far + 2].argmax())
    enough = max(_ALONG * inked[first], 1)
    while first > 0 and inked[first - 1] >= enough:
        first -= 1
    while last < 2 * far and inked[last + 1] >= enough:
        last += 1
    return first - far, last - far


def _fringe(lane: _Lane, faint: Picture) -> NDArray[np.bool_]:
    """Returns the ink right beside a bar with paper close behind it: no stroke is so thin."""
    inked = lane.of(faint) > 0
    fringe = np.zeros_like(inked)
    for sign in (-1, 1):
        out = sign * lane.away - lane.half
        rows = [inked & (out > n) & (out <= n + 1) for n in range(3)]
        first, second, third = (row.any(1, keepdims=True) for row in rows)
        fringe |= rows[0] & ~(second & third)
        fringe |= rows[1] & first & ~third
    return fringe


def _mend(
    clean: Picture, bare: Picture, lost: Picture, light: Picture, pen: float, lane: _Lane
) -> None:
    """Adds the ink of a bar that is a stroke's: it goes on beside it, or is darker than the bar.

    Args:
        clean: what is added to.
        bare: the ink without all bars.
        lost: the ink of all bars.
        light: how bright it is.
        pen: how bright the writing is.
        lane: the surroundings of a wall or rule.
    """
    own = (lane.of(lost) > 0) & (np.abs(lane.away) <= lane.half)
    beside = lane.of(bare) > 0
    if not (own.any() and beside.any()):
        return
    near = np.abs(lane.away) <= lane.half + 1.5
    reach = 2 * max(round(lane.half - _WIDER), 1) + 1
    before = _spread(beside & near & (lane.away < 0), reach)
    after = _spread(beside & near & (lane.away > 0), reach)
    crossing = (before & after) > 0
    darkest = np.where(own, lane.of(light), 255).min(1)
    pale = float(np.median(darkest[own.any(1)]))
    if pale - pen >= _PALER:
        crossing = crossing & False
        dark = lane.of(light) < (pale + pen) / 2 - 5
        lane.add(clean, own & dark & _close_to(beside, lane))
    lane.add(clean, own & crossing)


def _spread(mask: NDArray[np.bool_], reach: int) -> Picture:
    """Returns (n, 1), where along a bar there is something, and right beside that."""
    found = np.where(mask, 1, 0).max(1).astype(np.uint8)
    return dilated(found[:, None], reach, 1)


def _close_to(beside: NDArray[np.bool_], lane: _Lane) -> NDArray[np.bool_]:
    """Returns what is near to a stroke beside a bar."""
    reach = 2 * round(lane.half) + 3
    return dilated(beside.astype(np.uint8), reach, reach) > 0


def without_slivers(clean: Picture, lines: Picture, zoom: float = 1.0) -> Picture:
    """Returns the ink without what is left along lines: thin, and nothing to write with.

    Args:
        clean: uint8 (h, w), 255 on ink.
        lines: uint8 (h, w), 255 where walls and rules were.
        zoom: how much larger the image is than the sheet.
    """
    near = 2 * round(_SLIVER * zoom) + 1
    beside = dilated(lines, near, near) & clean
    labels, stats = components(clean)
    w, h, area = (stats[:, n] for n in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    touching: NDArray[np.bool_] = np.zeros(len(stats), bool)
    touching[labels[beside > 0]] = True
    inside = np.bincount(labels[beside > 0], minlength=len(stats))
    thin = (np.minimum(w, h) <= _SLIVER * zoom) | (area <= 6 * zoom) | (inside >= 0.9 * area)
    drop = touching & thin
    drop[0] = False
    return np.where(drop[labels], 0, clean).astype(np.uint8)
