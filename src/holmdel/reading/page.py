"""Where the fields of a page are, and whether an image is one line already."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.detect import Found, Score, Searched, says_more_turned, search
from holmdel.reading.image import Picture, closed, even_light, ink_of, turnings, working

_LOW = 120  # pixels; so low a picture is one line unless two are seen
_STRIP = 4.0  # times its height: how wide a higher one is of which that is true
_SECOND = 0.5  # of the first line's ink: a second line
_THIN = 0.2  # of the height; a rule or an edge, no line of writing
_SHORT = 1.0  # times its height: how wide so low a picture is at least
_WIDE = 1.5  # times its height: how wide a line's picture is at least
_HIGHEST = 400  # pixels; a higher picture is a photograph of more than a line
_SMALL = 24  # pixels; on less than this there is no page
_FILLS = 0.35  # of the height that the line's ink takes
_ALL = 0.8  # of the ink that is the line's


def is_line(grey: Picture) -> bool:
    """Returns whether the picture shows one line and little around it.

    Args:
        grey: uint8 (H, W).
    """
    height, width = grey.shape
    if height < _SMALL:
        return True
    low = height <= _LOW or width >= _STRIP * height
    if width < (_SHORT if low else _WIDE) * height or height > _HIGHEST:
        return False
    rows = ink_of(even_light(grey)).astype(bool).sum(1).astype(np.float64)
    if not rows.any():
        return False
    usual = float(np.quantile(rows[rows > 0], 0.8))  # a rule's row has many times more
    few = (rows > 0.1 * usual).astype(np.uint8)[:, None] * np.uint8(255)
    gap = max(3, round(0.08 * height) | 1)
    inked = closed(few, gap, 1)[:, 0] > 0
    bands = _bands(inked.tolist())
    sums = [float(rows[top:bottom].sum()) for top, bottom in bands]
    if low:
        high = [(b - t >= _THIN * height) * s for (t, b), s in zip(bands, sums, strict=True)]
        return bool(sorted([0.0, *high])[-2] < _SECOND * max(sums))
    top, bottom = bands[int(np.argmax(sums))]
    return bottom - top >= _FILLS * height and max(sums) >= _ALL * float(rows.sum())


def _bands(inked: list[bool]) -> list[tuple[int, int]]:
    """Returns where runs of True start and end.

    >>> _bands([False, True, True, False, True])
    [(1, 3), (4, 5)]
    """
    edges = [
        i for i, (a, b) in enumerate(zip([False, *inked], [*inked, False], strict=True)) if a != b
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))


__all__ = ["Field", "Page", "find_fields", "is_line"]


@dataclass(frozen=True)
class Field:
    """A line of digits on a page.

    Attributes:
        picture: uint8 (h, w), the line upright, dark ink on white paper, frames taken away.
        box: x, y, width and height around it in the page as given.
        to_page: float64 (2, 3), a point of `picture` to a point of the page.
        turned: by how many degrees the page had to be turned counter-clockwise.
    """

    picture: Picture
    box: tuple[int, int, int, int]
    to_page: NDArray[np.float64]
    turned: int


@dataclass(frozen=True)
class Page:
    """What was found on a page: its fields, and the steps to them as named pictures."""

    fields: tuple[Field, ...]
    steps: tuple[tuple[str, Picture], ...]


def find_fields(grey: Picture, score: Score, *, steps: bool = False) -> Page:
    """Returns the fields of handwritten digits on a page, in the order a person reads them.

    Args:
        grey: uint8 (H, W), a photograph or scan: dark ink on lighter paper.
        score: reads pictures of lines; what it says decides which lines are digits and which way
            up the page is.
        steps: keep the pictures that show how the fields were found.
    """
    if min(grey.shape) < _LEAST_SIDE:
        return Page((), ())
    small, scale = working(grey)
    light = even_light(small)
    best: Searched | None = None
    for turned in turnings(light):
        for found in _searched(grey, light, scale, turned, score):
            if best is None or found.evidence > _SURER * best.evidence:
                best = found
        if best is not None and best.plain:
            break
    if best is None:
        return Page((), ())
    ordered = _in_order(best)
    fields = tuple(_field(line, best.sheet.turned, grey.shape) for line in ordered)
    return Page(fields, _steps(best, ordered) if steps else ())


_LEAST_SIDE = 12  # pixels; nothing can be read on less
_SURER = 1.08  # times: how much more must speak for a page that is not upright


def _searched(
    grey: Picture, light: Picture, scale: float, turned: int, score: Score
) -> Iterator[Searched]:
    """Yields the page turned so far, and upside down where it may be that."""
    found = search(grey, light, scale, turned, score)
    yield found
    if says_more_turned(found, score):
        yield search(grey, light, scale, turned + 180, score)


def _field(line: Found, turned: int, shape: tuple[int, ...]) -> Field:
    height, width = line.picture.shape
    corners = line.to_page @ np.array([[0, width, 0, width], [0, 0, height, height], [1] * 4])
    x0, y0 = np.maximum(np.floor(corners.min(1)), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(corners.max(1)), shape[::-1]).astype(int)
    return Field(line.picture, (int(x0), int(y0), int(x1 - x0), int(y1 - y0)), line.to_page, turned)


def _in_order(page: Searched) -> list[Found]:
    """Returns the fields by rows from the top, in a row from the left."""

    def place(line: Found) -> tuple[float, float, float]:
        box = page.marks.box[list(line.marks)]
        top, bottom = float(box[:, 1].min()), float((box[:, 1] + box[:, 3]).max())
        return (top + bottom) / 2, bottom - top, float(box[:, 0].min())

    rows: list[list[Found]] = []
    for line in sorted(page.fields, key=place):
        middle, high, _ = place(line)
        if rows and middle - place(rows[-1][0])[0] < 0.6 * min(high, place(rows[-1][0])[1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda f: place(f)[2])]


_RED, _BLUE, _GREY = (40, 40, 220), (220, 120, 30), (170, 170, 170)


def _steps(page: Searched, found: list[Found]) -> tuple[tuple[str, Picture], ...]:
    """Returns the even light, the ink without frames, its lines, the fields and their pictures."""
    clean = (255 - page.clean).astype(np.uint8)
    lines = _coloured(clean)
    for line, is_print in zip(page.lines, page.print_lines, strict=True):
        _frame(lines, page, line, _GREY if is_print else _BLUE)
    fields = _coloured(page.sheet.light)
    for field in found:
        _frame(fields, page, field.marks, _RED)
    named = [("light", page.sheet.light), ("clean", clean), ("lines", lines), ("fields", fields)]
    named += [(f"field-{number:02d}", line.picture) for number, line in enumerate(found, start=1)]
    return tuple(named)


def _coloured(picture: Picture) -> Picture:
    return np.repeat(picture[:, :, None], 3, axis=2)


def _frame(canvas: Picture, page: Searched, line: Sequence[int], colour: Sequence[int]) -> None:
    box = page.marks.box[list(line)]
    low, high = box[:, :2].min(0) - 3, (box[:, :2] + box[:, 2:]).max(0) + 3
    corners = ((int(low[0]), int(low[1])), (int(high[0]), int(high[1])))
    cv2.rectangle(canvas, *corners, tuple(colour), 2)
