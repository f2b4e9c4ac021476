"""An image of one line: told by its ink alone, whatever is around it, and cut out."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.answers import Box
from holmdel.reading.colour import Inks
from holmdel.reading.image import LEAST_SIDE, Picture, dilated, luma, resized, working
from holmdel.reading.layout import Layout, find_layout
from holmdel.reading.segments import components

_WINDOW = 0.1  # of the longer side: broader than a stroke, narrower than a shadow
_WIDE_WINDOW = 0.35  # the same where one or two digits fill the image: their strokes are as broad
_FEW = 1.6  # times its height: so wide such an image is at most
_TIGHT = 0.7  # of width and height, that they fill
_LEAST_WINDOW = 9  # pixels
_OTSU = 0.8  # of Otsu's threshold: fainter strokes of a pen count too
_LEAST_INK = 14  # of 255; fainter is grain
_TALL = 0.3  # of the tallest: lower pieces are points, dashes and specks
_FLAG = 0.2  # of the line's height: so close above a digit stands its flag
_HEAVY = 0.05  # of the heaviest piece; lighter is no digit
_END = 0.7  # of the line's height: how far a point or dash stands from the digits at most
_POINT = 0.04  # of the line's height: a smaller point is a speck
_MARGIN = 0.08  # of the line's height that is left around it
_ROOM = 0.5  # of it: what is looked at again
_STEP = 12  # of 255: so much lighter is what a clipping lies on,
_BEYOND_PAPER = 0.95  # of a row or column
_PAPER = 90  # percentile of what is between the digits: their paper at its lightest
_LINE = 0.9  # of the ink that stands in one line
_LITTLE = 0.6  # of all ink, points and specks too
_SHARED = 0.4  # of the lower of two neighbours: how much they stand side by side
_NEIGHBOURS = 3  # digits that say at which height the next is looked for
_WIDEST_GAP = 4.0  # times the line's height; farther apart stand two numbers
_SPECK, _MOST = 15, 120  # pixels of a piece; so many of them make a page
_LOOKS = 3  # more than one at an image: frames stand around one another
_SMALLER = 0.8  # of an image: what is around the line, if it is worth another look
_OUTER = 0.2  # of the lower side: how broad a rule is at most, with the room for its waves
_FULL = 0.85  # of the side that a rule covers
_RULED = 0.95  # the same, of a rule that may be a digit
_WAVE = 2  # pixels by which a rule is uneven
_OUTSIDE = 0.65  # of the side that is covered so little before a rule: it is straight
_BEYOND = 0.008  # of its length: how much farther a rule reaches than the digits beside it
_EDGE = 3  # pixels: so near the border a rule goes on
_BROAD, _PEN = 11.0, 6.0  # pixels of the broadest strokes: made smaller from here, to there
_LOWEST = 40  # pixels of an image that is made smaller
_BOXED = 0.9  # of the ink: it stands in one box
_MOSTLY = 0.6  # the same where there is one line: the rest is print around it


Sides = tuple[float, float, float, float]  # left, top, right and bottom


@dataclass(frozen=True)
class Strip:
    """A line cut out of its image.

    Attributes:
        picture: uint8 (h, w), dark ink on paper, what is printed around it painted over.
        box: x, y, width and height of `picture` in the image.
        comb: whether it seems to stand in a comb,
        beyond: and some of it outside the cells that were found.
    """

    picture: Picture
    box: Box
    comb: bool
    beyond: bool

    @property
    def to_page(self) -> NDArray[np.float64]:
        """A point of `picture` to a point of the image: float64 (2, 3)."""
        return np.array([[1.0, 0, self.box[0]], [0, 1, self.box[1]]])


def strips_of(page: Inks, *, certain: bool) -> tuple[Strip, ...]:
    """Returns the line of an image in each of its inks that has one; () for more than a line.

    Args:
        page: dark ink on lighter paper.
        certain: that there is one line is known.
    """
    if not certain and page.page.ndim == 3:
        small, _ = page.small
        if _is_page(strokes(luma(small))[0]) or len(page.layers) > 1:
            return ()
    found = [strip_of(grey, certain=certain) for grey in page.greys]
    return tuple(strip for strip in found if strip is not None)


def strip_of(grey: Picture, *, certain: bool) -> Strip | None:
    """Returns the line of an image; None where there is no ink, or more than a line.

    What is inside a frame or rules is looked at as an image of its own, and then what is close
    around the line: so the same ink is cut out alike, whatever is around it.

    Args:
        grey: uint8 (H, W), dark ink on lighter paper.
        certain: that there is one line is known.
    """
    return _looked_at(grey, certain, _LOOKS)


def _looked_at(grey: Picture, certain: bool, looks: int) -> Strip | None:
    """Returns what `strip_of` does, after so many more looks at most."""
    look = _look(grey, certain)
    if look is None:
        return None
    if look.inside and looks:
        if not (certain or _may_be_line(look)):
            return None
        part, place = _cut(grey, look.inside, look.scale, 0.0)
        return _from(place, _looked_at(part, certain, looks - 1))
    line = _line_in(look, certain)
    if line is None:
        return None
    comb = _is_comb(look.layout)
    if looks and not comb:
        around, place = _cut(grey, line, look.scale, _ROOM)
        nearer = around.size < _SMALLER * grey.size
        strip = _from(place, _looked_at(around, True, looks - 1)) if nearer else None
        if strip:
            return strip
    picture, place = _cut(grey, line, look.scale, _MARGIN)
    return Strip(picture, place, comb, comb and _share_in(look.layout) < _BOXED)


def _from(place: Box, strip: Strip | None) -> Strip | None:
    """Returns a strip of a part of an image as one of the image."""
    if strip is None:
        return None
    x, y, w, h = strip.box
    return replace(strip, box=(x + place[0], y + place[1], w, h))


class _Look(NamedTuple):
    """The ink of an image.

    Attributes:
        scale: pixels of the ink per pixel of the image.
        layout: what is printed, and the ink without it.
        inside: what is inside a frame, or between rules, and what is printed there; None where
            nothing is, or a comb.
    """

    scale: float
    layout: Layout
    inside: "_Line | None"


def _look(grey: Picture, certain: bool) -> _Look | None:
    """Returns the ink of an image; None where there is certainly more than a line."""
    small, scale = working(grey)
    ink, light = strokes(small)
    if not certain and _is_page(ink):
        return None
    scale, ink, light = _as_of_a_pen(grey, scale, ink, light)
    layout = find_layout(ink, light)
    if _is_comb(layout):
        return _Look(scale, layout, None)
    sides = left, top, right, bottom = _box_inside(layout, certain) or unframed(layout.ink)
    printed = layout.lines & ~layout.ink
    whole = sides == (0, 0, *ink.shape[::-1])
    if min(right - left, bottom - top) < LEAST_SIDE or (whole and not printed.any()):
        return _Look(scale, layout, None)
    return _Look(scale, layout, _Line(sides, printed))


def _may_be_line(look: _Look) -> bool:
    """Returns whether the ink inside a frame is a line, or too faint beside it to be seen."""
    assert look.inside is not None
    left, top, right, bottom = (max(int(side), 0) for side in look.inside.box)
    pieces = _pieces(look.layout.ink[top:bottom, left:right])
    return not len(pieces) or _is_line(pieces)


class _Line(NamedTuple):
    """Where a line is, in pixels of its ink, and what is printed there.

    Attributes:
        box: left, top, right and bottom.
        printed: uint8 (h, w), 255 on what is to be painted over.
    """

    box: Sides
    printed: Picture


def _line_in(look: _Look, certain: bool) -> _Line | None:
    """Returns the line in some ink; None where there is none, or more than a line."""
    clean = look.layout.ink
    pieces = _pieces(clean)
    if not len(pieces) or not (certain or _is_line(pieces)):
        return None
    box = _with_ends(_around(_with_flags(pieces)), clean)
    return _Line(box, look.layout.lines & ~clean)


def _as_of_a_pen(
    grey: Picture, scale: float, ink: Picture, light: Picture
) -> tuple[float, Picture, Picture]:
    """Returns the scale at which strokes are as broad as a pen's, the strokes and the light."""
    while (broad := _breadth(ink)) > _BROAD and min(ink.shape) > 2 * _LOWEST:
        scale *= _PEN / broad
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        ink, light = strokes(resized(grey, size, cv2.INTER_AREA))
    return scale, ink, light


