"""Straight thin lines in ink, level or nearly so: pieces found as runs, and joined over gaps."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.frames import STEEPEST, THICKEST, Segment
from holmdel.reading.image import Picture, closed, dilated, opened

_MOST = 1500  # pieces of a page
_PIECE = 6  # pixels of a piece that is part of a line
_GAP = 24  # pixels between two pieces of one line, or half the shorter of them
_OFF = 1.6  # pixels by which the next piece may stand off the line
_LONG = 24  # pixels of lines that are joined over a gap as long as they are
_FILLED = 0.45  # of its length that is ink
_WHOLE = 13  # pixels along a line without paper
_ALONG = 9  # pixels over which the light along a line is averaged
_AROUND = 41  # pixels around a line in which the paper's pattern is seen
_DEEP = 40  # of 255: what is darker is no pattern
_PATTERN = 3.0  # times the pattern's mean depth
_DOT = 16  # pixels: the longest dash of a dashed line
_DOT_GAP = 13  # pixels between two
_DOTTED = 36  # pixels of a dashed line at least


def components(mask: Picture) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Returns the connected pieces of a mask: labels (h, w), 0 for none, and statistics (N, 5).

    The algorithm that OpenCV takes by itself needs five times as long for the statistics.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        mask, 8, cv2.CV_32S, cv2.CCL_BBDT
    )
    return labels.astype(np.int32, copy=False), stats.astype(np.int32, copy=False)


def faint_lines(light: Picture, least: float) -> Picture:
    """Returns what is thin across and darker by `least` than the paper above and below it.

    Where the paper is patterned it must be darker by so much more.
    """
    window = np.ones((THICKEST + 2, 1), np.uint8)
    whole = cv2.dilate(light, np.ones((1, _WHOLE), np.uint8))  # between letters there is paper
    along = cv2.blur(whole, (_ALONG, 1))  # the paper's grain is gone, a line is still there
    deeper = cv2.morphologyEx(along, cv2.MORPH_BLACKHAT, window).astype(np.uint8, copy=False)
    pattern = cv2.blur(np.minimum(deeper, np.uint8(_DEEP)), (_AROUND, _AROUND))
    wanted = np.maximum(cv2.convertScaleAbs(pattern, alpha=_PATTERN), np.uint8(min(least, 255)))
    return cv2.compare(deeper, wanted, cv2.CMP_GT).astype(np.uint8, copy=False)


def dots_of(mask: Picture) -> tuple[Picture, Picture, float]:
    """Returns the small marks that may belong to dashed lines across, and to lines down.

    Also how high the writing is: one mark in ten is higher.
    """
    labels, stats = components(mask)
    w, h = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]
    across = (w <= _DOT) & (h <= 9) & (h <= w + 2)
    down = (h <= _DOT) & (w <= 9) & (w <= h + 2)
    across[0] = down[0] = False
    height, width = mask.shape
    tall = h[(h >= 9) & (h <= 6 * w) & (w <= 3 * h) & (w < 0.6 * width) & (h < 0.95 * height)]
    high = float(np.percentile(tall, 90)) if len(tall) else 0.0
    one, other = (np.where(f[labels], 255, 0).astype(np.uint8) for f in (across, down))
    return one, other, high


def joined_dots(dots: Picture) -> Picture:
    """Returns the level lines that dots and dashes make."""
    if not dots.any():
        return dots
    rows = opened(closed(dilated(dots, 3, 1), 1, _DOT_GAP), 1, _DOTTED)
    return rows & closed(dots, 1, _DOT_GAP)


def segments(mask: Picture, least: int) -> list[Segment]:
    """Returns the straight thin lines of a mask, nearly level, from above.

    Args:
        mask: uint8 (h, w), 255 on ink.
        least: pixels of a run that begins a line.
    """
    pieces = _pieces(mask, least)
    if not len(pieces.x0):
        return []
    chains = _joined(pieces, _chains(pieces))
    found = [_fitted(pieces, chain) for chain in chains]
    straight = [
        s
        for s in found
        if s.length >= least
        and abs(s.slope) <= STEEPEST
        and s.off <= max(1.2, 0.004 * s.length)
        and s.length >= 3 * s.thick
        and s.filled >= _FILLED
    ]
    return sorted(straight, key=lambda s: s.y0 + s.y1)


class _Pieces(NamedTuple):
    """Pieces of lines: columns, sums of x, y, xx, xy, yy over them, ends, slope, thickness."""

    n: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    xx: NDArray[np.float64]
    xy: NDArray[np.float64]
    yy: NDArray[np.float64]
    x0: NDArray[np.float64]
    x1: NDArray[np.float64]
    slope: NDArray[np.float64]
    thick: NDArray[np.float64]

    def sums(self, chain: list[int]) -> list[float]:
        """Returns the columns of some pieces, and the sums of x, y, xx, xy, yy over them."""
        if len(chain) == 1:
            return [float(values[chain[0]]) for values in self[:6]]
        return [float(values[chain].sum()) for values in self[:6]]


def _pieces(mask: Picture, least: int) -> _Pieces:
    runs = opened(dilated(mask, 3, 1), 1, least) & mask
    runs &= ~dilated(opened(mask, THICKEST + 1, 1), 5, 1)
    labels, stats = components(runs)
    wide, area = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_AREA]
    keep = (wide >= _PIECE) & (wide * wide >= 1.5 * area)
    keep[0] = False
    chosen = np.flatnonzero(keep)
    chosen = chosen[np.argsort(-wide[chosen], kind="stable")][:_MOST]
    number = np.full(len(stats), -1, np.int64)
    number[chosen] = np.arange(len(chosen))
    rows, columns = np.nonzero(runs)
    label = number[labels[rows, columns]]
    own = label >= 0
    return _fits(
        label[own], columns[own], rows[own].astype(np.float64), (len(chosen), mask.shape[1])
    )


def _fits(
    label: NDArray[np.int64], x: NDArray[np.int64], y: NDArray[np.float64], size: tuple[int, int]
) -> _Pieces:
    """Returns straight pieces by their columns; those are passed over in which a stroke joins."""
    count, width = size
    key = label * width + x
    high = np.bincount(key, minlength=count * width)
    at = np.flatnonzero(high)
    thick = high[at].astype(np.float64)
    middle = np.bincount(key, y, minlength=count * width)[at] / thick
    piece, column = at // width, (at % width).astype(np.float64)
    usual = _lower(piece, thick, count)
    use = np.abs(thick - usual[piece]) <= 1.5 + 0.3 * usual[piece]
    for _ in range(2):
        sums = _sums(piece[use], column[use], middle[use], count)
        slope, start = _line(sums)
        off = np.abs(middle - start[piece] - slope[piece] * column)
        use = (np.abs(thick - usual[piece]) <= 1.5 + 0.3 * usual[piece]) & (off <= 1.5)
    n, sx, sy, xx, xy, yy = _sums(piece[use], column[use], middle[use], count)
    slope, _ = _line((n, sx, sy, xx, xy, yy))
    first = np.full(count, np.inf)
    last = np.full(count, -np.inf)
    np.minimum.at(first, piece[use], column[use])
    np.maximum.at(last, piece[use], column[use])
    keep = (n >= _PIECE) & (n >= 0.35 * (last - first + 1)) & (n >= 1.5 * usual)
    keep &= (np.abs(slope) <= STEEPEST) | (n < 16)
    slope = np.where(n < 16, 0.0, slope)
    return _Pieces(*(v[keep] for v in (n, sx, sy, xx, xy, yy, first, last, slope, usual)))


def _lower(
    group: NDArray[np.int64], values: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Returns of the values of each group the one that a third of them are below; 0 for none."""
    if not len(values):
        return np.zeros(count)
    order = np.lexsort((values, group))
    sizes = np.bincount(group, minlength=count)
    starts = np.cumsum(sizes) - sizes
    third = np.minimum(starts + sizes // 3, len(values) - 1)
    return np.where(sizes > 0, values[order][third], 0.0)


def _sums(
    piece: NDArray[np.int64], x: NDArray[np.float64], y: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], ...]:
    terms = (None, x, y, x * x, x * y, y * y)
    return tuple(np.bincount(piece, term, count).astype(np.float64) for term in terms)


