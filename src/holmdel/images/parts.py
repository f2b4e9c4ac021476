"""The connected parts of the ink: which of them are a digit, and whether there are other digits."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holmdel.images.opencv import cv2
from holmdel.images.pixels import Box, Mask

SPECK = 0.03  # of the main part's weight; what is smaller is dirt
NEAR, NEAR_BORDER = 0.5, 0.05  # of the main part's longer side: what is nearer may belong to it
OTHER_WEIGHT = 0.25  # of the main part's: lighter is no digit of its own
OTHER_HEIGHT = 0.45  # of the higher one's: two digits of one hand are about as high
BESIDE, BELOW = 0.04, 0.25  # of the height, between two digits; halves of one are closer
SCATTERED = 12  # parts, of which the main one has but a small share: noise
SHARE = 0.15  # of all ink


class Part(NamedTuple):
    """A connected part of the ink.

    Attributes:
        number: its label.
        box: its rows and columns.
        weight: its pixels, a tenth of them where it touches the border.
        pixels: all its pixels.
    """

    number: int
    box: Box
    weight: float
    pixels: int


class Digit(NamedTuple):
    """The digit among the parts.

    Attributes:
        mask: bool (H, W), its strokes.
        alone: whether there is no other of its size.
    """

    mask: Mask
    alone: bool


def digit_of(mask: Mask) -> Digit | None:
    """Returns the digit that a mask of ink holds: the largest part, and what is large and near.

    Of two that are equally large it is the upper one. Specks go, and so do the table's edge and
    the neighbour's stroke that the border cuts.

    Args:
        mask: bool (H, W), where ink is.

    Returns:
        None for a mask that is empty or noise: many parts, of which none stands out.
    """
    labels, parts = _parts(mask)
    if not parts:
        return None
    main = max(parts, key=lambda part: (part.weight, -part.box[0].start))
    if len(parts) > SCATTERED and main.pixels < SHARE * sum(part.pixels for part in parts):
        return None
    large = [part for part in parts if part.weight >= SPECK * main.weight]
    others = [part for part in large if part is not main and _is_other(part, main, mask.shape)]
    kept = np.zeros_like(mask)
    for part in large:
        if part is main or (part not in others and _belongs(part, main, others, mask.shape)):
            kept[part.box] |= labels[part.box] == part.number
    return Digit(kept, alone=not others)


def _parts(mask: Mask) -> tuple[NDArray[np.int32], list[Part]]:
    """Returns the parts and the label of each pixel, (H, W), 0 where no ink is."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    parts = []
    for number, (left, top, width, height, size) in enumerate(stats[1:].tolist(), start=1):
        box = slice(top, top + height), slice(left, left + width)
        weight = size * (0.1 if _touches(box, mask.shape) else 1)
        parts.append(Part(number, box, weight, size))
    return np.asarray(labels, np.int32), parts


def _belongs(part: Part, main: Part, others: list[Part], shape: tuple[int, ...]) -> bool:
    """Returns whether a part is near the main one, and no other digit is nearer."""
    side = max(edge.stop - edge.start for edge in main.box)
    away = _gap(part.box, main.box)
    reach = NEAR_BORDER if _touches(part.box, shape) else NEAR
    return away <= reach * side and all(_gap(part.box, other.box) >= away for other in others)


def _is_other(part: Part, main: Part, shape: tuple[int, ...]) -> bool:
    """Returns whether a part is a digit of its own: beside the main one or below it, and as high.

    The parts of one digit lie above one another with no more than a stroke's width between. What
    the left or right border cuts, where it does not cut the main part, is a neighbour's rest.
    """
    sides = [_touches((box[1],), shape[1:]) for box in (part.box, main.box)]
    if part.weight < OTHER_WEIGHT * main.weight or sides == [True, False]:
        return False
    heights = [box[0].stop - box[0].start for box in (part.box, main.box)]
    if min(heights) < OTHER_HEIGHT * max(heights):
        return False
    down, across = (_between(part.box[axis], main.box[axis]) for axis in (0, 1))
    height = max(heights)
    beside = across >= BESIDE * height and down < 0.5 * height
    return bool(beside or down >= BELOW * height)


def _touches(box: Box, shape: tuple[int, ...]) -> bool:
    ends = zip(box, shape, strict=True)
    return bool(any(edge.start == 0 or edge.stop == n for edge, n in ends))


def _between(one: slice, other: slice) -> int:
    """Returns how many pixels lie between two edges; negative where they overlap."""
    return max(int(one.start - other.stop), int(other.start - one.stop))


def _gap(one: Box, other: Box) -> int:
    """Returns how many pixels lie between two boxes, on the axis that parts them more."""
    return max(0, *(_between(a, b) for a, b in zip(one, other, strict=True)))