def _breadth(ink: Picture) -> float:
    """Returns how broad the broadest strokes are: a tenth of the ink lies deeper than half that."""
    depth = cv2.distanceTransform(ink, cv2.DIST_L2, 3)[ink > 0]
    return 2 * float(np.percentile(depth, 90)) if len(depth) else 0.0


def unframed(ink: Picture) -> Sides:
    """Returns what is inside of the frame or the rules along the outer sides of some ink.

    Args:
        ink: uint8 (h, w), 255 on ink.
    """
    bare = ink.copy()
    top, bottom = _peeled(bare, sure=True), _peeled(bare[::-1], sure=True)
    framed = bool(top and bottom)
    left, right = _peeled(bare.T, sure=framed), _peeled(bare[:, ::-1].T, sure=framed)
    height, width = ink.shape
    return left, top, width - right, height - bottom


def _peeled(ink: Picture, *, sure: bool) -> int:
    """Takes the rule at the top of a view away from its ink; returns where it ends, 0 for none.

    Args:
        ink: uint8 (h, w), changed.
        sure: a straight line there is no digit; else it must reach farther than all digits.
    """
    extent = _extent(ink)
    if extent is None:
        return 0
    x0, y0, x1, y1 = extent
    deep = max(round(_OUTER * min(y1 - y0, x1 - x0)), 6)
    covered = (ink[y0 : y0 + deep, x0:x1] > 0).mean(axis=1)
    full = np.flatnonzero(covered >= (_FULL if sure else _RULED))
    if not len(full) or full[-1] + 1 == deep or full[0] > deep // 2:
        return 0
    last = int(full[-1]) + 1
    if full[0] >= _WAVE and covered[full[0] - _WAVE] > _OUTSIDE:
        return 0
    if not (sure or _reaches_beyond(ink, (x0, x1), y0 + last + 2)):
        return 0
    ink[: y0 + last + 1] = 0
    return y0 + last + 2


