"""Writing a text along a line, character by character."""

import math
import random
from typing import NamedTuple

import cv2
import numpy as np

from holmdel.alphabet import DIGITS
from holmdel.reader_training.synthesis.degrade import Canvas, curve, trace
from holmdel.reader_training.synthesis.texts import CROSSED, SPACE, label
from holmdel.reader_training.synthesis.writers import Glyph, Specimens, Writer, write

HEIGHT = 44  # pixels of a digit, about twice what the network sees
MARGIN = 36  # above and below the digits, for slopes, marks and neighbours
TALL = HEIGHT + 2 * MARGIN
LONGEST = 1760  # pixels of the canvas
BEGIN = 24  # pixels before the first character
_SHARED = 0.35  # of the narrower of two neighbours' widths, that they may share
_NARROW = 0.4  # of a digit's height: a glyph as narrow as a one shares nothing, or it is not seen
_FAR = 8  # digits from which a line is often written with room between them
PRINT = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


class Placed(NamedTuple):
    """A character that was written.

    Attributes:
        label: what a network reads.
        left, right: x of its ink.
    """

    label: str
    left: float
    right: float


class Line:
    """A canvas on which characters are set one after the other."""

    def __init__(self) -> None:
        self.canvas = np.zeros((TALL, LONGEST), np.uint8)
        self.x = self.end = float(BEGIN)  # where the next character begins, and where the ink ends
        self.base = float(MARGIN + HEIGHT)
        self.placed: list[Placed] = []

    def put(self, character: str, left: float, right: float) -> None:
        """Notes that a character stands there."""
        self.placed.append(Placed(label(character), left, right))

    def clear(self, width: float) -> None:
        """Moves on until a glyph of this width hides no more of the one before than can be read."""
        if not self.placed:
            return
        before = self.placed[-1]
        narrower = min(width, before.right - before.left)
        shared = narrower * (_SHARED if narrower > _NARROW * HEIGHT else 0)
        self.x = max(self.x, before.right - shared)

    def paste(self, ink: Canvas, left: float, top: float) -> None:
        """Puts a piece of ink on the canvas; what lies outside is left out."""
        x, y = round(left), round(top)
        height, width = ink.shape
        y0, y1 = max(0, y), min(TALL, y + height)
        x0, x1 = max(0, x), min(LONGEST, x + width)
        if y0 < y1 and x0 < x1:
            place = self.canvas[y0:y1, x0:x1]
            np.maximum(place, ink[y0 - y : y1 - y, x0 - x : x1 - x], out=place)
        self.end = max(self.end, left + width)

    def stroke(self, points: list[tuple[float, float]], width: float) -> None:
        """Draws straight lines between points."""
        trace(self.canvas, np.array(points, np.float32), width)
        self.end = max(self.end, points[-1][0] + width)

    def curve(self, points: list[tuple[float, float]], width: float) -> None:
        """Draws a smooth curve through points."""
        trace(self.canvas, curve(np.array(points, np.float32)), width)


