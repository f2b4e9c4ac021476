"""Combs cut out of a page: level, in even light, walls and rules taken away."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.erasing import without_bars
from holmdel.reading.fields import evened
from holmdel.reading.frames import Bar, Box, Cell
from holmdel.reading.image import Picture, Sheet, dilated, ink_of
from holmdel.reading.layout import Layout

HEIGHT = 64  # pixels of a cell in its picture, no more than the page has
_PALEST = 245  # of 255: what is darker around a wall is the wall
_ABOVE, _ASIDE = 0.3, 0.3  # of a cell's height and width around the comb, into which digits run


@dataclass(frozen=True, eq=False)
class Comb:
    """A comb cut out.

    Attributes:
        picture: uint8 (h, w), dark ink on white paper, without walls.
        cells: x, y, width and height of the inside of each in `picture`, from the left.
    """

    picture: Picture
    cells: tuple[Cell, ...]


def cut_comb(
    page: Picture, sheet: Sheet, layout: Layout, box: Box, scale: float
) -> tuple[Comb, NDArray[np.float64]]:
    """Returns a comb and the affine map (2, 3) from its picture to the page.

    Args:
        page: uint8 (H, W), as given.
        sheet: the page made even and straight.
        layout: what is printed on the sheet.
        box: one of its boxes.
        scale: working pixels per pixel of the page.
    """
    high = float(np.median([c[3] for c in box.cells]))
    wide = float(np.median([c[2] for c in box.cells]))
    left, top = box.x - _ASIDE * wide, box.y - _ABOVE * high
    zoom = min(max(HEIGHT / high, 0.05), max(1.0 / scale, 1.0))
    size = (
        max(8, round((box.w + 2 * _ASIDE * wide) * zoom)),
        max(8, round((box.h + 2 * _ABOVE * high) * zoom)),
    )
    to_sheet = np.array([[1 / zoom, 0, left], [0, 1 / zoom, top], [0, 0, 1.0]])
    to_page = np.linalg.inv(sheet.from_page) @ to_sheet
    light = _seen(sheet.light, to_sheet, size, 255)
    if scale < 1:
        light = evened(_seen(page, to_page, size, 255), light)
    bars = [_moved(bar, left, top, zoom) for bar in layout.bars]
    bars = [bar for bar in bars if _is_in(bar, size)]
    known = _seen(dilated(layout.lines, 5, 5), to_sheet, size, 0)
    pens = None if layout.pens is None else _seen(layout.pens & layout.lines, to_sheet, size, 0)
    picture = _without_walls(light, bars, known, pens, zoom)
    cells = tuple(
        (round((x - left) * zoom), round((y - top) * zoom), round(w * zoom), round(h * zoom))
        for x, y, w, h in box.cells
    )
    return Comb(picture, cells), np.asarray(to_page[:2], np.float64)


def _moved(bar: Bar, left: float, top: float, zoom: float) -> Bar:
    """Returns a bar of the sheet in a picture of a part of it."""
    x0, x1 = ((x - left) * zoom for x in (bar.x0, bar.x1))
    y0, y1 = ((y - top) * zoom for y in (bar.y0, bar.y1))
    return Bar(x0, y0, x1, y1, bar.thick * zoom)


def _is_in(bar: Bar, size: tuple[int, int]) -> bool:
    """Returns whether a part of a bar may be in a picture of a width and height."""
    across, down = sorted((bar.x0, bar.x1)), sorted((bar.y0, bar.y1))
    return across[0] < size[0] and across[1] > 0 and down[0] < size[1] and down[1] > 0


def _without_walls(
    light: Picture, bars: Sequence[Bar], known: Picture, pens: Picture | None, zoom: float
) -> Picture:
    """Returns the picture of a comb without its walls.

    Args:
        light: uint8 (h, w), the comb, paper 255.
        bars: the walls.
        known: uint8 (h, w), 255 around them.
        pens: uint8 (h, w), 255 on what colour tells to be a pen's on the walls; None for no colour.
        zoom: pixels per pixel of the sheet.
    """
    ink = ink_of(light)
    faint = ink | np.where((known > 127) & (light < _PALEST), 255, 0).astype(np.uint8)
    clean, lines = without_bars(ink, light, faint, bars, zoom)
    if pens is not None:
        clean |= np.where(pens > 127, ink, 0).astype(np.uint8)
    gone = dilated(lines | (ink & ~clean), 3, 3) & ~dilated(clean, 3, 3)
    return np.where(gone > 0, 255, light).astype(np.uint8)


def _seen(
    image: Picture, matrix: NDArray[np.float64], size: tuple[int, int], outside: int
) -> Picture:
    """Returns what a map (3, 3) from the result to an image shows."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(image, matrix[:2], size, flags=flags, borderValue=(outside,))
    return seen.astype(np.uint8, copy=False)
