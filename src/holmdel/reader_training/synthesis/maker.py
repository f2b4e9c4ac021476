"""Lines of handwriting, made on the fly."""

import math
import random
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from holmdel.networks.line import DIGITS
from holmdel.reader_training.synthesis import texts
from holmdel.reader_training.synthesis.degrade import Canvas, Degrader, curve, trace
from holmdel.reader_training.synthesis.paper import Paper, Surfaces
from holmdel.reader_training.synthesis.writers import Specimens, Writer, draw_writer, write

HEIGHT = 44  # pixels of a digit, about twice what the network sees
MARGIN = 36  # above and below the digits, for slopes, marks and neighbours
TALL = HEIGHT + 2 * MARGIN
LONGEST = 1100  # pixels of the canvas
# How often a line's digits are drawn from allographs rather than taken from MNIST.
DRAWN = (0.0, 0.3, 0.5, 0.7, 1.0)
DISTRACTORS = 0.03  # part of the lines with nothing to read: printed words, bare paper
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


class StringSample(NamedTuple):
    """The image of a line, and its text.

    Attributes:
        image: uint8 (H, W), dark ink on lighter paper.
        text: digits and marks in reading order; empty where there is nothing to read.
    """

    image: Canvas
    text: str


class _Line:
    """A canvas on which characters are set one after the other."""

    def __init__(self) -> None:
        self.canvas = np.zeros((TALL, LONGEST), np.uint8)
        self.x = self.end = 24.0  # where the next character begins, and where the ink ends
        self.base = float(MARGIN + HEIGHT)

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


