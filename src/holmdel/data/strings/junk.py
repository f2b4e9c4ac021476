"""Lines on which there is nothing to read: printed words, bare paper."""

import random

import cv2

from holmdel.data.strings.pen import Canvas

# Letters that nobody takes for a digit, also by themselves.
_CAPITALS, _SMALL = "ACDEFHKLMNPRTUVWXY", "acdefhkmnprtuvwxy"
_FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
)


def nothing_to_read(canvas: Canvas, base: int, r: random.Random) -> int:
    """Draws words or nothing, in place; returns where the ink ends, in pixels.

    Args:
        canvas: uint8 (H, W) without ink.
        base: the row the letters stand on.
        r: where the numbers come from.
    """
    return _words(canvas, base, r) if r.random() < 0.6 else r.randint(60, 400)


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
