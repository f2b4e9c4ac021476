"""An image of one line: told by its ink alone, whatever is around it, and cut out."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.answers import Box
from holmdel.reading.bare import Edges, without_frames, without_margins
from holmdel.reading.colour import Inks
from holmdel.reading.image import Picture, luma, resized, working
from holmdel.reading.layout import Layout, find_layout
from holmdel.reading.lifting import without_rules
from holmdel.reading.pieces import (
    are_rings,
    around,
    breadth,
    is_line,
    is_page,
    strokes,
    with_ends,
    with_flags,
    without_specks,
)
from holmdel.reading.segments import components

_WIDE = 1.6  # times its height: wider is an image of a line, also where its grain is seen
_MARGIN = 0.08  # of the line's height that is left around it
_ROOM = 0.5  # of it: what is looked at again
_STEP = 12  # of 255: so much lighter is what a clipping lies on,
_BEYOND_PAPER = 0.95  # of a row or column
_PAPER = 90  # percentile of what is between the digits: their paper at its lightest
_LOOKS = 3  # more than one at an image: frames stand around one another
_SMALLER = 0.8  # of an image: what is around the line, if it is worth another look
_BROAD, _PEN = 11.0, 6.0  # pixels of the broadest strokes: made smaller from here, to there
_LOWEST = 40  # pixels of an image that is made smaller
_BOXED = 0.9  # of the ink: it stands in one box
_MOSTLY = 0.6  # the same where there is one line: the rest is print around it


Sides = tuple[float, float, float, float]  # left, top, right and bottom


@dataclass(frozen=True)
class Strip:
    """A line cut out of its image.

    Attributes:
        picture: uint8 (h, w), dark ink on paper, rules taken off.
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
    if not certain and page.page.ndim == 3 and _strokes_of(luma(page.small[0]), False) is None:
        return ()
    several = len(page.layers) > 1
    whole = strip_of(page.grey, certain=certain) if several else None
    if several and not certain and whole is None:
        return ()
    certain = certain or whole is not None
    found = [strip_of(grey, certain=certain) for grey in page.greys]
    strips = [strip for strip in found if strip is not None]
    if whole is not None and whole.comb:  # printed in another ink than that of the line
        return tuple(replace(strip, comb=True) for strip in strips)
    return tuple(strips)


def strip_of(grey: Picture, *, certain: bool) -> Strip | None:
    """Returns the line of an image; None where there is no ink, or more than a line.

    What is inside a frame or rules is looked at as an image of its own, and then what is close
    around the line: so the same ink is cut out alike, whatever is around it.

    Args:
        grey: uint8 (H, W), dark ink on lighter paper.
        certain: that there is one line is known.
    """
    edges = without_margins(grey)
    return _of_part(grey, edges, lambda part: _looked_at(part, certain, _LOOKS))


def _looked_at(grey: Picture, certain: bool, looks: int) -> Strip | None:
    """Returns what `strip_of` does, after so many more looks at most."""
    look = _look(grey, certain)
    if look is None:
        return None
    comb = _is_comb(look.layout)
    if look.inside and looks:
        strip = _of_part(grey, look.inside, lambda part: _looked_at(part, certain, looks - 1))
        if not comb or (strip and not strip.comb):
            return strip
    line = _line_in(look, certain)
    if line is None:
        return None
    if looks and not comb:
        near, place = _cut(grey, line, look.scale, _ROOM)
        nearer = near.size < _SMALLER * grey.size
        strip = _from(place, _looked_at(near, True, looks - 1)) if nearer else None
        if strip:
            return strip
    picture, place = _cut(grey, line, look.scale, _MARGIN)
    return Strip(picture, place, comb, comb and _share_in(look.layout) < _BOXED)


