"""Combs cut out of a page: level, in even light, walls and rules taken away."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.fields import evened
from holmdel.reading.frames import Box, Cell
from holmdel.reading.image import Picture, Sheet, dilated
from holmdel.reading.layout import Layout

HEIGHT = 64  # pixels of a cell in its picture, no more than the page has
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
    own = _seen(dilated(layout.ink, 3, 3), to_sheet, size, 0)
    printed = (layout.lines | (sheet.ink & ~layout.ink)) & ~layout.ink
    other = _seen(dilated(printed, 5, 5), to_sheet, size, 0)
    picture = np.where((other > 127) & (own < 128), 255, light).astype(np.uint8)
    cells = tuple(
        (round((x - left) * zoom), round((y - top) * zoom), round(w * zoom), round(h * zoom))
        for x, y, w, h in box.cells
    )
    return Comb(picture, cells), np.asarray(to_page[:2], np.float64)


def _seen(
    image: Picture, matrix: NDArray[np.float64], size: tuple[int, int], outside: int
) -> Picture:
    """Returns what a map (3, 3) from the result to an image shows."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(image, matrix[:2], size, flags=flags, borderValue=(outside,))
    return seen.astype(np.uint8, copy=False)
