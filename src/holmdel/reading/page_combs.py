"""Combs on a form: cells for one digit each, put together, missing ones added, ticks found."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from holmdel.reading.page_ink import Picture, dilated

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