class StringMaker:
    """Makes lines of handwriting, one after the other, the same ones for the same seed.

    Args:
        specimens: digits that people wrote; if None, every digit is drawn.
        seed: of everything that is random.
    """

    def __init__(self, specimens: Specimens | None, seed: int) -> None:
        cv2.setNumThreads(1)
        self._specimens = specimens
        self._rng = np.random.default_rng(seed)
        self._r = random.Random(seed)
        surfaces = Surfaces(self._rng, (9.0, 16.0, 28.0, 48.0))
        self._degrader = Degrader(self._r, surfaces, Paper(self._rng, self._r))
        self._surfaces = surfaces

    def sample(self, text: str | None = None) -> StringSample:
        """Returns the next line.

        Args:
            text: what it says, characters of `networks.line.ALPHABET`; if None, anything. The end
                is left out where the line has no room for it.
        """
        r = self._r
        if text is None:
            if r.random() < DISTRACTORS:
                return self._distractor()
            text = self._wording()(r)
        drawn = r.choice(DRAWN)
        writer = draw_writer(self._specimens, text, self._rng, r, drawn)
        line = _Line()
        text = self._written(line, writer, text)
        return StringSample(self._image(line, warped=True), text)

    def _wording(self) -> Callable[[random.Random], str]:
        kind = self._r.random()
        if kind < 0.68:
            return texts.amount
        return texts.code if kind < 0.74 else texts.digits

    def _distractor(self) -> StringSample:
        """Returns a line on which there is nothing to read: printed words, or bare paper."""
        r, line = self._r, _Line()
        if r.random() < 0.6:
            text, font, scale, pen = (
                texts.words(r),
                r.choice(_FONTS),
                r.uniform(1.0, 2.0),
                r.randint(1, 5),
            )
            cv2.putText(
                line.canvas, text, (24, MARGIN + HEIGHT), font, scale, 255, pen, cv2.LINE_AA
            )
            line.end = 24 + int(cv2.getTextSize(text, font, scale, pen)[0][0])
        else:
            line.end = r.randint(60, 400)
        return StringSample(self._image(line, warped=r.random() < 0.5), "")

    def _image(self, line: _Line, *, warped: bool) -> Canvas:
        ink = line.canvas[:, : min(LONGEST, round(line.end) + 24)]
        return self._degrader.degraded(self._warped(ink) if warped else ink)

    def _written(self, line: _Line, writer: Writer, text: str) -> str:
        """Writes a text as long as there is room; returns what was written."""
        r = self._r
        gap = HEIGHT * (r.gauss(0.11, 0.13) if r.random() < 0.85 else r.uniform(-0.1, 0.9))
        drift = r.uniform(0, 0.09)
        link = r.random() < 0.12
        coil, coiled = r.random() < 0.06, 0  # zeros in one go, and how many are still to come
        tops: tuple[float, float] | None = None
        pen = max(2.0, writer.pen * HEIGHT)
        for place, character in enumerate(text):
            if line.x > LONGEST - 3 * HEIGHT:
                return text[:place]
            if character not in writer.shapes and character not in DIGITS:
                self._mark(line, character, pen, gap)
                tops = None
                continue
            if coil and not coiled and text[place : place + 2] == "00":
                coiled = len(text[place:]) - len(text[place:].lstrip("0"))
                self._coil(line, coiled, pen, writer.sizes[character][0])
            if coiled:
                coiled -= 1
                continue
            tall, drop = writer.sizes[character]
            size = HEIGHT * tall * (1 + r.gauss(0, writer.unrest))
            glyph = write(
                writer, character, max(size, 0.35 * HEIGHT), self._specimens, self._rng, r
            )
            base = line.base + (drop + r.gauss(0, drift)) * HEIGHT
            left, top = line.x - glyph.left, base - glyph.height - glyph.top
            line.paste(glyph.ink, left, top)
            middle = (line.x + glyph.width / 2, base - glyph.height + 2)
            if link and tops and character == "0":
                sag = (tops[0] + middle[0]) / 2, max(tops[1], middle[1]) + r.uniform(-4, 8)
                line.curve([tops, sag, middle], pen * 0.8)
            tops = middle if character == "0" else None
            step = glyph.width + gap * (1 + r.gauss(0, 0.25))
            line.x += max(step, 0.55 * glyph.width)
        return text

    def _coil(self, line: _Line, count: int, pen: float, size: float) -> None:
        """Writes zeros in one go, the pen passing from the top of each to the next."""
        r = self._r
        tall = HEIGHT * size * r.uniform(0.7, 1.0)
        wide = tall * r.uniform(0.6, 1.4)
        step = wide * r.uniform(1.1, 1.6)
        middle = line.base - tall / 2 - r.uniform(0, 0.15) * HEIGHT
        points = []
        for number in range(count):
            centre = line.x + wide / 2 + number * step
            for corner in range(7):
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

    def _mark(self, line: _Line, mark: str, pen: float, gap: float) -> None:
        """Writes a point, comma, dash or double dash."""
        r, base = self._r, line.base
        x = line.x + r.uniform(-0.02, 0.12) * HEIGHT - min(gap, 0) * 0.7
        if mark in ".,":
            y = base - r.uniform(-0.08, 0.15) * HEIGHT
            if r.random() < 0.05:  # high, as a British point
                y = base - r.uniform(0.3, 0.5) * HEIGHT
            long = r.uniform(0.12, 0.38) if mark == "," else r.uniform(0, 0.06)
            slope = r.uniform(0, 0.6) if mark == "," else r.uniform(-1, 1)
            end = (x - slope * long * HEIGHT, y + long * HEIGHT)
            line.stroke([(x, y), end], pen * r.uniform(0.9, 1.7))
            line.x = x + pen + r.uniform(0, 0.15) * HEIGHT + max(gap, 0) * 0.6
            return
        long = r.uniform(0.2, 0.8) * HEIGHT
        if mark == "=" and r.random() < 0.2:  # as short as a colon
            long = r.uniform(0.02, 0.2) * HEIGHT
        y = base - r.uniform(0.12, 0.6) * HEIGHT
        apart = r.uniform(0.13, 0.3) * HEIGHT
        for number in range(2 if mark == "=" else 1):
            rise = r.uniform(-0.12, 0.15) * HEIGHT
            begin = x + r.gauss(0, 0.05) * HEIGHT
            bend = (x + long / 2, y + number * apart - rise / 2 + r.gauss(0, 0.03) * HEIGHT)
            line.stroke(
                [(begin, y + number * apart), bend, (begin + long, y + number * apart - rise)],
                pen * r.uniform(0.7, 1.1),
            )
        line.x = x + long + pen + r.uniform(0.02, 0.25) * HEIGHT

    def _warped(self, ink: Canvas) -> Canvas:
        """Returns the ink slanted, sloped and bent."""
        r = self._r
        height, width = ink.shape
        shear = min(max(r.gauss(0.12, 0.27), -0.6), 0.9)
        slope = r.gauss(0, 0.03)
        narrow = r.uniform(0.85, 1.2)
        middle = MARGIN + HEIGHT / 2
        reach = abs(shear) * MARGIN
        wide = min(LONGEST, int((width + 2 * reach) * narrow))
        rows = np.arange(height, dtype=np.float32)[:, None] - np.float32(middle)
        columns = np.arange(wide, dtype=np.float32)[None, :] / np.float32(narrow)
        columns -= np.float32(reach)
        map_x = columns + np.float32(shear) * rows
        map_y = rows + np.float32(middle) + np.float32(slope) * (columns - np.float32(width / 2))
        if r.random() < 0.7:
            stock = r.randrange(4)
            most = np.float32(r.uniform(0.3, 1.0) * (1.2, 2.0, 3.2, 4.2)[stock])
            map_x += self._surfaces.cut(stock, height, wide) * most
            map_y += self._surfaces.cut(stock, height, wide) * most
        return cv2.remap(ink, map_x, map_y, cv2.INTER_LINEAR).astype(np.uint8, copy=False)
