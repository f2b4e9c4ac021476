"""Filled forms: a page is laid on its template, and each field cut out, what is printed gone."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.reading.answers import Box, Grey
from holmdel.reading.compared import Compared
from holmdel.reading.image import Picture, closed, dilated, ink_of, opened, resized
from holmdel.reading.registration import (
    LEAST_MATCH,
    Matrix,
    Registration,
    close_up,
    register,
    through,
)
from holmdel.reading.template_fields import TemplateField

if TYPE_CHECKING:
    from holmdel.reading.template import Template

_HEIGHT = 80  # pixels of a field's height in its picture, or what the page has
_MARGIN = 0.3  # of the field's height around it, into which writing may run
_AROUND = 1.5  # of the field's height around it: the print by which it is set right
_PRINT = 5  # pixels around printed ink that are printed as well
_ASTRAY = 4  # pixels by which a wall is elsewhere than on the form
_STRAIGHT = 0.6  # of a cell's height, or width: ink so long may be a wall
_BRIDGE = 11  # pixels of print that a stroke crosses
_OWN = 0.4  # of a mark's ink that lies within the field it belongs to
_SPECK = 0.18  # of a field's height: what is smaller both ways is no digit
_BESIDE, _HUGS, _SLIVER = 7, 0.7, 0.4  # a mark so low of which so much is so near print: its rest
_EDGE = 0.06  # of the height, left around the writing


@dataclass(frozen=True, eq=False)
class Filled:
    """A field of a page.

    Attributes:
        field: which one.
        box: x, y, width and height around it in the page's pixels.
        picture: uint8 (h, w), the field upright, dark ink on white paper, without print; None
            where nothing is written.
        cells: x, y, width and height of the field's cells in `picture`, from the left.
        to_page: float64 (2, 3), a point of `picture` to a point of the page.
    """

    field: TemplateField
    box: Box
    picture: Grey | None
    cells: tuple[Box, ...]
    to_page: NDArray[np.float64]


class Form:
    """A template made ready for many pages."""

    def __init__(self, template: "Template") -> None:
        self.template = template
        self._form = Compared(template.reference)

    @cached_property
    def _printed(self) -> Picture:
        """The ink of the reference, uint8 (h, w)."""
        return ink_of(self.template.reference)

    def register(self, grey: Grey) -> Registration:
        """Returns how a page, uint8 (H, W), lies on the form, however well."""
        return register(self._form, Compared(grey))

    def cut(self, grey: Grey, name: str) -> Iterator[Filled]:
        """Yields the fields of a page.

        Args:
            grey: uint8 (H, W), the page.
            name: what an error calls it.

        Raises:
            UserError: if it is no page of this form.
        """
        page = Compared(grey)
        found = register(self._form, page)
        if not found.is_enough:
            raise UserError(
                f"{name} matches {100 * found.matched:.0f} % of the form {self.template.name}, "
                f"expected {100 * LEAST_MATCH:.0f} % or more; is it another form, or a part of it?"
            )
        for field in self.template.fields:
            yield self._field(grey, page, found.to_page, field)

    def _field(self, grey: Grey, page: Compared, to_page: Matrix, field: TemplateField) -> Filled:
        x, y, w, h = field.within(self.template.reference.shape)
        around = _AROUND * h
        near = (x - around, y - around, w + 2 * around, h + 2 * around)
        to_page = close_up(self._form, page, to_page, near)
        corners = np.array([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
        laid = through(to_page, corners)
        finest = float(np.sqrt(cv2.contourArea(laid.astype(np.float32)) / (w * h)))
        zoom = min(_HEIGHT / h, max(finest, 1.0))
        margin = _MARGIN * h
        to_form = np.array([[1 / zoom, 0, x - margin], [0, 1 / zoom, y - margin], [0, 0, 1]])
        size = round((w + 2 * margin) * zoom), round((h + 2 * margin) * zoom)
        light = _even(grey, page, to_page @ to_form, size)
        printed = _warped(self._printed, to_form, size, 0)
        inner = (margin * zoom, margin * zoom, w * zoom, h * zoom)
        own = _writing(light, printed, inner, field.cells)
        return _filled(field, _box(laid, grey.shape), light, own, inner, to_page @ to_form)


def _even(grey: Grey, page: Compared, to_page: Matrix, size: tuple[int, int]) -> Picture:
    """Returns a part of the page in even light, paper 255."""
    fine = _warped(grey, to_page, size, 255).astype(np.float32)
    paper = _warped(page.paper, page.reduced @ to_page, size, 255).astype(np.float32)
    return np.clip(fine * (255 / np.maximum(paper, 1)), 0, 255).astype(np.uint8)


def _warped(picture: Picture, matrix: Matrix, size: tuple[int, int], outside: int) -> Picture:
    """Returns what a homography from the result to `picture` shows, smoothed where it shrinks."""
    width, height = size
    frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    laid = through(matrix, frame)
    low = np.maximum(np.floor(laid.min(0)).astype(int) - 2, 0)
    high = np.ceil(laid.max(0)).astype(int) + 3
    part = picture[low[1] : high[1], low[0] : high[0]]
    if part.size == 0:
        return np.full((height, width), outside, np.uint8)
    moved = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]]) @ matrix
    shrink = float(np.sqrt(cv2.contourArea(laid.astype(np.float32)) / (width * height)))
    if shrink > 1.3:
        small = max(1, round(part.shape[1] / shrink)), max(1, round(part.shape[0] / shrink))
        moved = np.diag([small[0] / part.shape[1], small[1] / part.shape[0], 1.0]) @ moved
        part = resized(part, small, cv2.INTER_AREA)
    way = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    out = cv2.warpPerspective(part, moved, size, flags=way, borderValue=(outside,))
    return out.astype(np.uint8, copy=False)


def _writing(light: Picture, printed: Picture, inner: tuple[float, ...], cells: int) -> Picture:
    """Returns the ink of the writing in a field: not printed, and not of its neighbours."""
    ink = ink_of(light)
    lines = np.where(dilated(printed, _PRINT, _PRINT) > 100, 255, 0).astype(np.uint8)
    lines |= _walls(ink, inner, cells)
    clean = _mended(ink, lines)
    x, y, w, h = (round(side) for side in inner)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(clean, connectivity=8)
    inside = np.bincount(labels[y : y + h, x : x + w].ravel(), minlength=count)
    keep = inside >= _OWN * stats[:, cv2.CC_STAT_AREA]
    large = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) >= _SPECK * h
    keep &= large
    beside = np.bincount(labels[dilated(lines, _BESIDE, _BESIDE) > 0], minlength=count)
    short = stats[:, cv2.CC_STAT_HEIGHT] < _SLIVER * h
    keep &= ~(short & (beside >= _HUGS * stats[:, cv2.CC_STAT_AREA]))
    keep[0] = False
    return np.where(keep[labels], 255, 0).astype(np.uint8)


def _walls(ink: Picture, inner: tuple[float, ...], cells: int) -> Picture:
    """Returns the straight ink along a field's border and between its cells."""
    x, y, w, h = inner
    near = np.zeros_like(ink)
    for wall in np.linspace(x, x + w, cells + 1):
        near[:, max(round(wall) - _ASTRAY, 0) : round(wall) + _ASTRAY + 1] = 255
    upright = opened(ink, round(_STRAIGHT * h), 1) & near
    near[:] = 0
    for wall in (y, y + h):
        near[max(round(wall) - _ASTRAY, 0) : round(wall) + _ASTRAY + 1] = 255
    level = opened(ink, 1, round(_STRAIGHT * max(h, w / cells))) & near
    return dilated(upright | level, 3, 3)


