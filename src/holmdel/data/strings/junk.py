"""Lines on which there is nothing to read: printed words, scribbles, bare paper."""

import random

import cv2
import numpy as np

from holmdel.data.strings.pen import Canvas, curve, trace

# Letters that nobody takes for a digit, also by themselves.
_CAPITALS, _SMALL = "ACDEFHKLMNPRTUVWXY", "acdefhkmnprtuvwxy"
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


def nothing_to_read(canvas: Canvas, base: int, rng: np.random.Generator, r: random.Random) -> int:
    """Draws words, scribbles or nothing, in place; returns where the ink ends, in pixels.

    Args:
        canvas: uint8 (H, W) without ink.
        base: the row the letters stand on.
        rng: where the numbers come from.
        r: the same, for single numbers.
    """
    kind = r.random()
    if kind < 0.6:
        return _words(canvas, base, r)
    if kind < 0.6:
        return _scribble(canvas, base, rng, r)
    return r.randint(60, 400)


def _words(canvas: Canvas, base: int, r: random.Random) -> int:
    letters = [
        "".join(r.choices(_SMALL if r.random() < 0.7 else _CAPITALS, k=r.randint(2, 8)))
        for _ in range(r.randint(1, 3))
    ]
    words = [word.capitalize() if r.random() < 0.4 else word for word in letters]
    font, scale, pen = r.choice(_FONTS), r.uniform(1.0, 2.0), r.randint(1, 5)
    text = " ".join(words)
    cv2.putText(canvas, text, (24, base), font, scale, 255, pen, cv2.LINE_AA)
    return 24 + int(cv2.getTextSize(text, font, scale, pen)[0][0])


def _scribble(canvas: Canvas, base: int, rng: np.random.Generator, r: random.Random) -> int:
    """Draws a line of waves, longer than any digit is wide, as of a signature."""
    count = r.randint(8, 24)
    step = r.uniform(8, 22)
    points = rng.standard_normal((count, 2)).astype(np.float32)
    points *= (r.uniform(2, 14), r.uniform(4, 20))
    points[:, 0] += 40 + np.arange(count, dtype=np.float32) * np.float32(step)
    points[:, 1] += base - 22
    trace(canvas, curve(points), r.uniform(2, 6))
    return int(points[:, 0].max()) + 8
