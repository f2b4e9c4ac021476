"""Printed boxes and combs: walls that stand between two level lines."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import prod
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.combs import combs_of, extended, shares_of, spans_of, speaks
from holmdel.reading.frames import STEEPEST, STRONG, Bar, Cell, Row, Segment, Wall
from holmdel.reading.image import Picture
from holmdel.reading.strips import (
    ROOM,
    SMALLEST,
    Strip,
    covered,
    off_between,
    shade_of,
    strip_between,
    walls_of,
    with_borders,
)

_BOXED = 0.85  # the same of the four walls of a box for one digit
_CORNER = 5  # pixels beside a wall on which its level lines are seen
_CORNERS = 0.7  # of the corners of the cells
_UNLIKE = 70  # of 255 by which a wall is darker or paler than its level lines
_SHARP = 0.35  # of its height that is ink there at most
_BENT = 0.5  # pixels that the level lines of few cells stray
_SEVERAL = 1.3  # times a row's width: its level line is that of boxes beside it, too
_FEW = 4  # walls; of so few more must be there
_ALONE = 0.9  # the same of a wall inside a box, where no pitch speaks for it
_CLOSED = 0.6  # of a cell's top and bottom that is ink
_SLIM = 0.6  # of its height: how wide a row is at least
_STRIPS = 600  # that are looked at on one page


def find_rows(mask: Picture, light: Picture, lines: Sequence[Segment]) -> list[Row]:
    """Returns the boxes and combs between level lines.

    Args:
        mask: uint8 (h, w), 255 on ink, faint walls too.
        light: uint8 (h, w), how bright it is.
        lines: the level lines of the mask.
    """
    height, width = mask.shape
    sheet = np.dstack([mask, cv2.erode(light, np.ones((3, 3), np.uint8))])
    rows: list[Row] = []
    for top, bottom, over, under in _pairs(lines, height, width):
        strip = strip_between(sheet, top, bottom, over, under)
        if strip is not None:
            rows += _rows_of(strip, width)
    return _resolved(rows)


def _resolved(rows: list[Row]) -> list[Row]:
    """Returns the rows without cells that are another's ink, found twice, or a frame of others."""
    done: list[Row] = []
    known: list[Cell] = []
    for row in sorted(rows, key=lambda r: r.worth, reverse=True):
        others = np.array(known, np.int64).reshape(-1, 4)
        over = [[known[n] for n in np.flatnonzero(_shared(cell, others))] for cell in row.cells]
        kept = tuple(cell for cell, shared in zip(row.cells, over, strict=True) if not shared)
        larger = [
            _area(cell) > 1.5 * _area(other)
            for cell, shared in zip(row.cells, over, strict=True)
            for other in shared
        ]
        frame = bool(larger) and all(larger)
        if frame or (kept and not _strokes(row, over)):
            done.append(replace(row, cells=kept))
            known += kept
    return done


def _strokes(row: Row, over: list[list[Cell]]) -> bool:
    """Returns whether walls are strokes of what is written in other cells."""
    pairs = [(c, other) for c, others in zip(row.cells, over, strict=True) for other in others]
    return any(_area(other) > 1.5 * _area(cell) for cell, other in pairs)


def _area(cell: Cell) -> int:
    return cell[2] * cell[3]


