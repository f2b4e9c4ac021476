"""The largest digit of a photograph, cut out by a file as `images.digit` does; rules stay."""

from collections.abc import Sequence

import numpy as np

from holmdel.export.photograph.arithmetic import (
    chosen,
    clip,
    cut,
    equal,
    filled,
    largest,
    least,
    mean,
    median,
    most,
    numbered,
    padded,
    rounded,
    side,
    size,
    smallest,
    some,
    sorted_,
    take,
    total,
    unsqueezed,
    where,
)
from holmdel.export.photograph.light import ink_of, noise_of
from holmdel.export.photograph.parts import Parts, parts_of
from holmdel.export.photograph.planes import Sides, bounds, placed, resized, shrunk, sides, within
from holmdel.export.photograph.sheet import Expr, number, op, repeated, when
from holmdel.images import digit as ours
from holmdel.images import parts as rules
from holmdel.images.light import LEAST_INK
from holmdel.images.pixels import WORKING

NOTHING, ONE, SEVERAL = 0, 1, 2
_GAUSSIAN = np.exp(-(np.arange(-4, 5) ** 2) / 2)


def cut_digit(pixels: Expr, stored: tuple[int, int, int]) -> list[Expr]:
    """Returns the digit of a photograph, of several the largest, and what was found.

    Args:
        pixels: (C, H, W), float64, 0..255.
        stored: the form of the data set.

    Returns:
        (C, H, W) of `stored`, float64, and 0, 1 or 2 for nothing, one and several.
    """
    shown = shrunk(pixels, WORKING, bytes_=True).to(np.float32)
    ink = ink_of(mean(shown, [0]))
    found, glyph = _glyph(ink)
    high, wide = (number(n, np.int64) for n in stored[1:])
    box = number(round(stored[1] * 20 / 28), np.int64), number(round(stored[2] * 20 / 28), np.int64)
    planes = unsqueezed(glyph.to(np.float64), 0)
    small = resized(planes, within(sides(planes), box), bytes_=False)
    top, left = (_centred(small, axis, n) for axis, n in ((1, high), (2, wide)))
    ground = filled(0, np.float64, 1, high, wide)
    whole = clip(rounded(placed(small, ground, top, left).to(np.float32) * 255), 0, 255)
    return [op("Expand", whole.to(np.float64), number(stored, np.int64)), found]


def _centred(planes: Expr, axis: int, wanted: Expr) -> Expr:
    """Returns the offset that puts the centre of mass at the middle, as in MNIST."""
    profile = total(planes, [0, 3 - axis])
    count = size(profile)
    mass = largest(total(profile), 1e-30)
    centre = total(profile * numbered(count).to(np.float64)) / mass
    place = rounded(wanted.to(np.float64) / 2 - centre).to(np.int64)
    return smallest(largest(place, 0), wanted - count)


def _glyph(ink: Expr) -> tuple[Expr, Expr]:
    """Returns what was found, and the digit cut out, 0 paper to 1 ink."""
    soft = _softened(ink)
    noise, peak = noise_of(soft), _peak(soft)
    some_ink = (peak >= largest(noise * 6, LEAST_INK)) & ~_is_noise(ink, peak)

    def looked() -> Sequence[Expr]:
        mask = soft > largest(noise * 4, peak * 0.4).to(np.float32)
        parts = parts_of(mask, corners=True)
        kept, alone, is_one = _digit_of(parts)
        strokes = parts.mask(kept)
        full = median(chosen(ink, strokes)).to(np.float64)
        good = is_one & (full >= largest(noise * 4, LEAST_INK)) & ~_is_speck(strokes)
        found = where(alone, number(ONE, np.int64), SEVERAL)
        return when(good, lambda: [found, _cut_out(strokes, ink, soft, noise, full)], _nothing)

    found, glyph = when(some_ink, looked, _nothing)
    return found, glyph


def _nothing() -> list[Expr]:
    return [number(NOTHING, np.int64), filled(0, np.float32, 1, 1)]


def _softened(ink: Expr) -> Expr:
    """Returns the ink under a Gaussian of one pixel; a small image as it is."""

    def soft() -> list[Expr]:
        kernel = (_GAUSSIAN / _GAUSSIAN.sum()).astype(np.float32)
        planes = unsqueezed(unsqueezed(ink, 0), 0)
        for axis, shape in ((3, (1, 1, 1, 9)), (2, (1, 1, 9, 1))):
            planes = op("Conv", _mirrored(planes, axis), number(kernel.reshape(shape), np.float32))
        return [op("Squeeze", planes, number([0, 1], np.int64))]

    return when(smallest(*sides(ink)) < ours.GRAINY, lambda: [ink], soft)[0]


