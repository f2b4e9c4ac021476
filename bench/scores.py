"""Shares with their intervals, and lines that were told against lines that are there."""

import math
import random
from collections.abc import Sequence
from typing import NamedTuple

from holmdel.reading import Assessment
from holmdel.reading.assessment import align_texts

Share = tuple[float, float, float]  # the share, and its 95 % interval
_Z = 1.959964  # of the normal distribution, 95 %
_DRAWS = 400


class Matched(NamedTuple):
    """How many lines were told and right, told and wrong, and are none."""

    right: int
    misread: int
    other: int


def wilson(share: float, count: int) -> Share:
    """Returns a share of `count` with its 95 % interval (E. B. Wilson, 1927)."""
    square = _Z * _Z
    middle = (share + square / (2 * count)) / (1 + square / count)
    spread = math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    half = _Z * spread / (1 + square / count)
    low, high = max(middle - half, 0.0), min(middle + half, 1.0)
    return round(share, 4), round(low, 4), round(high, 4)


def bootstrap(found: Assessment) -> Share:
    """Returns the calibration error with its 95 % interval over strings drawn again."""
    draw = random.Random(0)
    errors = sorted(
        Assessment(tuple(draw.choices(found.strings, k=found.count))).ece for _ in range(_DRAWS)
    )
    low, high = errors[round(0.025 * _DRAWS)], errors[round(0.975 * _DRAWS) - 1]
    return round(found.ece, 4), round(low, 4), round(high, 4)


def match_lines(truth: Sequence[str], told: Sequence[str]) -> Matched:
    """Returns how many lines are right; a wrong one is another mark where no line is like it.

    Two lines are alike where at most half of the longer one's digits differ.
    """
    left, wrong = list(truth), []
    for text in told:
        if text in left:
            left.remove(text)
        else:
            wrong.append(text)
    misread = 0
    for text in wrong:
        near = min(left, key=lambda line: _differences(line, text), default=None)
        if near is not None and 2 * _differences(near, text) <= max(len(near), len(text)):
            left.remove(near)
            misread += 1
    return Matched(len(told) - len(wrong), misread, len(wrong) - misread)


def _differences(truth: str, read: str) -> int:
    return sum(a != b for a, b in align_texts(truth, read))
