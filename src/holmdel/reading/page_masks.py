"""Pictures of ink, 255 where it is, made wider, thinner, opened and closed by rectangles."""

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]


def _window(rows: int, columns: int) -> Picture:
    return np.ones((rows, columns), np.uint8)


def dilated(ink: Picture, rows: int, columns: int) -> Picture:
    """Returns the ink wider by half of `rows` above and below, of `columns` left and right."""
    return cv2.dilate(ink, _window(rows, columns)).astype(np.uint8, copy=False)


def eroded(ink: Picture, rows: int, columns: int) -> Picture:
    """Returns the ink around which all of the rectangle is ink."""
    return cv2.erode(ink, _window(rows, columns)).astype(np.uint8, copy=False)


def opened(ink: Picture, rows: int, columns: int) -> Picture:
    """Returns the ink that a whole rectangle of ink covers."""
    out = cv2.morphologyEx(ink, cv2.MORPH_OPEN, _window(rows, columns))
    return out.astype(np.uint8, copy=False)


def closed(ink: Picture, rows: int, columns: int) -> Picture:
    """Returns the ink with the gaps filled into which the rectangle does not fit."""
    out = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, _window(rows, columns))
    return out.astype(np.uint8, copy=False)


def resized(picture: Picture, size: tuple[int, int], way: int = cv2.INTER_LINEAR) -> Picture:
    """Returns the picture, (H, W) or (H, W, C), at another size (width, height)."""
    return cv2.resize(picture, size, interpolation=way).astype(np.uint8, copy=False)
