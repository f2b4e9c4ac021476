"""A picture of paper reduced to what registration compares: corners, and edges by direction."""

from functools import cached_property
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.image import Picture, even_light, ink_of, paper_of, resized, skew

Points: TypeAlias = NDArray[np.float64]  # (N, 2), x and y

_SIDE = 1000  # pixels of the longer side of what is compared
_FINEST = 0.8  # of that: of the picture in which corners are looked for
_CORNERS = 1500
_SHEET = 0.2  # of a picture that a sheet of paper on it covers at least
_ROUND = 0.02  # of the sheet's circumference by which its sides may be bent
_LEAST_EDGE, _STRONG_EDGE = 80, 220  # of the gradient, in Sobel's units: 4 times the step
_EDGES = 4000  # of the form, spread over it, that are compared
SECTORS = 8  # of the directions of edges


class Compared:
    """A picture of paper, reduced to what is compared: corners, and edges by their directions.

    Args:
        grey: uint8 (H, W).

    Attributes:
        grey: uint8 (h, w), the picture, its longer side `_SIDE`.
        light: uint8 (h, w), the same in even light.
        reduced: float64 (3, 3), a point of the picture to a point of `light`.
    """

    def __init__(self, grey: Picture) -> None:
        scale = _SIDE / max(grey.shape)
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        height, width = (max(8, round(side * scale)) for side in grey.shape)
        self.grey = resized(grey, (width, height), way)
        self.light = even_light(self.grey)
        across, down = width / grey.shape[1], height / grey.shape[0]
        # Pixels lie on one another by their corners; points are the middles of pixels.
        self.reduced = np.array(
            [[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1]]
        )

    @cached_property
    def corners(self) -> tuple[Points, NDArray[np.float32]]:
        """Where corners are (N, 2), and what they look like (N, 128): SIFT (Lowe, 2004)."""
        few = cv2.resize(self.light, None, fx=_FINEST, fy=_FINEST, interpolation=cv2.INTER_AREA)
        found, looks = cv2.SIFT.create(_CORNERS).detectAndCompute(few, None)
        if not found:
            return np.empty((0, 2)), np.empty((0, 128), np.float32)
        at = np.array([corner.pt for corner in found], np.float64)
        return (at + 0.5) / _FINEST - 0.5, np.asarray(looks, np.float32)

    @cached_property
    def outline(self) -> Points | None:
        """The corners of the sheet (4, 2), clockwise; None where there is no darker table."""
        paper = self.paper
        _, bright = cv2.threshold(paper, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
        shapes, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        hull = cv2.convexHull(max(shapes, key=cv2.contourArea)) if shapes else None
        if hull is None or cv2.contourArea(hull) < _SHEET * paper.size:
            return None
        four = cv2.approxPolyDP(hull, _ROUND * cv2.arcLength(hull, True), True)
        return four[:, 0].astype(np.float64) if len(four) == 4 else None

    @cached_property
    def _gradients(self) -> tuple[Picture, NDArray[np.float32]]:
        """Edges, uint8 (h, w), and the directions in which it gets lighter, in turns 0..1."""
        smooth = cv2.GaussianBlur(self.light, (0, 0), 0.8)
        dx, dy = cv2.Sobel(smooth, cv2.CV_16S, 1, 0), cv2.Sobel(smooth, cv2.CV_16S, 0, 1)
        edges = cv2.Canny(dx, dy, _LEAST_EDGE, _STRONG_EDGE).astype(np.uint8)
        turns = np.arctan2(dy.astype(np.float32), dx.astype(np.float32)) / (2 * np.pi)
        return edges, (turns % 1.0).astype(np.float32)

    @cached_property
    def edges(self) -> tuple[Points, NDArray[np.float64]]:
        """Edge points (N, 2), spread over the picture, and their directions (N,)."""
        edges, turns = self._gradients
        y, x = np.nonzero(edges)
        step = max(1, len(x) // _EDGES)
        y, x = y[::step], x[::step]
        return np.stack([x, y], 1).astype(np.float64), turns[y, x].astype(np.float64)

    @cached_property
    def distances(self) -> NDArray[np.float32]:
        """Pixels to the nearest edge of about one direction: float32 (SECTORS, h, w)."""
        edges, turns = self._gradients
        sector = np.floor(turns * SECTORS + 0.5).astype(np.int32) % SECTORS
        planes = []
        for number in range(SECTORS):
            apart = np.abs((sector - number + SECTORS // 2) % SECTORS - SECTORS // 2)
            here = (edges > 0) & (apart <= 1)
            planes.append(cv2.distanceTransform((~here).astype(np.uint8), cv2.DIST_L2, 3))
        return np.stack(planes).astype(np.float32)

    @cached_property
    def paper(self) -> Picture:
        """The paper's brightness, uint8 (h, w)."""
        return paper_of(self.grey)

    @cached_property
    def tilt(self) -> float:
        """By how many degrees lines rise to the right."""
        return skew(ink_of(self.light))