def _line(sums: tuple[NDArray[np.float64], ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns slopes and heights at x = 0 of the lines of least squares."""
    n, x, y, xx, xy, _ = sums
    n = np.maximum(n, 1)
    slope = (xy - x * y / n) / np.maximum(xx - x * x / n, 1e-6)
    return slope, (y - slope * x) / n


def _chains(pieces: _Pieces) -> list[list[int]]:
    """Returns the pieces in lines, each from left to right."""
    middle_x, middle_y = pieces.x / pieces.n, pieces.y / pieces.n
    length = pieces.x1 - pieces.x0 + 1
    order = np.argsort(pieces.x0, kind="stable")
    begins = pieces.x0[order]
    after: dict[int, int] = {}
    before: dict[int, tuple[float, int]] = {}
    for i in range(len(order)):
        reach = max(_GAP, 0.5 * length[i])
        low, high = np.searchsorted(begins, (pieces.x1[i] - 2, pieces.x1[i] + reach + 1))
        near = order[low:high]
        near = near[near != i]
        if not len(near):
            continue
        gap = pieces.x0[near] - pieces.x1[i]
        slope = np.where(length[near] > length[i], pieces.slope[near], pieces.slope[i])
        off = np.abs(middle_y[i] + (middle_x[near] - middle_x[i]) * slope - middle_y[near])
        fits = gap <= np.maximum(_GAP, 0.5 * np.minimum(length[near], length[i]))
        fits &= off <= _OFF + 0.006 * (middle_x[near] - middle_x[i])
        if fits.any():
            cost = np.where(fits, gap + 4 * off, np.inf)
            best = int(near[np.argmin(cost)])
            value = float(cost.min())
            if best not in before or value < before[best][0]:
                if best in before:
                    del after[before[best][1]]
                before[best] = (value, i)
                after[i] = best
    chains = []
    for i in order.tolist():
        if i not in before:
            chain = [i]
            while chain[-1] in after:
                chain.append(after[chain[-1]])
            chains.append(chain)
    return chains


def _joined(pieces: _Pieces, chains: list[list[int]]) -> list[list[int]]:
    """Returns the chains; longer ones that lie on one line are one, also over a wider gap."""
    long = [(c, _fitted(pieces, c)) for c in chains]
    done = [c for c, s in long if s.length < _LONG]
    open_: list[tuple[list[int], Segment]] = []
    for chain, line in sorted((p for p in long if p[1].length >= _LONG), key=lambda p: p[1].x0):
        for n, (other, before) in enumerate(open_):
            gap = line.x0 - before.x1
            if not -2 <= gap <= max(line.length, before.length):
                continue
            middle = (line.x0 + before.x1) / 2
            if abs(line.at(middle) - before.at(middle)) <= 2 + 0.01 * gap:
                both = _fitted(pieces, other + chain)
                off = max(1.0, 0.004 * both.length)
                if both.off <= off and abs(both.slope) <= STEEPEST and both.filled >= _FILLED:
                    open_[n] = (other + chain, both)
                    break
        else:
            open_.append((chain, line))
    return done + [c for c, _ in open_]


def _fitted(pieces: _Pieces, chain: list[int]) -> Segment:
    """Returns the line of least squares through some pieces."""
    n, x, y, xx, xy, yy = pieces.sums(chain)
    x0, x1 = float(pieces.x0[chain].min()), float(pieces.x1[chain].max())
    spread = max(xx - x * x / n, 1e-6)
    slope = (xy - x * y / n) / spread
    thick = float((pieces.thick[chain] * pieces.n[chain]).sum()) / n
    off = np.sqrt(max((yy - y * y / n - slope * slope * spread) / n, 0.0))
    left, right = (y / n + (end - x / n) * slope for end in (x0, x1))
    return Segment(x0, left, x1, right, thick, min(n / (x1 - x0 + 1), 1.0), float(off))
