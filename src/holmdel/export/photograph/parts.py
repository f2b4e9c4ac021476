"""Connected parts of a mask, found by a file: labels that spread along runs until none changes."""

from typing import NamedTuple

import numpy as np

from holmdel.export.photograph.arithmetic import (
    cut,
    equal,
    filled,
    flat,
    joined,
    numbered,
    reshaped,
    side,
    size,
    some,
    sorted_,
    where,
)
from holmdel.export.photograph.sheet import Expr, number, op, ops, repeated


class Parts(NamedTuple):
    """The parts of a mask of M pixels.

    Attributes:
        rows: of the pixels that are true, int64 (M,).
        columns: likewise.
        labels: which of K parts each belongs to, int64 (M,), in the order of their first pixels.
        pixels: how many each part has, int64 (K,).
        shape: height and width of the mask.
    """

    rows: Expr
    columns: Expr
    labels: Expr
    pixels: Expr
    shape: tuple[Expr, Expr]

    def mask(self, kept: Expr) -> Expr:
        """Returns the pixels (H, W) of the parts that are kept, bool (K,)."""
        high, wide = self.shape
        where_ = self.rows * wide + self.columns
        none = filled(0, np.int64, high * wide)
        marks = op("ScatterElements", none, where_, kept.to(np.int64)[self.labels], axis=0)
        return reshaped(marks > 0, high, wide)

    def extremes(self) -> tuple[Expr, Expr, Expr, Expr]:
        """Returns top, bottom, left and right of each part's box, int64 (K,)."""
        count = size(self.pixels)
        top = _gathered(self.rows, self.labels, count, "min", 1 << 40)
        bottom = _gathered(self.rows, self.labels, count, "max", -1) + 1
        left = _gathered(self.columns, self.labels, count, "min", 1 << 40)
        right = _gathered(self.columns, self.labels, count, "max", -1) + 1
        return top, bottom, left, right

    def counted(self, mask: Expr) -> Expr:
        """Returns how many pixels of each part a mask (H, W) holds, int64 (K,)."""
        wide = self.shape[1]
        inside = flat(mask).to(np.int64)[self.rows * wide + self.columns]
        return _gathered(inside, self.labels, size(self.pixels), "add", 0)


def parts_of(mask: Expr, corners: bool) -> Parts:
    """Returns the parts of a mask (H, W) that holds some pixels.

    Args:
        mask: bool.
        corners: whether pixels that touch at a corner belong together.
    """
    high, wide = side(mask, 0), side(mask, 1)
    found = op("NonZero", mask, dtype=np.int64)
    rows, columns = found[0], found[1]
    far = high + wide + 2
    keys = [rows * far + columns, columns * far + rows]
    if corners:
        keys += [(columns - rows + high) * far + rows, (columns + rows) * far + rows]
    runs = [_runs(key) for key in keys]
    count = size(rows)

    def step(_: Expr, labels: Expr) -> tuple[Expr, list[Expr]]:
        new = labels
        for run in runs:
            new = _gathered(new, run, count, "min", 1 << 40)[run]
        return some(~equal(new, labels)), [new]

    (labels,) = repeated(None, [numbered(count)], step)
    kinds = (np.int64,) * 4
    _, _, inverse, pixels = ops("Unique", (labels,), kinds, sorted=1)
    return Parts(rows, columns, inverse, pixels, (high, wide))


def _runs(keys: Expr) -> Expr:
    """Returns which run each pixel is in: those whose keys follow one another."""
    ranked, order = sorted_(keys)
    before = joined(number([-2], np.int64), cut(ranked, (0, -1), axes=[0]))
    begins = where(equal(ranked, before + 1), 0, number(1, np.int64))
    numbers = op("CumSum", begins, number(0, np.int64)) - 1
    return op("ScatterElements", order, order, numbers, axis=0)


def _gathered(values: Expr, groups: Expr, count: Expr, how: str, begin: int) -> Expr:
    """Returns of each of `count` groups the smallest, largest or sum of its values."""
    table = filled(begin, np.int64, count)
    return op("ScatterElements", table, groups, values, axis=0, reduction=how)