class Scribe:
    """Writes lines.

    Args:
        specimens: digits that people wrote; None if every digit is drawn.
        rng: where the numbers come from.
        r: the same, for single numbers.
    """

    def __init__(
        self, specimens: Specimens | None, rng: np.random.Generator, r: random.Random
    ) -> None:
        self._specimens, self._rng, self._r = specimens, rng, r

    def write(self, writer: Writer, text: str) -> Line:
        """Returns a line with as much of a text as there is room for."""
        r, line = self._r, Line()
        gap = self._gap(text)
        drift = r.uniform(0, 0.09)
        link = r.random() < 0.16
        coil, coiled = r.random() < 0.12, 0  # zeros in one go, and how many are still to come
        tops: tuple[float, float] | None = None
        pen = max(2.0, writer.pen * HEIGHT)
        for place, character in enumerate(text):
            if line.x > LONGEST - 3 * HEIGHT:
                break
            if coil and not coiled and text[place : place + 2] == "00":
                coiled = len(text[place:]) - len(text[place:].lstrip("0"))
                self._coil(line, coiled, pen, writer.sizes[character][0])
            if coiled:
                coiled -= 1
                continue
            if not _written(writer, character):
                self._sign(line, character, pen, gap)
                tops = None
                continue
            glyph = self._glyph(writer, character)
            line.clear(glyph.width)
            drop = 0.0 if character in writer.outlines else writer.sizes[character][1]
            middle = self._set(line, glyph, (drop + r.gauss(0, drift)) * HEIGHT, character)
            if character == CROSSED:
                self._cross_out(line, glyph, pen)
            if link and tops and character == "0":
                sag = (tops[0] + middle[0]) / 2, max(tops[1], middle[1]) + r.uniform(-4, 8)
                line.curve([tops, sag, middle], pen * 0.8)
            tops = middle if character == "0" else None
            step = glyph.width + gap * (1 + r.gauss(0, 0.25))
            line.x += max(step, 0.55 * glyph.width)
        return line

    def write_cells(self, writer: Writer, text: str, pitch: float) -> Line:
        """Returns a line with each character in the middle of its cell.

        Args:
            writer: whose handwriting.
            text: a character a cell.
            pitch: pixels from one cell to the next.
        """
        r, line = self._r, Line()
        drift, unrest = r.uniform(0, 0.06), r.uniform(0, 0.12)
        pen = max(2.0, writer.pen * HEIGHT)
        for place, character in enumerate(text):
            middle = BEGIN + (place + 0.5 + r.gauss(0, unrest)) * pitch
            if character == SPACE:
                continue
            if not _written(writer, character):
                line.x = middle - 0.15 * HEIGHT
                self._mark(line, character, pen, 0)
                continue
            glyph = self._glyph(writer, character)
            line.x = middle - glyph.width / 2
            self._set(line, glyph, r.gauss(0, drift) * HEIGHT, character)
            if character == CROSSED:
                self._cross_out(line, glyph, pen)
        line.end = BEGIN + len(text) * pitch
        return line

    def _gap(self, text: str) -> float:
        """Returns the pixels between two characters."""
        r = self._r
        if len(text) >= _FAR and r.random() < 0.6:
            return HEIGHT * r.uniform(0.05, 0.6 if len(text) < 2 * _FAR else 0.25)
        return HEIGHT * (r.gauss(0.11, 0.13) if r.random() < 0.85 else r.uniform(-0.1, 0.9))

    def _glyph(self, writer: Writer, character: str) -> Glyph:
        r = self._r
        if character == CROSSED:
            character = r.choice([c for c in DIGITS if c in writer.sizes])
        tall = 1.0 if character in writer.outlines else writer.sizes[character][0]
        size = max(HEIGHT * tall * (1 + r.gauss(0, writer.unrest)), 0.35 * HEIGHT)
        return write(writer, character, size, self._specimens, self._rng, r)

    def _set(self, line: Line, glyph: Glyph, drop: float, character: str) -> tuple[float, float]:
        """Puts a glyph at the line's x; returns the middle of its top."""
        base = line.base + drop
        top = base + glyph.drop - glyph.height
        line.paste(glyph.ink, line.x - glyph.left, top - glyph.top)
        line.put(character, line.x, line.x + glyph.width)
        return line.x + glyph.width / 2, base - glyph.height + 2

    def _cross_out(self, line: Line, glyph: Glyph, pen: float) -> None:
        """Strikes out the glyph at the line's x: two bars, a cross, or a scribble."""
        r = self._r
        left, right = line.x - r.uniform(0.1, 0.3) * HEIGHT, line.x + glyph.width
        right += r.uniform(0.1, 0.3) * HEIGHT
        top, base = line.base - r.uniform(0.7, 1.0) * HEIGHT, line.base - r.uniform(0, 0.2) * HEIGHT
        kind = r.randrange(3)
        if kind == 0:
            for part in (0.35, 0.65):
                y = top + (base - top) * (part + r.gauss(0, 0.05))
                line.stroke([(left, y), (right, y + r.gauss(0, 3))], pen)
        elif kind == 1:
            line.stroke([(left, top), (right, base)], pen)
            line.stroke([(left, base), (right, top)], pen)
        else:
            turns = r.randint(5, 9)
            points = [
                (left + (right - left) * turn / turns, (top, base)[turn % 2] + r.gauss(0, 4))
                for turn in range(turns + 1)
            ]
            line.stroke(points, pen)

    def _coil(self, line: Line, count: int, pen: float, size: float) -> None:
        """Writes zeros in one go, the pen passing from the top of each to the next."""
        r = self._r
        tall = HEIGHT * size * r.uniform(0.7, 1.0)
        wide = tall * r.uniform(0.6, 1.4)
        step = wide * r.uniform(1.1, 1.6)
        middle = line.base - tall / 2 - r.uniform(0, 0.15) * HEIGHT
        points = []
        corners = r.choice((7, 7, 8, 9))  # more than 7 are a loop inside
        for number in range(count):
            centre = line.x + wide / 2 + number * step
            line.put("0", centre - wide / 2, centre + wide / 2)
            for corner in range(corners):
                angle = -0.5 * math.pi - corner * math.pi / 3
                points.append(
                    (
                        centre + wide / 2 * math.cos(angle) + r.gauss(0, 0.04) * wide,
                        middle + tall / 2 * math.sin(angle) + r.gauss(0, 0.04) * tall,
                    )
                )
        line.curve(points, pen)
        line.x += (count - 1) * step + wide + r.uniform(0.02, 0.2) * HEIGHT
        line.end = max(line.end, line.x)

    def _sign(self, line: Line, character: str, pen: float, gap: float) -> None:
        """Leaves room, or writes a mark of which the writer has no glyph."""
        if character == SPACE:
            line.x += self._r.uniform(0.35, 1.1) * HEIGHT
        else:
            self._mark(line, character, pen, gap)

    def _mark(self, line: Line, mark: str, pen: float, gap: float) -> None:
        """Writes a point, comma, dash, double dash, slash, colon or star."""
        r = self._r
        x = line.x + r.uniform(-0.02, 0.12) * HEIGHT - min(gap, 0) * 0.7
        if mark in ".,":
            right = self._point(line, mark, x, pen)
            line.x = right + r.uniform(0, 0.15) * HEIGHT + max(gap, 0) * 0.6
        elif mark in "-=":
            right = self._dash(line, mark, x, pen)
            line.x = right + r.uniform(0.02, 0.25) * HEIGHT
        else:
            drawn = {"/": self._slash, ":": self._colon}.get(mark, self._star)
            right = drawn(line, x, pen)
            line.x = right + r.uniform(0.02, 0.2) * HEIGHT + max(gap, 0) * 0.6
        line.put(mark, x, right)

    def _point(self, line: Line, mark: str, x: float, pen: float) -> float:
        r, base = self._r, line.base
        y = base - r.uniform(-0.08, 0.15) * HEIGHT
        if r.random() < 0.05:  # high, as a British point
            y = base - r.uniform(0.3, 0.5) * HEIGHT
        long = r.uniform(0.12, 0.38) if mark == "," else r.uniform(0, 0.06)
        slope = r.uniform(0, 0.6) if mark == "," else r.uniform(-1, 1)
        end = (x - slope * long * HEIGHT, y + long * HEIGHT)
        line.stroke([(x, y), end], pen * r.uniform(0.9, 1.7))
        return x + pen

    def _dash(self, line: Line, mark: str, x: float, pen: float) -> float:
        r = self._r
        long = r.uniform(0.2, 0.8) * HEIGHT
        y = line.base - r.uniform(0.12, 0.6) * HEIGHT
        apart = r.uniform(0.13, 0.3) * HEIGHT
        for number in range(2 if mark == "=" else 1):
            rise = r.uniform(-0.12, 0.15) * HEIGHT
            begin = x + r.gauss(0, 0.05) * HEIGHT
            bend = (x + long / 2, y + number * apart - rise / 2 + r.gauss(0, 0.03) * HEIGHT)
            line.stroke(
                [(begin, y + number * apart), bend, (begin + long, y + number * apart - rise)],
                pen * r.uniform(0.7, 1.1),
            )
        return x + long + pen

    def _slash(self, line: Line, x: float, pen: float) -> float:
        """Draws a stroke that leans more and is longer than a one."""
        r = self._r
        wide, below = r.uniform(0.25, 0.75) * HEIGHT, r.uniform(-0.05, 0.35) * HEIGHT
        above = r.uniform(0.95, 1.3) * HEIGHT
        bend = (x + wide * r.gauss(0.5, 0.05), line.base + (below - above) / 2)
        points = [(x, line.base + below), bend, (x + wide, line.base - above)]
        line.stroke(points, pen * r.uniform(0.7, 1.1))
        return x + wide + pen

    def _colon(self, line: Line, x: float, pen: float) -> float:
        r = self._r
        low = line.base - r.uniform(0, 0.25) * HEIGHT
        high = low - r.uniform(0.25, 0.5) * HEIGHT
        wide = pen * r.uniform(0.9, 1.6)
        for y in (high, low):
            at = x + r.gauss(0, 0.03) * HEIGHT
            end = (at + r.gauss(0, 0.02) * HEIGHT, y + r.uniform(0, 0.06) * HEIGHT)
            line.stroke([(at, y), end], wide)
        return x + wide

    def _star(self, line: Line, x: float, pen: float) -> float:
        r = self._r
        reach = r.uniform(0.12, 0.3) * HEIGHT
        middle = line.base - r.uniform(0.3, 0.8) * HEIGHT
        for number in range(3):
            angle = number * math.pi / 3 + r.gauss(0.3, 0.15)
            across, down = reach * math.cos(angle), reach * math.sin(angle)
            line.stroke(
                [(x + reach - across, middle - down), (x + reach + across, middle + down)],
                0.7 * pen,
            )
        return x + 2 * reach


def _written(writer: Writer, character: str) -> bool:
    """Tells whether a writer has a glyph for a character."""
    has_digit = character in DIGITS or character == CROSSED
    return has_digit or character in writer.shapes or character in writer.outlines


def print_words(text: str, r: random.Random) -> Line:
    """Returns a line with a printed text."""
    line = Line()
    font, scale, pen = r.choice(PRINT), r.uniform(0.9, 2.0), r.randint(1, 5)
    for character in text:
        if line.x > LONGEST - 3 * HEIGHT:
            break
        width = cv2.getTextSize(character, font, scale, pen)[0][0]
        if character != SPACE:
            at = (round(line.x), MARGIN + HEIGHT)
            cv2.putText(line.canvas, character, at, font, scale, 255, pen, cv2.LINE_AA)
            line.put(character, line.x, line.x + width)
        line.x += width
    line.end = line.x
    return line
