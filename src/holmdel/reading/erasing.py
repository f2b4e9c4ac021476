"""Walls and rules taken away from the ink, strokes that crossed them mended."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.frames import Bar
from holmdel.reading.image import Picture, dilated
from holmdel.reading.segments import components

_WIDER = 1.5  # pixels on each side of a line that are the line's
_STRAYS = 2  # pixels that a line strays from where it should be
_FAR = 0.08  # how much less a place counts for each pixel that it is away from there
_EVEN = 31  # pixels along a line over which it is looked for
_BESIDE = 7  # pixels on each side that are looked at
_PALER = 40  # of 255 that a line must be paler than the writing for strokes over it to be seen
_SLIVER = 2  # pixels: what is left along a line that was taken away


class _Lane(NamedTuple):
    """The surroundings of a bar set level: rows and columns (n, k) of the sheet's pixels.

    `off` (n, 1) is where the bar's middle is, `away` (n, k) how far each pixel is from it.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    away: NDArray[np.float64]
    half: float

    def of(self, image: Picture) -> Picture:
        """Returns the surroundings on an image."""
        return image[self.rows, self.columns]

    def add(self, image: Picture, mask: NDArray[np.bool_]) -> None:
        """Makes ink of part of the surroundings."""
        image[self.rows[mask], self.columns[mask]] = 255


def without_bars(
    ink: Picture, light: Picture, faint: Picture, bars: Sequence[Bar]
) -> tuple[Picture, Picture]:
    """Returns the ink without some bars, and the ink that was taken away.

    Args:
        ink: uint8 (h, w), 255 on ink.
        light: uint8 (h, w), paper 255.
        faint: uint8 (h, w), 255 on ink and on pale lines.
        bars: the walls and rules.
    """
    lines = np.zeros_like(ink)
    lanes = [lane for bar in bars for lane in [_lane(faint, bar)] if lane is not None]
    for lane in lanes:
        lane.add(lines, (lane.of(faint) > 0) & (np.abs(lane.away) <= lane.half))
    if not lines.any():
        return ink, lines
    bare = ink & ~lines
    pen = float(np.percentile(light[bare > 0], 40)) if bare.any() else 255.0
    clean = bare.copy()
    for lane in lanes:
        _mend(clean, bare, ink & lines, light, pen, lane)
    return _without_slivers(clean, lines), lines


def _lane(faint: Picture, bar: Bar) -> _Lane | None:
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
    reach = round(half) + _BESIDE
    middle = first + (along - begin) * (last - first) / max(end - begin, 1.0)
    steps = np.arange(-reach, reach + 1)
    across = np.round(middle)[:, None].astype(np.int64) + steps
    inside = (across >= 0) & (across < height)
    across = across.clip(0, height - 1)
    places = np.broadcast_to(along[:, None], across.shape)
    rows, columns = (across, places) if bar.level else (places, across)
    inked = np.where(inside, faint[rows, columns], 0).astype(np.float32) / 255
    size = (max(round(bar.thick), 1) | 1, min(_EVEN, len(along)))
    seen = cv2.blur(inked, size, borderType=cv2.BORDER_REPLICATE) - _FAR * np.abs(steps)
    seen[:, np.abs(steps) > _STRAYS] = -1
    found = steps[seen.argmax(1)].astype(np.float32)[:, None]
    off = cv2.blur(found, (1, min(_EVEN, len(along))), borderType=cv2.BORDER_REPLICATE)
    away = np.where(inside, steps - off, 1e3)
    return _Lane(rows, columns, away, half)


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
    before = _spread(beside & near & (lane.away < 0))
    after = _spread(beside & near & (lane.away > 0))
    crossing = (before & after) > 0
    pale = float(np.median(lane.of(light)[own]))
    if pale - pen >= _PALER:
        crossing = crossing & False
        dark = lane.of(light) < (pale + pen) / 2 - 5
        lane.add(clean, own & dark & _close_to(beside, lane))
    lane.add(clean, own & crossing)


def _spread(mask: NDArray[np.bool_]) -> Picture:
    """Returns (n, 1), where along a bar there is something, and right beside that."""
    found = np.where(mask, 1, 0).max(1).astype(np.uint8)
    return dilated(found[:, None], 3, 1)


def _close_to(beside: NDArray[np.bool_], lane: _Lane) -> NDArray[np.bool_]:
    """Returns what is near to a stroke beside a bar."""
    reach = 2 * round(lane.half) + 3
    return dilated(beside.astype(np.uint8), reach, reach) > 0


def _without_slivers(clean: Picture, lines: Picture) -> Picture:
    """Returns the ink without what is left along the lines: thin, and nothing to write with."""
    beside = dilated(lines, 5, 5) & clean
    labels, stats = components(clean)
    w, h, area = (stats[:, n] for n in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    touching: NDArray[np.bool_] = np.zeros(len(stats), bool)
    touching[labels[beside > 0]] = True
    inside = np.bincount(labels[beside > 0], minlength=len(stats))
    thin = (np.minimum(w, h) <= _SLIVER) | (area <= 6) | (inside >= 0.9 * area)
    drop = touching & thin
    drop[0] = False
    return np.where(drop[labels], 0, clean).astype(np.uint8)
