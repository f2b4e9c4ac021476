"""Writers: how one person writes the ten digits."""

import random
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.alphabet import ALPHABET, DIGITS
from holmdel.reader_training.synthesis.allographs import ALLOGRAPHS, CURRENCY, Allograph
from holmdel.reader_training.synthesis.degrade import INK, Canvas, Points, curve, jittered, trace
from holmdel.reader_training.synthesis.hands import Contours, Hand, bent, fill

FEWEST = 30  # digits of a writer who is asked to write

# Digits of which MNIST holds the fewest of the world's shapes: so much more often drawn.
_STRANGE = {"1": 0.25, "2": 0.1, "4": 0.1, "7": 0.15, "8": 0.05, "9": 0.1}


@dataclass(frozen=True)
class Specimens:
    """Digits that people wrote, as MNIST holds them.

    Attributes:
        images: uint8 (N, 28, 28), ink 255.
        labels: (N,) digits.
        writers: (N,) a number a writer; None where that is not known.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.integer]
    writers: NDArray[np.integer] | None = None

    @cached_property
    def boxes(self) -> NDArray[np.int64]:
        """Returns (N, 4): left, top, right and bottom of each digit's ink."""
        ink: NDArray[np.bool_] = np.greater(self.images, INK)
        ends = []
        for axis in (1, 2):
            there = np.asarray(ink.any(axis))
            first = there.argmax(1)
            last = there.shape[1] - there[:, ::-1].argmax(1)
            ends += [first, last]
        left, right, top, bottom = ends
        return np.stack([left, top, right, bottom], axis=1)

    @cached_property
    def by_digit(self) -> list[list[int]]:
        """Returns for each digit the rows that hold it."""
        return [np.flatnonzero(self.labels == digit).tolist() for digit in range(10)]

    @cached_property
    def by_writer(self) -> list[list[list[int]]]:
        """Returns for each writer of enough digits the rows of each digit."""
        if self.writers is None:
            return []
        stacks: dict[int, list[list[int]]] = {}
        for row, (writer, label) in enumerate(
            zip(self.writers.tolist(), self.labels.tolist(), strict=True)
        ):
            stacks.setdefault(writer, [[] for _ in range(10)])[label].append(row)
        return [stack for stack in stacks.values() if sum(map(len, stack)) >= FEWEST]


@dataclass(frozen=True)
class Writer:
    """One person's digits for one line.

    Attributes:
        rows: for each digit the specimens this person takes.
        shapes: digits and signs that are drawn: their strokes, jittered once for the whole line.
        pen: the width of the drawn strokes, for a digit of height 1.
        width: how wide digits are, 1 for as they come.
        unrest: how much digits of one line differ.
        proportions: how wide drawn shapes are for a height of 1.
        sizes: how tall a character is, 1 for as the others; and how far it hangs below the line.
        outlines: characters that are drawn from a hand's outlines, bent once for the whole line.
        stem: how wide the strokes of those outlines are, for a digit of height 1.
    """

    rows: list[list[int]]
    shapes: dict[str, list[Points]]
    pen: float
    width: float
    unrest: float
    proportions: dict[str, float]
    sizes: dict[str, tuple[float, float]]
    outlines: dict[str, Contours] = field(default_factory=dict)
    stem: float = 0.0


# How wide the drawn shapes are for a height of 1, at most.
_PROPORTION = {"1": (0.3, 0.75), "0": (0.6, 1.5), "4": (0.5, 0.95), "5": (0.5, 1.0)}
_PLAIN = (0.42, 0.85)
_AS_HAND = {"/": 0.4}  # many hands' slashes lean no more than a one
FROM_HAND = 0.93  # of the characters of somebody who writes a font's hand


def draw_writer(
    specimens: Specimens | None,
    text: str,
    rng: np.random.Generator,
    r: random.Random,
    drawn: float,
    hand: Hand | None = None,
    share: float = FROM_HAND,
) -> Writer:
    """Returns somebody's writer.

    Args:
        specimens: digits to take; if None, every digit is drawn.
        text: what this writer will write.
        rng: where the numbers come from.
        r: the same, for single numbers.
        drawn: the part of the digits that are drawn in place of taken.
        hand: whose outlines are drawn: all letters, and of digits and marks a share.
        share: that part.
    """
    rows = _rows(specimens, r) if specimens is not None else []
    if specimens is None:
        drawn = 1.0
    jitter = r.uniform(0.015, 0.085)
    shapes, proportions, sizes, outlines = {}, {}, {}, {}
    for character in sorted(set(text)):
        known = hand is not None and character in hand.glyphs
        part = share * _AS_HAND.get(character, 1)
        if hand and known and (character not in ALPHABET or r.random() < part):
            outlines[character] = bent(hand.glyphs[character], rng, 0.4 * jitter)
        elif character in CURRENCY:
            shapes[character] = jittered(CURRENCY[character], rng, jitter)
        elif character in DIGITS and r.random() < drawn + _STRANGE.get(character, 0) * (drawn > 0):
            shapes[character] = jittered(_choose(ALLOGRAPHS[character], r), rng, jitter)
        proportions[character] = r.uniform(*_PROPORTION.get(character, _PLAIN))
        sizes[character] = _size(character, r)
    stem = hand.pen if hand else 0.0
    pen = r.uniform(0.05, 0.17)
    if outlines:  # so that hairlines do not vanish
        pen = max(0.75 * stem, min(pen, stem + 0.06), 0.05)
    return Writer(
        rows, shapes, pen, r.uniform(0.72, 1.35), r.uniform(0.02, 0.13),
        proportions, sizes, outlines, stem,
    )  # fmt: skip


