"""The ink of an image in connected pieces: a pen's strokes, and whether they are one line."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.image import Picture
from holmdel.reading.segments import components

_WINDOW = 0.1  # of the longer side: broader than a stroke, narrower than a shadow
_WIDE_WINDOW = 0.35  # the same where one or two digits fill the image: their strokes are as broad
_FEW = 1.6  # times its height: so wide such an image is at most
_TIGHT = 0.45  # of width and height, that they fill
_LEAST_WINDOW = 9  # pixels
_OTSU = 0.8  # of Otsu's threshold: fainter strokes of a pen count too
_LEAST_INK = 14  # of 255; fainter is grain
_TALL = 0.3  # of the tallest: lower pieces are points, dashes and specks
_FLAG = 0.2  # of the line's height: so close above a digit stands its flag
_HEAVY = 0.05  # of the heaviest piece; lighter is no digit
_END = 0.7  # of the line's height: how far a point or dash stands from the digits at most
_POINT = 0.04  # of the line's height: a smaller point is a speck
_LINE = 0.9  # of the ink that stands in one line
_LITTLE = 0.6  # of all ink, points and specks too
_SHARED = 0.4  # of the lower of two neighbours: how much they stand side by side
_NEIGHBOURS = 3  # digits that say at which height the next is looked for
_WIDEST_GAP = 4.0  # times the line's height; farther apart stand two numbers
_THIN = 0.25  # of its rectangle that a ring around a number fills
_INSIDE = 0.25  # of a ring's height, that the digits inside are high at least, or off its middle
_CLOSED = 0.9  # of each side of a digit that a ring is beside
_SMALLEST_RING = 24  # pixels, of the lower side
_LIKE = 0.5  # of the usual height, of pieces of `LEAST_HEIGHT` pixels: lower ones are no digits
LEAST_HEIGHT = 9  # of a mark that may be a digit
_SPECK, _MOST = 15, 120  # pixels of a piece; so many of them make a page


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


def breadth(ink: Picture) -> float:
    """Returns how broad the broadest strokes are: a tenth of the ink lies deeper than half that."""
    depth = cv2.distanceTransform(ink, cv2.DIST_L2, 3)[ink > 0]
    return 2 * float(np.percentile(depth, 90)) if len(depth) else 0.0


def pieces_of(ink: Picture) -> NDArray[np.int32]:
    """Returns the connected pieces of ink, (N, 5): x, y, width, height, pixels; from the left."""
    return without_specks(components(ink)[1][1:])


def without_specks(pieces: NDArray[np.int32]) -> NDArray[np.int32]:
    """Returns the pieces that are no specks, from the left."""
    kept = pieces[_are_heavy(pieces)]
    return np.asarray(kept[np.argsort(kept[:, 0], kind="stable")], np.int32)


def _are_heavy(pieces: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Returns which pieces are no specks beside the heaviest, (N,)."""
    return np.asarray(pieces[:, 4] >= _HEAVY * pieces[:, 4].max(initial=0))


def _tall(pieces: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.asarray(pieces[pieces[:, 3] >= _TALL * pieces[:, 3].max()], np.int32)


def _extent(ink: Picture) -> tuple[int, int, int, int] | None:
    """Returns left, top, right and bottom of the ink that is no speck."""
    pieces = pieces_of(ink)
    return around(pieces) if len(pieces) else None


def with_flags(pieces: NDArray[np.int32]) -> NDArray[np.int32]:
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


def around(pieces: NDArray[np.int32]) -> tuple[int, int, int, int]:
    """Returns left, top, right and bottom."""
    left, top = pieces[:, :2].min(0)
    right, bottom = (pieces[:, :2] + pieces[:, 2:4]).max(0)
    return int(left), int(top), int(right), int(bottom)


def with_ends(
    box: tuple[int, int, int, int], pieces: NDArray[np.int32]
) -> tuple[int, int, int, int]:
    """Returns the box of a line's digits, and of a point or dash before or behind them.

    Args:
        box: left, top, right and bottom of the digits.
        pieces: (N, 5), all that stand in the image, specks too.
    """
    left, top, right, bottom = box
    room = _END * (bottom - top)
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


def are_rings(labels: NDArray[Any], pieces: NDArray[Any]) -> NDArray[np.bool_]:
    """Returns which pieces are drawn around digits, (N,): thin for their size, digits inside.

    Args:
        labels: int32 (h, w), the number of the piece at each pixel.
        pieces: (N, 5), x, y, width, height, pixels, the first of what is no ink.
    """
    x, y, w, h, area = np.asarray(pieces, np.int64).T
    high = h[1:][h[1:] >= LEAST_HEIGHT]
    rings = np.zeros(len(pieces), bool)
    if not len(high):
        return rings
    digits = h >= _LIKE * float(np.median(high))
    large = (area <= _THIN * w * h) & (np.minimum(w, h) >= _SMALLEST_RING)
    large[0] = False
    for i in np.flatnonzero(large):
        inside = (x > x[i]) & (x + w < x[i] + w[i]) & (y > y[i]) & (y + h < y[i] + h[i])
        inside &= (
            digits & (h >= _INSIDE * h[i]) & (np.abs(2 * (y - y[i]) + h - h[i]) <= _INSIDE * h[i])
        )
        if inside.sum() >= 2 or (h[inside] >= 2 * _INSIDE * h[i]).any():
            own = labels[y[i] : y[i] + h[i], x[i] : x[i] + w[i]] == i
            rings[i] = all(_is_around(own, pieces[n], pieces[i]) for n in np.flatnonzero(inside))
    return rings


def _is_around(ring: NDArray[np.bool_], piece: NDArray[Any], around: NDArray[Any]) -> bool:
    """Returns whether a ring has ink on all four sides of a piece."""
    x, y = int(piece[0] - around[0]), int(piece[1] - around[1])
    w, h = int(piece[2]), int(piece[3])
    rows, columns = ring[y : y + h], ring[:, x : x + w]
    sides = (
        rows[:, :x].any(1),
        rows[:, x + w :].any(1),
        columns[:y].any(0),
        columns[y + h :].any(0),
    )
    return all(float(side.mean()) >= _CLOSED for side in sides)


def is_page(ink: Picture) -> bool:
    """Returns whether there are many pieces of ink, or much of it is in small ones."""
    pieces = components(ink)[1][1:]
    pixels = pieces[:, 4]
    heavy = int(pixels[_are_heavy(pieces)].sum())
    many = int(np.count_nonzero(pixels >= _SPECK)) > _MOST
    return many or heavy < _LITTLE * int(pixels.sum())


def is_line(pieces: NDArray[np.int32]) -> bool:
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
