"""Smooth random surfaces: drawn once, cut out many times."""

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

HEIGHT, WIDTH = 192, 1536


def surface(rng: np.random.Generator, height: int, width: int, cell: float) -> Plane:
    """Returns a smooth surface, float32 (height, width), of mean 0 and deviation about 0.7.

    Args:
        rng: where the numbers come from.
        height: H in pixels.
        width: W in pixels.
        cell: pixels from one random value to the next.
    """
    mesh = rng.standard_normal(
        (max(2, int(height / cell) + 2), max(2, int(width / cell) + 2)), dtype=np.float32
    )
    grown = cv2.resize(mesh, (width, height), interpolation=cv2.INTER_CUBIC)
    return grown.astype(np.float32, copy=False)


class Surfaces:
    """A stock of smooth surfaces to cut from.

    Args:
        rng: where the numbers come from.
        cells: the pixels from one random value to the next, one stock a value.
        each: surfaces a stock.
    """

    def __init__(self, rng: np.random.Generator, cells: tuple[float, ...], each: int = 6) -> None:
        self._rng = rng
        self._stocks = [[surface(rng, HEIGHT, WIDTH, cell) for _ in range(each)] for cell in cells]

    def cut(self, stock: int, height: int, width: int) -> Plane:
        """Returns a piece (height, width) from anywhere in a surface of a stock, a view."""
        rng = self._rng
        plane = self._stocks[stock][rng.integers(len(self._stocks[stock]))]
        top = rng.integers(HEIGHT - height + 1)
        left = rng.integers(WIDTH - width + 1)
        return plane[top : top + height, left : left + width]
