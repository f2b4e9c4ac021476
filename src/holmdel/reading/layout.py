"""What is printed around writing: boxes, combs and rules, found and taken away from the ink."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holmdel.reading.boxes import find_rows
from holmdel.reading.erasing import without_bars
from holmdel.reading.frames import THICKEST, Bar, Box, Cell, Row, Segment
from holmdel.reading.image import Picture, dilated
from holmdel.reading.ruled import ruled
from holmdel.reading.segments import dots_of, faint_lines, joined_dots, segments
from holmdel.reading.squares import squares
from holmdel.reading.ticks import open_combs

_ONE_DIGIT = 1.6  # times its height: how wide a cell for one digit is at most
_LEAST = 10.0  # of 255 under the paper: how faint a line is at most
_GRAIN = 4.0  # times the paper's grain, the same
_NEAR = 31  # pixels: twice how far from ink that is seen
_LEVEL, _UPRIGHT = 14, 40  # pixels of a run that begins a line across, or down
_ALIKE = 0.2  # of the width, by which cells of one comb differ
_APART = 1.0  # of the width: how far apart the boxes of one comb are, dashes between them
_EMPTY = 0.12  # of a letter's inside that is ink at most
_LETTER = 60  # pixels of the highest letter that is told from a box


@dataclass(frozen=True)
class Layout:
    """What is printed around the writing.

    Attributes:
        ink: uint8 (h, w), the ink without walls and rules.
        lines: uint8 (h, w), walls and rules, pale ones too.
        boxes: in reading order.
        bars: the walls and rules.
        pens: uint8 (h, w), the ink of which the colour tells that it is a pen's, on walls too; None
            on a page of one ink.
    """

    ink: Picture
    lines: Picture
    boxes: tuple[Box, ...]
    bars: tuple[Bar, ...] = ()
    pens: Picture | None = None


def find_layout(ink: Picture, light: Picture) -> Layout:
    """Returns boxes, combs and rules, and the ink without them.

    Args:
        ink: uint8 (h, w), 255 on ink, of a sheet that is straight but for some degrees.
        light: uint8 (h, w), its brightness, paper 255.
    """
    least = _faintest(ink, light)
    across = ink | faint_lines(light, least)
    down = np.ascontiguousarray(ink.T) | faint_lines(np.ascontiguousarray(light.T), least)
    dots, dots_down, high = dots_of(across | down.T)
    across |= joined_dots(dots)
    down |= joined_dots(np.ascontiguousarray(dots_down.T))
    levels, uprights = segments(across, _LEVEL), segments(down, _UPRIGHT)
    faint = across | np.ascontiguousarray(down.T)
    rows: list[Row] = []
    bars = squares(levels, uprights, ink.shape, high)
    if not bars:
        table = ruled(faint, levels, uprights)
        free = [line for line in levels if line not in table.levels]
        rows = [*table.rows, *find_rows(faint, light, free)]
        rows += open_combs(faint, levels, rows)
        bars = list(dict.fromkeys(bar for row in rows for bar in row.bars))  # cells share walls
        bars += _rules(levels, uprights, ink.shape, high)
    clean, lines = without_bars(ink, light, faint, bars)
    boxes = _in_order(_boxes(rows))
    letters = [box for box in boxes if _is_letter(box, clean)]
    boxes = [box for box in boxes if box not in letters]
    own = [_around(box, THICKEST) for box in boxes if letters]
    kept = [(part, clean[part].copy(), lines[part].copy()) for part in own]
    for box in letters:
        _restore(clean, lines, ink, box)
    for part, ink_there, lines_there in kept:
        clean[part], lines[part] = ink_there, lines_there
    return Layout(clean, lines, tuple(boxes), tuple(bars))


def _is_letter(box: Box, clean: Picture) -> bool:
    """Returns whether it is no box but a round letter or a zero: as small, and empty."""
    inside = clean[box.y : box.y + box.h, box.x : box.x + box.w]
    narrow = len(box.cells) == 1 and box.w <= _ONE_DIGIT * box.h
    empty = int(np.count_nonzero(inside)) <= _EMPTY * inside.size
    return narrow and box.h <= _LETTER and empty


def _restore(clean: Picture, lines: Picture, ink: Picture, box: Box) -> None:
    """Gives the walls of a box back to the ink."""
    around = _around(box, box.h)
    clean[around] |= ink[around]
    lines[around] = 0


def _around(box: Box, room: int) -> tuple[slice, slice]:
    """Returns the rows and columns of a box and of so many pixels around it."""
    rows = slice(max(box.y - room, 0), box.y + box.h + room)
    return rows, slice(max(box.x - room, 0), box.x + box.w + room)


def _faintest(ink: Picture, light: Picture) -> float:
    """Returns by how much a line must be darker than the paper beside it.

    The paper's grain is that near the writing: around a clipping there may be paper without any.
    """
    some = light[(dilated(ink, _NEAR, _NEAR) & ~dilated(ink, 5, 5)) > 0][::3].astype(np.float32)
    grain = 1.4826 * float(np.median(np.abs(some - np.median(some)))) if len(some) else 0.0
    return max(_LEAST, _GRAIN * grain)


def _rules(
    levels: Sequence[Segment], uprights: Sequence[Segment], shape: tuple[int, ...], high: float
) -> list[Bar]:
    """Returns long thin lines across (a rule) and down (a margin); `high` are the digits."""
    height, width = shape
    across = max(60, width // 8, 1.6 * high)
    down = max(60, height // 3, 1.2 * high)
    rules = [
        Bar(s.x0 - 2, s.at(s.x0 - 2), s.x1 + 2, s.at(s.x1 + 2), s.thick)
        for s in levels
        if s.length >= across and s.filled >= (0.6 if s.length > 0.5 * width else 0.8)
    ]
    long = [s for s in levels if s.length >= 0.3 * width]
    tilt = -float(np.median([s.slope for s in long])) if long else 0.0
    rules += [
        Bar(s.at(s.x0 - 2), s.x0 - 2, s.at(s.x1 + 2), s.x1 + 2, s.thick)
        for s in uprights
        if s.length >= down and s.filled >= 0.8 and s.off <= 0.35 and abs(s.slope - tilt) <= 0.008
    ]
    return rules


def _boxes(rows: list[Row]) -> list[Box]:
    """Returns the fields: cells for a digit each together, each wider one alone."""
    groups: list[list[Cell]] = []
    for row in rows:
        joined: list[Cell] = []
        for cell in row.cells:
            if joined and _share_a_wall(joined[-1], cell) and _alike(cell, joined[-1]):
                joined.append(cell)
            else:
                groups += [joined] if joined else []
                joined = [cell]
        if joined:
            groups.append(joined)
    return [_box(group) for group in _with_apart(groups)]


def _share_a_wall(cell: Cell, following: Cell) -> bool:
    """Returns whether cells are for a digit each, and nothing but a wall stands between them."""
    narrow = max(cell[2], following[2]) <= _ONE_DIGIT * min(cell[3], following[3])
    return narrow and following[0] - cell[0] - cell[2] <= THICKEST


def _alike(cell: Cell, other: Cell) -> bool:
    return abs(cell[2] - other[2]) <= 3 + _ALIKE * other[2]


def _with_apart(
    groups: list[list[Cell]],
) -> list[list[Cell]]:
    """Returns the groups; boxes of like size with gaps between them are one comb."""
    done: list[list[Cell]] = []
    for group in sorted(groups, key=lambda g: (g[0][0], g[0][1])):
        home = next((g for g in done if _goes_on(g[-1], group[0])), None)
        if home is None:
            done.append(list(group))
        else:
            home += group
    return done


def _goes_on(last: Cell, cell: Cell) -> bool:
    """Returns whether a cell is the next one of a comb."""
    gap = cell[0] - last[0] - last[2]
    low = min(last[3], cell[3])
    level = abs(cell[1] - last[1]) + abs(cell[1] + cell[3] - last[1] - last[3])
    narrow = max(cell[2], last[2]) <= _ONE_DIGIT * low
    return (
        level < 0.3 * low + 0.1 * abs(gap)
        and narrow
        and _alike(cell, last)
        and -3 <= gap <= max(12, _APART * last[2])
    )


def _box(cells: list[Cell]) -> Box:
    x0, y0 = min(c[0] for c in cells), min(c[1] for c in cells)
    x1, y1 = max(c[0] + c[2] for c in cells), max(c[1] + c[3] for c in cells)
    return Box(x0, y0, x1 - x0, y1 - y0, tuple(cells))


def _in_order(boxes: list[Box]) -> list[Box]:
    """Returns the boxes by rows from the top, in a row from the left."""
    rows: list[list[Box]] = []
    for box in sorted(boxes, key=lambda b: b.y + b.h / 2):
        if rows and box.y + box.h / 2 < rows[-1][0].y + rows[-1][0].h:
            rows[-1].append(box)
        else:
            rows.append([box])
    return [box for row in rows for box in sorted(row, key=lambda b: b.x)]
