"""Lines of handwriting, made on the fly."""

import random
from typing import NamedTuple

import cv2
import numpy as np

from holmdel.alphabet import DIGITS
from holmdel.reader_training.synthesis import texts
from holmdel.reader_training.synthesis.degrade import Canvas, Degrader
from holmdel.reader_training.synthesis.hands import some_hands
from holmdel.reader_training.synthesis.lines import (
    BEGIN,
    HEIGHT,
    LONGEST,
    MARGIN,
    Line,
    Placed,
    Scribe,
    print_words,
)
from holmdel.reader_training.synthesis.paper import Paper, Surfaces
from holmdel.reader_training.synthesis.surroundings import (
    AROUND,
    CELLS,
    Cells,
    surround,
    with_walls,
)
from holmdel.reader_training.synthesis.writers import FROM_HAND, Specimens, Writer, draw_writer

OUTLINED = 0.3  # part of the lines that a font's hand writes
# How often the digits of the other lines are drawn from allographs rather than taken from MNIST.
DRAWN = (0.0, 0.0, 0.2, 0.4, 0.6, 1.0)
EMPTY = 0.045  # part of the lines without a digit: words, empty combs and boxes, bare paper
SURROUNDED = 0.3  # part of the lines with a comb, boxes, a frame or rules


class StringSample(NamedTuple):
    """The image of a line, and its text.

    Attributes:
        image: uint8 (H, W), dark ink on lighter paper.
        text: digits, marks, walls and other ink in reading order, of `alphabet.ALPHABET`;
            empty where there is nothing.
    """

    image: Canvas
    text: str


class _Warped(NamedTuple):
    """A line's ink slanted, sloped and bent, and how its columns were moved."""

    ink: Canvas
    characters: list[Placed]
    reach: float
    narrow: float

    @property
    def placed(self) -> list[Placed]:
        """The characters where they came to stand."""
        return [Placed(one.label, self.x(one.left), self.x(one.right)) for one in self.characters]

    def x(self, x: float) -> float:
        """Returns where a column of the line came to stand, half-way up."""
        return (x + self.reach) * self.narrow