def _mirrored(planes: Expr, axis: int) -> Expr:
    """Returns planes with 4 pixels more at both ends of a side, mirrored at the edge."""
    count = side(planes, axis)
    place = numbered(count + 8) - 4
    place = where(place < 0, -1 - place, place)
    place = where(place >= count, 2 * count - 1 - place, place)
    return take(planes, place, axis)


def _peak(soft: Expr) -> Expr:
    """Returns how much the most ink is, hot pixels aside, float64; 0 where there is hardly any."""
    count = smallest(1 + size(soft) // 50, 20)
    inks = chosen(soft, soft >= LEAST_INK)

    def found() -> list[Expr]:
        return [sorted_(inks)[0][size(inks) - count].to(np.float64)]

    return when(size(inks) >= count, found, lambda: [number(0.0, np.float64)])[0]


def _is_noise(ink: Expr, peak: Expr) -> Expr:
    """Returns whether neighbouring pixels differ as much as strokes do from paper."""
    high, wide = sides(ink)
    some_rows = cut(ink, (0, high), axes=[0], step=1 + high // 64)
    steps = cut(some_rows, (1, wide), axes=[1]) - cut(some_rows, (0, wide - 1), axes=[1])
    rough = mean(op("Abs", steps)).to(np.float64) > peak * ours.ROUGH
    return (smallest(high, wide) >= ours.SMALL) & rough


def _is_speck(strokes: Expr) -> Expr:
    """Returns whether a digit is too small to be one."""
    top, bottom, left, right = bounds(strokes)
    pixels, share = ours.SMALLEST
    longest = largest(*sides(strokes)).to(np.float64)
    return largest(bottom - top, right - left).to(np.float64) < largest(longest * share, pixels)


def _digit_of(parts: Parts) -> tuple[Expr, Expr, Expr]:
    """Returns which parts are the digit, bool (K,), whether it is alone, and whether it is one.

    As `images.parts.digit_of`: the largest part, and what is large and near.
    """
    top, bottom, left, right = parts.extremes()
    high, wide = parts.shape
    beside = equal(left, 0) | equal(right, wide)
    touches = beside | equal(top, 0) | equal(bottom, high)
    pixels = parts.pixels.to(np.float64)
    weight = where(touches, pixels * 0.1, pixels)
    heaviest = equal(weight, most(weight))
    main = op("ArgMin", where(heaviest, top, 1 << 40), dtype=np.int64, axis=0, keepdims=0)
    scattered = (size(pixels) > rules.SCATTERED) & (pixels[main] < total(pixels) * rules.SHARE)
    heights = bottom - top
    higher = largest(heights, heights[main]).to(np.float64)
    lower = smallest(heights, heights[main]).to(np.float64)
    down = largest(top - bottom[main], top[main] - bottom).to(np.float64)
    across = largest(left - right[main], left[main] - right).to(np.float64)
    large = weight >= weight[main] * rules.SPECK
    is_main = equal(numbered(size(pixels)), main)
    apart = (across >= higher * rules.BESIDE) & (down < higher * 0.5)
    other = large & ~is_main & (weight >= weight[main] * rules.OTHER_WEIGHT)
    other = other & ~(beside & ~beside[main]) & (lower >= higher * rules.OTHER_HEIGHT)
    other = other & (apart | (down >= higher * rules.BELOW))
    gap = largest(largest(down, across), 0.0)
    long = largest(heights[main], right[main] - left[main]).to(np.float64)
    reach = where(touches, long * rules.NEAR_BORDER, long * rules.NEAR)
    nearest = _nearest_other((top, bottom, left, right), other)
    belongs = large & ~other & (gap <= reach) & (gap <= nearest)
    return belongs | is_main, ~some(other), ~scattered


def _nearest_other(box: tuple[Expr, Expr, Expr, Expr], other: Expr) -> Expr:
    """Returns for each part how far the nearest of some others is, float64 (K,)."""
    places = chosen(numbered(size(other)), other)
    begin = other.to(np.float64) * 0 + 1e30

    def step(at: Expr, nearest: Expr) -> tuple[None, list[Expr]]:
        top, bottom, left, right = (edge[places[at]] for edge in box)
        down = largest(box[0] - bottom, top - box[1])
        across = largest(box[2] - right, left - box[3])
        gap = largest(largest(down, across), 0).to(np.float64)
        return None, [smallest(nearest, gap)]

    return repeated(size(places), [begin], step)[0]


def _cut_out(strokes: Expr, ink: Expr, soft: Expr, noise: Expr, full: Expr) -> Expr:
    """Returns some strokes and their soft edges, of their own size, 0 paper to 1 ink."""
    faint_level = largest(noise / full * 4, 0.25).to(np.float32)
    full32 = full.to(np.float32)
    parts = parts_of(strokes | (soft / full32 > faint_level), corners=False)
    faint = parts.mask(parts.counted(strokes) > 0)
    top, bottom, left, right = bounds(faint)
    reach = 1 + largest(bottom - top, right - left) // 40
    high, wide = sides(ink)
    rows = largest(top - reach, 0), smallest(bottom + reach, high)
    columns = largest(left - reach, 0), smallest(right + reach, wide)
    near = _grown(cut(faint, rows, columns, axes=[0, 1]), reach)
    share = clip(cut(ink, rows, columns, axes=[0, 1]) / full32, 0, 1)
    faintest = largest(noise / full * 2, 0.04).to(np.float32)
    glyph = where(near & (share >= faintest), share, 0.0)
    top, bottom, left, right = bounds(glyph > 0)
    return _with_pen(cut(glyph, (top, bottom), (left, right), axes=[0, 1]))


def _grown(mask: Expr, reach: Expr) -> Expr:
    """Returns a mask grown by a pixel to each side, `reach` times."""

    def step(_: Expr, grown: Expr) -> tuple[None, list[Expr]]:
        high, wide = sides(grown)
        wider = padded(grown, 1, 1, 1, 1)
        middle = (1, high + 1), (1, wide + 1)
        new = grown
        for rows, columns in (
            ((0, high), middle[1]),
            ((2, high + 2), middle[1]),
            (middle[0], (0, wide)),
            (middle[0], (2, wide + 2)),
        ):
            new = largest(new, cut(wider, rows, columns, axes=[0, 1]))
        return None, [new]

    return repeated(reach, [mask.to(np.int32)], step)[0] > 0


def _with_pen(glyph: Expr) -> Expr:
    """Returns the digit with strokes of a width that does not fade when they shrink."""
    glyph = shrunk(unsqueezed(glyph.to(np.float64), 0), ours.CROP, bytes_=False)[0].to(np.float32)
    glyph = glyph / most(glyph)
    stroke = glyph >= 0.5
    width = mean(chosen(_depth(stroke), stroke)).to(np.float64) * 4 - 2
    missing = largest(*sides(glyph)).to(np.float64) * ours.PEN / 20 - width
    radius = rounded(missing / 2).to(np.int64)
    return when(radius < 1, lambda: [glyph], lambda: [_dilated(glyph, radius)])[0]


def _depth(stroke: Expr) -> Expr:
    """Returns how far the nearest pixel outside a mask is from each pixel, (H, W), float64."""
    wider = padded(stroke.to(np.float64), 1, 1, 1, 1)
    far = wider * 1e12  # squared distances
    for axis in (0, 1):
        place = numbered(side(far, axis)).to(np.float64)
        away = unsqueezed(place, 1) - unsqueezed(place, 0)
        # (new, old, W) for columns, (H, new, old) for rows
        far = least(unsqueezed(away * away, 2 - 2 * axis) + unsqueezed(far, axis), [axis + 1])
    high, wide = sides(stroke)
    return cut(op("Sqrt", far), (1, high + 1), (1, wide + 1), axes=[0, 1])


def _dilated(glyph: Expr, radius: Expr) -> Expr:
    """Returns a glyph of which each pixel is the most within a disk, `radius` larger around."""
    high, wide = sides(glyph)
    across = 2 * radius + 1
    wider = padded(glyph, *[2 * radius] * 4)
    size_: Sides = (high + 2 * radius, wide + 2 * radius)
    begin = filled(0, np.float32, *size_)

    def step(at: Expr, most_: Expr) -> tuple[None, list[Expr]]:
        down, right = at // across, at % across
        y, x = down - radius, right - radius
        inside = y * y + x * x <= radius * radius + 1
        part = cut(wider, (down, down + size_[0]), (right, right + size_[1]), axes=[0, 1])
        return None, [where(inside, largest(most_, part), most_)]

    return repeated(across * across, [begin], step)[0]