def _reaches_beyond(ink: Picture, ends: tuple[int, int], below: int) -> bool:
    """Returns whether a rule goes from border to border, or farther than all that is below it."""
    x0, x1 = ends
    if x0 <= _EDGE and x1 >= ink.shape[1] - _EDGE:
        return True
    pieces = _pieces(ink[below:].T)
    if not len(pieces):
        return False
    _, left, _, right = _around(_tall(pieces))
    before, behind = left - x0, x1 - right
    return min(before, behind) >= 0 and before + behind >= _BEYOND * (x1 - x0)


def _extent(ink: Picture) -> tuple[int, int, int, int] | None:
    """Returns left, top, right and bottom of the ink that is no speck."""
    pieces = _pieces(ink)
    return _around(pieces) if len(pieces) else None


def _share_in(layout: Layout) -> float:
    """Returns the part of the ink that stands in boxes."""
    inside = np.zeros_like(layout.ink)
    for box in layout.boxes:
        here = np.s_[box.y : box.y + box.h, box.x : box.x + box.w]
        inside[here] = layout.ink[here]
    whole = max(int(np.count_nonzero(layout.ink)), 1)
    return int(np.count_nonzero(inside)) / whole


def _is_comb(layout: Layout) -> bool:
    return any(len(box.cells) > 1 for box in layout.boxes)


def _box_inside(layout: Layout, certain: bool) -> Sides | None:
    """Returns the inside of the box in which nearly all ink stands; None for none."""
    least = (_MOSTLY if certain else _BOXED) * np.count_nonzero(layout.ink)
    for box in layout.boxes:
        inside = layout.ink[box.y : box.y + box.h, box.x : box.x + box.w]
        if np.count_nonzero(inside) >= least:
            return box.x, box.y, box.x + box.w, box.y + box.h
    return None


