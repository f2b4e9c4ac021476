"""Lines drawn by pen strokes on paper, and worn down as copies, scans and photographs wear them."""

import random
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reader_training.synthesis.paper import Paper, Plane, Surfaces

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


class Degrader:
    """Makes images of ink as if written on paper and scanned.

    Args:
        r: where the numbers come from.
        surfaces: smooth surfaces to cut from.
        paper: sheets to cut from.
    """

    def __init__(self, r: random.Random, surfaces: Surfaces, paper: Paper) -> None:
        self._r, self._surfaces, self._paper = r, surfaces, paper

    def degraded(self, ink: Canvas) -> Canvas:
        """Returns an image, uint8 (H, W), of ink on paper, cropped around the ink.

        Args:
            ink: uint8 (H, W), 255 where there is ink.
        """
        r = self._r
        ink = ink[self._window(ink)]
        if r.random() < 0.2:
            ink = cv2.erode(ink, np.ones((2, 2), np.uint8)).astype(np.uint8, copy=False)
        cover = self._pressed(ink)
        self._rules(cover)
        height, width = cover.shape
        paper = self._paper.cut(height, width)
        light = paper * (1 - np.float32(r.uniform(0.5, 0.97) ** 0.7) * cover)
        if r.random() < 0.3:  # as small as the network sees it, or smaller
            tall = r.randint(28, 44)
            light = cv2.resize(
                light, (max(8, round(width * tall / height)), tall), interpolation=cv2.INTER_AREA
            )
        if r.random() < 0.25:
            light = cv2.GaussianBlur(light, (0, 0), r.uniform(0.3, 0.9) * light.shape[0] / 45)
        image = cv2.convertScaleAbs(np.maximum(light, 0), alpha=255)
        if r.random() < 0.25:
            quality = [cv2.IMWRITE_JPEG_QUALITY, r.randint(25, 90)]
            coded = cv2.imencode(".jpg", image, quality)[1]
            return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
        return image.astype(np.uint8, copy=False)

    def _window(self, ink: Canvas) -> tuple[slice, slice]:
        """Returns where the ink is, with some room around or a little cut off."""
        r = self._r
        columns = np.flatnonzero(ink.max(0) > INK)
        rows = np.flatnonzero(ink.max(1) > INK)
        if len(columns) == 0:
            return slice(24, 24 + r.randint(30, 60)), slice(0, None)
        left, right, top, bottom = columns[0], columns[-1], rows[0], rows[-1]
        tall = bottom - top
        above, below = (
            r.uniform(-0.05, 0.15) if r.random() < 0.55 else r.uniform(0, 0.5) for _ in range(2)
        )
        before, after = (
            r.uniform(-2, 8) if r.random() < 0.6 else r.uniform(0, 50) for _ in range(2)
        )
        y0, y1 = max(0, int(top - above * tall)), int(bottom + below * tall) + 1
        x0, x1 = max(0, int(left - before)), int(right + after) + 1
        return slice(y0, max(y1, y0 + 12)), slice(x0, max(x1, x0 + 12))

    def _pressed(self, ink: Canvas) -> Plane:
        """Returns how much of the paper the ink covers, 0..1: the pen's width is varied here."""
        r = self._r
        soft = cv2.GaussianBlur(ink, (0, 0), r.uniform(0.6, 1.4))
        threshold, hardness = r.uniform(0.28, 0.77), r.uniform(6, 16)
        levels = np.arange(256, dtype=np.float32) / 255
        table = 1 / (1 + np.exp(-hardness * (levels - np.float32(threshold))))
        cover: Plane = table.astype(np.float32)[soft]
        if r.random() < 0.35:  # a pen that gives ink unevenly
            uneven = self._surfaces.cut(r.randrange(3), *cover.shape) * np.float32(0.25)
            cover *= 1 - uneven.clip(0, 0.6)
        return cover

    def _rules(self, cover: Plane) -> None:
        """Draws ruled lines above and below, in place."""
        r = self._r
        height, width = cover.shape
        for _ in range(r.choice((0, 0, 0, 1, 1, 2))):
            y = r.choice(
                (
                    r.uniform(height - 14, height + 2),
                    r.uniform(height - 8, height),
                    r.uniform(-2, 8),
                )
            )
            end = (width, round(y + r.gauss(0, 1.5)))
            cv2.line(
                cover,
                (0, round(y)),
                end,
                r.uniform(0.3, 1),
                r.choice((1, 1, 2, 2, 3, 5)),
                cv2.LINE_AA,
            )
