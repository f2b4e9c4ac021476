"""Lines drawn by pen strokes on paper, and worn down as copies, scans and photographs wear them."""

import random
from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reader_training.synthesis.paper import Paper, Surfaces

Points = NDArray[np.float32]
Canvas = NDArray[np.uint8]

INK = 80  # of 255: from here on a pixel counts as ink
_PIECE = 24  # columns, about as wide as a digit
_SOME = 0.25  # of the most ink a piece has: those of less hold a mark, or the end of a stroke
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
    cv2.polylines(canvas, [fixed], False, ink, max(1, round(width)), cv2.LINE_8, _SHIFT)


class Degrader:
    """Makes images of ink as if written on paper and scanned.

    Args:
        r: where the numbers come from.
        surfaces: smooth surfaces to cut from.
        paper: sheets to cut from.
    """

    def __init__(self, r: random.Random, surfaces: Surfaces, paper: Paper) -> None:
        self._r, self._paper = r, paper
        self._pressure = surfaces.pressure()

    def degraded(self, ink: Canvas, printed: Canvas | None = None) -> Canvas:
        """Returns an image, uint8 (H, W), of ink on paper, cropped around the ink.

        Args:
            ink: uint8 (H, W), 255 where there is ink.
            printed: the same of what is printed around it.
        """
        r = self._r
        window = self._window(ink, printed)
        ink = ink[window]
        self._neighbours(ink)
        cover = self._pressed(ink)
        self._rules(cover)
        if printed is not None:
            around = cv2.GaussianBlur(printed[window], (3, 3), r.uniform(0.4, 0.9))
            cv2.max(cover, around, dst=cover)
        dark = 255 - 255 * r.uniform(0.5, 0.97) ** 0.7
        seen = cv2.convertScaleAbs(cover, alpha=(dark - 255) / 255, beta=255)
        light = cv2.multiply(self._paper.cut(*cover.shape), seen, scale=1 / 255)
        return self._scanned(light.astype(np.uint8, copy=False))

    def _scanned(self, light: Canvas) -> Canvas:
        """Returns an image made smaller, blurred, stretched or coded."""
        r = self._r
        if r.random() < 0.3:  # as small as the network sees it, or smaller
            height, width = light.shape
            tall = r.randint(28, 44)
            size = (max(8, round(width * tall / height)), tall)
            light = cv2.resize(light, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        if r.random() < 0.25:
            spread = r.uniform(0.3, 0.9) * light.shape[0] / 45
            light = cv2.GaussianBlur(light, _kernel(spread), spread)  # type: ignore[assignment]
        if r.random() < 0.1:
            light = _stretched(light, r.uniform(0.5, 1.8))
        if r.random() < 0.25:
            quality = [cv2.IMWRITE_JPEG_QUALITY, r.randint(25, 90)]
            coded = cv2.imencode(".jpg", light, quality)[1]
            return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
        return light

    def _window(self, ink: Canvas, printed: Canvas | None) -> tuple[slice, slice]:
        """Returns where the ink is, with some room around or a little cut off.

        What is printed beside it stays; what is printed above and below, now and then.
        """
        r = self._r
        whole, least = (ink, INK) if printed is None else (np.maximum(ink, printed), INK // 2)
        columns = np.flatnonzero(whole.max(0) > least)
        high = whole if r.random() < 0.6 else ink
        rows = np.flatnonzero(high.max(1) > INK)
        if len(columns) == 0 or len(rows) == 0:
            return slice(24, 24 + r.randint(30, 60)), slice(0, None)
        left, right, top, bottom = columns[0], columns[-1], rows[0], rows[-1]
        tall = bottom - top
        above, below = (self._room(-0.05, 0.15, 0.5, 0.9) for _ in range(2))
        before, after = (self._room(-2, 8, 50, 132) for _ in range(2))
        if printed is not None:  # a wall at the edge is seen whole
            before, after = max(before, 1), max(after, 1)
        y0, y1 = max(0, int(top - above * tall)), int(bottom + below * tall) + 1
        x0, x1 = max(0, int(left - before)), int(right + after) + 1
        return slice(y0, max(y1, y0 + 12)), slice(x0, max(x1, x0 + 12))

    def _room(self, least: float, usual: float, much: float, most: float) -> float:
        """Returns how much room there is at one side."""
        kind = self._r.random()
        if kind < 0.57:
            return self._r.uniform(least, usual)
        return self._r.uniform(0, much if kind < 0.95 else most)

    def _neighbours(self, ink: Canvas) -> None:
        """Lets ends of the lines above and below hang into the image, in place."""
        r, height = self._r, len(ink)
        if height < 30 or r.random() > 0.09:
            return
        deep = r.randint(2, max(3, height // 7))
        away = r.randint(-60, 60)
        if r.random() < 0.6:
            ends = np.roll(ink[height // 2 : height // 2 + deep], away, 1)
            np.maximum(ink[:deep], ends, out=ink[:deep])
        else:
            ends = np.roll(ink[height // 2 - deep : height // 2], away, 1)
            np.maximum(ink[-deep:], ends, out=ink[-deep:])

    def _pressed(self, ink: Canvas) -> Canvas:
        """Returns how much of the paper the ink covers, 0..255: the pen's width is varied here."""
        r = self._r
        thin = ink
        if r.random() < 0.2:
            thinner = cv2.erode(ink, np.ones((2, 2), np.uint8)).astype(np.uint8, copy=False)
            if _least_kept(ink, thinner) > 0.25:  # strokes of one pixel must not be gone
                thin = thinner
        spread = r.uniform(0.6, 1.4)
        soft = cv2.GaussianBlur(thin, _kernel(spread), spread).astype(np.uint8, copy=False)
        threshold, hardness = r.uniform(0.28, 0.74), r.uniform(6, 16)
        cover = cv2.LUT(soft, _hardened(threshold, hardness)).astype(np.uint8, copy=False)
        if _least_kept(soft, cover) < 0.62:  # a thin pen's strokes must not break off
            softer = _hardened(0.45 * threshold, hardness)
            cover = cv2.LUT(soft, softer).astype(np.uint8, copy=False)
        if r.random() < 0.35:  # a pen that gives ink unevenly
            pressure = self._pressure.cut(r, *cover.shape)
            cover = cv2.multiply(cover, pressure, scale=1 / 255).astype(np.uint8, copy=False)
        return cover

    def _rules(self, cover: Canvas) -> None:
        """Draws ruled lines above and below, or lines and squares all over, in place."""
        r = self._r
        height, width = cover.shape
        kind = r.random()
        if kind < 0.06:
            self._ruled(cover, squared=kind < 0.03)
            return
        for _ in range(r.choice((0, 0, 0, 1, 1, 2))):
            y = r.choice(
                (
                    r.uniform(height - 14, height + 2),
                    r.uniform(height - 8, height),
                    r.uniform(-2, 8),
                )
            )
            ends = (0, round(y)), (width, round(y + r.gauss(0, 1.5)))
            ink, wide = r.uniform(76, 255), r.choice((1, 1, 2, 2, 3, 5))
            cv2.line(cover, *ends, ink, wide, cv2.LINE_AA)

    def _ruled(self, cover: Canvas, *, squared: bool) -> None:
        r = self._r
        ink = np.uint8(r.randint(30, 110))
        step = r.randint(9, 22) if squared else r.randint(14, 40)
        wide = r.choice((1, 1, 2))
        for at in range(r.randrange(step), cover.shape[0], step):
            np.maximum(cover[at : at + wide], ink, out=cover[at : at + wide])
        if squared:
            for at in range(r.randrange(step), cover.shape[1], step):
                place = cover[:, at : at + wide]
                np.maximum(place, ink, out=place)


def _least_kept(soft: Canvas, cover: Canvas) -> float:
    """Returns how much of its ink the palest piece of a line keeps, a piece about a digit wide."""
    pieces = (-(-soft.shape[1] // _PIECE), 1)
    before, after = (
        cv2.resize(ink.mean(0, dtype=np.float32)[None], pieces, interpolation=cv2.INTER_AREA)
        for ink in (soft, cover)
    )
    inked = before > _SOME * before.max()
    return float((after[inked] / before[inked]).min()) if inked.any() else 1.0


_LEVELS = np.arange(256, dtype=np.float32) / 255


def _kernel(spread: float) -> tuple[int, int]:
    """Returns the size of a blur's kernel: OpenCV's own is larger and twice as slow."""
    return (3, 3) if spread < 0.8 else (5, 5)


def _hardened(threshold: float, hardness: float) -> Canvas:
    """Returns for each grey of soft ink how much it covers."""
    covers = 255 / (1 + np.exp(-hardness * (_LEVELS - np.float32(threshold))))
    return covers.astype(np.uint8)


def _stretched(light: Canvas, gamma: float) -> Canvas:
    """Returns an image from black to white, its greys bent."""
    low, high = int(light.min()), int(light.max())
    levels = ((_LEVELS * 255 - low) / max(high - low, 1)).clip(0, 1) ** np.float32(gamma)
    return cv2.LUT(light, (255 * levels).astype(np.uint8)).astype(np.uint8, copy=False)
