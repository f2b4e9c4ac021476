"""Ink on paper, found by a file as `images.light` finds it."""

import numpy as np

from holmdel.export.photograph.arithmetic import (
    chosen,
    clip,
    equal,
    every,
    filled,
    flat,
    floor,
    joined,
    largest,
    mean,
    median,
    most,
    numbered,
    padded,
    reshaped,
    rounded,
    side,
    size,
    smallest,
    some,
    sorted_,
    take,
    total,
    unsqueezed,
    vector,
    where,
)
from holmdel.export.photograph.planes import border, shrunk, sides
from holmdel.export.photograph.sheet import Expr, number, op, repeated, when
from holmdel.images import light as ours


def ink_of(grey: Expr) -> Expr:
    """Returns how much ink is where, (H, W), float32: 0 paper, 1 all there can be."""
    ink = _contrast(grey, _light(grey))
    noisy = noise_of(ink) > ours.NO_NOISE
    plain = ~noisy & (mean(ink > ours.LEAST_INK) <= 0.5)

    def framed() -> list[Expr]:
        return [_contrast(grey, _commonest(grey))]

    def other() -> list[Expr]:
        second = _contrast(grey, _corners(grey.to(np.float64)).to(np.float32))
        return [where(noisy & (noise_of(second) < noise_of(ink)), second, ink)]

    return when(plain, lambda: [ink], lambda: when(_is_framed(grey, noisy), framed, other))[0]


def noise_of(ink: Expr) -> Expr:
    """Returns how much paper scatters, float64."""
    brighter = chosen(ink, ink < 0)
    none = equal(size(brighter), 0)
    some_ = joined(brighter, filled(0, np.float32, none.to(np.int64)))
    return median(-some_).to(np.float64) * 1.4826


def _contrast(grey: Expr, paper: Expr) -> Expr:
    """Returns the difference from the paper as a share of the way to black, or to white."""
    contrast = grey - paper
    wide = contrast.to(np.float64)
    dark = total(wide * wide * wide) < 0
    return where(dark, -contrast / largest(paper, 1.0), contrast / largest(255.0 - paper, 1.0))


def _is_framed(grey: Expr, mixed: Expr) -> Expr:
    """Returns whether a ring a little inside the border is of the commonest grey, unlike it."""
    high, wide = sides(grey)
    short = smallest(high, wide)
    outer = border(unsqueezed(grey, 0))[0]
    paper, level = _commonest(grey), median(outer)
    near = op("Abs", outer - level) < ours.NEAR
    even = (op("Abs", level - paper) >= ours.NEAR) & (mean(near) >= 0.8)
    y, x = unsqueezed(numbered(high), 1), unsqueezed(numbered(wide), 0)
    ring = smallest(smallest(y, high - 1 - y), smallest(x, wide - 1 - x))
    rings = 1 + rounded(ours.FRAME * short.to(np.float64)).to(np.int64)
    inside = flat(smallest(ring, rings))
    like = flat(op("Abs", grey - paper) < ours.NEAR).to(np.int64)
    none = filled(0, np.int64, rings + 1)
    counts, hits = (
        op("ScatterElements", none, inside, values, axis=0, reduction="add")
        for values in (like * 0 + 1, like)
    )
    within = numbered(rings + 1)
    looked = (within > 0) & (within < rings)
    share = hits.to(np.float64) / largest(counts.to(np.float64), 1.0)
    squarish = largest(high, wide) <= short * ours.LONGEST
    return squarish & (mixed | even) & some(looked & (share >= 0.7))


def _commonest(grey: Expr) -> Expr:
    """Returns the grey value around which most pixels are, float32."""
    bins = smallest(flat(floor(grey / 8.0)).to(np.int64), 31)
    none = filled(0, np.int64, 32)
    counts = op("ScatterElements", none, bins, bins * 0 + 1, axis=0, reduction="add")
    wide = padded(counts, 1, 1)
    place = numbered(number(32, np.int64))
    near = wide[place] + wide[place + 1] * 2 + wide[place + 2]
    level = op("ArgMax", near, dtype=np.int64, axis=0, keepdims=0) * 8 + 4
    return median(chosen(grey, op("Abs", grey - level.to(np.float32)) <= 12.0))


