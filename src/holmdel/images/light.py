"""Ink on paper: how much darker or lighter each pixel is than the paper around it."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from holmdel.images.pixels import Grey, border, median, shrunk

COARSE = 64  # longest side on which the light is estimated
LEAST_INK = 0.08  # of the way from paper to black: fainter is none
LEAST_PAPER = 0.25  # share of a page that is near its paper's grey; less, and that is wrong
EVEN = 0.5  # share of a page that is exactly of its border's grey: drawn, not photographed
NEAR = 25.5  # grey values: as light as each other
STILL = 1e-4  # grey values by which the light moves no more
NO_NOISE = 0.12  # of the way from paper to black: paper that scatters more is none
LONGEST = 2  # times as long as wide: a box for a digit at most
FRAME = 0.15  # of the shorter side: how far from the border a frame's inside begins


def ink_of(grey: Grey) -> Grey:
    """Returns how much ink is where, dark on light or light on dark: 0 paper, 1 all there can be.

    Paper scatters around 0, by its noise. Where that would be as strong as ink, what is along the
    border is a frame, and the commonest grey is the paper; or a digit that leaves the corners free.
    """
    ink = _contrast(grey, _light(grey))
    noisy = noise_of(ink) > NO_NOISE
    if not noisy and (ink > LEAST_INK).mean() <= 0.5:
        return ink
    if _is_framed(grey, noisy):
        return _contrast(grey, np.full(grey.shape, _commonest(grey), np.float32))
    if noisy:
        other = _contrast(grey, np.full(grey.shape, _corners(grey), np.float32))
        return min(ink, other, key=noise_of)
    return ink


def noise_of(ink: Grey) -> float:
    """Returns how much paper scatters: the standard deviation that its brighter half tells."""
    brighter = ink[ink < 0]  # no ink among them
    return 1.4826 * float(median(-brighter)) if brighter.size else 0.0


def _contrast(grey: Grey, paper: Grey) -> Grey:
    """Returns the difference from the paper as a share of the way to black, or to white."""
    contrast = grey - paper
    wide = contrast.astype(np.float64)
    if float((wide * wide * wide).sum()) < 0:  # a power would take ten times as long
        return -contrast / np.maximum(paper, 1)
    return contrast / np.maximum(255 - paper, 1)


def _is_framed(grey: Grey, mixed: bool) -> bool:
    """Returns whether a ring a little inside the border is of the commonest grey, unlike it.

    Args:
        grey: (H, W).
        mixed: whether the border may hold paper beside the frame.
    """
    if max(grey.shape) > LONGEST * min(grey.shape):
        return False
    outer, paper = border(grey), _commonest(grey)
    level = float(median(outer))
    even = abs(level - paper) >= NEAR and (np.abs(outer - level) < NEAR).mean() >= 0.8
    rings = (border(grey[d:-d, d:-d]) for d in range(1, 1 + round(FRAME * min(grey.shape))))
    return (mixed or even) and any((np.abs(ring - paper) < NEAR).mean() >= 0.7 for ring in rings)


def _commonest(grey: Grey) -> float:
    """Returns the grey value around which most pixels are."""
    counts = np.histogram(grey, bins=32, range=(0, 256))[0]
    near = np.convolve(counts, (1, 2, 1), mode="same")
    level = 8 * int(near.argmax()) + 4
    return float(median(grey[np.abs(grey - level) <= 12]))


def _light(grey: Grey) -> Grey:
    """Returns the paper's grey value at each pixel: a quadratic surface that disregards the ink.

    Begins with a plane through a band along the border, where most is paper. A page that was drawn
    on a screen has one grey there, and needs no more.
    """
    small = shrunk(grey[:, :, None], COARSE)[:, :, 0].astype(np.float64)
    terms = _terms(small.shape)
    depth = 1 + min(small.shape) // 16
    band = np.ones(small.shape, bool)
    band[depth:-depth, depth:-depth] = False
    level = float(median(small[band]))
    if (small[band] == level).all() and (small == level).mean() > EVEN:
        return np.full(grey.shape, level, np.float32)
    surface = np.full(small.size, level)
    plane = terms[:, :3]
    surface = plane @ _biweight_fit(plane[band.ravel()], small[band], surface[band.ravel()])
    factors = _biweight_fit(terms, small.ravel(), surface)
    light = _surface(grey.shape, factors).clip(0, 255)
    if (np.abs(grey - light) < 0.1 * 255).mean() < LEAST_PAPER:
        light = np.full(grey.shape, _corners(small))
    return light.astype(np.float32)


def _corners(grey: Grey) -> float:
    """Returns the grey value of the corners: what a digit that fills the image leaves free."""
    depth = 1 + min(grey.shape) // 16
    ends = (slice(None, depth), slice(-depth, None))
    return float(median([median(grey[rows, columns]) for rows in ends for columns in ends]))


def _biweight_fit(terms: Grey, values: Grey, surface: Grey) -> Grey:
    """Returns the factors of `terms` by least squares with Tukey's biweight, iterated.

    On paper that is even it stands still after a step or two.
    """
    for _ in range(8):
        away = np.abs(values - surface)
        reach = 4.685 * max(float(np.quantile(away, 0.3)) / 0.385, 1.0)  # 70 % may be ink
        weighted = terms * ((1 - (away / reach).clip(0, 1) ** 2) ** 2)[:, None]
        factors: Grey = np.linalg.lstsq(weighted.T @ terms, weighted.T @ values, rcond=None)[0]
        before, surface = surface, terms @ factors
        if np.abs(surface - before).max() < STILL:
            break
    return factors


@lru_cache(maxsize=64)
def _terms(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Returns 1, y, x, y^2, xy, x^2 for each pixel, y and x in -1..1: (H * W, 6)."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape[:2]), indexing="ij")
    terms = np.stack([np.ones_like(y), y, x, y * y, x * y, x * x], axis=-1).reshape(-1, 6)
    terms.setflags(write=False)  # others get it too
    return terms


def _surface(shape: tuple[int, ...], factors: Grey) -> Grey:
    """Returns the sum of the terms by their factors: (H, W)."""
    y, x = (np.linspace(-1, 1, n) for n in shape[:2])
    one, by_y, by_x, by_yy, by_xy, by_xx = factors
    rows = one + by_y * y + by_yy * y * y
    columns = by_x * x + by_xx * x * x
    surface: Grey = np.multiply.outer(by_xy * y, x)
    surface += rows[:, None]
    surface += columns
    return surface