def strokes(picture: Picture) -> tuple[Picture, Picture]:
    """Returns the strokes of a pen and the even light: uint8 (h, w), 255 on ink, and on paper.

    A step from one paper to another has no strokes along it. N. Otsu, "A threshold selection
    method from gray-level histograms" (1979), on what a closing fills (the black top-hat).
    """
    ink, light = _darker(picture, _WINDOW)
    extent = _extent(ink)
    height, width = picture.shape
    if extent is None or width > _FEW * height:
        return ink, light
    tight = min((extent[2] - extent[0]) / width, (extent[3] - extent[1]) / height) > _TIGHT
    return _darker(picture, _WIDE_WINDOW) if tight else (ink, light)


def _darker(picture: Picture, part: float) -> tuple[Picture, Picture]:
    """Returns ink and even light for a window that is such a part of the longer side."""
    side = max(_LEAST_WINDOW, round(max(picture.shape) * part) | 1)
    window = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    soft = cv2.GaussianBlur(picture, (3, 3), 0)
    depth = cv2.morphologyEx(soft, cv2.MORPH_BLACKHAT, window)
    otsu, _ = cv2.threshold(depth, 0, 255, cv2.THRESH_OTSU)
    ink = np.where(depth > max(_LEAST_INK, _OTSU * otsu), 255, 0).astype(np.uint8)
    return ink, (255 - depth).astype(np.uint8)


def _pieces(ink: Picture) -> NDArray[np.int32]:
    """Returns the connected pieces of ink, (N, 5): x, y, width, height, pixels; from the left."""
    pieces = components(ink)[1][1:]
    kept = pieces[_are_heavy(pieces)]
    return np.asarray(kept[np.argsort(kept[:, 0], kind="stable")], np.int32)


