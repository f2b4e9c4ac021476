"""The framings `digit`, `object` and `fit` as `images.framing` does them, within a file."""

import numpy as np

from holmdel.export.photograph.arithmetic import (
    clip,
    cut,
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
    size,
    some,
    total,
    unsqueezed,
    where,
)
from holmdel.export.photograph.digit import NOTHING, ONE, cut_digit
from holmdel.export.photograph.parts import parts_of
from holmdel.export.photograph.planes import (
    border,
    bounds,
    centred,
    resized,
    shrunk,
    sides,
    within,
)
from holmdel.export.photograph.sheet import Expr, number, op, when
from holmdel.images import framing as ours
from holmdel.images.pixels import WORKING

Stored = tuple[int, int, int]


def framed(planes: Expr, stored: Stored, framing: str) -> list[Expr]:
    """Returns a photograph in the form of a data set, and what was found on it.

    Args:
        planes: (C, H, W), float64, 0..255.
        stored: the form, (C, H, W).
        framing: `digit`, `object` or `fit`.

    Returns:
        (C, H, W) of `stored`, float64, and 0, 1 or 2 for nothing, one and several; int64.
    """
    high, wide = sides(planes)
    same = equal(high, stored[1]) & equal(wide, stored[2])
    if framing == "fit":
        return _fitted(planes, stored, same)
    is_one, cut_ = {"digit": (_is_digit, cut_digit), "object": (_is_object, _cut_object)}[framing]

    def in_form() -> list[Expr]:
        light, enough = _light_on_black(planes)
        return [enough & is_one(most(light, [0]), min(stored[1:]) / 28)]

    def as_it_is() -> list[Expr]:
        return [_light_on_black(planes)[0], number(ONE, np.int64)]

    (kept,) = when(same, in_form, lambda: [number(False, np.bool_)])
    return when(kept, as_it_is, lambda: cut_(planes, stored))


def _light_on_black(planes: Expr) -> tuple[Expr, Expr]:
    """Returns an image light on black, and whether its border is black or white enough."""
    edge = flat(border(planes))
    black, white = (mean(test) for test in (edge <= float(ours.BLACK), edge >= float(ours.WHITE)))
    light = where(black >= white, planes, 255.0 - planes)
    return light, largest(black, white) >= ours.ENOUGH


def _is_digit(grey: Expr, scale: float) -> Expr:
    """Returns whether a digit, light on black (H, W), is scaled and centred as MNIST's are."""
    top, bottom, left, right = bounds(grey > 0)
    box = largest(bottom - top, right - left).to(np.float64) / scale
    good = total(grey) > 0
    good = good & (op("Abs", box - float(ours.DIGIT_BOX)) <= float(ours.DIGIT_SLACK))
    low, high = (away * scale for away in ours.DIGIT_CENTRE)
    mass = largest(total(grey), 1.0)
    for axis, side in ((1, 0), (0, 1)):
        profile, count = total(grey, [axis]), sides(grey)[side]
        centre = total(profile * numbered(count).to(np.float64)) / mass
        away = centre - count.to(np.float64) / 2
        good = good & (away >= low) & (away <= high)
    return good


def _is_object(grey: Expr, scale: float) -> Expr:
    """Returns whether an object, light on black (H, W), is as large and as central as theirs."""
    top, bottom, left, right = bounds(grey > 0)
    high, wide = sides(grey)
    box = largest(bottom - top, right - left).to(np.float64)
    away = largest(op("Abs", top + bottom - high), op("Abs", left + right - wide))
    central = away.to(np.float64) <= 2 * ours.OBJECT_AWAY * scale
    return (total(grey) > 0) & (box >= ours.OBJECT_BOX * scale) & central


def _fitted(planes: Expr, stored: Stored, same: Expr) -> list[Expr]:
    """Returns an image scaled to fit; nothing is on one of a single colour."""
    first = cut(planes, (0, 1), (0, 1), axes=[1, 2])
    found = where(every(equal(planes, first)), number(NOTHING, np.int64), ONE)

    def fit() -> list[Expr]:
        size_ = number(stored[1], np.int64), number(stored[2], np.int64)
        edge = border(planes)
        colours = [unsqueezed(floor(median(edge[c])), 0) for c in range(stored[0])]
        colour = reshaped(joined(*colours), -1, 1, 1)
        ground = op("Expand", colour, number(stored, np.int64))
        return [centred(resized(planes, within(sides(planes), size_), bytes_=True), ground)]

    return [when(same, lambda: [planes], fit)[0], found]


def _cut_object(planes: Expr, stored: Stored) -> list[Expr]:
    """Returns the object of an image as Fashion-MNIST keeps it, and whether there is one."""
    shown = shrunk(planes, WORKING, bytes_=True).to(np.float32)
    mask = _raw_mask(mean(shown, [0]))

    def found() -> list[Expr]:
        filled_ = _object_mask(mask)
        edge = border(shown)
        ground = joined(*(unsqueezed(median(edge[c]), 0) for c in range(stored[0])))
        light = mean(ground) >= 128.0
        ground = reshaped(where(light, 255.0 - ground, ground), -1, 1, 1)
        dark = where(light, 255.0 - shown, shown)
        factor = (255.0 / (255.0 - ground).to(np.float64)).to(np.float32)
        dark = (dark - ground) * factor
        top, bottom, left, right = bounds(filled_)
        whole = where(unsqueezed(filled_, 0), dark, 0.0)
        whole = cut(whole, (top, bottom), (left, right), axes=[1, 2])
        bytes_ = clip(rounded(whole), 0, 255).to(np.float64)
        size_ = number(stored[1], np.int64), number(stored[2], np.int64)
        small = resized(bytes_, within(sides(bytes_), size_), bytes_=True)
        return [centred(small, _zeros(stored))]

    image = when(some(mask), found, lambda: [_zeros(stored)])[0]
    return [image, where(some(image > 0), number(ONE, np.int64), NOTHING)]


def _zeros(stored: Stored) -> Expr:
    return filled(0, np.float64, *stored)


def _raw_mask(grey: Expr) -> Expr:
    """Returns what differs from the border by over 5 %, (H, W)."""
    edge = border(unsqueezed(grey, 0))[0]
    ground = median(edge)
    noise = median(op("Abs", edge - ground)).to(np.float64) * 1.4826
    level = largest(noise * 4, 0.05 * 255).to(np.float32)
    return op("Abs", grey - ground) > level


def _object_mask(mask: Expr) -> Expr:
    """Returns where the object is: the large parts of a mask, their holes filled."""
    parts = parts_of(mask, corners=True)
    sizes = parts.pixels.to(np.float64)
    large = parts.mask(sizes >= largest(most(sizes) * 0.01, 1.0))
    ground = parts_of(~_padded_mask(large), corners=False)
    outside = ground.labels[0]  # the corner's
    holes = ~ground.mask(equal(numbered(size(ground.pixels)), outside))
    high, wide = sides(mask)
    return cut(holes, (1, high + 1), (1, wide + 1), axes=[0, 1])


def _padded_mask(mask: Expr) -> Expr:
    """Returns a mask with a row and a column of nothing on each side."""
    return padded(mask.to(np.int32), 1, 1, 1, 1) > 0
