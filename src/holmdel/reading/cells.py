"""Combs read cell by cell: each digit alone, and all of them as one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, prod

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.answers import Box
from holmdel.reading.comb_crops import Comb
from holmdel.reading.decode import Candidate, texts
from holmdel.reading.expressions import BLANK, CHARACTERS, DIGITS
from holmdel.reading.image import Picture, dilated
from holmdel.reading.line import DigitAnswer, LineAnswer, LineReader
from holmdel.reading.patterns import Pattern, parse_pattern
from holmdel.reading.segments import components
from holmdel.reading.thresholds import READING

_VIEWS = 4  # of each digit and line
_NEVER = 1e-7  # the probability of what no view says
_LIKELY = 3  # digits of a cell that may stand there
_LEAST = 0.03  # the probability of a number that an opinion does not say, shared by its digits
_WEIGHT = 0.4  # of each opinion in their pool: three that have some mistakes in common
_MARGIN = 0.12  # of a digit's height, left around it
_GAP = 0.25  # of the usual height, between two digits set in one line


@dataclass(frozen=True)
class CombAnswer:
    """What stands in a comb.

    Attributes:
        answer: the digits of the cells in which there is one; boxes in the comb's picture.
        empty: for each cell whether nothing is written there.
        chances: how probable each text is that may stand there.
    """

    answer: LineAnswer
    empty: tuple[bool, ...]
    chances: dict[str, float]


@dataclass(frozen=True, eq=False)
class _Written:
    """What is written in a cell: its image, uint8 (h, w), and the box around it in the comb."""

    image: Picture
    box: Box


def cells_written(comb: Comb) -> list[_Written | None]:
    """Returns for each cell of a comb what is written in it, without its neighbours' strokes."""
    labels, stats = _marks(comb.picture)
    owners = _owners(labels, stats, comb.cells)
    boxes = [_extent(owners == n) for n in range(len(comb.cells))]
    high = [box[3] for box in boxes if box]
    usual = float(np.median(high)) if high else 0.0
    return [
        _Written(_alone_on_white(comb.picture, owners, n, box, usual), box) if box else None
        for n, box in enumerate(boxes)
    ]


def _marks(picture: Picture) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Returns the connected marks of a picture and their statistics."""
    dark = 255 - cv2.GaussianBlur(picture, (3, 3), 0)
    deepest = float(np.percentile(dark, 99.5))
    ink = (dark > max(READING.least_cell_ink, READING.cell_ink * deepest)).astype(np.uint8)
    return components(ink)


def _owners(
    labels: NDArray[np.int32], stats: NDArray[np.int32], cells: Sequence[Box]
) -> NDArray[np.int32]:
    """Returns int32 (h, w): the number of the cell that a pixel of ink belongs to, else -1.

    A mark that runs over a wall belongs to the cell that has most of it; one as wide as two digits
    is cut at the wall.
    """
    regions = _regions(labels.shape, cells)
    count, places = len(stats), len(cells) + 1
    inked = labels > 0
    shares = np.bincount(
        labels[inked] * places + regions[inked] + 1, minlength=count * places
    ).reshape(count, places)
    height = float(np.median([c[3] for c in cells]))
    width = float(np.median([c[2] for c in cells]))
    owner = np.full(count, -1, np.int64)
    cut = np.zeros(count, bool)
    for n in range(1, count):
        w, h, area = (int(v) for v in stats[n, 2:5])
        inside = shares[n, 1:]
        if max(w, h) < READING.cell_speck * height or inside.sum() < READING.in_cells * area:
            continue
        owner[n] = int(inside.argmax())
        cut[n] = inside.max() < READING.own_cell * inside.sum() and w > READING.two_digits * min(
            width, height
        )
    owners = np.where(cut[labels], regions, owner[labels]).astype(np.int32)
    owners[~inked] = -1
    return owners


def _regions(shape: tuple[int, ...], cells: Sequence[Box]) -> NDArray[np.int32]:
    """Returns the number of the cell that a place is in, or over or under, or beside; else -1."""
    regions = np.full(shape, -1, np.int32)
    edges = [(a[0] + a[2] + b[0]) // 2 for a, b in pairwise(cells)]
    room = round(READING.cell_aside * cells[0][2])
    lefts = [cells[0][0] - room, *edges]
    rights = [*edges, cells[-1][0] + cells[-1][2] + room]
    for n, ((_, y, _, h), left, right) in enumerate(zip(cells, lefts, rights, strict=True)):
        top, bottom = round(y - READING.cell_reach * h), round(y + (1 + READING.cell_reach) * h)
        regions[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = n
    return regions


def _extent(mask: NDArray[np.bool_]) -> Box | None:
    """Returns the box around a mask; None for an empty one."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y


def _alone_on_white(
    picture: Picture, owners: NDArray[np.int32], number: int, box: Box, usual: float
) -> Picture:
    """Returns the ink of a cell on white, with a margin; a low mark stays low."""
    x, y, w, h = box
    around = 2
    rows = slice(max(y - around, 0), y + h + around)
    columns = slice(max(x - around, 0), x + w + around)
    own = dilated((owners[rows, columns] == number).astype(np.uint8), 5, 5) > 0
    other = owners[rows, columns] >= 0
    other &= owners[rows, columns] != number
    shown = np.where(own & ~other, picture[rows, columns], 255).astype(np.uint8)
    margin = max(2, round(_MARGIN * max(h, READING.lowest_digit * usual)))
    more = max(0, round((READING.lowest_digit * usual - h) / 2))
    return np.pad(shown, ((margin + more,) * 2, (margin,) * 2), constant_values=255)


