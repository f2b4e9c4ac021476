"""The framing `digit`: finds the digit on a photograph, and scales and centres it as MNIST does."""

from typing import NamedTuple

import numpy as np

from holmdel.images.light import LEAST_INK, ink_of, noise_of
from holmdel.images.opencv import cv2
from holmdel.images.parts import Digit, digit_of
from holmdel.images.pixels import (
    WORKING,
    Grey,
    Mask,
    Pixels,
    bounds,
    median,
    resized,
    shrunk,
    within,
)
from holmdel.images.rules import without_rules

CROP = 160  # longest side on which a digit's strokes are measured
GRAINY = 64  # shorter side from which on the paper's grain is smoothed
_RULES = 0.2  # of the way from paper to the most ink: fainter rules harm no digit
SMALLEST = 4, 0.01  # pixels, of the longer side: what is smaller is a speck
SMALL = 24  # pixels of the shorter side: in a smaller image strokes look like rules and grain
ROUGH = 0.3  # of the most ink: the mean step from pixel to pixel; of writing it is below 0.2
_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
PEN = 2.0  # the least width of a stroke in a box of 20; MNIST's median is 2.5


class Cut(NamedTuple):
    """What was cut out of an image.

    Attributes:
        pixels: uint8 (H, W, C), zeros where nothing was found.
        found: `one`, `several` or `nothing`.
    """

    pixels: Pixels
    found: str


def cut_digit(pixels: Pixels, size: tuple[int, int]) -> Cut:
    """Returns the digit of a photograph as MNIST keeps it, of `size`; of several the largest."""
    framed = np.zeros(size, np.float32)
    shown = shrunk(pixels, WORKING)
    found, glyph = _glyph(ink_of(shown[:, :, 0] if shown.shape[2] == 1 else shown.mean(axis=2)))
    if glyph is not None:
        box = (round(size[0] * 20 / 28), round(size[1] * 20 / 28))
        glyph = resized(glyph, within(glyph.shape, box))
        top, left = (_centred(glyph.sum(axis=1 - axis), size[axis]) for axis in (0, 1))
        framed[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
    whole = np.rint(framed * 255).clip(0, 255).astype(np.uint8)
    return Cut(np.repeat(whole[:, :, None], pixels.shape[2], axis=2), found)


def _centred(profile: Grey, size: int) -> int:
    """Returns the offset that puts a profile's centre of mass at pixel `size` / 2, as in MNIST."""
    centre = float((profile * np.arange(len(profile))).sum() / profile.sum())
    return min(max(round(size / 2 - centre), 0), size - len(profile))


def _glyph(ink: Grey) -> tuple[str, Grey | None]:
    """Returns what was found, and the digit cut out, 0 paper to 1 ink, (H, W) of its own."""
    soft = _softened(ink)
    noise, peak = noise_of(soft), _peak(soft)
    if peak < max(6 * noise, LEAST_INK) or _is_noise(ink, peak):
        return "nothing", None
    small = min(ink.shape) < SMALL
    clean = None if small else without_rules(ink, soft > max(4 * noise, _RULES * peak))
    if clean is not None:
        ink, soft = clean, _softened(clean)
        peak = _peak(soft)
        if peak < max(6 * noise, LEAST_INK):
            return "nothing", None
    digit = digit_of(soft > max(4 * noise, 0.4 * peak))
    if digit is None or _is_speck(digit):
        return "nothing", None
    full = float(median(ink[digit.mask]))
    if full < max(4 * noise, LEAST_INK):  # the soft edges of what a rule left
        return "nothing", None
    found = "one" if digit.alone else "several"
    return found, _cut_out(digit.mask, ink / full, soft / full, noise / full)


def _is_noise(ink: Grey, peak: float) -> bool:
    """Returns whether neighbouring pixels differ as much as strokes do from paper."""
    some = ink[:: 1 + len(ink) // 64]
    return min(ink.shape) >= SMALL and float(np.abs(np.diff(some)).mean()) > ROUGH * peak


def _is_speck(digit: Digit) -> bool:
    """Returns whether a digit is too small to be one."""
    pixels, share = SMALLEST
    side = max(int(edge.stop - edge.start) for edge in bounds(digit.mask))
    return bool(side < max(pixels, share * max(digit.mask.shape)))


def _cut_out(strokes: Mask, ink: Grey, soft: Grey, noise: float) -> Grey:
    """Returns some strokes and their soft edges, (H, W) of their own, 0 paper to 1 ink."""
    faint = _grown(strokes, strokes | (soft > max(4 * noise, 0.25)))
    box = bounds(faint)
    side = max(edge.stop - edge.start for edge in box)
    reach = 1 + side // 40  # of the soft edges of strokes
    wider = tuple(slice(max(edge.start - reach, 0), edge.stop + reach) for edge in box)
    near = cv2.dilate(faint[wider].astype(np.uint8), _CROSS, iterations=reach)
    glyph = np.where(near, ink[wider].clip(0, 1), 0)
    glyph[glyph < max(0.04, 2 * noise)] = 0
    return _with_pen(glyph[bounds(glyph > 0)])


def _peak(soft: Grey) -> float:
    """Returns how much the most ink is, hot pixels aside; 0 where there is hardly any."""
    largest = min(20, 1 + soft.size // 50)
    some = soft[soft >= LEAST_INK]
    return float(np.partition(some, -largest)[-largest]) if some.size >= largest else 0.0


def _softened(ink: Grey) -> Grey:
    """Returns the ink under a Gaussian of one pixel; a small image as it is."""
    if min(ink.shape) < GRAINY:
        return ink
    return np.asarray(cv2.GaussianBlur(ink, (9, 9), 1, borderType=cv2.BORDER_REFLECT), np.float32)


def _grown(strokes: Mask, mask: Mask) -> Mask:
    """Returns the parts of a mask, connected by edges, that hold some of the strokes."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    kept = np.zeros(count, bool)
    kept[labels[strokes]] = True
    grown: Mask = kept[labels]
    return grown


def _with_pen(glyph: Grey) -> Grey:
    """Returns the digit with strokes of a width that does not fade when they shrink."""
    glyph = shrunk(glyph[:, :, None], CROP)[:, :, 0]
    glyph = glyph / glyph.max()  # what is thinner than a pixel by now has faded
    stroke = glyph >= 0.5
    # Across a stroke of width w the distances to its edges are 1, 2, ... w/2 ... 2, 1.
    inside = cv2.distanceTransform(
        np.pad(stroke, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )[1:-1, 1:-1][stroke]
    width = 4 * float(inside.mean(dtype=np.float64)) - 2
    missing = PEN * max(glyph.shape) / 20 - width
    radius = round(missing / 2)
    if radius < 1:
        return glyph
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disk = y * y + x * x <= radius * radius + 1
    return np.asarray(cv2.dilate(np.pad(glyph, radius), disk.astype(np.uint8)), np.float32)