def _choose(shapes: tuple[Allograph, ...], r: random.Random) -> Allograph:
    """Returns a shape; the first is some three times as frequent as the last."""
    return shapes[int(len(shapes) * r.random() ** 1.4)]


def _rows(specimens: Specimens, r: random.Random) -> list[list[int]]:
    """Returns for each digit the specimens of one writer, or of all."""
    writers = specimens.by_writer
    rows = r.choice(writers) if writers and r.random() < 0.8 else specimens.by_digit
    return [own or every for own, every in zip(rows, specimens.by_digit, strict=True)]


def _size(character: str, r: random.Random) -> tuple[float, float]:
    """Returns how tall somebody writes a character, and how far it hangs below the line.

    Zeros are small, the digits of one long stroke tall; both as parts of a usual digit's height.
    """
    if character == "0":
        return r.choice((1.0, r.uniform(0.55, 1.05))), -r.choice((0.0, r.uniform(0, 0.15)))
    if character in "1479" and r.random() < 0.5:
        extra = abs(r.gauss(0, 0.3))
        return 1 + min(extra, 0.8), min(extra, 0.8) * r.choice((0.0, 1.0, r.random()))
    return 1.0, 0.0


@dataclass(frozen=True)
class Glyph:
    """One written character.

    Attributes:
        ink: uint8 (h, w), 255 where there is ink; a border of empty pixels around.
        left, top: where the ink begins in it.
        width, height: of the ink in pixels.
        drop: how far it hangs below the line.
    """

    ink: Canvas
    left: float
    top: float
    width: float
    height: float
    drop: float = 0.0


def write(
    writer: Writer,
    character: str,
    height: float,
    specimens: Specimens | None,
    rng: np.random.Generator,
    r: random.Random,
) -> Glyph:
    """Returns a character as a writer writes it this time.

    Args:
        writer: whose handwriting.
        character: one that the writer has.
        height: of the ink in pixels; of a digit for a character drawn from outlines.
        specimens: what the writer's rows point into.
        rng: where the numbers come from.
        r: the same, for single numbers.
    """
    width = writer.width * (1 + r.gauss(0, 0.07))
    if character in writer.outlines:
        return _outlined(writer, character, height, width, rng, r)
    if character == "0":  # a specimen's as wide as the drawn ones
        width *= writer.proportions[character] / 0.9 if character not in writer.shapes else 1
    lean, turn = r.gauss(0, 0.06), r.gauss(0, 0.05)
    if character in writer.shapes:
        wide = height * writer.proportions[character] * width
        return _drawn(writer.shapes[character], height, wide, writer.pen * height, lean, turn, rng)
    assert specimens is not None  # else every digit has a shape
    row = r.choice(writer.rows[int(character)])
    return _taken(specimens, row, height, width, lean, turn)


def _drawn(
    strokes: list[Points], height: float, wide: float, pen: float, lean: float, turn: float,
    rng: np.random.Generator,
) -> Glyph:  # fmt: skip
    """Returns strokes drawn at a size, each point moved a little."""
    matrix = np.array([[wide, -lean * height], [turn * wide, height]], np.float32)
    lines = []
    for stroke in strokes:
        moved = stroke + rng.standard_normal(stroke.shape, dtype=np.float32) * np.float32(0.012)
        lines.append(curve(moved) @ matrix.T)
    every = np.concatenate(lines)
    least, most = every.min(0), every.max(0)
    edge = pen / 2 + 2
    offset = np.float32(edge) - least
    size = most - least + 2 * edge
    ink = np.zeros((int(size[1]) + 1, int(size[0]) + 1), np.uint8)
    for line in lines:
        trace(ink, line + offset, pen)
    width, tall = (most - least + pen).tolist()
    return Glyph(ink, 2, 2, width, tall)


def _outlined(
    writer: Writer,
    character: str,
    height: float,
    width: float,
    rng: np.random.Generator,
    r: random.Random,
) -> Glyph:
    """Returns a character of a hand."""
    contours = bent(writer.outlines[character], rng, 0.008)
    lean, turn = r.gauss(0, 0.04), r.gauss(0, 0.03)
    wide = height * width
    matrix = np.array([[wide, -lean * height], [turn * wide, height]], np.float32)
    thicker = (writer.pen - writer.stem * min(1.0, width)) * height
    ink, left, top, right, bottom = fill(contours, matrix, thicker)
    return Glyph(ink, 3, 3, right - left, bottom - top, bottom)


def _taken(
    specimens: Specimens, row: int, height: float, width: float, lean: float, turn: float
) -> Glyph:
    """Returns a specimen warped to a size."""
    left, top, right, bottom = specimens.boxes[row].tolist()
    scale = height / max(12, bottom - top)
    across = scale * width
    matrix = np.array([[across, -lean * scale], [turn * across, scale]])
    corners = np.array([[left, right, left, right], [top, top, bottom, bottom]], float)
    placed = matrix @ corners
    least, most = placed.min(1), placed.max(1)
    offset = 4 - least
    size = most - least + 8
    move = np.column_stack([matrix, offset + matrix @ (0.5, 0.5) - 0.5])
    ink = cv2.warpAffine(
        specimens.images[row], move, (int(size[0]) + 1, int(size[1]) + 1), flags=cv2.INTER_LINEAR
    )
    wide, tall = (most - least).tolist()
    return Glyph(ink.astype(np.uint8, copy=False), 4, 4, wide, tall)
