"""Planes of pixels in a file: resizing as Pillow does it, the border, boxes, grey of colours."""

from math import pi
from typing import TypeAlias

import numpy as np

from holmdel.export.photograph.arithmetic import (
    clip,
    cut,
    equal,
    filled,
    floor,
    joined,
    largest,
    numbered,
    padded,
    reshaped,
    rounded,
    side,
    smallest,
    some,
    take,
    total,
    unsqueezed,
    where,
)
from holmdel.export.photograph.sheet import Expr, number, op, repeated

Sides: TypeAlias = tuple[Expr, Expr]  # height and width, int64
_LEVEL, _WAVE = float(np.float32(0.54)), float(np.float32(0.46))  # Pillow's have 24 bits
_BITS = 22  # of the fraction of Pillow's weights: 32, less 8 for a pixel and 2 for the sum


def grey_of(pixels: Expr) -> Expr:
    """Returns the grey of colours (3, H, W), float64, as Pillow makes it: ITU-R 601, (1, H, W)."""
    shares = number(np.array([19595, 38470, 7471]).reshape(3, 1, 1), np.float64)
    return floor((total(pixels * shares, [0], keep=True) + 0x8000) / 0x10000)


def sides(plane: Expr) -> Sides:
    """Returns the height and width of what has them last."""
    return side(plane, -2), side(plane, -1)


def within(shape: Sides, size: Sides) -> Sides:
    """Returns the largest height and width of this aspect ratio that fit into `size`."""
    scale = smallest(
        size[0].to(np.float64) / shape[0].to(np.float64),
        size[1].to(np.float64) / shape[1].to(np.float64),
    )
    high, wide = (largest(rounded(n.to(np.float64) * scale).to(np.int64), 1) for n in shape)
    return high, wide


def shrunk(planes: Expr, longest: int, bytes_: bool) -> Expr:
    """Returns planes (C, H, W) whose longer side is at most `longest`."""
    shape = sides(planes)
    limit = number(longest, np.int64)
    fitted = within(shape, (limit, limit))
    large = largest(*shape) > longest
    high, wide = (where(large, small, own) for small, own in zip(fitted, shape, strict=True))
    return resized(planes, (high, wide), bytes_)


def resized(planes: Expr, size: Sides, bytes_: bool) -> Expr:
    """Returns planes (C, H, W), float64, scaled to `size` as Pillow's HAMMING does.

    Args:
        planes: numbers of 8 bits, or any of float32.
        size: height and width.
        bytes_: whether they are of 8 bits, so that what comes out is too.
    """
    return _along(_along(planes, 2, size[1], bytes_), 1, size[0], bytes_)


def _along(planes: Expr, axis: int, wanted: Expr, bytes_: bool) -> Expr:
    """Returns planes resized along one side: for each pixel a sum over those that it lies on."""
    count = side(planes, axis)
    places, weights = _taps(count, wanted, bytes_)
    shape = (1, 1, -1) if axis == 2 else (1, -1, 1)

    def step(at: Expr, sum_: Expr) -> tuple[None, list[Expr]]:
        pixels = take(planes, take(places, at, 0), axis)
        factors = reshaped(take(weights, at, 0), *shape)
        return None, [sum_ + pixels * factors]

    begin = op("Expand", number(0, np.float64), _shape_with(planes, axis, wanted))
    (sum_,) = repeated(side(places, 0), [begin], step)
    if bytes_:
        return clip(floor((sum_ + 2.0 ** (_BITS - 1)) / 2.0**_BITS), 0, 255)
    return sum_.to(np.float32).to(np.float64)


def _shape_with(planes: Expr, axis: int, wanted: Expr) -> Expr:
    shape = op("Shape", planes, dtype=np.int64)
    return where(equal(number([0, 1, 2], np.int64), axis), wanted, shape)


def _taps(count: Expr, wanted: Expr, bytes_: bool) -> tuple[Expr, Expr]:
    """Returns for each new pixel which it is made of, (T, wanted), and by which weights."""
    scale = count.to(np.float64) / wanted.to(np.float64)
    reach = largest(scale, 1.0)
    centre = (numbered(wanted).to(np.float64) + 0.5) * scale
    first = largest(floor(centre - reach + 0.5), 0.0)
    last = smallest(floor(centre + reach + 0.5), count.to(np.float64))
    taps = (op("Ceil", reach) * 2 + 1).to(np.int64)
    at = unsqueezed(numbered(taps).to(np.float64), 1) + unsqueezed(first, 0)
    raw = where(at < unsqueezed(last, 0), _hamming((at - centre + 0.5) * (1.0 / reach)), 0.0)
    weights = raw * (1.0 / total(raw, [0], keep=True))
    if bytes_:
        weights = floor(weights * 2.0**_BITS + 0.5)
    return smallest(at, count.to(np.float64) - 1.0).to(np.int64), weights


def _hamming(x: Expr) -> Expr:
    """Returns Pillow's filter, 1 at 0 and 0 from 1 on."""
    x = op("Abs", x)
    angle = largest(x, 1e-300) * pi
    cosine = op("Sin", angle + pi / 2)  # for there is no cosine of float64
    value = op("Sin", angle) / angle * (_LEVEL + _WAVE * cosine)
    return where(x < 1.0, where(x > 0.0, value, 1.0), 0.0)


def border(planes: Expr) -> Expr:
    """Returns the outermost pixels: (C, H, W) to (C, P)."""
    high, wide = sides(planes)
    row = numbered(high)
    middle = cut(row, (1, high - 1), axes=[0])
    parts = [take(planes, 0, 1), take(planes, high - 1, 1)]
    inner = take(planes, middle, 1)
    return joined(*parts, take(inner, 0, 2), take(inner, wide - 1, 2), axis=1)


def bounds(mask: Expr) -> tuple[Expr, Expr, Expr, Expr]:
    """Returns top, bottom, left and right of the box around what is true, (H, W)."""
    found = []
    for axis in (1, 0):
        line = some(mask, [axis]).to(np.int32)
        for last in (0, 1):
            place = op("ArgMax", line, dtype=np.int64, axis=0, keepdims=0, select_last_index=last)
            found.append(place + last)
    return found[0], found[1], found[2], found[3]


def placed(planes: Expr, ground: Expr, top: Expr, left: Expr) -> Expr:
    """Returns planes (C, h, w) laid on a ground (C, H, W)."""
    (high, wide), (rows, columns) = sides(ground), sides(planes)
    below, right = high - top - rows, wide - left - columns
    around = padded(planes, 0, top, left, 0, below, right)
    inside = padded(filled(1, np.int64, rows, columns), top, left, below, right) > 0
    return where(inside, around, ground)


def centred(planes: Expr, ground: Expr) -> Expr:
    """Returns planes laid into the middle of a ground."""
    (high, wide), (rows, columns) = sides(ground), sides(planes)
    return placed(planes, ground, (high - rows) // 2, (wide - columns) // 2)
