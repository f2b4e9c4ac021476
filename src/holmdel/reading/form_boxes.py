"""The boxes and combs of a form, in the order a person reads them, and their labels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from holmdel.reading.answers import Box
from holmdel.reading.image import Picture, dilated
from holmdel.reading.layout import find_layout
from holmdel.reading.tesseract import Words

_HIGHEST = 0.08  # of the page's longer side; higher boxes hold more than a line
_INSIDE = 0.2  # of a mark that lies in boxes: it was written there
_WALLS = 13  # pixels: a window as high and wide as two walls are thick at most
_EDGE = 5  # pixels across which ink fades into paper
_EVEN = 3  # from how many cells on a comb's are alike
_NARROW = 1.6  # times its height: how wide a box for one digit is at most


@dataclass(frozen=True)
class Found:
    """A box or comb on a picture: its cells from the left, in pixels."""

    cells: tuple[Box, ...]

    @property
    def box(self) -> tuple[float, int, float, int]:
        """The box around all cells; with gaps between cells, half a gap more at the ends."""
        x, y = min(c[0] for c in self.cells), min(c[1] for c in self.cells)
        right = max(c[0] + c[2] for c in self.cells)
        bottom = max(c[1] + c[3] for c in self.cells)
        gaps = [b[0] - a[0] - a[2] for a, b in pairwise(self.cells)]
        gap = float(np.median(gaps)) if gaps else 0.0
        return x - gap / 2, y, right - x + gap, bottom - y

    @property
    def even(self) -> tuple[Box, ...]:
        """The cells, all of one size: a digit on a wall does not move the others."""
        if len(self.cells) < _EVEN:
            return self.cells
        x, y, w, h = self.box
        wide = min(round(float(np.median([cell[2] for cell in self.cells]))), round(w))
        pitch = w / len(self.cells)
        lefts = (x + (number + 0.5) * pitch - wide / 2 for number in range(len(self.cells)))
        return tuple((round(left), y, wide, h) for left in lefts)

    @property
    def narrow(self) -> bool:
        """Whether one digit is all that fits."""
        _, _, w, h = self.box
        return len(self.cells) == 1 and w <= _NARROW * h


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes and combs of a sheet.

    Attributes:
        found: those in which a line may be written, in the order a person reads them.
        writing: uint8 (h, w), 255 inside of them, and on what is written there and reaches out.
    """

    found: tuple[Found, ...]
    writing: Picture


def find_boxes(ink: Picture, light: Picture) -> Boxes:
    """Returns the boxes and combs of a straight sheet.

    Args:
        ink: uint8 (h, w), 255 on ink.
        light: uint8 (h, w), the sheet in even light.
    """
    layout = find_layout(ink, light)
    low = [box for box in layout.boxes if box.h <= _HIGHEST * max(ink.shape)]
    found = in_order([Found(box.cells) for box in low])
    inside = np.zeros(ink.shape, bool)
    for x, y, w, h in (cell for one in found for cell in one.even):
        inside[y : y + h, x : x + w] = True
    count, labels, stats, _ = cv2.connectedComponentsWithStats(layout.ink, connectivity=8)
    within = np.bincount(labels[inside], minlength=count) >= _INSIDE * stats[:, cv2.CC_STAT_AREA]
    within[0] = False
    marks = dilated(np.where(within[labels], 255, 0).astype(np.uint8), _EDGE, _EDGE)
    cells = np.where(inside, 255, 0).astype(np.uint8)
    return Boxes(tuple(found), cells | (marks & ~dilated(cells, _WALLS, _WALLS)))


def in_order(found: Sequence[Found]) -> list[Found]:
    """Returns boxes by rows from the top, in a row from the left."""
    rows: list[list[Found]] = []
    for one in sorted(found, key=lambda f: f.box[1] + f.box[3] / 2):
        middle = one.box[1] + one.box[3] / 2
        first = rows[-1][0].box if rows else None
        if first and middle - first[1] - first[3] / 2 < 0.5 * min(first[3], one.box[3]):
            rows[-1].append(one)
        else:
            rows.append([one])
    return [one for row in rows for one in sorted(row, key=lambda f: f.box[0])]


def label_of(found: Found, words: Sequence[Words]) -> str:
    """Returns the label left of a box, or above it, as a name; empty where there is none."""
    x, y, w, h = found.box
    left = [
        (x - (b[0] + b[2]), one)
        for one in words
        for b in [one.box]
        if -2 <= x - (b[0] + b[2]) <= 4 * h and y <= b[1] + b[3] / 2 <= y + h
    ]
    above = [
        (y - (b[1] + b[3]), one)
        for one in words
        for b in [one.box]
        if -0.3 * h <= y - (b[1] + b[3]) <= 0.6 * h and b[0] < x + w and b[0] + b[2] > x
    ]
    near = min(left, key=_distance, default=None) or min(above, key=_distance, default=None)
    return _as_name(near[1].text.partition(":")[0]) if near else ""


def _distance(pair: tuple[float, Words]) -> float:
    return pair[0]


def _as_name(label: str) -> str:
    """Returns a label in small letters and digits, joined by hyphens.

    >>> _as_name("Section  No.:")
    'section-no'
    """
    return re.sub(r"[\W_]+", "-", label.lower()).strip("-")[:40]
