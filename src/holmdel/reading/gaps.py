"""Numbers written with wide gaps inside: their parts joined, those of columns left apart."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from holmdel.reading.found import Found
from holmdel.reading.image import Picture
from holmdel.reading.thresholds import READING
from holmdel.reading.writing import Marks


class Part(NamedTuple):
    """A line of digits: its number among the lines, the rectangle around it, how high it is."""

    number: int
    left: int
    top: int
    right: int
    bottom: int
    high: float


def parts_of_numbers(lines: Sequence[Found], marks: Marks, printed: Picture) -> list[list[int]]:
    """Returns the lines that are parts of one number, by their indexes, from the left.

    They stand outside of boxes, at one height, no farther apart than digits are high or a little
    more, and not in columns: there the rows beside have a gap at the same place, and the numbers
    begin or end one below the other. No printed line stands between them.

    Args:
        lines: as the network read them.
        marks: of the page.
        printed: uint8 (h, w), 255 on printed walls and rules.
    """
    parts = [_part(n, line, marks) for n, line in enumerate(lines) if line.loose]
    rows = _rows(parts)
    groups: list[list[int]] = []
    for row in rows:
        others = [other for other in rows if other is not row]
        groups.append([row[0].number])
        for left, right in pairwise(row):
            if not _go_on(left, right, marks) or _are_apart(left, right, others, printed):
                groups.append([])
            groups[-1].append(right.number)
    return [group for group in groups if len(group) > 1]


def marks_between(lines: Sequence[Found], marks: Marks) -> list[int]:
    """Returns the marks of lines and what else stands in the rectangle around them."""
    own = [i for line in lines for i in line.marks]
    x0, y0, x1, y1 = marks.around(own)
    middle = marks.box[:, :2] + marks.box[:, 2:] / 2
    inside = (middle[:, 0] > x0) & (middle[:, 0] < x1) & (middle[:, 1] > y0) & (middle[:, 1] < y1)
    inside &= marks.region == marks.region[own[0]]
    return sorted({*own, *np.flatnonzero(inside).tolist()}, key=lambda i: int(marks.box[i, 0]))


def _part(number: int, line: Found, marks: Marks) -> Part:
    high = np.sort(marks.box[list(line.marks), 3])  # half of the ink's height: pieces count little
    middle = int(np.searchsorted(np.cumsum(high), high.sum() / 2))
    return Part(number, *marks.around(line.marks), float(high[middle]))


def _rows(parts: Sequence[Part]) -> list[list[Part]]:
    """Returns the parts by rows, each from the left."""
    rows: list[list[Part]] = []
    for part in sorted(parts, key=lambda p: p.left):
        row = next((row for row in rows if _level(row[-1], part)), None)
        if row is None:
            rows.append([part])
        else:
            row.append(part)
    return rows


def _level(one: Part, other: Part) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared >= READING.level_parts * min(one.bottom - one.top, other.bottom - other.top)


def _go_on(left: Part, right: Part, marks: Marks) -> bool:
    high = max(left.high, right.high)
    even = _alike(left.high, right.high) or _alike(left.bottom - left.top, right.bottom - right.top)
    gap = right.left - left.right
    if not even or gap < 0:
        return False
    most = READING.widest_gap * high
    return gap <= most or _widest_free(left, right, marks, high) <= most


def _widest_free(left: Part, right: Part, marks: Marks, high: float) -> float:
    """Returns the widest gap between two parts and what stands between them: a broken digit."""
    x, y, w, h = marks.box.T
    top, bottom = min(left.top, right.top), max(left.bottom, right.bottom)
    middle = y + h / 2
    between = (x >= left.right) & (x + w <= right.left) & (middle > top) & (middle < bottom)
    between &= (h >= READING.broken_between * high) & (marks.region == 0)
    reach, widest = left.right, 0
    for start, end in sorted(zip(x[between].tolist(), (x + w)[between].tolist(), strict=True)):
        widest, reach = max(widest, start - reach), max(reach, end)
    return max(widest, right.left - reach)


def _alike(high: float, other: float) -> bool:
    """Returns whether parts are as high, by their pieces or by the rectangles around them."""
    return max(high, other) <= READING.alike_parts * min(high, other)


def _are_apart(left: Part, right: Part, others: Sequence[Sequence[Part]], printed: Picture) -> bool:
    """Returns whether two parts near each other are numbers of their own."""
    return _is_walled(left, right, printed) or _in_columns(left, right, others)


def _is_walled(left: Part, right: Part, printed: Picture) -> bool:
    """Returns whether a printed line stands between two parts."""
    top, bottom = max(left.top, right.top), min(left.bottom, right.bottom)
    between = printed[top:bottom, left.right : right.left] > 0
    return bool(between.size and between.mean(0).max() >= READING.wall_between)


def _in_columns(left: Part, right: Part, rows: Sequence[Sequence[Part]]) -> bool:
    """Returns whether a gap goes on through the rows that reach as far, at an edge of numbers."""
    near = READING.column_edge * max(left.high, right.high)
    across = [row for row in rows if row[0].left < left.right and row[-1].right > right.left]
    alike = [row for row in across if any(_edge(left, right, *two, near) for two in _gaps(row))]
    return bool(alike) and len(alike) >= READING.column_rows * len(across)


def _gaps(row: Sequence[Part]) -> list[tuple[Part, Part]]:
    return [
        (a, b) for a, b in pairwise(row) if b.left - a.right >= READING.gap * max(a.high, b.high)
    ]


def _edge(left: Part, right: Part, before: Part, behind: Part, near: float) -> bool:
    """Returns whether two gaps lie one below the other, and one of their edges in one line."""
    shared = min(right.left, behind.left) - max(left.right, before.right)
    narrow = min(right.left - left.right, behind.left - before.right)
    edges = min(abs(right.left - behind.left), abs(left.right - before.right))
    return shared >= READING.column_overlap * narrow and edges <= near
