"""Pictures of how a line was read, and pictures as files."""

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from holmdel.reading.answers import Box, Grey

_HEIGHT = 96  # pixels of the line as it is drawn
_ROOM = 28  # above it, for the characters
_BOX, _TEXT = (200, 90, 30), (30, 30, 190)  # red, green, blue


def draw_alignment(picture: Grey, digits: Sequence[tuple[str, Box]]) -> Grey:
    """Returns a line, enlarged, with a box around each digit and what it was read as above it.

    Args:
        picture: uint8 (H, W).
        digits: the characters and their boxes in the picture's pixels.
    """
    height, width = picture.shape
    scale = _HEIGHT / height
    large = cv2.resize(picture, (max(round(width * scale), 1), _HEIGHT))
    drawn = np.full((_HEIGHT + _ROOM, large.shape[1], 3), 255, np.uint8)
    drawn[_ROOM:] = large[:, :, None]
    for char, (x, y, w, h) in digits:
        left, right = round(x * scale), round((x + w) * scale) - 1
        top, bottom = _ROOM + round(y * scale), _ROOM + round((y + h) * scale) - 1
        cv2.rectangle(drawn, (left, top), (right, bottom), _BOX, 1)
        middle = (max((left + right) // 2 - 8, 0), _ROOM - 7)
        cv2.putText(drawn, char, middle, cv2.FONT_HERSHEY_SIMPLEX, 0.8, _TEXT, 2, cv2.LINE_AA)
    return drawn


def to_png(picture: Grey) -> bytes:
    """Returns a picture, uint8 (H, W) or (H, W, 3), as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return file.getvalue()