class StringMaker:
    """Makes lines of handwriting, one after the other, the same ones for the same seed.

    Args:
        specimens: digits that people wrote; if None, every digit is drawn.
        seed: of everything that is random.
        unseen: whether the fonts' hands are those that no training line is written by.
    """

    def __init__(self, specimens: Specimens | None, seed: int, *, unseen: bool = False) -> None:
        cv2.setNumThreads(1)
        self._hands = some_hands(unseen=unseen)
        self._specimens = specimens
        self._rng = np.random.default_rng(seed)
        self._r = random.Random(seed)
        surfaces = Surfaces(self._rng, (9.0, 16.0, 28.0, 48.0))
        self._degrader = Degrader(self._r, surfaces, Paper(self._rng, self._r))
        self._surfaces = surfaces
        self._scribe = Scribe(specimens, self._rng, self._r)

    def sample(self, text: str | None = None) -> StringSample:
        """Returns the next line.

        Args:
            text: what it says, characters of `alphabet.ALPHABET`, with nothing around; if
                None, anything. The end is left out where the line has no room for it.
        """
        r = self._r
        if text is not None:
            return self._sample(self._scribe.write(self._writer(text), text), None)
        if r.random() < EMPTY:
            return self._empty()
        if r.random() > SURROUNDED:
            text = texts.anything(r)
            return self._sample(self._scribe.write(self._writer(text), text), None)
        kind = r.choice(CELLS + AROUND)
        if kind in CELLS:
            return self._in_cells(kind, texts.cells(r))
        text = texts.anything(r)
        return self._sample(self._scribe.write(self._writer(text), text), kind)

    def _writer(self, text: str) -> Writer:
        r = self._r
        share = FROM_HAND if r.random() < OUTLINED else 0.0
        hand = r.choice(self._hands)
        text += DIGITS * (texts.CROSSED in text)
        return draw_writer(self._specimens, text, self._rng, r, r.choice(DRAWN), hand, share)

    def _in_cells(self, kind: str, text: str) -> StringSample:
        pitch = HEIGHT * self._r.uniform(0.72, 1.4)
        pitch = min(pitch, (LONGEST - 4 * BEGIN) / 1.3 / len(text))
        line = self._scribe.write_cells(self._writer(text), text, pitch)
        return self._sample(line, kind, Cells(len(text), pitch))

    def _empty(self) -> StringSample:
        """Returns a line without any digit: words, empty cells, boxes, or bare paper."""
        r = self._r
        kind = r.random()
        if kind < 0.25:
            return self._sample(print_words(texts.words(r), r), None)
        if kind < 0.5:
            text = texts.words(r)
            return self._sample(self._scribe.write(self._writer(text), text), None)
        if kind < 0.65:
            return self._in_cells(r.choice(CELLS), texts.SPACE * r.randint(1, 12))
        line = Line()
        line.end = r.randint(60, 400)
        return self._sample(line, r.choice(AROUND) if kind < 0.8 else None)

    def _sample(self, line: Line, kind: str | None, cells: Cells | None = None) -> StringSample:
        """Returns a line on paper, with what is printed around it."""
        warped = self._warped(line)
        if kind is None:
            return StringSample(self._degrader.degraded(warped.ink), with_walls(warped.placed, []))
        cells = cells or Cells(0, 0)
        cells = Cells(cells.count, cells.pitch * warped.narrow, warped.x(cells.begin))
        placed = warped.placed
        printed, walls = surround(kind, placed, cells, warped.ink.shape, self._r)
        image = self._degrader.degraded(warped.ink, printed)
        return StringSample(image, with_walls(placed, walls))

    def _warped(self, line: Line) -> _Warped:
        """Returns a line slanted, sloped and bent."""
        r = self._r
        ink = line.canvas[:, : min(LONGEST, round(line.end) + BEGIN)]
        height, width = ink.shape
        # where there is a slash, it must not stand upright as a one does
        least = 0.0 if any(one.label == "/" for one in line.placed) else -0.6
        shear = min(max(r.gauss(0.12, 0.27), least), 0.9)
        slope = r.gauss(0, 0.03) / max(1.0, width / 600)
        narrow = r.uniform(0.85, 1.2)
        reach = abs(shear) * MARGIN
        wide = min(LONGEST, int((width + 2 * reach) * narrow))
        top, bottom = _inked(ink, 12 + round(abs(slope) * width / 2))
        middle = MARGIN + HEIGHT / 2
        rows = np.arange(top, bottom, dtype=np.float32)[:, None]
        columns = np.arange(wide, dtype=np.float32)[None, :] / np.float32(narrow)
        columns -= np.float32(reach)
        map_x = columns + np.float32(shear) * (rows - np.float32(middle))
        map_y = rows + np.float32(slope) * (columns - np.float32(width / 2))
        if r.random() < 0.7:
            stock = r.randrange(4)
            most = r.uniform(0.3, 1.0) * (1.2, 2.0, 3.2, 4.2)[stock]
            for moves in (map_x, map_y):
                cv2.scaleAdd(self._surfaces.cut(stock, *moves.shape), most, moves, dst=moves)
        bent = np.zeros((height, wide), np.uint8)
        cv2.remap(ink, map_x, map_y, cv2.INTER_LINEAR, dst=bent[top:bottom])
        return _Warped(bent, line.placed, reach, narrow)


def _inked(ink: Canvas, around: int) -> tuple[int, int]:
    """Returns the first row of the ink and the one after the last, with some around."""
    rows = np.flatnonzero(ink.max(1))
    if not len(rows):
        return 0, 1
    return max(0, int(rows[0]) - around), min(len(ink), int(rows[-1]) + around + 1)
