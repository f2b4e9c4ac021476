"""What lies between two level lines, set straight, and the walls in it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.frames import STRONG, THICKEST, WEAK, Segment, Wall
from holmdel.reading.image import Picture

SMALLEST = 16  # pixels high and wide: a digit of a working image stands in it
ROOM = 4  # pixels over and under a strip, in which its level lines are seen
_ENDS = 16  # pixels by which a strip is longer than its level lines
_CORE = 0.9  # of its own best: which columns are the wall and not a stroke beside it
_BESIDE = 4  # pixels from a wall to where its outer side is white


@dataclass(frozen=True)
class Strip:
    """What lies between two level lines, set straight.

    `ends` is from where to where there are both. `over` is True where the upper line is the image's
    border, `under` where the lower one is.
    """

    top: Segment
    bottom: Segment
    left: float
    height: float
    slope: float
    ends: tuple[float, float]
    ink: Picture
    light: Picture
    over: bool
    under: bool

    def to_sheet(self, u: float, v: float) -> tuple[float, float]:
        """Returns the point of the sheet at column u, v pixels under the upper line."""
        x = self.left + u - self.slope * v
        return x, self.top.at(self.left) + self.slope * u + v


def strip_between(
    mask: Picture, dark: Picture, top: Segment, bottom: Segment, over: bool, under: bool
) -> Strip | None:
    """Returns what lies between two lines, from where one begins to where both end."""
    slope = (top.slope + bottom.slope) / 2
    if over or under:
        slope = top.slope + bottom.slope
    left, right = min(top.x0, bottom.x0) - _ENDS, max(top.x1, bottom.x1) + _ENDS
    middle = (left + right) / 2
    height = bottom.at(middle) - top.at(middle)
    size = (round(right - left), round(height) + 2 * ROOM + 1)
    if min(size) < SMALLEST:
        return None
    start = top.at(middle) - slope * (middle - left)
    ends = max(top.x0, bottom.x0), min(top.x1, bottom.x1)
    top = replace(top, x0=left, y0=start, x1=right, y1=start + slope * (right - left))
    matrix = np.array([[1.0, -slope, left + slope * ROOM], [slope, 1.0, start - ROOM]])
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    ink = cv2.warpAffine(mask, matrix, size, flags=flags, borderValue=(0,)).astype(np.uint8)
    light = cv2.warpAffine(dark, matrix, size, flags=flags, borderValue=(255,)).astype(np.uint8)
    return Strip(top, bottom, left, height, slope, ends, ink, light, over, under)


def walls_of(ink: Picture, light: Picture) -> list[Wall]:
    """Returns what stands from top to bottom of a strip, or nearly, and is thin."""
    wide = cv2.dilate(ink, np.ones((1, 3), np.uint8))
    share, exact = wide.astype(bool).mean(0), ink.astype(bool).mean(0)
    walls = []
    for u0, u1 in _runs(share >= WEAK):
        for first, end in _cores(exact[u0:u1]):
            core = slice(u0 + first, u0 + end)
            shade = float(np.median(light[:, core].min(1)))
            beside = (max(core.start - _BESIDE, 0), min(core.stop - 1 + _BESIDE, len(exact) - 1))
            sides = (float(exact[n]) for n in beside)
            peak = float(share[core].max())
            wall = Wall(float(core.start), float(core.stop - 1), peak, shade, *sides)
            if wall.thick < THICKEST + 2:
                walls.append(wall)
    return walls


def _cores(share: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Returns from where to where columns are a wall, among strokes beside it: the best ones."""
    return _runs(share >= _CORE * float(share.max()))


def with_borders(walls: list[Wall], strip: Strip, width: int) -> list[Wall]:
    """Returns the walls, and the image's borders where both level lines run into them."""
    begins, ends = strip.ends[0] <= 2, strip.ends[1] >= width - 3
    middle = strip.slope * strip.height / 2
    left, right = -1 - strip.left + middle, width - strip.left + middle
    if begins and not any(w.u0 < left + 5 for w in walls if w.peak >= STRONG):
        walls = [Wall(left, left, STRONG), *(w for w in walls if w.u0 >= left + 5)]
    if ends and not any(w.u1 > right - 5 for w in walls if w.peak >= STRONG):
        walls = [*(w for w in walls if w.u1 <= right - 5), Wall(right, right, STRONG)]
    return walls


def covered(strip: Strip) -> NDArray[np.float64]:
    """Returns for the columns of a strip whether there is ink on both level lines, summed up."""
    over, under = (1 + round(line.thick / 2) for line in (strip.top, strip.bottom))
    low = len(strip.ink) - 1 - ROOM
    top = strip.ink[max(ROOM - over, 0) : ROOM + over + 1].any(0) | strip.over
    bottom = strip.ink[low - under : low + under + 1].any(0) | strip.under
    one = np.concatenate([[0], np.cumsum(top)]).astype(np.float64)
    other = np.concatenate([[0], np.cumsum(bottom)]).astype(np.float64)
    return np.stack([one, other])


def shade_of(strip: Strip) -> float:
    """Returns how bright the level lines of a strip are."""
    low = len(strip.ink) - 1 - ROOM
    rows = [r for r, border in ((ROOM, strip.over), (low, strip.under)) if not border]
    shades = [strip.light[max(r - 1, 0) : r + 2].min(0) for r in rows]
    inked = [strip.ink[max(r - 1, 0) : r + 2].any(0) for r in rows]
    known = [s[i] for s, i in zip(shades, inked, strict=True) if i.any()]
    return float(np.median(np.concatenate(known))) if known else -1.0


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Returns where runs of True start and end.

    >>> _runs(np.array([False, True, True, False, True]))
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
