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
    sheet: Picture, top: Segment, bottom: Segment, over: bool, under: bool
) -> Strip | None:
    """Returns what lies between two lines, from where one begins to where both end.

    Args:
        sheet: uint8 (h, w, 2), the ink and how bright it is.
        top: the upper line.
        bottom: the lower line.
        over: whether the upper line is the image's border.
        under: whether the lower one is.
    """
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
    ink, light = cv2.split(cv2.warpAffine(sheet, matrix, size, flags=flags, borderValue=(0, 255)))
    ink, light = (image.astype(np.uint8, copy=False) for image in (ink, light))
    return Strip(top, bottom, left, height, slope, ends, ink, light, over, under)


def walls_of(ink: Picture, light: Picture) -> list[Wall]:
    """Returns what stands from top to bottom of a strip, or nearly, and is thin."""
    exact = np.count_nonzero(ink, axis=0) / len(ink)
    wide = cv2.dilate(ink, np.ones((1, 3), np.uint8))
    share = np.count_nonzero(wide, axis=0) / len(ink)
    cores = _cores(share >= WEAK, exact)
    cores = cores[:, cores[1] - cores[0] < THICKEST + 2]
    if not cores.size:
        return []
    firsts, ends = cores
    shades = _shades(light, firsts, ends)
    before = exact[np.maximum(firsts - _BESIDE, 0)]
    after = exact[np.minimum(ends - 1 + _BESIDE, len(exact) - 1)]
    columns = (firsts, ends - 1.0, _best(share, firsts, ends), shades, before, after)
    return [Wall(*each) for each in np.column_stack(columns).tolist()]


def _cores(weak: NDArray[np.bool_], exact: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns where walls start and end (2, N): of each run of columns the best ones.

    Args:
        weak: whether a column and those beside it are ink on enough of their height.
        exact: on how much of its height a column is ink.
    """
    starts, ends = _runs(weak)
    if not starts.size:
        return np.empty((2, 0), np.int64)
    least = np.full(len(weak), np.inf)
    least[weak] = np.repeat(_CORE * _best(exact, starts, ends), ends - starts)
    return _runs(exact >= least)


def _best(
    share: NDArray[np.float64], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Returns the largest share of each run of columns."""
    bounds = np.stack([starts, ends], axis=1).ravel()
    return np.maximum.reduceat(np.append(share, 0.0), bounds)[::2]


def _shades(
    light: Picture, firsts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Returns how bright walls are: the median over their rows of the darkest pixel."""
    columns = np.ascontiguousarray(light.T)
    darkest = columns[firsts]
    for n in range(1, int((ends - firsts).max())):
        np.minimum(darkest, columns[np.minimum(firsts + n, ends - 1)], out=darkest)
    return np.asarray(np.median(darkest, axis=1), np.float64)


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


def off_between(strip: Strip, walls: list[Wall], at: float) -> float:
    """Returns how far the ink of a level line strays between the first wall and the last.

    A line of several boxes is bent from one to the next, though each of them is straight.

    Args:
        strip: in which they are.
        walls: from the left.
        at: where the line is, in pixels under the upper one.
    """
    line = strip.bottom if at else strip.top
    reach = 1 + round(line.thick / 2)
    first = max(round(at) + ROOM - reach, 0)
    start, end = max(round(walls[0].u1) + 1, 0), max(round(walls[-1].u0), 0)
    inked = strip.ink[first : first + 2 * reach + 1, start:end] > 0
    columns = np.flatnonzero(inked.any(0))
    if len(columns) < SMALLEST:
        return np.inf
    rows = np.arange(len(inked))[:, None]
    middle = (inked * rows).sum(0)[columns] / inked.sum(0)[columns]
    slope, height = np.polyfit(columns, middle, 1)
    off = np.abs(middle - height - slope * columns)
    return float(np.sqrt(np.mean(np.minimum(off, 1.0) ** 2)))


def shade_of(strip: Strip) -> float:
    """Returns how bright the level lines of a strip are."""
    low = len(strip.ink) - 1 - ROOM
    rows = [r for r, border in ((ROOM, strip.over), (low, strip.under)) if not border]
    shades = [strip.light[max(r - 1, 0) : r + 2].min(0) for r in rows]
    inked = [strip.ink[max(r - 1, 0) : r + 2].any(0) for r in rows]
    known = [s[i] for s, i in zip(shades, inked, strict=True) if i.any()]
    return float(np.median(np.concatenate(known))) if known else -1.0


def _runs(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Returns where runs of True start and end, (2, N).

    >>> _runs(np.array([False, True, True, False, True])).tolist()
    [[1, 4], [3, 5]]
    """
    around = np.zeros(len(flags) + 2, np.bool_)
    around[1:-1] = flags
    return np.flatnonzero(around[1:] != around[:-1]).reshape(-1, 2).T
