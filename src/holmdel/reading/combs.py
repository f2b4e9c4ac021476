"""Which walls bound cells: those at one pitch are a comb, the others are ink."""

from bisect import bisect_left, bisect_right
from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from holmdel.reading.frames import STRONG, WEAK, Wall

_WHOLE = 0.95  # the same of a wall that nothing breaks
_ALONE = 0.9  # the same of a wall inside a box, where no pitch speaks for it
_CLOSED = 0.6  # of a cell's top and bottom that is ink
_LEFT = 0.35  # of the worse of them
_NARROWEST = 0.45  # times its height: how wide a cell is at least
_OFF_PITCH = 0.08  # of the pitch
_LONGEST = 40  # cells


def spans_of(walls: list[Wall], covered: NDArray[np.float64]) -> list[list[Wall]]:
    """Returns walls, those together between which there are top and bottom all the way."""
    strong = [w for w in walls if w.peak >= STRONG]
    spans: list[list[Wall]] = []
    current: list[Wall] = []
    for left, right in pairwise(strong):
        shares = shares_of(covered, left.u1 + 1, right.u0 - 1)
        gap = right.u0 - left.u1 - 1
        if gap >= 3 and _is_closed(shares):
            current = current or [left]
            current += [w for w in walls if left.u1 < w.u0 and w.u1 < right.u0]
            current.append(right)
        elif gap < 3 and current:
            current.append(right)
        elif current:
            spans.append(current)
            current = []
    if current:
        spans.append(current)
    return spans


def combs_of(span: list[Wall], height: float) -> list[list[Wall]]:
    """Returns the walls of a span that bound cells, in rows; what stands inside a cell is ink."""
    best, most = None, 0.0
    middles = [wall.middle for wall in span]
    for i, one in enumerate(span):
        for other in span[i + 1 :]:
            pitch = other.middle - one.middle
            if pitch > 2.2 * height:
                break
            if pitch >= max(10, _NARROWEST * height):
                teeth = _followed(span, middles, one, pitch)
                value = _worth(teeth, span, height)
                if value > most + 1e-6:
                    best, most = teeth, value
    if best is None:
        return _alone(span, height)
    before = [w for w in span if w.u1 <= best[0].u1]
    after = [w for w in span if w.u0 >= best[-1].u0]
    rows = [best]
    if len(before) > 1:
        rows = combs_of(before, height) + rows
    if len(after) > 1:
        rows += combs_of(after, height)
    return rows


def _followed(span: list[Wall], middles: list[float], first: Wall, pitch: float) -> list[Wall]:
    """Returns the walls at equal steps from the first on; one in a row may be missing.

    Args:
        span: from the left.
        middles: of them.
        first: one of them.
        pitch: pixels from one to the next.
    """
    teeth, at = [first], first.middle
    allowed = max(2.0, _OFF_PITCH * pitch)
    missed = False
    while len(teeth) <= _LONGEST:
        at += pitch
        near = span[bisect_left(middles, at - allowed) : bisect_right(middles, at + allowed)]
        if near:
            tooth = max(near, key=lambda w: w.peak - 0.05 * abs(w.middle - at))
            teeth.append(tooth)
            at, missed = tooth.middle, False
        elif missed or at > span[-1].u1:
            break
        else:
            teeth.append(Wall(at, at, 0.0))
            missed = True
    while teeth and teeth[-1].peak < STRONG:
        teeth.pop()
    return teeth


def _worth(teeth: list[Wall], span: list[Wall], height: float) -> float:
    """Returns how much speaks for a row of cells; 0 for none."""
    if len(teeth) < 3 or teeth[0].peak < STRONG:
        return 0.0
    inner = teeth[1:-1]
    pitch = (teeth[-1].middle - teeth[0].middle) / (len(teeth) - 1)
    if len(inner) == 1 and (inner[0].peak < _ALONE or pitch < 0.45 * height):
        return 0.0
    if sum(w.peak for w in inner) / len(inner) < 0.6:
        return 0.0
    usual = median(w.thick for w in (*teeth, span[0], span[-1]) if w.peak >= STRONG)
    known = {w.u0 for w in teeth}
    others = [w for w in span if teeth[0].u1 < w.u0 < teeth[-1].u0 and w.u0 not in known]
    strange = sum(max(speaks(w, usual), 0.0) for w in others)
    return sum(speaks(w, usual) for w in teeth) - 0.5 * strange


def speaks(wall: Wall, usual: float) -> float:
    """Returns how much likelier a wall looks so than a stroke that happens to stand there."""
    thin = wall.thick <= 1.5 * usual + 2
    if wall.peak >= STRONG:
        return (2.8 if wall.peak >= _WHOLE else 0.3 if wall.peak >= 0.8 else 0.1) if thin else -0.5
    return -1.9 if wall.peak >= WEAK else -2.6


def _alone(span: list[Wall], height: float) -> list[list[Wall]]:
    """Returns the walls of boxes of unequal width, or of a single one."""
    ends = [span[0], span[-1]]
    thick = max(w.u1 - w.u0 for w in ends) + 3
    inside = [
        w
        for w in span[1:-1]
        if w.peak >= _ALONE
        and w.u1 - w.u0 <= thick
        and min(w.u0 - span[0].u1, span[-1].u0 - w.u1) >= max(10, _NARROWEST * height)
    ]
    return [[span[0], *inside, span[-1]]] if span[-1].u0 - span[0].u1 >= 8 else []


def extended(teeth: list[Wall], walls: list[Wall], covered: NDArray[np.float64]) -> list[Wall]:
    """Returns a comb with its walls that are broken, or paler than others, and cells at its ends.

    Args:
        teeth: the walls of a comb, from the left.
        walls: all that are seen; a thin one looks paler where two columns of pixels share it.
        covered: as `strips.covered`.
    """
    if len(teeth) < 3:
        return teeth
    pitch = (teeth[-1].middle - teeth[0].middle) / (len(teeth) - 1)
    strong = [w for w in walls if w.peak >= STRONG]
    teeth = [w if w.peak else _at(w.middle, strong, pitch) or w for w in teeth]
    for step, end in ((pitch, -1), (-pitch, 0)):
        for _ in range(_LONGEST):
            at = teeth[end].middle + step
            tooth = _at(at, walls, pitch)
            shares = shares_of(covered, *sorted((teeth[end].middle, at)))
            if tooth is None or not _is_closed(shares):
                break
            teeth = [*teeth, tooth] if end else [tooth, *teeth]
    return teeth


def _at(place: float, walls: list[Wall], pitch: float) -> Wall | None:
    """Returns the best wall near a place; None for none."""
    near = [w for w in walls if abs(w.middle - place) <= max(2.0, _OFF_PITCH * pitch)]
    return max(near, key=lambda w: w.peak, default=None)


def shares_of(covered: NDArray[np.float64], u0: float, u1: float) -> tuple[float, float]:
    """Returns the parts of the upper and the lower line that are ink from one column to another."""
    last = covered.shape[1] - 1
    start, end = (min(max(round(u), 0), last) for u in (u0, u1 + 1))
    upper, lower = (covered[:, end] - covered[:, start]).tolist()
    length = max(end - start, 1)
    return upper / length, lower / length


def _is_closed(shares: tuple[float, float]) -> bool:
    """Returns whether there are top and bottom, by the parts of them that are ink."""
    return min(shares) >= _LEFT and sum(shares) / 2 >= _CLOSED