def _are_heavy(pieces: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Returns which pieces are no specks beside the heaviest, (N,)."""
    return np.asarray(pieces[:, 4] >= _HEAVY * pieces[:, 4].max(initial=0))


def _tall(pieces: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.asarray(pieces[pieces[:, 3] >= _TALL * pieces[:, 3].max()], np.int32)


def _with_flags(pieces: NDArray[np.int32]) -> NDArray[np.int32]:
    """Returns the tall pieces, and the low ones right above or below one: the flag of a 5."""
    tall = _tall(pieces)
    near = _FLAG * int(tall[:, 3].max())
    return np.array([p for p in pieces if any(_is_flag(p, one, near) for one in tall)])


def _is_flag(piece: NDArray[np.int32], tall: NDArray[np.int32], near: float) -> bool:
    """Returns whether a piece is the tall one itself, or stands close above or below it."""
    across = min(piece[0] + piece[2], tall[0] + tall[2]) - max(piece[0], tall[0])
    down = max(piece[1] - tall[1] - tall[3], tall[1] - piece[1] - piece[3])
    narrow = piece[2] <= max(tall[2], tall[3])
    return bool(narrow and across >= 0.5 * min(piece[2], tall[2]) and down <= near)


def _around(pieces: NDArray[np.int32]) -> tuple[int, int, int, int]:
    """Returns left, top, right and bottom."""
    left, top = pieces[:, :2].min(0)
    right, bottom = (pieces[:, :2] + pieces[:, 2:4]).max(0)
    return int(left), int(top), int(right), int(bottom)


def _with_ends(box: tuple[int, int, int, int], ink: Picture) -> tuple[int, int, int, int]:
    """Returns the box of a line's digits, and of a point or dash before or behind them."""
    left, top, right, bottom = box
    room = _END * (bottom - top)
    pieces = components(ink)[1][1:]
    pieces = pieces[pieces[:, 4] >= (_POINT * (bottom - top)) ** 2]
    middle = pieces[:, 1] + pieces[:, 3] / 2
    ends = pieces[:, 0] + pieces[:, 2]
    near = (middle > top) & (middle < bottom + room) & (ends > left - room)
    near &= pieces[:, 0] < right + room
    return (
        min([left, *pieces[near, 0].tolist()]),
        top,
        max([right, *ends[near].tolist()]),
        bottom,
    )


def _is_page(ink: Picture) -> bool:
    """Returns whether there are many pieces of ink, or much of it is in small ones."""
    pieces = components(ink)[1][1:]
    pixels = pieces[:, 4]
    heavy = int(pixels[_are_heavy(pieces)].sum())
    many = int(np.count_nonzero(pixels >= _SPECK)) > _MOST
    return many or heavy < _LITTLE * int(pixels.sum())


def _is_line(pieces: NDArray[np.int32]) -> bool:
    """Returns whether nearly all ink stands side by side."""
    tall = _tall(pieces)
    chained = _chained(tall, int(tall[:, 3].max()))
    ink = int(pieces[:, 4].sum())
    return chained >= max(_LINE * int(tall[:, 4].sum()), _LITTLE * ink)


def _chained(tall: NDArray[np.int32], high: int) -> int:
    """Returns how much ink stands in one chain from left to right, through the heaviest piece."""
    start = int(np.argmax(tall[:, 4]))
    ink = int(tall[start, 4])
    for way in (range(start + 1, len(tall)), range(start - 1, -1, -1)):
        last = [tall[start]]
        for n in way:
            if _beside(last, tall[n], high):
                last = [*last[-_NEIGHBOURS + 1 :], tall[n]]
                ink += int(tall[n, 4])
    return ink


def _beside(chain: list[NDArray[np.int32]], piece: NDArray[np.int32], high: int) -> bool:
    few = np.array(chain)
    top, bottom = float(np.median(few[:, 1])), float(np.median(few[:, 1] + few[:, 3]))
    shared = min(bottom, piece[1] + piece[3]) - max(top, piece[1])
    gap = max(piece[0] - (few[:, 0] + few[:, 2]).max(), few[:, 0].min() - piece[0] - piece[2])
    low = min(bottom - top, float(piece[3]))
    if any(_is_flag(piece, one, _FLAG * high) for one in few):
        return True
    return bool(shared >= _SHARED * low and gap <= _WIDEST_GAP * high)


def _cut(grey: Picture, line: _Line, scale: float, margin: float) -> tuple[Picture, Box]:
    """Returns the line with a margin, as far as its paper goes, no lighter than that.

    Args:
        grey: uint8 (H, W).
        line: in it.
        scale: pixels in which that is given, per pixel of `grey`.
        margin: of the line's height.
    """
    height, width = grey.shape
    box = tuple(side / scale for side in line.box)
    room = margin * (box[3] - box[1])
    rows, columns = _whole(box, room, height, width)
    paper = np.uint8(np.percentile(grey[_whole(box, 0.0, height, width)], _PAPER))
    lighter = grey[rows, columns] > paper + np.float32(_STEP)
    rows, columns = _within(rows, lighter.mean(1)), _within(columns, lighter.mean(0))
    part = np.minimum(grey[rows, columns], paper)
    if line.printed.any():
        gone = resized(dilated(line.printed, 3, 3), (width, height))[rows, columns]
        part = cv2.inpaint(part, np.where(gone > 64, 255, 0).astype(np.uint8), 3, cv2.INPAINT_TELEA)
    return part, (columns.start, rows.start, *part.shape[::-1])


def _whole(box: Sequence[float], room: float, height: int, width: int) -> tuple[slice, slice]:
    x0, y0 = max(int(box[0] - room), 0), max(int(box[1] - room), 0)
    x1, y1 = math.ceil(box[2] + room), math.ceil(box[3] + room)
    return slice(y0, min(y1, height)), slice(x0, min(x1, width))


def _within(span: slice, lighter: NDArray[np.float64]) -> slice:
    """Returns a span without what at its ends is lighter, all of it."""
    own = np.flatnonzero(lighter < _BEYOND_PAPER)
    return slice(span.start + int(own[0]), span.start + int(own[-1]) + 1) if len(own) else span
