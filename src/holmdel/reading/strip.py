"""An image of one line: told by its ink alone, whatever is around it, and cut out."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.answers import Box
from holmdel.reading.colour import Inks
from holmdel.reading.image import Picture, dilated, luma, resized, working
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
_PAPER = 90  # percentile of what is between the digits: their paper at its lightest
_LINE = 0.9  # of the ink that stands in one line
_LITTLE = 0.6  # of all ink, points and specks too
_SHARED = 0.4  # of the lower of two neighbours: how much they stand side by side
_NEIGHBOURS = 3  # digits that say at which height the next is looked for
_WIDEST_GAP = 4.0  # times the line's height; farther apart stand two numbers
_SPECK, _MOST = 15, 120  # pixels of a piece; so many of them make a page
_FRAMES = 3  # around one another
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

    Args:
        grey: uint8 (H, W), dark ink on lighter paper.
        certain: that there is one line is known.
    """
    small, scale = working(grey)
    ink, light = strokes(small)
    if not certain and _is_page(ink):
        return None
    scale, ink, light = _as_of_a_pen(grey, scale, ink, light)
    layout = find_layout(ink, light)
    comb = any(len(box.cells) > 1 for box in layout.boxes)
    beyond = comb and _share_in(layout) < _BOXED
    clean, bare = _alone(layout, certain), ink
    if clean is layout.ink:
        bare = unframed(ink)
        frame = ink & ~bare
        if frame.any():
            light[dilated(frame, 5, 5) > 0] = 255
            layout = find_layout(bare, light)
            clean = _alone(layout, certain)
    pieces = _pieces(clean)
    if not len(pieces) or not (certain or _is_line(pieces)):
        return None
    box = _with_ends(_around(_with_flags(pieces)), clean)
    printed = (layout.lines | (ink & ~bare)) & ~clean
    picture, place = _cut(grey, tuple(side / scale for side in box), printed)
    return Strip(picture, place, comb, beyond)


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


def unframed(ink: Picture) -> Picture:
    """Returns the ink without the frame or the rules along its outer sides.

    Args:
        ink: uint8 (h, w), 255 on ink.
    """
    bare = ink.copy()
    level = (bare, bare[::-1])
    upright = (bare.T, bare[:, ::-1].T)
    framed = False
    for _ in range(_FRAMES):
        found = [_peeled(view, sure=True) for view in level]
        framed |= all(found)
        found += [_peeled(view, sure=framed) for view in upright]
        if not any(found):
            break
    return bare


def _peeled(ink: Picture, *, sure: bool) -> bool:
    """Takes the rule at the top of a view away from its ink; says whether there was one.

    Args:
        ink: uint8 (h, w), changed.
        sure: a straight line there is no digit; else it must reach farther than all digits.
    """
    extent = _extent(ink)
    if extent is None:
        return False
    x0, y0, x1, y1 = extent
    deep = max(round(_OUTER * min(y1 - y0, x1 - x0)), 6)
    covered = (ink[y0 : y0 + deep, x0:x1] > 0).mean(axis=1)
    full = np.flatnonzero(covered >= (_FULL if sure else _RULED))
    if not len(full) or full[-1] + 1 == deep or full[0] > deep // 2:
        return False
    last = int(full[-1]) + 1
    if full[0] >= _WAVE and covered[full[0] - _WAVE] > _OUTSIDE:
        return False
    if not (sure or _reaches_beyond(ink, (x0, x1), y0 + last + 2)):
        return False
    ink[: y0 + last + 1] = 0
    return True


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


def _alone(layout: Layout, certain: bool) -> Picture:
    """Returns the ink without frames; of one box alone where nearly all of it stands in that."""
    least = (_MOSTLY if certain else _BOXED) * np.count_nonzero(layout.ink)
    for box in layout.boxes:
        inside = layout.ink[box.y : box.y + box.h, box.x : box.x + box.w]
        if np.count_nonzero(inside) >= least:
            alone = np.zeros_like(layout.ink)
            alone[box.y : box.y + box.h, box.x : box.x + box.w] = inside
            return alone
    return layout.ink


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
        min(left, *pieces[near, 0].tolist()),
        top,
        max(right, *ends[near].tolist()),
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


def _cut(grey: Picture, box: tuple[float, ...], printed: Picture) -> tuple[Picture, Box]:
    """Returns the part of an image in a box, with a margin, no lighter than its own paper.

    Args:
        grey: uint8 (H, W).
        box: left, top, right and bottom of the line in it.
        printed: uint8 (h, w), 255 on what is painted over, of a size of its own.
    """
    height, width = grey.shape
    rows, columns = _whole(box, _MARGIN * (box[3] - box[1]), height, width)
    part = grey[rows, columns]
    paper = np.uint8(np.percentile(grey[_whole(box, 0.0, height, width)], _PAPER))
    picture = np.minimum(part, paper)
    if printed.any():
        gone = resized(dilated(printed, 3, 3), (width, height))[rows, columns]
        picture = cv2.inpaint(
            picture, np.where(gone > 64, 255, 0).astype(np.uint8), 3, cv2.INPAINT_TELEA
        )
    return picture, (columns.start, rows.start, *part.shape[::-1])


def _whole(box: tuple[float, ...], margin: float, height: int, width: int) -> tuple[slice, slice]:
    x0, y0 = max(int(box[0] - margin), 0), max(int(box[1] - margin), 0)
    x1, y1 = int(np.ceil(box[2] + margin)), int(np.ceil(box[3] + margin))
    return slice(y0, min(y1, height)), slice(x0, min(x1, width))
