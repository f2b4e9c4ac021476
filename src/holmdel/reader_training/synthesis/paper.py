"""Backgrounds of a training line: smooth random surfaces, and sheets of paper made of them.

Paper is plain, grained, or has the fine printed lines of a bank's guilloche.
"""

import math
import random

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
Grey = NDArray[np.uint8]

SURFACE_HEIGHT, SURFACE_WIDTH = 192, 2048  # pixels of a smooth surface
HEIGHT, WIDTH = 160, 1920  # pixels of a sheet
FIRST, STOCK = 24, 192  # sheets there are at the start, and at most
TURNOVER = 100  # images from one new sheet to the next


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
        self._stocks = [
            [surface(rng, SURFACE_HEIGHT, SURFACE_WIDTH, cell) for _ in range(each)]
            for cell in cells
        ]

    def cut(self, stock: int, height: int, width: int) -> Plane:
        """Returns a piece (height, width) from anywhere in a surface of a stock, a view."""
        rng = self._rng
        plane = self._stocks[stock][rng.integers(len(self._stocks[stock]))]
        top = rng.integers(SURFACE_HEIGHT - height + 1)
        left = rng.integers(SURFACE_WIDTH - width + 1)
        return plane[top : top + height, left : left + width]

    def pressure(self) -> "Pressure":
        """Returns planes of how much ink a pen gives that gives it unevenly."""
        planes = [plane for stock in self._stocks[:3] for plane in stock]
        return Pressure([(255 * (1 - (0.25 * p).clip(0, 0.6))).astype(np.uint8) for p in planes])


class Pressure:
    """Planes of how much ink a pen gives, uint8, 255 for all.

    Args:
        planes: of one size.
    """

    def __init__(self, planes: list[Grey]) -> None:
        self._planes = planes

    def cut(self, r: random.Random, height: int, width: int) -> Grey:
        """Returns a piece (height, width) from anywhere, a view."""
        plane = r.choice(self._planes)
        top, left = r.randint(0, len(plane) - height), r.randint(0, plane.shape[1] - width)
        return plane[top : top + height, left : left + width]


class Paper:
    """A stock of sheets, of which one is replaced now and then.

    Args:
        rng: where the numbers come from.
        r: the same, for single numbers.
    """

    def __init__(self, rng: np.random.Generator, r: random.Random) -> None:
        self._rng, self._r = rng, r
        self._sheets = [_grey(sheet(rng)) for _ in range(FIRST)]
        self._cuts = 0

    def cut(self, height: int, width: int) -> Grey:
        """Returns a piece of paper, uint8 (height, width), a view."""
        self._cuts += 1
        if self._cuts % TURNOVER == 0:
            self._renew()
        r = self._r
        whole = r.choice(self._sheets)
        top, left = r.randint(0, HEIGHT - height), r.randint(0, WIDTH - width)
        piece = whole[top : top + height, left : left + width]
        if r.random() < 0.5:
            piece = piece[:, ::-1]
        if r.random() < 0.5:
            piece = piece[::-1]
        return piece

    def _renew(self) -> None:
        if len(self._sheets) < STOCK:
            self._sheets.append(_grey(sheet(self._rng)))
        else:
            self._sheets[self._r.randrange(STOCK)] = _grey(sheet(self._rng))


def _grey(light: Plane) -> Grey:
    return cv2.convertScaleAbs(light.clip(0, 1), alpha=255).astype(np.uint8, copy=False)


