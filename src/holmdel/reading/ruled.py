"""Ruled tables: cells between lines across and lines down that cross, bent ones too."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from holmdel.reading.frames import Bar, Cell, Row, Segment
from holmdel.reading.image import Picture
from holmdel.reading.strips import SMALLEST

_GAP = 30.0  # pixels between two pieces of one line, or a part of the shorter one
_GAP_PART = 0.3
_OFF = 3.0  # pixels by which the next piece may stand off the line
_LINE = 60.0  # pixels of a table's line at least
_REACH = 8.0  # pixels by which a line may end short of another that it crosses
_CLOSED = 0.75  # of a cell's side that is ink
_BESIDE = 2  # pixels beside a line in which its ink is looked for
_CROSSED = 3  # lines that a table's line crosses
_CELLS = 6  # of a table at least
_SQUARED = 8, 1.33  # rows and columns, and times as long as high: squared paper, no table
_LEAST = SMALLEST - 4  # pixels: no cell is lower or narrower
_ROWS_TRIED = 3  # lines under a cell's top, of which one is its bottom


@dataclass(frozen=True)
class Table:
    """A ruled table: its cells in rows, and which lines across are its own."""

    rows: tuple[Row, ...]
    levels: frozenset[Segment]


@dataclass(frozen=True, eq=False)
class _Line:
    """A line of pieces, from left to right (or from above, of one that runs down)."""

    pieces: tuple[Segment, ...]
    along: NDArray[np.float64]
    across: NDArray[np.float64]

    def at(self, place: float) -> float:
        """Returns where it is across, at a place along it."""
        return float(np.interp(place, self.along, self.across))

    def reaches(self, place: float) -> bool:
        """Returns whether it is there, or ends a little before."""
        return bool(self.along[0] - _REACH <= place <= self.along[-1] + _REACH)

    @property
    def thick(self) -> float:
        """Pixels."""
        return median(piece.thick for piece in self.pieces)


@dataclass(frozen=True)
class _Room:
    """A cell between the lines with these numbers: above, below, left and right of it."""

    above: int
    below: int
    left: int
    right: int


def ruled(mask: Picture, levels: Sequence[Segment], uprights: Sequence[Segment]) -> Table:
    """Returns the cells of ruled tables.

    Each has ink on all four sides, and each line crosses three others or more: what is no table but
    a box or a row of boxes has no such lines.

    Args:
        mask: uint8 (h, w), 255 on ink, faint lines too.
        levels: lines across.
        uprights: lines down, as on the sheet turned over its diagonal.
    """
    across, down = _lines(levels), _lines(uprights)
    lattice = _Lattice(across, down)
    turned = np.ascontiguousarray(mask.T)
    closed = [room for room in lattice.rooms() if lattice.is_closed(room, mask, turned)]
    tables = [table for table in _joined(closed) if not lattice.is_squared(table)]
    rooms = [room for table in tables for room in table]
    rows: dict[int, list[_Room]] = {}
    for room in rooms:
        rows.setdefault(room.above, []).append(room)
    own = {number for room in rooms for number in (room.above, room.below)}
    pieces = frozenset(piece for number in own for piece in across[number].pieces)
    return Table(tuple(lattice.row(some) for some in rows.values()), pieces)


def _lines(segments: Sequence[Segment]) -> list[_Line]:
    """Returns lines of pieces that go on from one another, from above; shorter ones are none."""
    chains: list[list[Segment]] = []
    for piece in sorted(segments, key=lambda s: s.x0):
        home = next((chain for chain in chains if _goes_on(chain[-1], piece)), None)
        if home is None:
            chains.append([piece])
        else:
            home.append(piece)
    long = [chain for chain in chains if chain[-1].x1 - chain[0].x0 >= _LINE]
    return [_line(chain) for chain in sorted(long, key=lambda c: c[0].y0 + c[-1].y1)]


def _goes_on(piece: Segment, other: Segment) -> bool:
    gap = other.x0 - piece.x1
    if not -_REACH <= gap <= max(_GAP, _GAP_PART * min(piece.length, other.length)):
        return False
    middle = (piece.x1 + other.x0) / 2
    return abs(piece.at(middle) - other.at(middle)) <= _OFF


def _line(chain: list[Segment]) -> _Line:
    ends = [(end, s.at(end)) for s in chain for end in (s.x0, s.x1)]
    along, across = np.array(sorted(ends)).T
    return _Line(tuple(chain), along, across)


def _joined(rooms: Sequence[_Room]) -> list[list[_Room]]:
    """Returns the cells of each table: those that share sides, in two rows and columns or more."""
    beside: dict[_Room, list[_Room]] = {room: [] for room in rooms}
    left = {(room.above, room.below, room.left): room for room in rooms}
    top = {(room.left, room.right, room.above): room for room in rooms}
    for room in rooms:
        right = left.get((room.above, room.below, room.right))
        under = top.get((room.left, room.right, room.below))
        for other in (right, under):
            if other is not None:
                beside[room].append(other)
                beside[other].append(room)
    tables: list[list[_Room]] = []
    while beside:
        table = [next(iter(beside))]
        for room in table:  # grows meanwhile
            table += [other for other in beside.pop(room, ()) if other not in table]
        tables.append(table)
    return [
        table
        for table in tables
        if len(table) >= _CELLS
        and len({room.above for room in table}) > 1
        and len({room.left for room in table}) > 1
    ]


class _Lattice:
    """Where lines across and lines down cross."""

    def __init__(self, across: list[_Line], down: list[_Line]) -> None:
        self._across, self._down = across, down
        self._points = {
            (i, j): point
            for i, level in enumerate(across)
            for j, upright in enumerate(down)
            if (point := _crossing(level, upright)) is not None
        }
        while few := self._few():
            for pair in few:
                del self._points[pair]

    def _few(self) -> list[tuple[int, int]]:
        """Returns the crossings of lines that cross too few others."""
        if not self._points:
            return []
        pairs = np.array(list(self._points))
        counts = [np.bincount(column)[column] for column in pairs.T]
        few = (counts[0] < _CROSSED) | (counts[1] < _CROSSED)
        return [(int(i), int(j)) for i, j in pairs[few]]

    def rooms(self) -> list[_Room]:
        """Returns what lies between crossings: each goes to the next ones right and below."""
        under: dict[int, list[tuple[float, int]]] = {}
        beside: dict[int, list[tuple[float, int]]] = {}
        for (i, j), (x, y) in self._points.items():
            under.setdefault(j, []).append((y, i))
            beside.setdefault(i, []).append((x, j))
        for places in (*under.values(), *beside.values()):
            places.sort()
        found = []
        for (above, left), (x, y) in self._points.items():
            lower = under[left][bisect_left(under[left], (y + _LEAST, -1)) :]
            right = beside[above][bisect_left(beside[above], (x + _LEAST, -1)) :]
            pairs = (
                _Room(above, below, left, j)
                for _, below in lower[:_ROWS_TRIED]
                for _, j in right
                if (below, j) in self._points
            )
            room = next(pairs, None)
            if room is not None:
                found.append(room)
        return found

    def is_closed(self, room: _Room, mask: Picture, turned: Picture) -> bool:
        """Returns whether there is ink on all sides of a cell."""
        sides = [
            (self._across[n], mask, self._points[n, room.left][0], self._points[n, room.right][0])
            for n in (room.above, room.below)
        ]
        sides += [
            (self._down[n], turned, self._points[room.above, n][1], self._points[room.below, n][1])
            for n in (room.left, room.right)
        ]
        return all(_share(*side) >= _CLOSED for side in sides)

    def is_squared(self, rooms: Sequence[_Room]) -> bool:
        """Returns whether the cells are the squares of paper: as long as high, and many."""
        cells = [self._cell(room) for room in rooms]
        wide, high = (median(cell[n] for cell in cells) for n in (2, 3))
        rows, columns = (len({getattr(r, side) for r in rooms}) for side in ("above", "left"))
        many, alike = _SQUARED
        return min(rows, columns) >= many and max(wide, high) <= alike * min(wide, high)

    def row(self, rooms: Sequence[_Room]) -> Row:
        """Returns cells side by side, and the lines around them in pieces, as they are bent."""
        bars: list[Bar] = []
        for room in rooms:
            for n in (room.above, room.below):
                ends = (self._points[n, side] for side in (room.left, room.right))
                bars += _bars(self._across[n], *(x for x, _ in ends), level=True)
            for n in (room.left, room.right):
                ends = (self._points[side, n] for side in (room.above, room.below))
                bars += _bars(self._down[n], *(y for _, y in ends), level=False)
        cells = sorted(self._cell(room) for room in rooms)
        return Row(tuple(cells), tuple(bars))

    def _cell(self, room: _Room) -> Cell:
        """Returns the inside of a cell: x, y, width and height."""
        corners = [
            self._points[i, j] for i in (room.above, room.below) for j in (room.left, room.right)
        ]
        (x, y) = np.array(corners).T
        half = [self._across[room.above].thick / 2, self._down[room.left].thick / 2]
        x0, x1 = round(x[::2].mean() + half[1]) + 1, round(x[1::2].mean() - half[1]) - 1
        y0, y1 = round(y[:2].mean() + half[0]) + 1, round(y[2:].mean() - half[0]) - 1
        return x0, y0, x1 - x0, y1 - y0


def _crossing(level: _Line, upright: _Line) -> tuple[float, float] | None:
    """Returns x and y of where two lines cross; None where they do not."""
    if upright.across.max() < level.along[0] - _REACH:
        return None
    if upright.across.min() > level.along[-1] + _REACH:
        return None
    y = float(level.across.mean())
    for _ in range(3):
        x = upright.at(y)
        y = level.at(x)
    return (x, y) if level.reaches(x) and upright.reaches(y) else None


def _share(line: _Line, mask: Picture, start: float, end: float) -> float:
    """Returns the part of a line from one place along it to another that is ink."""
    places = np.arange(round(start), round(end) + 1).clip(0, mask.shape[1] - 1)
    rows = np.interp(places, line.along, line.across).round().astype(np.int64)
    around = np.arange(-_BESIDE, _BESIDE + 1)[:, None]
    near = mask[(rows + around).clip(0, mask.shape[0] - 1), places]
    return float((near > 0).any(0).mean())


def _bars(line: _Line, start: float, end: float, *, level: bool) -> list[Bar]:
    """Returns a line from one place along it to another, straight from bend to bend."""
    bends = [a for a in line.along.tolist() if start + 1 < a < end - 1]
    places = [(a, line.at(a)) for a in (start, *bends, end)]
    ends = [(*one, *other) for one, other in pairwise(places)]
    if not level:
        ends = [(y0, x0, y1, x1) for x0, y0, x1, y1 in ends]
    return [Bar(*four, line.thick) for four in ends]
