"""What is printed around and between the characters of a line: combs, boxes, frames and rules.

Their upright sides are walls, a class of their own. A wall is straight, as tall as the frame, and
of the frame's ink; a one is not.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from holmdel.alphabet import WALL
from holmdel.reader_training.synthesis.degrade import Canvas
from holmdel.reader_training.synthesis.lines import BEGIN, HEIGHT, MARGIN, Placed

CELLS = ("comb", "comb", "comb", "boxes")  # of which every character has its own
AROUND = ("frame", "frame", "frame", "left", "right", "both", "column")
_APART = 6  # pixels from which two walls are told apart
_BASE = MARGIN + HEIGHT


@dataclass(frozen=True)
class Cells:
    """The cells of a comb: how many, and the pixels from one to the next."""

    count: int
    pitch: float
    begin: float = BEGIN


class _Print:
    """A canvas on which walls and bars are drawn."""

    def __init__(self, shape: tuple[int, ...], r: random.Random) -> None:
        self.canvas = np.zeros(shape, np.uint8)
        self.r = r
        self.ink = r.choice((r.randint(200, 255), r.randint(90, 190)))
        self.width = r.choice((1, 2, 2, 2, 3, 4, 5))
        if self.width == 1:
            self.ink = max(self.ink, 110)
        self.skew = r.gauss(0, 0.006) if r.random() < 0.7 else r.gauss(0, 0.025)
        self.lean = self.skew if r.random() < 0.7 else r.gauss(0, 0.01)
        self.walls: list[float] = []

    def wall(self, x: float, top: float, bottom: float) -> None:
        """Draws an upright line."""
        middle = (top + bottom) / 2
        ends = [(x - self.lean * (y - middle), y + self.skew * x) for y in (top, bottom)]
        self._line(*ends)
        if not self.walls or x - self.walls[-1] > _APART:
            self.walls.append(x)

    def bar(self, left: float, right: float, y: float) -> None:
        """Draws a line across."""
        self._line((left, y + self.skew * left), (right, y + self.skew * right))

    def _line(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        (x0, y0), (x1, y1) = ([round(16 * v) for v in point] for point in (begin, end))
        cv2.line(self.canvas, (x0, y0), (x1, y1), self.ink, self.width, cv2.LINE_AA, 4)

    def wear(self) -> None:
        """Dots the lines, or takes pieces out."""
        r, (height, width) = self.r, self.canvas.shape
        kind = r.random()
        if kind < 0.12:
            period = r.randint(4, 9)
            gone = max(1, round(period * r.uniform(0.25, 0.55)))
            holes = np.arange(height) % period < gone
            across = np.arange(width) % period < gone
            self.canvas[holes[:, None] & across[None, :]] = 0
            self.canvas[np.ix_(holes, ~across)] //= 3
        elif kind < 0.25:
            for _ in range(r.randint(1, 6)):
                x, y = r.randrange(width), r.randrange(height)
                self.canvas[y : y + r.randint(2, 12), x : x + r.randint(2, 60)] = 0


def surround(
    kind: str,
    placed: Sequence[Placed],
    cells: Cells,
    shape: tuple[int, ...],
    r: random.Random,
) -> tuple[Canvas, list[float]]:
    """Returns what is printed around a line, uint8 (H, W), and where its walls stand.

    Args:
        kind: one of `CELLS` or `AROUND`.
        placed: the line's characters.
        cells: of a comb or of boxes.
        shape: H and W.
        r: where the numbers come from.
    """
    print_ = _Print(shape, r)
    top = _BASE - HEIGHT * (r.uniform(1.0, 1.6) if r.random() < 0.85 else r.uniform(0.85, 1.0))
    bottom = _BASE + HEIGHT * (r.uniform(0.05, 0.45) if r.random() < 0.85 else r.uniform(-0.1, 0.1))
    if kind == "comb":
        _comb(print_, cells, top, bottom)
    elif kind == "boxes":
        _boxes(print_, cells, top, bottom)
    else:
        _around(print_, kind, placed, top, bottom)
    print_.wear()
    return print_.canvas, print_.walls


def _comb(print_: _Print, cells: Cells, top: float, bottom: float) -> None:
    r = print_.r
    open_ends = r.random() < 0.08
    if r.random() < 0.2:  # teeth, shorter than the digits
        top = bottom - HEIGHT * r.uniform(0.25, 0.8)
    for number in range(cells.count + 1):
        if not (open_ends and number in (0, cells.count)):
            print_.wall(cells.begin + number * cells.pitch, top, bottom)
    left, right = cells.begin, cells.begin + cells.count * cells.pitch
    if r.random() < 0.85:
        print_.bar(left, right, bottom)
    if r.random() < 0.6:
        print_.bar(left, right, top)


def _boxes(print_: _Print, cells: Cells, top: float, bottom: float) -> None:
    room = print_.r.uniform(0.06, 0.16) * cells.pitch
    for number in range(cells.count):
        left = cells.begin + number * cells.pitch + room
        right = left + cells.pitch - 2 * room
        print_.wall(left, top, bottom)
        print_.wall(right, top, bottom)
        print_.bar(left, right, top)
        print_.bar(left, right, bottom)


def _around(print_: _Print, kind: str, placed: Sequence[Placed], top: float, bottom: float) -> None:
    r = print_.r
    near, far = (
        HEIGHT * (r.uniform(0, 0.5) if r.random() < 0.8 else r.uniform(0.5, 2.5)) for _ in range(2)
    )
    height, width = print_.canvas.shape
    left = max(3.0, min((p.left for p in placed), default=BEGIN) - near)
    right = min(width - 4.0, max((p.right for p in placed), default=4 * HEIGHT) + far)
    if kind == "column":
        _column(print_, placed, top, bottom)
        return
    if kind in ("left", "right", "both") and r.random() < 0.6:  # past the edges of what is seen
        top, bottom = 0, height
    if kind != "right":
        print_.wall(left, top, bottom)
    if kind != "left":
        print_.wall(right, top, bottom)
    if kind == "frame":
        print_.bar(left, right, top)
        print_.bar(left, right, bottom)


def _column(print_: _Print, placed: Sequence[Placed], top: float, bottom: float) -> None:
    """Draws a rule between two characters, as between units and cents, where there is room."""
    room = [
        (before.right + after.left) / 2
        for before, after in pairwise(placed)
        if after.left - before.right > print_.width + 10
    ]
    if room:
        print_.wall(print_.r.choice(room), top - HEIGHT * 0.2, bottom + HEIGHT * 0.2)


def with_walls(placed: Sequence[Placed], walls: Sequence[float]) -> str:
    """Returns what a network reads of a line: its characters and walls from left to right."""
    text, waiting = "", sorted(walls, reverse=True)
    for one in placed:
        while waiting and waiting[-1] < (one.left + one.right) / 2:
            waiting.pop()
            text += WALL
        text += one.label
    return text + WALL * len(waiting)
