"""A picture of one written line, as the line network sees it."""

import cv2
import numpy as np
from numpy.typing import NDArray

LINE_HEIGHT = 32  # pixels; as for LeNet-5's input
MARGIN = 8  # columns of paper on either side: the first digit is seen as the others are
NARROWEST, WIDEST = 16, 2048  # columns; a line of 2,048 holds some hundred digits

_SOFTNESS = 0.6  # pixels, standard deviation
_LEAST_CONTRAST = 20.0  # of 255; below it is paper without ink, whose grain must not become ink


def to_line(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns what the line network sees of a picture: float32 (32, W), paper 0, ink about 1.

    The height becomes 32 and the width follows; edges are softened a little; brightness is measured
    from the median, the paper, towards the darkest fiftieth, the ink.

    Args:
        grey: uint8 (H, W) of one line, dark ink on lighter paper, cropped close above and below.
    """
    height, width = grey.shape
    columns = min(max(round(width * LINE_HEIGHT / height), NARROWEST), WIDEST)
    shrinks = height > LINE_HEIGHT
    way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    small = cv2.resize(grey, (columns, LINE_HEIGHT), interpolation=way)
    soft = cv2.GaussianBlur(small, (3, 3), _SOFTNESS)  # scanners sharpen, cameras blur
    light: NDArray[np.uint8] = soft.astype(np.uint8, copy=False)
    line = np.zeros((LINE_HEIGHT, columns + 2 * MARGIN), np.float32)
    line[:, MARGIN:-MARGIN] = _ink_of_light(light)[light]
    return line


def _ink_of_light(light: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Returns for each of 256 brightnesses how much ink it is."""
    reached = np.bincount(light.ravel(), minlength=256).cumsum() / light.size
    ink, paper = np.searchsorted(reached, (0.02, 0.5)).tolist()
    depth = (paper - np.arange(256, dtype=np.float32)) / max(paper - ink, _LEAST_CONTRAST)
    ink_of: NDArray[np.float32] = depth.clip(-0.6, 1.3).astype(np.float32)
    return ink_of
