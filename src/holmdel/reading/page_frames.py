"""Printed frames on a page: boxes, combs and rules, found and taken away from the ink."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.page_masks import Picture as Mask
from holmdel.reading.page_masks import closed, dilated, eroded, opened

_SMALLEST_CELL = 14  # pixels high and wide: a digit of a working picture stands in it
_RECTANGULAR = 0.88  # of the rectangle around a hole's hull; an ellipse fills 0.785
_RULE_THICK = 9  # pixels; thicker is a stroke of a broad pen, or a bar
_ONE_DIGIT = 1.6  # times its height: how wide a cell for one digit is at most


@dataclass(frozen=True)
class Cell:
    """The inside of a printed box: corner, width and height."""

    x: int
    y: int
    w: int
    h: int


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
    regions = np.zeros(ink.shape, np.int32)
    combs = set()
    heights = [0]
    for number, group in enumerate(_groups(cells), start=1):
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
            if not any(_same(cell, other) for other in cells):
                cells.append(cell)
                _draw_walls(walls, ink, cell, hull)
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


def _same(cell: Cell, other: Cell) -> bool:
    x, y = cell.x + cell.w // 2, cell.y + cell.h // 2
    inside = other.x <= x < other.x + other.w and other.y <= y < other.y + other.h
    return inside and cell.w * cell.h > 0.5 * other.w * other.h


def _draw_walls(walls: Mask, ink: Mask, cell: Cell, hull: NDArray[np.int32]) -> None:
    """Adds straight ink close to the border of a cell."""
    reach = max(6, round(0.12 * min(cell.w, cell.h)))
    x0, y0 = max(0, cell.x - reach - 1), max(0, cell.y - reach - 1)
    part = ink[y0 : cell.y + cell.h + reach + 1, x0 : cell.x + cell.w + reach + 1]
    inside = np.zeros_like(part)
    cv2.fillConvexPoly(inside, hull - np.array([x0, y0], np.int32), (255,))
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


def _groups(cells: list[Cell]) -> list[list[Cell]]:
    """Returns the cells in fields: those of a comb together, each other box alone."""
    groups: list[list[Cell]] = []
    for cell in sorted(cells, key=lambda c: (c.x, c.y)):
        home = next((g for g in groups if _continues(g, cell)), None)
        if home is None:
            groups.append([cell])
        else:
            home.append(cell)
    return groups


def _continues(group: list[Cell], cell: Cell) -> bool:
    """Returns whether the cell is the next one of the comb."""
    last = group[-1]
    gap = cell.x - (last.x + last.w)
    level = abs(cell.y - last.y) + abs(cell.y + cell.h - last.y - last.h) < 0.3 * last.h
    narrow = max(cell.w, last.w) <= _ONE_DIGIT * min(cell.h, last.h)
    if not (level and narrow) or gap < -3:
        return False
    alike = abs(cell.w - last.w) < 0.2 * last.w
    return gap <= 12 or (alike and gap <= 0.6 * last.w)


def _bridge(regions: NDArray[np.int32], group: list[Cell], number: int) -> None:
    for left, right in pairwise(group):
        top, bottom = min(left.y, right.y), max(left.y + left.h, right.y + right.h)
        regions[top:bottom, left.x + left.w : right.x] = number
