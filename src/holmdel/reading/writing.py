"""Writing on a page: marks of ink joined to lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.frames import Box
from holmdel.reading.image import Picture, run_over
from holmdel.reading.pieces import LEAST_HEIGHT, are_rings, around

_MOST_MARKS = 4000  # the largest; a photograph of leaves has more
_TALLEST = 0.7  # of the page
_GAP = 1.3  # times the height: how far apart two digits of a field are at most
_JOIN = 1.04  # times the highest digit near a gap
_COMB_GAP = 3.0
_TAIL = 1.25  # times the second highest mark: no higher are digits, but for a tail
_HALF = (0.25, 0.8)  # of the digits' height: half of one
_BROKEN = 0.15  # of the digits' height: no wider is the gap in a broken stroke
_WHOLE = 1.25  # of the digits' height: no higher are two halves together
_WIDEST = 1.5  # times its box's height: a mark that fills it


@dataclass(frozen=True)
class Marks:
    """The connected pieces of ink of a page, from left to right.

    Attributes:
        label: int32 (N,), its number in `labels`.
        box: int32 (N, 4), x, y, width, height.
        area: int32 (N,), pixels of ink.
        region: int32 (N,), the number of the box or comb it stands in, 0 for none.
        room: int32 (N,), how high that is, 0 for none.
        labels: int32 (h, w).
    """

    label: NDArray[np.int32]
    box: NDArray[np.int32]
    area: NDArray[np.int32]
    region: NDArray[np.int32]
    room: NDArray[np.int32]
    labels: NDArray[np.int32]

    def around(self, some: Sequence[int]) -> tuple[int, int, int, int]:
        """Returns left, top, right and bottom of some marks, by their indexes."""
        return around(self.box[list(some)])


def marks_of(ink: Picture, boxes: Sequence[Box]) -> Marks:
    """Returns the marks that may be digits or pieces of digits.

    Args:
        ink: uint8 (h, w), 255 on ink.
        boxes: printed ones; their numbers, from 1, are the marks' regions.
    """
    _, labels, stats, centres = cv2.connectedComponentsWithStats(ink, connectivity=8)
    regions = regions_of(ink.shape, boxes)
    heights = np.array([0, *(box.h for box in boxes)], np.int32)
    places = np.nan_to_num(centres).round().astype(int)
    rooms = heights[regions[places[:, 1], places[:, 0]]]
    chosen = np.flatnonzero(_may_count(stats, rooms, ink.shape) & ~are_rings(labels, stats))
    chosen = chosen[np.argsort(-stats[chosen, 3], kind="stable")][:_MOST_MARKS]
    chosen = chosen[np.argsort(stats[chosen, 0], kind="stable")]
    middle = places[chosen]
    numbers = labels.astype(np.int32, copy=False)
    region = regions[middle[:, 1], middle[:, 0]]
    box = stats[chosen, :4].astype(np.int32, copy=False)
    area = stats[chosen, 4].astype(np.int32, copy=False)
    return Marks(chosen.astype(np.int32), box, area, region, heights[region], numbers)


def _may_count(
    stats: NDArray[Any], rooms: NDArray[np.int32], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Returns which pieces of ink are marks: neither specks nor too large.

    Args:
        stats: (N, 5), x, y, width, height, pixels; the first one's are the paper's.
        rooms: (N,), how high the box is in which each stands, 0 for none; it may be filled.
        shape: of the page.
    """
    height, width = shape
    _, _, w, h, area = stats.T
    fits = (h < _TALLEST * height) & (w < 0.5 * width) & ~run_over(stats, shape)
    fits |= (rooms > 0) & (h <= rooms + 2) & (w <= _WIDEST * rooms)
    keep = (np.maximum(w, h) >= 4) & (area >= 8) & fits
    keep[0] = False
    return np.asarray(keep, np.bool_)