def sheet(rng: np.random.Generator) -> Plane:
    """Returns a sheet of paper, float32 (160, 1920): light, 0 black to about 1 white."""
    light = np.full((HEIGHT, WIDTH), rng.uniform(0.45, 0.95), np.float32)
    kind = rng.integers(10)
    if kind < 2:
        _guilloche(rng, light)
    elif kind < 4:
        _dots(rng, light)
    elif kind < 5:
        _sines(rng, light)
    elif kind < 7:
        _fine_waves(rng, light)
    if rng.random() < 0.15:  # another tone below or above
        light[int(rng.uniform(0, HEIGHT)) :] += rng.uniform(-0.25, 0.25)
    light += surface(rng, HEIGHT, WIDTH, rng.uniform(40, 200)) * rng.uniform(0, 0.06)
    light += rng.standard_normal(light.shape, dtype=np.float32) * rng.uniform(0, 0.05)
    if rng.random() < 0.6:
        cv2.GaussianBlur(light, (0, 0), rng.uniform(0.5, 1.4), dst=light)
    return light


def _grid() -> tuple[Plane, Plane]:
    """Returns the numbers of rows (H, 1) and columns (1, W)."""
    return (
        np.arange(HEIGHT, dtype=np.float32)[:, None],
        np.arange(WIDTH, dtype=np.float32)[None, :],
    )


def _lines(phase: Plane, width: float) -> Plane:
    """Returns 1 on the lines where a phase is whole, 0 between them."""
    lines: Plane = (1 - np.abs((phase % 1) - 0.5) * 2 / width).clip(0, 1).astype(np.float32)
    return lines


def _guilloche(rng: np.random.Generator, light: Plane) -> None:
    """Prints the contour lines of smooth surfaces."""
    rows, columns = _grid()
    for _ in range(rng.integers(1, 4)):
        phase = surface(rng, HEIGHT, WIDTH, rng.uniform(35, 120)) * rng.uniform(0.5, 2.5)
        angle, period = rng.uniform(0, math.pi), rng.uniform(10, 80)
        phase += (columns * math.cos(angle) + rows * math.sin(angle)) / period
        light -= _lines(phase, rng.uniform(0.12, 0.35)) * np.float32(rng.uniform(0.03, 0.2))


def _dots(rng: np.random.Generator, light: Plane) -> None:
    """Prints a grid of dots, or a coarse grain."""
    rows, columns = _grid()
    across, down = rng.uniform(4, 12), rng.uniform(4, 12)
    wobble = surface(rng, HEIGHT, WIDTH, 50) * rng.uniform(0, 2)
    dots = np.cos(2 * math.pi * (columns + wobble) / across)
    dots = dots * np.cos(2 * math.pi * (rows + wobble * 0.7) / down)
    if rng.random() < 0.5:
        dots = np.sign(dots) * np.abs(dots) ** 0.4
    light += dots.astype(np.float32) * np.float32(rng.uniform(0.02, 0.12))
    if rng.random() < 0.5:
        grain = surface(rng, HEIGHT, WIDTH, rng.uniform(2.5, 7))
        light += grain * np.float32(rng.uniform(0.02, 0.07))


def _sines(rng: np.random.Generator, light: Plane) -> None:
    """Prints families of waves."""
    rows, columns = _grid()
    for _ in range(rng.integers(1, 5)):
        period, height, step = rng.uniform(25, 260), rng.uniform(4, 32), rng.uniform(8, 32)
        phase = (
            rows + height * np.sin(2 * math.pi * columns / period + rng.uniform(0, 6.3))
        ) / step
        light -= _lines(phase, rng.uniform(0.15, 0.4)) * np.float32(rng.uniform(0.03, 0.17))


def _fine_waves(rng: np.random.Generator, light: Plane) -> None:
    """Prints fine parallel lines that bend a little."""
    rows, columns = _grid()
    for _ in range(rng.integers(1, 3)):
        angle = rng.normal(0, 0.35)
        bend = surface(rng, HEIGHT, WIDTH, rng.uniform(40, 160)) * rng.uniform(0, 8)
        phase = (rows * math.cos(angle) + columns * math.sin(angle) + bend) / rng.uniform(4, 13)
        light += np.cos(2 * math.pi * phase).astype(np.float32) * np.float32(
            rng.uniform(0.02, 0.13)
        )
