"""Hands: outlines of handwriting fonts, from which digits, marks and letters are drawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Contours = tuple[Points, ...]

_UNITS = 200  # of the file, for a digit of height 1
_WAVES = 4  # along which an outline is bent
_SHIFT = 4  # bits of a pixel's fraction in OpenCV's drawing
_EDGE = 3  # empty pixels around


@dataclass(frozen=True)
class Hand:
    """One hand's characters.

    Attributes:
        glyphs: of each character the closed contours (P, 2), x from 0 and y from the base line down
            in heights of a digit; what lies in an odd number of them is ink.
        pen: how wide the strokes are, likewise.
    """

    glyphs: dict[str, Contours]
    pen: float


@lru_cache(maxsize=1)
def hands() -> tuple[Hand, ...]:
    """Returns all hands; the file's licences stand in `hands.LICENSE.md` beside it."""
    file = resources.files(__package__) / "hands.npz"
    with file.open("rb") as opened, np.load(opened) as held:
        points = (np.cumsum(held["moves"].T, 0, np.int32) / _UNITS).astype(np.float32)
        sizes = [list(map(int, glyph.split(","))) for glyph in str(held["sizes"]).split()]
        characters, pens = held["characters"].tolist(), held["pens"].tolist()
    ends = np.cumsum([size for glyph in sizes for size in glyph])
    contours: Iterator[Points] = iter(np.split(points, ends[:-1]))
    glyphs = iter([tuple(next(contours) for _ in glyph) for glyph in sizes])
    return tuple(
        Hand({character: next(glyphs) for character in own}, pen / _UNITS)
        for own, pen in zip(characters, pens, strict=True)
    )


def some_hands(*, unseen: bool) -> tuple[Hand, ...]:
    """Returns the hands that are learned, or every ninth, which only held-out lines are written by.

    Args:
        unseen: whether the latter.
    """
    return tuple(hand for number, hand in enumerate(hands()) if (number % 9 == 4) is unseen)


def bent(contours: Contours, rng: np.random.Generator, by: float) -> Contours:
    """Returns contours bent along smooth waves, so that every point moves with its neighbours.

    Args:
        contours: of one character.
        rng: where the numbers come from.
        by: standard deviation of the movement in heights of a digit.
    """
    numbers = rng.standard_normal((5, _WAVES), dtype=np.float32)
    waves, phases, moves = numbers[:2] * 4, numbers[2] * 3, numbers[3:].T * np.float32(by * 0.7)
    every = np.concatenate(contours)
    every += np.sin(every @ waves + phases) @ moves
    return split(every, contours)


def split(points: Points, contours: Contours) -> Contours:
    """Returns points (P, 2) as contours of the same sizes as others."""
    if len(contours) == 1:
        return (points,)
    found, begin = [], 0
    for contour in contours:
        found.append(points[begin : begin + len(contour)])
        begin += len(contour)
    return tuple(found)


def fill(
    contours: Contours, matrix: NDArray[np.float32], thicker: float
) -> tuple[NDArray[np.uint8], float, float, float, float]:
    """Returns a character's ink, and left, top, right and bottom of it as seen from its origin.

    Args:
        contours: of one character.
        matrix: (2, 2), from heights of a digit to pixels.
        thicker: pixels by which the strokes become wider; narrower if negative.

    Returns:
        uint8 (h, w), 255 where there is ink, with three empty pixels around.
    """
    every = np.concatenate(contours) @ matrix.T
    grow = max(thicker, 0) / 2
    left, top = (every.min(0) - grow).tolist()
    right, bottom = (every.max(0) + grow).tolist()
    offset = np.array((_EDGE - left, _EDGE - top), np.float32)
    fixed = split(((every + offset) * (1 << _SHIFT)).astype(np.int32), contours)
    ink = np.zeros((int(bottom - top) + 2 * _EDGE + 1, int(right - left) + 2 * _EDGE + 1), np.uint8)
    cv2.fillPoly(ink, fixed, 255, cv2.LINE_AA, _SHIFT)
    width = round(abs(thicker))
    if width:
        cv2.polylines(ink, fixed, True, 255 if thicker > 0 else 0, width, cv2.LINE_8, _SHIFT)
    return ink, left, top, right, bottom