def regions_of(shape: tuple[int, ...], boxes: Sequence[Box]) -> NDArray[np.int32]:
    """Returns the number of the box around each pixel, from 1; 0 for none."""
    regions = np.zeros(shape, np.int32)
    for number, box in enumerate(boxes, start=1):
        top, left = max(box.y - 2, 0), max(box.x - 2, 0)
        regions[top : box.y + box.h + 2, left : box.x + box.w + 2] = number
    return regions


def lines_of(marks: Marks, combs: frozenset[int]) -> list[list[int]]:
    """Returns lines, each the indexes of its marks from left to right.

    A mark goes on with the nearest one to its right that stands at its height, unless the gap is
    wider than a digit is high; small marks (a dash, the flag of a 5) join the line around them.
    """
    parent = list(range(len(marks.box)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    tall = np.flatnonzero(_may_be_digit(marks))
    for place, i in enumerate(tall):
        follower = _next(marks, int(i), tall[place + 1 :], combs)
        if follower is not None:
            parent[root(follower)] = root(int(i))
    chains: dict[int, list[int]] = {}
    for i in tall:
        chains.setdefault(root(int(i)), []).append(int(i))
    lines = _with_halves(marks, _joined(marks, _absorbed(marks, list(chains.values()))))
    return _with_pieces(marks, lines, tall)


def _absorbed(marks: Marks, chains: list[list[int]]) -> list[list[int]]:
    """Returns the chains; one low mark inside another's rectangle (the flag of a 5) goes to it."""
    homes = [chain for chain in chains if len(chain) > 1]
    extents = [marks.around(home) for home in homes]
    highs = [float(np.median(marks.box[home, 3])) for home in homes]
    lines = list(homes)
    for chain in chains:
        if len(chain) > 1:
            continue
        x, y, w, h = (int(v) for v in marks.box[chain[0]])
        for home, (left, top, right, bottom), high in zip(homes, extents, highs, strict=True):
            inside = left <= x + w / 2 <= right and top <= y + h / 2 <= bottom
            if inside and h < 0.7 * high and marks.region[chain[0]] == marks.region[home[0]]:
                home.append(chain[0])
                home.sort()
                break
        else:
            lines.append(chain)
    return lines


def _joined(marks: Marks, chains: list[list[int]]) -> list[list[int]]:
    """Returns the chains; two that go on at the same height are one line.

    The gap is measured by the highest digits near it: between two small zeros it may be wide.
    """
    lines: list[list[int]] = []
    tails: list[_End] = []
    for chain in sorted(chains, key=lambda c: int(marks.box[c, 0].min())):
        head = _end(marks, chain[:3])
        home = next((n for n, tail in enumerate(tails) if _goes_on(tail, head)), None)
        if home is None:
            lines.append(list(chain))
            tails.append(_end(marks, chain[-3:]))
        else:
            lines[home].extend(chain)
            tails[home] = _end(marks, lines[home][-3:])
    return lines


class _End(NamedTuple):
    """The first or last marks of a line: their rectangle, the highest mark, the box around."""

    left: int
    top: int
    right: int
    bottom: int
    high: int
    region: int


def _end(marks: Marks, few: list[int]) -> _End:
    return _End(*marks.around(few), int(marks.box[few, 3].max()), int(marks.region[few[0]]))


def _goes_on(tail: _End, head: _End) -> bool:
    high = max(tail.high, head.high)
    gap = head.left - tail.right
    if tail.region != head.region or not -0.3 * high <= gap <= _JOIN * high:
        return False
    shared = min(tail.bottom, head.bottom) - max(tail.top, head.top)
    low = min(tail.bottom - tail.top, head.bottom - head.top)
    return shared >= 0.6 * low and low > 0.4 * high


def _with_halves(marks: Marks, lines: list[list[int]]) -> list[list[int]]:
    """Returns the lines; one of nothing but other halves of a line's digits is joined to it.

    Strokes are broken where the ink is faint or a rule was taken away.
    """
    if len(lines) < 2:
        return lines
    around = np.array([marks.around(line) for line in lines])
    second = np.array([np.sort(marks.box[line, 3])[-2:][0] for line in lines])
    high = np.minimum(around[:, 3] - around[:, 1], _TAIL * second)
    region = marks.region[[line[0] for line in lines]]
    whole: dict[int, list[int]] = {}
    for n in np.argsort(-high, kind="stable").tolist():
        left, top, right, bottom = around[n]
        near = (region == region[n]) & (high > high[n])
        near &= (left < around[:, 2]) & (right > around[:, 0])
        near &= (top < around[:, 3] + _BROKEN * high) & (bottom > around[:, 1] - _BROKEN * high)
        homes = (i for i in np.flatnonzero(near).tolist() if i in whole)
        home = next((i for i in homes if _are_halves(marks, lines[n], lines[i], high[i])), None)
        whole.setdefault(n if home is None else home, []).extend(lines[n])
    return [whole[n] for n in sorted(whole)]


def _are_halves(marks: Marks, line: list[int], home: list[int], high: float) -> bool:
    """Returns whether all marks of a line are other halves of digits of one so high."""
    upper, lower = marks.box[home, None], marks.box[line]
    low, up = lower[:, 3], upper[..., 3]
    ends = upper[..., :2] + upper[..., 2:], lower[:, :2] + lower[:, 2:]
    across = np.minimum(ends[0][..., 0], ends[1][:, 0]) - np.maximum(upper[..., 0], lower[:, 0])
    tall = np.maximum(ends[0][..., 1], ends[1][:, 1]) - np.minimum(upper[..., 1], lower[:, 1])
    joined = across >= 0.5 * np.minimum(upper[..., 2], lower[:, 2])
    joined &= (tall - up - low <= _BROKEN * high) & (tall <= _WHOLE * high)
    joined &= (low >= _HALF[0] * high) & (low <= _HALF[1] * high)
    return bool(joined.any(0).all())


def _may_be_digit(marks: Marks) -> NDArray[np.bool_]:
    w, h = marks.box[:, 2], marks.box[:, 3]
    return (h >= LEAST_HEIGHT) & (w < 6 * h)


def _next(marks: Marks, i: int, later: NDArray[np.int64], combs: frozenset[int]) -> int | None:
    """Returns the mark that stands next to the right of mark i in its line."""
    x, y, w, h = (int(v) for v in marks.box[i])
    boxes = marks.box[later]
    widest = _COMB_GAP if marks.region[i] in combs else _GAP
    gap = boxes[:, 0] - (x + w)
    shared = np.minimum(boxes[:, 1] + boxes[:, 3], y + h) - np.maximum(boxes[:, 1], y)
    fits = shared >= 0.4 * np.minimum(boxes[:, 3], h)
    fits &= gap <= widest * np.maximum(boxes[:, 3], h)
    fits &= np.maximum(boxes[:, 3], h) <= 4 * np.minimum(boxes[:, 3], h)
    fits &= marks.region[later] == marks.region[i]
    if not fits.any():
        return None
    behind = np.maximum(gap[fits], 0) + 0.2 * np.abs(boxes[fits, 3] - h)
    return int(later[fits][np.argmin(behind)])


def _with_pieces(marks: Marks, lines: list[list[int]], tall: NDArray[np.int64]) -> list[list[int]]:
    """Returns the lines with the small marks that lie between their digits."""
    loose = np.setdiff1d(np.arange(len(marks.box)), tall)
    centre = marks.box[:, :2] + marks.box[:, 2:] / 2
    whole = []
    for line in lines:
        box = marks.box[line]
        high = float(np.median(box[:, 3]))
        left, right = box[:, 0].min() - 0.3 * high, (box[:, 0] + box[:, 2]).max() + 0.3 * high
        top, bottom = box[:, 1].min(), (box[:, 1] + box[:, 3]).max()
        at = centre[loose]
        near = (at[:, 0] > left) & (at[:, 0] < right) & (at[:, 1] > top) & (at[:, 1] < bottom)
        near &= marks.region[loose] == marks.region[line[0]]
        both = line + [int(i) for i in loose[near]]
        whole.append(sorted(both, key=lambda i: (int(marks.box[i, 0]), i)))
    return whole
