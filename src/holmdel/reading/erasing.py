"""Walls and rules taken away from the ink, strokes that crossed them mended."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.frames import Bar
from holmdel.reading.image import Picture, dilated, opened
from holmdel.reading.segments import components

_RUN = 12  # pixels along a line that are ink: of the line itself, not of a stroke across it
_WIDER = 1.5  # pixels on each side of a line that are the line's
_PALER = 40  # of 255 that a line must be paler than the writing for strokes over it to be seen
_SLIVER = 2  # pixels: what is left along a line that was taken away


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
    for bar in bars:
        _mark(lines, faint, bar)
    if not lines.any():
        return ink, lines
    bare = ink & ~lines
    clean = bare.copy()
    pen = float(np.percentile(light[bare > 0], 40)) if bare.any() else 255.0
    for bar in bars:
        _mend(clean, bare, ink & lines, light, pen, bar)
    return _without_slivers(clean, lines), lines


def _window(bar: Bar, room: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    height, width = shape
    x0, x1 = sorted((bar.x0, bar.x1))
    y0, y1 = sorted((bar.y0, bar.y1))
    rows = slice(int(np.clip(y0 - room, 0, height)), int(np.clip(y1 + room + 1, 0, height)))
    return rows, slice(int(np.clip(x0 - room, 0, width)), int(np.clip(x1 + room + 1, 0, width)))


def _band(bar: Bar, window: tuple[slice, slice], thick: float) -> Picture:
    """Returns a line of some thickness in a window of the sheet."""
    band = np.zeros([s.stop - s.start for s in window], np.uint8)
    along = np.array([bar.x1 - bar.x0, bar.y1 - bar.y0])
    along = along / max(float(np.hypot(*along)), 1e-6)
    across = np.array([-along[1], along[0]]) * thick / 2
    ends = np.array([[bar.x0, bar.y0], [bar.x1, bar.y1]]) - [window[1].start, window[0].start]
    corners = np.array([ends[0] - across, ends[1] - across, ends[1] + across, ends[0] + across])
    shift = 4  # bits after the point
    points = np.round(corners * (1 << shift)).astype(np.int32)
    cv2.fillConvexPoly(band, points, (255,), lineType=cv2.LINE_8, shift=shift)
    return band


def _mark(lines: Picture, faint: Picture, bar: Bar) -> None:
    """Adds the ink of a bar: on its line, and close to it where it runs along."""
    window = _window(bar, bar.thick / 2 + 5, lines.shape)
    part = faint[window]
    if not part.size:
        return
    near = part & _band(bar, window, bar.thick + 2 * _WIDER)
    if bar.level:
        runs = opened(part, 1, _RUN) & ~opened(part, round(bar.thick) + 4, 1)
    else:
        runs = opened(part, _RUN, 1) & ~opened(part, 1, round(bar.thick) + 4)
    lines[window] |= near | (runs & _band(bar, window, bar.thick + 6))


def _mend(
    clean: Picture, bare: Picture, lost: Picture, light: Picture, pen: float, bar: Bar
) -> None:
    """Adds the ink of a bar over which there is a stroke on both sides, or one that is darker.

    Args:
        clean: what is added to.
        bare: the ink without all bars.
        lost: the ink of all bars.
        light: how bright it is.
        pen: how bright the writing is.
        bar: a wall or rule.
    """
    window = _window(bar, bar.thick + 4, clean.shape)
    part = bare[window]
    if not part.any():
        return
    own = lost[window] & _band(bar, window, bar.thick + 6)
    reach = int(np.ceil(bar.thick + 2 * _WIDER)) + 2
    shape = (reach, 1) if bar.level else (1, reach)
    wide = dilated(part, 1, 3) if bar.level else dilated(part, 3, 1)
    joined = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones(shape, np.uint8)).astype(np.uint8)
    pale = float(np.median(light[window][own > 0])) if own.any() else 0.0
    if pale - pen >= _PALER:
        dark = np.where(light[window] < (pale + pen) / 2 - 5, 255, 0).astype(np.uint8)
        joined = dark & dilated(part, 2 * reach + 1, 2 * reach + 1)
    clean[window] |= joined & own


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