def _of_part(grey: Picture, edges: Edges, strip: Callable[[Picture], Strip | None]) -> Strip | None:
    """Returns the strip of a part of an image as one of the image."""
    left, top, right, bottom = edges
    place = (left, top, right - left, bottom - top)
    return _from(place, strip(grey[top:bottom, left:right]))


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
        inside: what of the image is inside a frame, or between rules; None for all. Around a comb
            a frame must be closed: it may be that of a line with strokes like walls.
    """

    scale: float
    layout: Layout
    inside: Edges | None


def _look(grey: Picture, certain: bool) -> _Look | None:
    """Returns the ink of an image; None where there is certainly more than a line."""
    seen = _strokes_of(grey, certain)
    if seen is None:
        return None
    scale, ink, light = seen
    layout = find_layout(ink, light)
    whole = 0, 0, *grey.shape[::-1]
    inside = without_frames(grey)
    if any(side == end for side, end in zip(inside, whole, strict=True)):
        comb = _is_comb(layout)
        inside = whole if comb else _box_inside(layout, scale, certain) or inside
    return _Look(scale, layout, None if inside == whole else inside)


class _Line(NamedTuple):
    """Where a line is, in pixels of its ink, and what is printed there.

    Attributes:
        box: left, top, right and bottom.
        rules: uint8 (h, w), 255 on them.
    """

    box: Sides
    rules: Picture


def _line_in(look: _Look, certain: bool) -> _Line | None:
    """Returns the line in some ink; None for none, more than one, or one with a ring around it."""
    labels, found = components(look.layout.ink)
    pieces = without_specks(found[1:])
    if not len(pieces) or not (certain or is_line(pieces)) or are_rings(labels, found).any():
        return None
    box = with_ends(around(with_flags(pieces)), found[1:])
    return _Line(box, look.layout.lines)


def _strokes_of(grey: Picture, certain: bool) -> tuple[float, Picture, Picture] | None:
    """Returns the scale at which strokes are as broad as a pen's, the strokes and the light.

    None for a page: the grain of a line that was enlarged looks like one only at full size.
    """
    small, scale = working(grey)
    ink, light = strokes(small)
    high, wide = grey.shape
    if not certain and wide <= _WIDE * high and is_page(ink):
        return None
    while (broad := breadth(ink)) > _BROAD and min(ink.shape) > 2 * _LOWEST:
        scale *= _PEN / broad
        size = (max(1, round(wide * scale)), max(1, round(high * scale)))
        ink, light = strokes(resized(grey, size, cv2.INTER_AREA))
    return None if not certain and is_page(ink) else (scale, ink, light)


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


def _box_inside(layout: Layout, scale: float, certain: bool) -> Edges | None:
    """Returns the inside of the box in which nearly all ink stands; None for none."""
    least = (_MOSTLY if certain else _BOXED) * np.count_nonzero(layout.ink)
    for box in layout.boxes:
        inside = layout.ink[box.y : box.y + box.h, box.x : box.x + box.w]
        if np.count_nonzero(inside) >= least:
            left, top = max(math.ceil(box.x / scale), 0), max(math.ceil(box.y / scale), 0)
            return left, top, int((box.x + box.w) / scale), int((box.y + box.h) / scale)
    return None


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
    if line.rules.any():
        on_rules = resized(line.rules, (width, height))[rows, columns] > 127
        part = without_rules(part, np.where(on_rules, 255, 0).astype(np.uint8))
    return part, (columns.start, rows.start, *part.shape[::-1])


def _whole(box: Sequence[float], room: float, height: int, width: int) -> tuple[slice, slice]:
    x0, y0 = max(int(box[0] - room), 0), max(int(box[1] - room), 0)
    x1, y1 = math.ceil(box[2] + room), math.ceil(box[3] + room)
    return slice(y0, min(y1, height)), slice(x0, min(x1, width))


def _within(span: slice, lighter: NDArray[np.float64]) -> slice:
    """Returns a span without what at its ends is lighter, all of it."""
    own = np.flatnonzero(lighter < _BEYOND_PAPER)
    return slice(span.start + int(own[0]), span.start + int(own[-1]) + 1) if len(own) else span
