"""What is done with values of a file: choices, places, sums, sorting."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from holmdel.export.photograph.sheet import Expr, Number, alike, number, op, ops
from holmdel.export.photograph.sheet import two as two_


def where(test: Expr, one: Number, two: Number) -> Expr:
    """Returns one where the test holds, else two."""
    first, second = alike(one, two)
    return op("Where", test, first, second, dtype=first.dtype)


def equal(one: Expr, two: Number) -> Expr:
    """Returns where two are the same."""
    return two_("Equal", one, two, np.bool_)


def largest(one: Number, two: Number) -> Expr:
    """Returns the larger of two."""
    return two_("Max", one, two)


def smallest(one: Number, two: Number) -> Expr:
    """Returns the smaller of two."""
    return two_("Min", one, two)


def clip(value: Expr, low: float, high: float) -> Expr:
    """Returns numbers, none of which is below or above."""
    return smallest(largest(value, low), high)


def floor(value: Expr) -> Expr:
    """Returns the whole numbers below."""
    return op("Floor", value)


def rounded(value: Expr) -> Expr:
    """Returns the nearest whole numbers, of two the even one, as Python does."""
    return op("Round", value)


def take(value: Expr, at: "int | Expr", axis: int) -> Expr:
    """Returns a part along a dimension, or several."""
    places = at if isinstance(at, Expr) else number(at, np.int64)
    return op("Gather", value, places, axis=axis)


def side(value: Expr, axis: int) -> Expr:
    """Returns the size along a dimension: int64."""
    return op("Shape", value, dtype=np.int64)[axis]


def size(value: Expr) -> Expr:
    """Returns how many numbers there are: int64."""
    return op("Size", value, dtype=np.int64)


def vector(*numbers: Number) -> Expr:
    """Returns int64 numbers as one list, a constant where all are known."""
    if not any(isinstance(n, Expr) for n in numbers):
        return number(numbers, np.int64)
    one = [n if isinstance(n, Expr) else number(n, np.int64) for n in numbers]
    return op("Concat", *(unsqueezed(n, 0) for n in one), axis=0)


def joined(*values: Expr, axis: int = 0) -> Expr:
    """Returns values behind one another."""
    return op("Concat", *values, axis=axis)


def unsqueezed(value: Expr, axis: int) -> Expr:
    """Returns a value with one more dimension, of size 1."""
    return op("Unsqueeze", value, number([axis], np.int64))


def reshaped(value: Expr, *sides: Number) -> Expr:
    """Returns a value in another shape; -1 is what is left."""
    return op("Reshape", value, vector(*sides))


def flat(value: Expr) -> Expr:
    """Returns a value as a list."""
    return reshaped(value, -1)


def filled(value: float, dtype: DTypeLike, *sides: Number) -> Expr:
    """Returns an array of one number."""
    return op("Expand", number(value, dtype), vector(*sides))


def numbered(count: Expr) -> Expr:
    """Returns 0, 1, ... below an int64 number."""
    return op("Range", number(0, np.int64), count, number(1, np.int64))


def cut(value: Expr, *ranges: tuple[Number, Number], axes: Sequence[int], step: Number = 1) -> Expr:
    """Returns a part of each dimension named: from the first number up to, without, the second."""
    starts, ends = (vector(*(one[at] for one in ranges)) for at in (0, 1))
    steps = vector(*[step] * len(ranges))
    return op("Slice", value, starts, ends, number(list(axes), np.int64), steps)


def padded(value: Expr, *pads: Number) -> Expr:
    """Returns a value with zeros around: how many before each dimension, then behind each."""
    return op("Pad", value, vector(*pads), number(0, value.dtype))


def _over(operator: str, value: Expr, axes: Sequence[int] | None, keep: bool) -> Expr:
    which = None if axes is None else number(list(axes), np.int64)
    return op(operator, value, which, keepdims=int(keep))


def total(value: Expr, axes: Sequence[int] | None = None, keep: bool = False) -> Expr:
    """Returns the sum, of true ones their number."""
    value = value.to(np.int64) if value.dtype == np.bool_ else value
    return _over("ReduceSum", value, axes, keep)


def mean(value: Expr, axes: Sequence[int] | None = None) -> Expr:
    """Returns the mean, of true ones their share: float64 of those."""
    value = value.to(np.float64) if value.dtype == np.bool_ else value
    return _over("ReduceMean", value, axes, False)


def most(value: Expr, axes: Sequence[int] | None = None) -> Expr:
    """Returns the largest."""
    return _over("ReduceMax", value, axes, False)


def least(value: Expr, axes: Sequence[int] | None = None) -> Expr:
    """Returns the smallest."""
    return _over("ReduceMin", value, axes, False)


def some(value: Expr, axes: Sequence[int] | None = None) -> Expr:
    """Returns whether any is true."""
    return most(value.to(np.int32), axes) > 0


def every(value: Expr) -> Expr:
    """Returns whether all are true."""
    return ~some(~value)


def chosen(value: Expr, mask: Expr) -> Expr:
    """Returns what is where a mask of the same shape is true, as a list."""
    return op("Compress", flat(value), flat(mask))


def sorted_(values: Expr) -> tuple[Expr, Expr]:
    """Returns a list sorted, the smallest first, and where each was."""
    count = unsqueezed(size(values), 0)
    found = ops("TopK", (values, count), (None, np.int64), largest=0, sorted=1)
    return found[0], found[1]


def median(values: Expr) -> Expr:
    """Returns the middle of a list, or the mean of both."""
    ranked, count = sorted_(values)[0], size(values)
    return (ranked[(count - 1) // 2] + ranked[count // 2]) / 2
