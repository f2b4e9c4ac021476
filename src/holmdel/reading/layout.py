"""What is printed around writing: boxes, combs and rules, found and taken away from the ink."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.image import Picture, closed, dilated, eroded, opened

_ONE_DIGIT = 1.6  # times its height: how wide a cell for one digit is at most
_WALL = 7  # pixels around a cell in which its wall is looked for
_SEEN = 0.7  # of a wall's length that is ink
_LONGEST = 24  # cells
_TICKS = 3  # from how many on bars on a rule are a comb's
_TICK_WIDTH = 8  # pixels at most


@dataclass(frozen=True)
class Cell:
    """The inside of a printed box: corner, width and height."""

    x: int
    y: int
    w: int
    h: int


def same(cell: Cell, other: Cell) -> bool:
    """Returns whether two cells are one found twice."""
    x, y = cell.x + cell.w // 2, cell.y + cell.h // 2
    inside = other.x <= x < other.x + other.w and other.y <= y < other.y + other.h
    return inside and cell.w * cell.h > 0.5 * other.w * other.h


def groups_of(cells: Sequence[Cell]) -> list[list[Cell]]:
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


def missing_cells(cells: Sequence[Cell], ink: Picture) -> list[Cell]:
    """Returns cells of combs in which a digit ran into the walls, so that no hole was left."""
    added: list[Cell] = []
    for group in groups_of(cells):
        if len(group) < 2:
            continue
        w, h = (int(np.median([getattr(c, side) for c in group])) for side in "wh")
        pitch = int(np.median([right.x - left.x for left, right in pairwise(group)]))
        for end, step in ((group[-1], pitch), (group[0], -pitch)):
            for number in range(1, _LONGEST):
                cell = Cell(end.x + number * step, end.y, w, h)
                known = any(same(cell, o) and abs(o.h - h) < 0.3 * h for o in cells)
                if not known and not _walled(cell, ink):
                    break
                if not known and not any(same(cell, other) for other in added):
                    added.append(cell)
    return added


def _walled(cell: Cell, ink: Picture) -> bool:
    """Returns whether there is ink along all four sides of a cell."""
    height, width = ink.shape
    x0, y0, x1, y1 = cell.x, cell.y, cell.x + cell.w, cell.y + cell.h
    if x0 < _WALL or y0 < _WALL or x1 + _WALL > width or y1 + _WALL > height:
        return False
    around = ink[y0 - _WALL : y1 + _WALL, x0 - _WALL : x1 + _WALL] > 0
    inner = np.s_[_WALL:-_WALL]
    rows, columns = around[:, inner].mean(1), around[inner].mean(0)
    reach = 2 * _WALL
    sides = (rows[:reach], rows[-reach:], columns[:reach], columns[-reach:])
    return all(float(side.max()) >= _SEEN for side in sides)


def ticks_of(ink: Picture, rules: Picture) -> Picture:
    """Returns the short bars that divide an open comb: alike, evenly spaced, standing on a rule.

    Args:
        ink: uint8 (h, w) without the rules.
        rules: uint8 (h, w), the rules.
    """
    ticks = np.zeros_like(ink)
    if not rules.any():
        return ticks
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    below = dilated(rules, 9, 15) > 0
    bars = []
    for number, (x, y, w, h, _) in enumerate(stats.tolist()):
        foot = min(y + h, ink.shape[0] - 1)
        if number and w <= _TICK_WIDTH and h >= max(8, 2 * w) and below[foot, x + w // 2]:
            bars.append((y + h, x + w // 2, h, number))
    rows: list[list[tuple[int, int, int, int]]] = []
    for bar in sorted(bars):
        if rows and bar[0] - rows[-1][-1][0] <= 4:
            rows[-1].append(bar)
        else:
            rows.append([bar])
    for row in rows:
        high = float(np.median([h for _, _, h, _ in row]))
        alike = sorted((x, number) for _, x, h, number in row if abs(h - high) <= 0.2 * high + 1)
        if _evenly([x for x, _ in alike]):
            ticks |= np.isin(labels, [number for _, number in alike]).astype(np.uint8) * 255
    return ticks


def _evenly(places: list[int]) -> bool:
    """Returns whether places are steps of one width apart, but for some left out.

    >>> _evenly([10, 60, 110, 210]), _evenly([10, 60, 95])
    (True, False)
    """
    if len(places) < _TICKS:
        return False
    steps = np.diff(places)
    pitch = float(steps.min())
    counted = steps / max(pitch, 1.0)
    return pitch > _TICK_WIDTH and bool((np.abs(counted - counted.round()) < 0.15).all())


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

    ink: Picture
    lines: Picture
    regions: NDArray[np.int32]
    combs: frozenset[int]
    heights: tuple[int, ...]


def without_frames(ink: Picture) -> Frames:
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


def _boxes(ink: Picture) -> tuple[list[Cell], Picture]:
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


def _rectangles(ink: Picture, gap: int) -> Iterator[NDArray[np.int32]]:
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


def _draw_walls(walls: Picture, ink: Picture, cell: Cell, hull: NDArray[np.int32]) -> None:
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


def _rules(ink: Picture, *, horizontal: bool) -> Picture:
    """Returns the ink of long thin lines across (a rule) or down (a margin)."""
    side = ink.shape[1] if horizontal else ink.shape[0]
    long = max(60, side // (8 if horizontal else 3))
    if horizontal:
        lines = opened(dilated(ink, 3, 1), 1, long) & ink
        return lines & ~opened(ink, _RULE_THICK, 1)
    lines = opened(dilated(ink, 1, 3), long, 1) & ink
    return lines & ~opened(ink, 1, _RULE_THICK)


def _mended(ink: Picture, lines: Picture) -> Picture:
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
