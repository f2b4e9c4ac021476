"""Pen strokes: the curve through the points of a stroke, and its drawing."""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
Canvas = NDArray[np.uint8]

INK = 80  # of 255: from here on a pixel counts as ink
PER_SPAN = 6  # points drawn from one point of a stroke to the next
_SHIFT = 4  # bits of a pixel's fraction in OpenCV's drawing


@lru_cache(maxsize=512)
def _basis(count: int) -> Points:
    """Returns the matrix (M, count) from a stroke's points to those of its Catmull-Rom curve."""
    if count == 2:
        return np.eye(2, dtype=np.float32)
    ghosts = np.zeros((count + 2, count), np.float32)  # with an end point mirrored at either end
    ghosts[1:-1] = np.eye(count)
    ghosts[0, :2] = (2, -1)
    ghosts[-1, -2:] = (-1, 2)
    rows = []
    for span in range(count - 1):
        last = span == count - 2
        for t in np.linspace(0, 1, PER_SPAN + last, endpoint=last):
            weights = (
                -t + 2 * t**2 - t**3,
                2 - 5 * t**2 + 3 * t**3,
                t + 4 * t**2 - 3 * t**3,
                -(t**2) + t**3,
            )
            rows.append(0.5 * np.array(weights, np.float32) @ ghosts[span : span + 4])
    return np.array(rows, np.float32)


def curve(points: Points) -> Points:
    """Returns the smooth curve (M, 2) through points (P, 2)."""
    return _basis(len(points)) @ points


def jittered(
    shape: Sequence[Sequence[tuple[float, float]]], rng: np.random.Generator, by: float
) -> list[Points]:
    """Returns the strokes of a shape, float32 (P, 2) each, with every point moved at random.

    Points that are the same in several strokes stay together.

    Args:
        shape: strokes in a box of 1 x 1.
        rng: where the numbers come from.
        by: standard deviation of the movement.
    """
    points = list(dict.fromkeys(point for stroke in shape for point in stroke))
    moves = rng.standard_normal((len(points), 2), dtype=np.float32) * np.float32(by)
    moved = dict(zip(points, np.array(points, np.float32) + moves, strict=True))
    return [np.array([moved[point] for point in stroke]) for stroke in shape]


def trace(canvas: Canvas, line: Points, width: float, ink: int = 255) -> None:
    """Draws a curve (M, 2) in pixels of a canvas (H, W), in place.

    Args:
        canvas: uint8 (H, W), 0 where there is no ink.
        line: x and y a point.
        width: of the pen in pixels; drawn as the nearest whole number from 1.
        ink: what is drawn, 0..255.
    """
    fixed = (line * (1 << _SHIFT)).astype(np.int32)
    cv2.polylines(canvas, [fixed], False, ink, max(1, round(width)), cv2.LINE_AA, _SHIFT)
