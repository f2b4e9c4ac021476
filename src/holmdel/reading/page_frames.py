"""Printed frames on a page: boxes, combs and rules, found and taken away from the ink."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.page_combs import Cell, groups_of, missing_cells, same, ticks_of
from holmdel.reading.page_ink import Picture as Mask
from holmdel.reading.page_ink import closed, dilated, eroded, opened

_SMALLEST_CELL = 14  # pixels high and wide: a digit of a working picture stands in it
_RECTANGULAR = 0.88  # of the rectangle around a hole's hull; an ellipse fills 0.785
_RULE_THICK = 9  # pixels; thicker is a stroke of a broad pen, or a bar


@dataclass(frozen=True)
class Frames:
    """What is printed around the writing.

    Attributes:
        ink: uint8 (h, w), the ink without frames.
        lines: uint8 (h, w), the frames.
        regions: int32 (h, w), 0 outside boxes, else the number of the box or comb.
        combs: numbers of the regions that hold a digit a cell.
        heights: of the regions by their numbers; 0 for what is outside.
    """

    ink: Mask
    lines: Mask
    regions: NDArray[np.int32]
    combs: frozenset[int]
    heights: tuple[int, ...]


def without_frames(ink: Mask) -> Frames:
    """Returns the ink without boxes and rules, and where the boxes are."""
    cells, walls = _boxes(ink)
    rules = _rules(ink, horizontal=True) | _rules(ink, horizontal=False)
    lines = walls | rules
    lines |= ticks_of(ink & ~dilated(lines, 3, 3), rules)
    regions = np.zeros(ink.shape, np.int32)
    combs = set()
    heights = [0]
    for number, group in enumerate(groups_of(cells), start=1):
        for cell in group:
            regions[cell.y - 2 : cell.y + cell.h + 2, cell.x - 2 : cell.x + cell.w + 2] = number
        heights.append(max(cell.h for cell in group))
        if len(group) > 1:
            combs.add(number)
            _bridge(regions, group, number)
    clean = _mended(ink, lines)
    return Frames(clean, lines, regions, frozenset(combs), tuple(heights))


def _boxes(ink: Mask) -> tuple[list[Cell], Mask]:
    """Returns the cells, and the ink of their walls."""
    cells: list[Cell] = []
    walls = np.zeros_like(ink)
    for gap in (3, 5):  # the finer keeps writing from the walls, the wider closes broken walls
        for hull in _rectangles(ink, gap):
            cell = Cell(*cv2.boundingRect(hull))
            if not any(same(cell, other) for other in cells):
                cells.append(cell)
                _draw_walls(walls, ink, cell, hull)
    added = missing_cells(cells, ink)
    cells = [cell for cell in cells if not any(same(cell, whole) for whole in added)]
    for cell in added:
        x0, y0, x1, y1 = cell.x, cell.y, cell.x + cell.w - 1, cell.y + cell.h - 1
        _draw_walls(walls, ink, cell, np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.int32))
        cells.append(cell)
    return cells, walls


def _rectangles(ink: Mask, gap: int) -> Iterator[NDArray[np.int32]]:
    """Yields the hulls of rectangular holes in the ink, gaps of `gap - 1` pixels closed."""
    whole = closed(ink, gap, gap)
    contours, tree = cv2.findContours(whole, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    for contour, links in zip(contours, tree[0] if tree is not None else (), strict=True):
        if links[3] < 0:  # an outer border, not a hole
            continue
        _, _, w, h = cv2.boundingRect(contour)
        if w < _SMALLEST_CELL or h < _SMALLEST_CELL or h > 0.8 * ink.shape[0]:
            continue
        hull = cv2.convexHull(contour)
        if cv2.contourArea(hull) >= _RECTANGULAR * w * h:
            yield hull.astype(np.int32, copy=False)


def _draw_walls(walls: Mask, ink: Mask, cell: Cell, hull: NDArray[np.int32]) -> None:
    """Adds straight ink close to the border of a cell."""
    reach = max(6, round(0.12 * min(cell.w, cell.h)))
    x0, y0 = max(0, cell.x - reach - 1), max(0, cell.y - reach - 1)
    part = ink[y0 : cell.y + cell.h + reach + 1, x0 : cell.x + cell.w + reach + 1]
    inside = np.zeros_like(part)
    cv2.fillConvexPoly(inside, hull.reshape(-1, 2) - np.array([x0, y0], np.int32), (255,))
    ring = dilated(inside, 2 * reach + 1, 2 * reach + 1)
    ring &= ~eroded(inside, 7, 7)
    straight = opened(part, 1, max(9, round(0.3 * cell.w)))
    straight |= opened(part, max(9, round(0.4 * cell.h)), 1)
    walls[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]] |= straight & ring


def _rules(ink: Mask, *, horizontal: bool) -> Mask:
    """Returns the ink of long thin lines across (a rule) or down (a margin)."""
    side = ink.shape[1] if horizontal else ink.shape[0]
    long = max(60, side // (8 if horizontal else 3))
    if horizontal:
        lines = opened(dilated(ink, 3, 1), 1, long) & ink
        return lines & ~opened(ink, _RULE_THICK, 1)
    lines = opened(dilated(ink, 1, 3), long, 1) & ink
    return lines & ~opened(ink, 1, _RULE_THICK)


def _mended(ink: Mask, lines: Mask) -> Mask:
    """Returns the ink without the lines, joined again where strokes crossed them."""
    if not lines.any():
        return ink
    bare = ink & ~dilated(lines, 3, 3)
    bare |= ink & ~lines & dilated(bare, 3, 3)
    bridge = _RULE_THICK + 2
    joined = closed(bare, bridge, 1) | closed(bare, 1, bridge)
    return bare | (joined & lines)


def _bridge(regions: NDArray[np.int32], group: list[Cell], number: int) -> None:
    for left, right in pairwise(group):
        top, bottom = min(left.y, right.y), max(left.y + left.h, right.y + right.h)
        regions[top:bottom, left.x + left.w : right.x] = number
