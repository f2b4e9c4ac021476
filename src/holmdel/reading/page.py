"""Where the fields of an image are: of a line alone, of a form, of any page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.answers import Box, Skipped, on_page
from holmdel.reading.colour import Inks
from holmdel.reading.comb_crops import Comb, cut_comb
from holmdel.reading.detect import Ink, Searched, says_more_turned, search
from holmdel.reading.found import Found, Lines
from holmdel.reading.image import Picture, even_light, luma, turnings
from holmdel.reading.thresholds import READING


@dataclass(frozen=True)
class Field:
    """A line of digits on a page.

    Attributes:
        picture: uint8 (h, w), the line upright, dark ink on white paper, frames taken away.
        box: x, y, width and height around it in the page as given.
        to_page: float64 (2, 3), a point of `picture` to a point of the page.
        turned: by how many degrees the page had to be turned counter-clockwise.
        weak: whether it may be no digits at all.
        comb: the comb in which it stands; None for none.
        comb_to_page: as `to_page`, of the comb's picture.
        beyond: whether digits stand beside it: cells of it may be missing.
    """

    picture: Picture
    box: Box
    to_page: NDArray[np.float64]
    turned: int
    weak: bool = False
    comb: Comb | None = None
    comb_to_page: NDArray[np.float64] | None = None
    beyond: bool = False


@dataclass(frozen=True)
class Page:
    """What was found on a page: its fields, what else was seen, and the steps as named pictures."""

    fields: tuple[Field, ...]
    skipped: tuple[Skipped, ...]
    steps: tuple[tuple[str, Picture], ...]

    @property
    def is_comb(self) -> bool:
        """Whether a field stands in a comb, or there is none but one in which nothing stands."""
        empty = any(item.reason == "empty" for item in self.skipped)
        return any(field.comb and not field.weak for field in self.fields) or (
            empty and not self.fields
        )


def _inks_of(page: Inks) -> tuple[list[Ink], Ink]:
    """Returns the inks of a page, and the page in all of them."""
    pairs = zip(page.greys, page.layers, strict=True)
    inks = [Ink(grey, layer.light) for grey, layer in pairs]
    if len(inks) == 1:
        return inks, inks[0]
    small, _ = page.small
    return inks, Ink(page.grey, even_light(luma(small)))


def find_fields(page: Inks, reader: Lines, *, steps: bool = False) -> Page:
    """Returns the fields of handwritten digits on a page, in the order a person reads them.

    Args:
        page: a photograph or scan, dark ink on lighter paper.
        reader: reads pictures of lines; what it says decides which lines are digits and which way
            up the page is.
        steps: keep the pictures that show how the fields were found.
    """
    if min(page.page.shape[:2]) < READING.least_side:
        return Page((), (), ())
    inks, whole = _inks_of(page)
    _, scale = page.small
    best: list[Searched] = []
    for turned in turnings(whole.light):
        for found in _searched(inks, whole, scale, turned, reader):
            if not best or _evidence(found) > _surer(found, best) * _evidence(best):
                best = found
        if any(one.plain for one in best):
            break
    return _page(best, whole, scale, steps)


def _page(found: list[Searched], whole: Ink, scale: float, steps: bool) -> Page:
    shape = whole.grey.shape
    pairs = [(one, line) for one in found for line in (*one.fields, *one.weak)]
    ordered = _in_order(pairs)
    fields = tuple(_field(line, one, whole, scale) for one, line in ordered)
    shown = _steps(found, [line for _, line in ordered]) if steps and found else ()
    return Page(fields, tuple(_skipped(found, fields, shape)), shown)


def _searched(
    inks: list[Ink], whole: Ink, scale: float, turned: int, reader: Lines
) -> Iterator[list[Searched]]:
    """Yields the page turned so far, and upside down where it may be that."""
    found = search(inks, whole, scale, turned, reader)
    yield found
    if says_more_turned(found, reader):
        yield search(inks, whole, scale, turned + 180, reader)


def _surer(found: list[Searched], best: list[Searched]) -> float:
    """Returns how much more must speak for a turning: many digits may stand on their head."""
    return READING.surer_turned[abs(found[0].sheet.turned - best[0].sheet.turned) == 180]


def _evidence(found: list[Searched]) -> float:
    return sum(one.evidence for one in found)


def _field(line: Found, one: Searched, whole: Ink, scale: float) -> Field:
    height, width = line.picture.shape
    box = _within(on_page((0, 0, width, height), line.to_page), whole.grey.shape)
    comb, to_page = None, None
    if line.cells is not None:
        printed = one.layout.boxes[int(one.marks.region[line.marks[0]]) - 1]
        comb, to_page = cut_comb(whole.grey, one.sheet, one.layout, printed, scale)
    turned, weak = one.sheet.turned, line in one.weak
    return Field(line.picture, box, line.to_page, turned, weak, comb, to_page, line.beyond)


def _within(box: Box, shape: tuple[int, ...]) -> Box:
    x, y, w, h = box
    x0, y0 = max(x, 0), max(y, 0)
    return x0, y0, min(x + w, shape[1]) - x0, min(y + h, shape[0]) - y0


def _in_order(pairs: list[tuple[Searched, Found]]) -> list[tuple[Searched, Found]]:
    """Returns the fields by rows from the top, in a row from the left."""

    def place(pair: tuple[Searched, Found]) -> tuple[float, float, float]:
        one, line = pair
        left, top, _, bottom = one.marks.around(line.marks)
        return (top + bottom) / 2, bottom - top, left

    rows: list[list[tuple[Searched, Found]]] = []
    for pair in sorted(pairs, key=place):
        middle, high, _ = place(pair)
        if rows and middle - place(rows[-1][0])[0] < 0.6 * min(high, place(rows[-1][0])[1]):
            rows[-1].append(pair)
        else:
            rows.append([pair])
    return [pair for row in rows for pair in sorted(row, key=lambda p: place(p)[2])]


def _skipped(
    found: list[Searched], fields: Sequence[Field], shape: tuple[int, ...]
) -> Iterator[Skipped]:
    """Yields what was seen and is no field: print, letters, what is too small, empty boxes."""
    taken = [field.box for field in fields]
    for one in found:
        to_page = _to_page(one)
        for line, is_print in zip(one.lines, one.print_lines, strict=True):
            box = _within(on_page(_around(one, line), to_page), shape)
            if any(_covers(field, box) for field in taken):
                continue
            reason = "print" if is_print else "too small" if box[3] < READING.low else "letters"
            yield Skipped(box, reason)
    yield from _empty(found, shape)


def _empty(found: list[Searched], shape: tuple[int, ...]) -> Iterator[Skipped]:
    """Yields the boxes for a line in which nothing stands."""
    for number, printed in enumerate(found[0].layout.boxes if found else (), start=1):
        filled = any((one.marks.region == number).any() for one in found)
        if filled or printed.h > READING.highest_box * max(found[0].sheet.light.shape):
            continue
        to_page = _to_page(found[0])
        box = (printed.x, printed.y, printed.w, printed.h)
        yield Skipped(_within(on_page(box, to_page), shape), "empty")


def _to_page(one: Searched) -> NDArray[np.float64]:
    return np.asarray(np.linalg.inv(one.sheet.from_page)[:2], np.float64)


def _around(one: Searched, line: Sequence[int]) -> Box:
    left, top, right, bottom = one.marks.around(line)
    return left, top, right - left, bottom - top


def _covers(box: Box, other: Box) -> bool:
    """Returns whether the middle of the other stands in the box."""
    x, y = other[0] + other[2] / 2, other[1] + other[3] / 2
    return box[0] <= x <= box[0] + box[2] and box[1] <= y <= box[1] + box[3]


_RED, _BLUE, _GREY = (40, 40, 220), (220, 120, 30), (170, 170, 170)


def _steps(pages: list[Searched], found: list[Found]) -> tuple[tuple[str, Picture], ...]:
    """Returns the even light, the ink without frames, its lines, the fields and their pictures."""
    light = np.minimum.reduce([page.sheet.light for page in pages])
    clean = (255 - pages[0].layout.ink).astype(np.uint8)
    lines, fields = _coloured(clean), _coloured(light)
    for page in pages:
        for line, is_print in zip(page.lines, page.print_lines, strict=True):
            _frame(lines, page, line, _GREY if is_print else _BLUE)
        for field in page.fields:
            _frame(fields, page, field.marks, _RED)
    named = [("light", light), ("clean", clean), ("lines", lines), ("fields", fields)]
    named += [(f"field-{number:02d}", line.picture) for number, line in enumerate(found, start=1)]
    return tuple(named)


def _coloured(picture: Picture) -> Picture:
    return np.repeat(picture[:, :, None], 3, axis=2)


def _frame(canvas: Picture, page: Searched, line: Sequence[int], colour: Sequence[int]) -> None:
    left, top, right, bottom = page.marks.around(line)
    cv2.rectangle(canvas, (left - 3, top - 3), (right + 3, bottom + 3), tuple(colour), 2)
