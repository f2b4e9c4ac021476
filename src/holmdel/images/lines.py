"""Long thin lines on a mask: a little askew or wavy, and crossed by strokes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from holmdel.images.opencv import cv2
from holmdel.images.pixels import Box, Mask, closed, median, opened

if TYPE_CHECKING:  # NumPy loads it at its first use
    from numpy.polynomial import Polynomial

_PIECE, _LEAST = 8, 9  # an eighth of the mask's shorter side, or 9 pixels, is a piece of a line
_THICKEST = 0.08  # of the shorter side, at least 5 pixels: what is thicker crosses a line
_FINE = 0.09  # of the ink's width: a digit's strokes are thicker
_OPEN = 0.3  # of the ink's width: a piece of an underline or a frame that nothing crosses
_DRIFT = 0.06  # pixels by which a line may leave its direction, per pixel that strokes hide
_HIDDEN = 0.8  # of a gap in a line that is ink
_END = 40  # pixels at a line's end that say where it goes on
_LONG = 0.3  # of the mask's side: what goes from border to border is at least as long
_BEND = 60  # pixels for which a line may bend once

Places = NDArray[np.float64]
Ink = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Line:
    """A line that lies or stands on a mask.

    Attributes:
        start: the column (a standing line's row) at which it begins.
        places: its middle at each of its columns: the row, with fractions.
        thickness: pixels, the median of its columns.
        size: (h, w) of the mask; of a standing line's mask the transposed.
        standing: whether it goes up and down.
    """

    start: int
    places: Places
    thickness: float
    size: tuple[int, int]
    standing: bool = False

    @property
    def length(self) -> int:
        """How many columns it has."""
        return len(self.places)

    @property
    def stop(self) -> int:
        """The column after its last."""
        return self.start + self.length

    @property
    def through(self) -> bool:
        """Whether it goes from one border to another."""
        height, width = self.size
        near = max(3, width // 16), 2 + self.thickness / 2
        ends = ((self.start, self.places[0]), (width - self.stop, self.places[-1]))
        return self.length >= _LONG * width and all(
            away <= near[0] or min(place, height - 1 - place) <= near[1] for away, place in ends
        )

    @property
    def box(self) -> Box:
        """The box around it: rows and columns of the mask as it is."""
        half = self.thickness / 2
        low, high = int(self.places.min() - half), int(np.ceil(self.places.max() + half)) + 1
        across, along = slice(max(low, 0), high), slice(self.start, self.stop)
        return (along, across) if self.standing else (across, along)

    @cached_property
    def ends(self) -> tuple["Polynomial", "Polynomial"]:
        """Where it would go on to the left and to the right; 0 is its first column."""
        first, last = _straight(self.places[:_END]), _straight(self.places[-_END:])
        return first, last(np.polynomial.Polynomial([-max(self.length - _END, 0), 1]))

    def moved(self, start: int, stop: int) -> "Line":
        """Returns the line with other ends, within its own or where it would go on to."""
        at = np.arange(start - self.start, stop - self.start)
        inside = at.clip(0, self.length - 1)
        places = np.where(at < 0, self.ends[0](at), self.places[inside])
        places = np.where(at >= self.length, self.ends[1](at), places)
        return replace(self, start=start, places=places)

    def cover(self, mask: Mask, step: int = 1) -> None:
        """Sets what it covers of a mask, and a pixel of its own on either side.

        Args:
            mask: (H, W), of which the line's own is a `step`th.
            step: pixels of the mask per pixel of the line.
        """
        turned = mask.T if self.standing else mask
        columns = np.arange(self.start * step, min(self.stop * step, turned.shape[1]))
        own = np.interp((columns + 0.5) / step - 0.5, np.arange(self.start, self.stop), self.places)
        middle = (own + 0.5) * step - 0.5
        half = (self.thickness / 2 + 1) * step
        top = max(int(middle.min() - half), 0)
        rows = np.arange(top, min(int(middle.max() + half) + 2, turned.shape[0]))[:, None]
        there = (
            slice(top, top + len(rows)),
            slice(self.start * step, self.start * step + len(columns)),
        )
        turned[there] |= np.abs(rows - middle) <= half


def find_lines(mask: Mask) -> list[Line]:
    """Returns the lines of a mask (H, W), those that lie first.

    A mask whose border is free has none that go through; lines in it are of interest where they lie
    under all the ink, or frame it.
    """
    shortest = max(_LEAST, min(mask.shape) // _PIECE)
    thickest = max(5, round(_THICKEST * min(mask.shape)))
    inside = not any(edge.any() for edge in (mask[:2], mask[-2:], mask[:, :2], mask[:, -2:]))
    if inside:
        across = np.flatnonzero(mask.any(axis=0))
        wide = int(across[-1] - across[0]) if len(across) else 0
        shortest, thickest = max(shortest, round(_OPEN * wide)), max(2, round(_FINE * wide))
    lying = list(_lying(mask, shortest, thickest))
    if inside and not lying:
        return []
    standing = _lying(mask.T, min(shortest, mask.shape[0]), thickest)
    return lying + [Line(o.start, o.places, o.thickness, o.size, True) for o in standing]


def _lying(mask: Mask, shortest: int, thickest: int) -> Iterator[Line]:
    """Gives the lines that lie."""
    ink = np.ascontiguousarray(mask).astype(np.uint8)
    pieces = _pieces(ink, shortest, thickest)
    if not pieces:
        return
    near = cv2.dilate(ink, np.ones((3, 1), np.uint8)) > 0
    for chain in _chains(pieces, near):
        columns = np.concatenate([np.arange(one.start, one.stop) for one in chain])
        places = np.concatenate([one.places for one in chain])
        order = np.argsort(columns, kind="stable")
        start, stop = int(columns.min()), int(columns.max()) + 1
        whole = _smooth(np.interp(np.arange(start, stop), columns[order], places[order]))
        thickness = float(median([one.thickness for one in chain]))
        yield _to_borders(Line(start, whole, thickness, ink.shape), near)


def _pieces(ink: Ink, shortest: int, thickest: int) -> list[Line]:
    """Returns the pieces of lines between the strokes that cross them."""
    if shortest > ink.shape[1]:
        return []
    thin = ink & ~opened(ink, thickest + 1, 1)
    wide = cv2.dilate(thin, np.ones((3, 1), np.uint8))  # lines a little askew have short rows
    level = opened(closed(np.asarray(wide, np.uint8), 1, thickest + 2), 1, shortest)
    if not level.any():
        return []
    return [
        piece
        for box, part in _parts(level, thin)
        for piece in _parted(box, part, ink.shape, tall=2 * thickest)
    ]


def _parts(level: Ink, thin: Ink) -> Iterator[tuple[Box, Mask]]:
    """Gives the box of each connected part, and the thin ink in it."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(level, connectivity=8)
    for number, (left, top, width, height, _) in enumerate(stats[1:].tolist(), start=1):
        box = slice(top, top + height), slice(left, left + width)
        part = (labels[box] == number) & (thin[box] > 0)
        if part.any():
            yield box, part


def _parted(box: Box, part: Mask, size: tuple[int, int], tall: int) -> Iterator[Line]:
    """Gives the pieces in a part; a tall one may be two lines that a stroke joins."""
    counts = part.sum(axis=0)
    seen = counts > 0
    usual = float(median(counts[seen]))
    if len(part) > tall and (joined := counts > 1.6 * usual + 1).any():
        alone = np.where(joined, False, part).astype(np.uint8)
        whole = cv2.morphologyEx(alone, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        for inner, some in _parts(np.asarray(whole, np.uint8), alone):
            moved = tuple(
                slice(a.start + b.start, a.start + b.stop) for a, b in zip(box, inner, strict=True)
            )
            if some.shape[1] >= 7:
                yield from _parted(moved, some, size, tall=size[0])
        return
    middles = (part * np.arange(len(part))[:, None]).sum(axis=0)[seen] / counts[seen]
    places = np.interp(np.arange(part.shape[1]), np.flatnonzero(seen), middles)
    yield Line(int(box[1].start), _smooth(places + box[0].start), usual, size)


def _chains(pieces: list[Line], ink: Mask) -> list[list[Line]]:
    """Returns the pieces put together to lines: what parts them is ink that goes across."""
    chains: list[list[Line]] = []
    for piece in sorted(pieces, key=lambda one: one.start):
        fits = [(_missed(chain[-1], piece, ink), i) for i, chain in enumerate(chains)]
        missed, number = min(fits, default=(np.inf, 0))
        if missed < np.inf:
            chains[number].append(piece)
        else:
            chains.append([piece])
    return chains


def _missed(last: Line, piece: Line, ink: Mask) -> float:
    """Returns by how many rows a piece misses where another goes on; inf if it is no part of it."""
    if piece.stop <= last.stop:
        return np.inf
    gap, middle = piece.start - last.stop, (piece.start + last.stop) / 2
    ahead, behind = last.ends[1](middle - last.start), piece.ends[0](middle - piece.start)
    away = abs(float(ahead - behind))
    if away > 2 + _DRIFT * max(gap, 0):
        return np.inf
    if gap > 0:
        columns = np.arange(last.stop, piece.start)
        rows = np.interp(columns, (last.stop - 1, piece.start), (last.places[-1], piece.places[0]))
        if ink[rows.round().astype(int).clip(0, len(ink) - 1), columns].mean() < _HIDDEN:
            return np.inf
    return away


def _to_borders(line: Line, ink: Mask) -> Line:
    """Returns a line with an end moved to the border where strokes hide it from there on."""
    height, width = ink.shape
    start, stop = line.start, line.stop
    for columns, end in ((np.arange(start), 0), (np.arange(stop, width), 1)):
        rows = line.ends[end](columns - line.start).round().astype(int)
        if len(rows) and rows.min() >= 0 and rows.max() < height and ink[rows, columns].all():
            start, stop = (0, stop) if end == 0 else (start, width)
    return line.moved(start, stop)


def _smooth(places: Places) -> Places:
    """Returns the places of a line without the bumps where strokes meet it."""
    x = np.arange(len(places))
    curve = _straight(places)
    degree = 1 + min(len(places) // _BEND, 2)
    kept = np.zeros(len(places), bool)
    for _ in range(4):
        away = np.abs(curve(x) - places)
        now = away <= max(1.0, 2.5 * float(median(away)))
        if (now == kept).all() or now.sum() < 4 * (degree + 1) or away.max() <= 0.5:
            break
        kept = now
        curve = np.polynomial.Polynomial.fit(x[kept], places[kept], degree, domain=[0, len(x)])
    return np.asarray(curve(x), np.float64)


def _straight(places: Places) -> "Polynomial":
    """Returns the straight line by the median of slopes (Theil 1950, Sen 1968), of 16 places."""
    at, first, second = _pairs(len(places))
    some = places[at]
    slope = 0.0
    if len(first):
        slope = float(median((some[second] - some[first]) / (at[second] - at[first])))
    return np.polynomial.Polynomial([float(median(some - slope * at)), slope])


@lru_cache(maxsize=512)
def _pairs(count: int) -> tuple[NDArray[np.int64], ...]:
    """Returns up to 16 of `count` places, evenly spread, and the pairs of them."""
    at = np.linspace(0, count - 1, 16).round().astype(np.int64)
    at = at[np.diff(at, prepend=-1) > 0]
    return at, *np.triu_indices(len(at), 1)