def read_cells(combs: Sequence[Comb], reader: LineReader, pattern: Pattern) -> list[CombAnswer]:
    """Returns what stands in combs, a digit a cell.

    Each digit is read alone, by the line network and by LeNet, and all of a comb as one line. How
    probable a text is says their logarithmic pool (Genest and Zidek, "Combining probability
    distributions", 1986): what one is sure of decides where another is in doubt. Cells may stay
    empty, at the ends or between.

    Args:
        combs: cut out, walls taken away.
        reader: of lines.
        pattern: what may be written in a comb.
    """
    written = [cells_written(comb) for comb in combs]
    images = [cell.image for cells in written for cell in cells if cell]
    one = parse_pattern("digits:1")
    both = zip(reader.chances(images, one, _VIEWS), reader.digit_chances(images), strict=True)
    alone = [[next(both) for cell in cells if cell] for cells in written]
    chances = [[_pooled(*two, _LEAST / len(each)) for two in each] for each in alone]
    lines = _in_one_go(written, reader)
    return [
        _answer(cells, each, line, pattern)
        for cells, each, line in zip(written, chances, lines, strict=True)
    ]


def _pooled(one: dict[str, float], other: dict[str, float], least: float) -> dict[str, float]:
    """Returns the pool of two opinions on a digit; `least` is what is not said."""
    likely = sorted(DIGITS, key=lambda char: -one.get(char, 0.0) - other.get(char, 0.0))[:_LIKELY]
    weights = {char: _factor(one, char, least) * _factor(other, char, least) for char in likely}
    return {char: weight / sum(weights.values()) for char, weight in weights.items()}


def _factor(opinion: dict[str, float], text: str, least: float = _LEAST) -> float:
    """Returns what an opinion counts for a text in the pool; `least` is what it does not say."""
    return float((opinion.get(text, 0.0) + least) ** _WEIGHT)


def _in_one_go(
    written: Sequence[Sequence[_Written | None]], reader: LineReader
) -> list[dict[str, float]]:
    """Returns what combs say when they are read as lines of so many digits."""
    found: list[dict[str, float]] = [{} for _ in written]
    for number, cells in enumerate(written):
        images = [cell.image for cell in cells if cell]
        if len(images) > 1:
            digits = parse_pattern(f"digits:{len(images)}")
            [found[number]] = reader.chances([_line_of(images)], digits, _VIEWS)
    return found


def _line_of(images: Sequence[Picture]) -> Picture:
    """Returns the digits of cells side by side as in one number."""
    high = max(len(image) for image in images)
    gap = round(_GAP * float(np.median([len(image) for image in images])))
    parts = []
    for image in images:
        above = (high - len(image)) // 2
        room = ((above, high - len(image) - above), (gap // 2, gap - gap // 2))
        parts.append(np.pad(image, room, constant_values=255))
    return np.concatenate(parts, axis=1)


def _answer(
    cells: Sequence[_Written | None],
    chances: Sequence[dict[str, float]],
    line: dict[str, float],
    pattern: Pattern,
) -> CombAnswer:
    empty = tuple(cell is None for cell in cells)
    filled = [cell for cell in cells if cell]
    weights: dict[str, float] = {}
    candidates: dict[str, Candidate] = {}
    whole = _whole(chances, line)
    for candidate in texts(_steps(chances), pattern) if filled else ():
        pooled = exp(candidate.log_probability) * _factor(line, candidate.text)
        weights[candidate.text] = pooled / whole
        candidates[candidate.text] = candidate
    if not weights:
        return CombAnswer(LineAnswer("", "", 0.0, ()), empty, {})
    best = candidates[max(weights, key=weights.__getitem__)]
    digits = tuple(
        DigitAnswer(char, min(chance.get(char, 0.0), 1.0), cell.box)
        for char, chance, cell in zip(best.text, chances, filled, strict=True)
    )
    score = min(weights[best.text], 1.0)
    fit = float(pattern.worth is None or best.value is not None)
    answer = LineAnswer(best.text, best.raw, score, digits, best.value, fit)
    return CombAnswer(answer, empty, weights)


def _whole(chances: Sequence[dict[str, float]], line: dict[str, float]) -> float:
    """Returns what all texts come to in the pool: those that the line says, and the others."""
    none = _factor({}, "")
    return none + sum(
        prod(chance.get(char, _NEVER) for chance, char in zip(chances, text, strict=True))
        * (_factor(line, text) - none)
        for text in line
    )


def _steps(chances: Sequence[dict[str, float]]) -> NDArray[np.float32]:
    """Returns ln of the probabilities (T, K), a step a digit and a blank before and after it."""
    steps = np.zeros((2 * len(chances) + 1, len(CHARACTERS) + 1))
    steps[::2, BLANK] = 1.0
    for step, chance in zip(steps[1::2], chances, strict=True):
        for number, char in enumerate(DIGITS):
            step[number] = max(chance.get(char, 0.0), _NEVER)
    with np.errstate(divide="ignore"):
        logarithms: NDArray[np.float32] = np.log(steps).astype(np.float32)
    return logarithms