def _shared(cell: Cell, others: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns which of the others, (N, 4), a cell covers, or lies in."""
    x, y, w, h = others.T
    across = np.minimum(cell[0] + cell[2], x + w) - np.maximum(cell[0], x)
    down = np.minimum(cell[1] + cell[3], y + h) - np.maximum(cell[1], y)
    least = 0.5 * np.minimum(_area(cell), w * h)
    return np.asarray((across > 0) & (down > 0) & (across * down > least), np.bool_)


def _pairs(
    lines: Sequence[Segment], height: int, width: int
) -> Iterator[tuple[Segment, Segment, bool, bool]]:
    """Yields lines that may be top and bottom of a row, the closest first; then image borders."""
    if lines:
        x0, x1, y0, slope = (
            np.array([getattr(s, name) for s in lines]) for name in ("x0", "x1", "y0", "slope")
        )
        shared = np.minimum(x1[:, None], x1) - np.maximum(x0[:, None], x0)
        middle = (np.minimum(x1[:, None], x1) + np.maximum(x0[:, None], x0)) / 2
        at = y0 + (middle - x0) * slope
        apart = at - (y0[:, None] + (middle - x0[:, None]) * slope[:, None])
        short = np.minimum((x1 - x0)[:, None], x1 - x0)
        fits = (apart >= SMALLEST) & (shared >= np.maximum(SMALLEST - 4, 0.5 * short))
        fits &= np.abs(slope[:, None] - slope) <= np.where(short < 60, STEEPEST, 0.03)
        fits &= (apart <= 0.98 * height) & (shared >= _SLIM * apart)
        above, below = np.nonzero(fits)
        order = np.argsort(apart[above, below])
        solid = np.array([s.filled >= 0.9 and s.off <= 0.4 for s in lines])
        done = 0
        for a, b in zip(above[order], below[order], strict=True):
            far = apart[a, b]
            between = fits[a] & fits[:, b] & (apart[a] <= far - 12) & (apart[:, b] <= far - 12)
            whole = solid & (np.minimum(shared[a], shared[:, b]) >= 0.95 * shared[a, b])
            if (between & whole).any():
                continue
            done += 1
            if done > _STRIPS:
                break
            yield lines[a], lines[b], False, False
    yield from _cut(lines, height, width)


def _cut(
    lines: Sequence[Segment], height: int, width: int
) -> Iterator[tuple[Segment, Segment, bool, bool]]:
    """Yields lines with the image's upper and lower border, and both borders together."""
    upper = Segment(-1, -1, width, -1, 1)
    lower = Segment(-1, height, width, height, 1)
    wide = [s for s in lines if s.length >= 0.5 * width]
    if wide:
        if wide[0].y0 >= SMALLEST:
            yield upper, wide[0], True, False
        if wide[-1].y0 <= height - SMALLEST:
            yield wide[-1], lower, False, True
    if width >= 1.5 * height:
        yield upper, lower, True, True


def _rows_of(strip: Strip, width: int) -> Iterator[Row]:
    """Yields the cells of a strip in rows that share walls."""
    first = ROOM + round(strip.top.thick / 2) + 1
    last = len(strip.ink) - ROOM - round(strip.bottom.thick / 2) - 1
    if last - first < 8:
        return
    seen = walls_of(strip.ink[first:last], strip.light[first:last])
    shade = shade_of(strip)
    walls = [w for w in seen if shade < 0 or abs(w.shade - shade) <= _UNLIKE]
    walls = with_borders(walls, strip, width)
    if sum(w.peak >= STRONG for w in walls) < 2:
        return
    closed = covered(strip)
    for span in spans_of(walls, closed):
        rows = combs_of(span, strip.height)
        combs = [extended(teeth, sorted({*walls, *seen}), closed) for teeth in rows]
        good = [teeth for teeth in combs if _good(teeth, strip, closed)]
        outer = [wall for wall in span if wall.peak >= _BOXED]
        if not good and len(outer) > 1:  # inside a box a tall 1 looks like a wall
            good = [teeth for teeth in [[outer[0], outer[-1]]] if _good(teeth, strip, closed)]
        for teeth in good:
            row = _row(strip, teeth, walls, closed)
            if row.cells:
                yield row


def _good(teeth: list[Wall], strip: Strip, covered: NDArray[np.float64]) -> bool:
    """Returns whether walls and level lines are a printed row of cells."""
    if strip.over or strip.under:
        return _holds(teeth, strip)
    steps = np.diff([w.middle for w in teeth])
    even = len(teeth) > _FEW and bool((np.abs(steps - np.median(steps)) <= 2 + 0.1 * steps).all())
    if not _cornered(teeth, covered, even):
        return False
    if not even and not all(test(teeth, strip) for test in (_one_pen, _square, _straight)):
        return False
    if len(teeth) == 2:
        return _is_box(teeth, strip, covered)
    shares = shares_of(covered, teeth[0].u0, teeth[-1].u1)
    return min(shares) >= (_CLOSED if even else _BOXED)


def _holds(teeth: list[Wall], strip: Strip) -> bool:
    """Returns whether walls that run into the image's border are a frame that was cut.

    Either they are many at one pitch, or they stand on both ends of the level line.
    """
    steps = np.diff([w.middle for w in teeth])
    real = [w for w in teeth[1:-1] if w.peak > 0]
    even = bool((np.abs(steps - np.median(steps)) <= 2 + 0.1 * np.median(steps)).all())
    many = even and len(real) >= 2 and np.mean([w.peak for w in real]) >= 0.8
    if strip.over and strip.under:
        width = strip.ends[1] - strip.ends[0]
        left = teeth[0].u0 + strip.left
        return bool(many and left <= 4 and left + teeth[-1].u1 - teeth[0].u0 >= width - 6)
    if many:
        return True
    u0, u1 = (end - strip.left for end in strip.ends)
    at_ends = abs(teeth[0].u0 - u0) <= 6 and abs(teeth[-1].u1 - u1) <= 6
    return at_ends and min(teeth[0].peak, teeth[-1].peak) >= _ALONE


def _cornered(teeth: list[Wall], covered: NDArray[np.float64], even: bool) -> bool:
    """Returns whether walls meet the level lines, which go on from there on both sides."""
    sides = [(w.u1, w.u1 + _CORNER) for w in teeth[:-1]]
    sides += [(w.u0 - _CORNER, w.u0) for w in teeth[1:]]
    last = covered.shape[1] - 1
    first, end = (
        np.asarray(n).round().astype(np.int64).clip(0, last) for n in zip(*sides, strict=True)
    )
    inked = covered[:, end] - covered[:, first] >= 0.8 * _CORNER
    return bool(np.mean(inked) >= (_CORNERS if even else _ALONE))


def _square(teeth: list[Wall], strip: Strip) -> bool:
    """Returns whether walls run into the level lines at right angles."""
    first = ROOM + round(strip.top.thick / 2) + 1
    last = len(strip.ink) - ROOM - round(strip.bottom.thick / 2) - 1
    for wall in teeth:
        if wall.peak >= STRONG and wall.shade > 0:
            u0, u1 = max(round(wall.u0) - 1, 0), round(wall.u1) + 2
            part = strip.ink[first:last, u0:u1].max(1) > 0
            if min(np.mean(part[:_CORNER]), np.mean(part[-_CORNER:])) < 0.7:
                return False
    return True


def _straight(teeth: list[Wall], strip: Strip) -> bool:
    """Returns whether the four sides are straight, unlike those of a 0."""
    if teeth[0].before > _SHARP or teeth[-1].after > _SHARP:
        return False
    width = teeth[-1].u1 - teeth[0].u0
    offs = [
        line.off if line.length < _SEVERAL * width else min(line.off, off_between(strip, teeth, at))
        for line, at in ((strip.top, 0.0), (strip.bottom, strip.height))
    ]
    return max(offs) <= _BENT


def _one_pen(teeth: list[Wall], strip: Strip) -> bool:
    """Returns whether walls and level lines are about equally thick."""
    thick = [strip.top.thick, strip.bottom.thick, *(w.thick for w in teeth if w.peak > 0)]
    return max(thick) <= 1.5 * min(thick) + 1.2


def _is_box(teeth: list[Wall], strip: Strip, covered: NDArray[np.float64]) -> bool:
    """Returns whether a single cell is printed, and no two strokes over two others."""
    left, right = teeth[0], teeth[-1]
    if min(left.peak, right.peak) < _BOXED:
        return False
    shares = shares_of(covered, left.u0, right.u1)
    wide = right.u0 - left.u1 > 3 * strip.height
    if min(shares) < (_CLOSED if wide else _BOXED):
        return False
    begins, ends = (end - strip.left for end in strip.ends)
    near = max(4.0, 0.15 * strip.height, 0.2 * (right.u0 - left.u1))
    return bool(begins <= left.u1 + near and ends >= right.u0 - near)


def _row(strip: Strip, teeth: list[Wall], span: list[Wall], covered: NDArray[np.float64]) -> Row:
    """Returns the cells between walls, and all bars around them."""
    cells, bars = [], []
    upper = 0.0 if strip.over else strip.top.thick / 2
    lower = strip.height - (0.0 if strip.under else strip.bottom.thick / 2)
    for left, right in pairwise(teeth):
        corners = [strip.to_sheet(u, v) for u in (left.u1 + 1, right.u0) for v in (upper, lower)]
        x, y = (np.array(places) for places in zip(*corners, strict=True))
        x0, x1 = round(float(x[:2].mean())), round(float(x[2:].mean()))
        y0, y1 = round(float(y[::2].mean())), round(float(y[1::2].mean()))
        if min(x1 - x0, y1 - y0) >= SMALLEST - 2:
            cells.append((x0 + 1, y0 + 1, x1 - x0 - 2, y1 - y0 - 1))
    first, last = teeth[0], teeth[-1]
    outer = [
        w
        for w in span
        if w.peak >= STRONG and (first.u0 - 12 <= w.u0 < first.u0 or last.u1 < w.u1 <= last.u1 + 12)
    ]
    for wall in [*(w for w in teeth if w.peak > 0), *outer]:
        ends = (strip.to_sheet(wall.middle, v) for v in (-2, strip.height + 2))
        bars.append(Bar(*next(ends), *next(ends), wall.thick))
    levels = ((strip.top, 0.0, strip.over), (strip.bottom, strip.height, strip.under))
    for line, v, border in levels:
        if not border:
            ends = (strip.to_sheet(u, v) for u in (first.u0 - 2, last.u1 + 2))
            bars.append(Bar(*next(ends), *next(ends), line.thick))
    usual = median(w.thick for w in teeth)
    worth = sum(speaks(w, usual) for w in teeth)
    worth *= prod(shares_of(covered, first.u0, last.u1))
    if len(cells) < 2:
        worth = -float(sum(_area(c) for c in cells))
    return Row(tuple(cells), tuple(bars), worth)