def _light(grey: Expr) -> Expr:
    """Returns the paper's grey value at each pixel, (H, W), float32."""
    small = shrunk(unsqueezed(grey.to(np.float64), 0), ours.COARSE, bytes_=False)[0]
    high, wide = sides(small)
    depth = 1 + smallest(high, wide) // 16
    band = flat(~(_inner(high, depth, 1) & _inner(wide, depth, 0)))
    values = flat(small)
    edge = chosen(values, band)
    level = median(edge)
    drawn = every(equal(edge, level)) & (mean(equal(values, level)) > ours.EVEN)

    def flat_() -> list[Expr]:
        return [op("Expand", level.to(np.float32), op("Shape", grey, dtype=np.int64))]

    def curved() -> list[Expr]:
        terms = _terms(*sides(small))
        plane = take(terms, number([0, 1, 2], np.int64), 1)
        there = op("Compress", plane, band, axis=0)
        begin = op("Expand", level, op("Shape", edge, dtype=np.int64))
        slope = _biweight_fit(there, edge, begin)
        surface = flat(op("MatMul", plane, unsqueezed(slope, 1)))
        factors = _biweight_fit(terms, values, surface)
        whole = op("MatMul", _terms(*sides(grey)), unsqueezed(factors, 1))
        light = clip(reshaped(whole, *sides(grey)), 0, 255)
        near = mean(op("Abs", grey.to(np.float64) - light) < 25.5)
        return [where(near < ours.LEAST_PAPER, _corners(small), light).to(np.float32)]

    return when(drawn, flat_, curved)[0]


def _inner(count: Expr, depth: Expr, axis: int) -> Expr:
    place = numbered(count)
    return unsqueezed((place >= depth) & (place < count - depth), axis)


def _corners(grey: Expr) -> Expr:
    """Returns the grey value of the corners."""
    high, wide = sides(grey)
    depth = 1 + smallest(high, wide) // 16
    y, x = unsqueezed(numbered(high), 1), unsqueezed(numbered(wide), 0)
    found = [
        unsqueezed(median(chosen(grey, down & across)), 0)
        for down in (y < depth, y >= high - depth)
        for across in (x < depth, x >= wide - depth)
    ]
    return median(joined(*found))


def _biweight_fit(terms: Expr, values: Expr, surface: Expr) -> Expr:
    """Returns the factors of `terms` by least squares with Tukey's biweight, iterated."""
    turned = op("Transpose", terms, perm=[1, 0])

    def step(_: Expr, before: Expr, __: Expr) -> tuple[Expr, list[Expr]]:
        away = op("Abs", values - before)
        reach = 4.685 * largest(_quantile(away, 0.3) / 0.385, 1.0)
        inside = smallest(away / reach, 1.0)
        weight = 1.0 - inside * inside
        weighted = turned * unsqueezed(weight * weight, 0)
        left, right = op("MatMul", weighted, terms), op("MatMul", weighted, unsqueezed(values, 1))
        factors = _solved(left, right)
        after = flat(op("MatMul", terms, factors))
        moved = most(op("Abs", after - before))
        return moved >= ours.STILL, [after, flat(factors)]

    none = filled(0, np.float64, side(terms, 1))
    return repeated(number(8, np.int64), [surface, none], step)[1]


def _quantile(values: Expr, share: float) -> Expr:
    ranked = sorted_(values)[0]
    last = size(values) - 1
    place = last.to(np.float64) * share
    low = floor(place)
    one, two = ranked[low.to(np.int64)], ranked[smallest(low.to(np.int64) + 1, last)]
    return one + (two - one) * (place - low)


def _solved(left: Expr, right: Expr) -> Expr:
    """Returns what solves `left` (n, n), which is symmetric, times it = `right` (n, 1)."""
    count = side(left, 0)
    place = numbered(count)
    eye = equal(unsqueezed(place, 1), unsqueezed(place, 0)).to(np.float64)
    ridge = total(left * eye) * 1e-14 + 1e-12
    both = joined(left + eye * ridge, right, axis=1)

    def step(at: Expr, rows: Expr) -> tuple[None, list[Expr]]:
        pivot = rows[unsqueezed(at, 0)]
        pivot = pivot / take(pivot, unsqueezed(at, 0), 1)
        column = take(rows, unsqueezed(at, 0), 1)
        own = unsqueezed(equal(place, at), 1)
        return None, [where(own, pivot, rows - column * pivot)]

    (rows,) = repeated(count, [both], step)
    return take(rows, unsqueezed(count, 0), 1)


def _terms(high: Expr, wide: Expr) -> Expr:
    """Returns 1, y, x, y^2, xy, x^2 for each pixel, y and x in -1..1: (H * W, 6), float64."""
    shape = vector(high, wide)
    y = op("Expand", unsqueezed(_linspace(high), 1), shape)
    x = op("Expand", unsqueezed(_linspace(wide), 0), shape)
    columns = [y * 0 + 1, y, x, y * y, x * y, x * x]
    return joined(*(unsqueezed(flat(one), 1) for one in columns), axis=1)


def _linspace(count: Expr) -> Expr:
    steps = largest(count - 1, 1).to(np.float64)
    return numbered(count).to(np.float64) * 2 / steps - 1.0
