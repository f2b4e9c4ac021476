"""Windows of morphology."""

import numpy as np
from numpy.typing import NDArray

Point = tuple[int, int]


def window(rows: int, columns: int) -> tuple[NDArray[np.uint8], Point, Point]:
    """Returns a rectangle of ones, and where to hold it (x, y) in the first and the second step.

    Opening and closing are two steps with one window. A window of an even side has no middle:
    OpenCV's own `morphologyEx` holds it at the same place in both, and moves everything by a pixel.
    """
    x, y = columns // 2, rows // 2
    return np.ones((rows, columns), np.uint8), (x, y), (columns - 1 - x, rows - 1 - y)