def _mended(ink: Picture, printed: Picture) -> Picture:
    """Returns the ink that is not printed, joined again where strokes cross the print."""
    bare = ink & ~printed
    joined = closed(bare, _BRIDGE, 1) | closed(bare, 1, _BRIDGE)
    return bare | (joined & printed)


def _filled(
    field: TemplateField,
    box: Box,
    light: Picture,
    own: Picture,
    inner: tuple[float, ...],
    to_page: Matrix,
) -> Filled:
    """Returns the field, its picture trimmed to the writing."""
    if not own.any():
        return Filled(field, box, None, (), np.zeros((2, 3)))
    rows, columns = np.flatnonzero(own.any(1)), np.flatnonzero(own.any(0))
    edge = max(2, round(_EDGE * (rows[-1] - rows[0])))
    top, bottom = max(rows[0] - edge, 0), min(rows[-1] + edge + 1, own.shape[0])
    left, right = max(columns[0] - edge, 0), min(columns[-1] + edge + 1, own.shape[1])
    clean = np.where(dilated(own, 3, 3) > 0, light, 255)[top:bottom, left:right]
    x, y, w, h = inner
    pitch = w / field.cells
    cells = tuple(
        (round(x + n * pitch - left), round(y - top), round(pitch), round(h))
        for n in range(field.cells)
    )
    moved = to_page @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1.0]])
    return Filled(field, box, clean.astype(np.uint8), cells, _affine(moved, clean.shape))


def _affine(matrix: Matrix, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Returns the affine map nearest to a homography on a picture."""
    height, width = shape
    points = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float64)
    known = np.column_stack([points, np.ones(4)])
    return np.asarray(np.linalg.lstsq(known, through(matrix, points), rcond=None)[0].T)


def _box(laid: NDArray[np.float64], shape: tuple[int, ...]) -> Box:
    """Returns the upright box around points, within the page."""
    left, top = np.clip(np.floor(laid.min(0)), 0, (shape[1] - 1, shape[0] - 1)).astype(int)
    right, bottom = np.clip(np.ceil(laid.max(0)), (left + 1, top + 1), shape[::-1]).astype(int)
    return int(left), int(top), int(right - left), int(bottom - top)
