"""The framing `digit`: finds the digit on a photograph, and scales and centres it as MNIST does."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.images.pixels import (
    WORKING,
    Box,
    Grey,
    Mask,
    Pixels,
    bounds,
    resized,
    shrunk,
    within,
)

_CROP = 160  # longest side on which a digit's strokes are measured
_COARSE = 64  # longest side on which the light is estimated
_LEAST_INK = 0.08  # of the way from paper to black: fainter is an empty page
_LEAST_PAPER = 0.25  # share of a page that is near its paper's grey; less, and that is wrong
_EVEN = 0.5  # share of a page that is exactly of its border's grey: drawn, not photographed
_STILL = 1e-4  # grey values by which the light moves no more
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_PEN = 2.0  # the least width of a stroke in a box of 20; MNIST's median is 2.5


def cut_digit(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Returns the digit of a photograph as MNIST keeps it: (H, W, C) of `size`."""
    framed = np.zeros(size, np.float32)
    shown = shrunk(pixels, WORKING)
    glyph = _glyph(_ink(shown[:, :, 0] if shown.shape[2] == 1 else shown.mean(axis=2)))
    if glyph is not None:
        box = (round(size[0] * 20 / 28), round(size[1] * 20 / 28))
        glyph = resized(glyph, within(glyph.shape, box))
        top, left = (_centred(glyph.sum(axis=1 - axis), size[axis]) for axis in (0, 1))
        framed[top : top + glyph.shape[0], left : left + glyph.shape[1]] = glyph
    whole = np.rint(framed * 255).clip(0, 255).astype(np.uint8)
    return np.repeat(whole[:, :, None], pixels.shape[2], axis=2)


def _centred(profile: Grey, size: int) -> int:
    """Returns the offset that puts a profile's centre of mass at pixel `size` / 2, as in MNIST."""
    centre = float((profile * np.arange(len(profile))).sum() / profile.sum())
    return min(max(round(size / 2 - centre), 0), size - len(profile))


def _ink(grey: Grey) -> Grey:
    """Returns how much ink is where, dark on light or light on dark: 0 paper, 1 all there can be.

    Paper scatters around 0, by its noise.
    """
    paper = _light(grey)
    contrast = grey - paper
    wide = contrast.astype(np.float64)
    if float((wide * wide * wide).sum()) < 0:  # a power would take ten times as long
        return -contrast / np.maximum(paper, 1)
    return contrast / np.maximum(255 - paper, 1)


def _light(grey: Grey) -> Grey:
    """Returns the paper's grey value at each pixel: a quadratic surface that disregards the ink.

    Begins with a plane through a band along the border, where most is paper. A page that was drawn
    on a screen has one grey there, and needs no more.
    """
    small = shrunk(grey[:, :, None], _COARSE)[:, :, 0].astype(np.float64)
    terms = _terms(small.shape)
    depth = 1 + min(small.shape) // 16
    band = np.ones(small.shape, bool)
    band[depth:-depth, depth:-depth] = False
    border = float(np.median(small[band]))
    if (small[band] == border).all() and (small == border).mean() > _EVEN:
        return np.full(grey.shape, border, np.float32)
    surface = np.full(small.size, border)
    plane = terms[:, :3]
    surface = plane @ _biweight_fit(plane[band.ravel()], small[band], surface[band.ravel()])
    factors = _biweight_fit(terms, small.ravel(), surface)
    light = _surface(grey.shape, factors).clip(0, 255)
    if (np.abs(grey - light) < 0.1 * 255).mean() < _LEAST_PAPER:
        light = np.full(grey.shape, _corners(small))
    return light.astype(np.float32)


def _corners(grey: Grey) -> float:
    """Returns the grey value of the corners: what a digit that fills the image leaves free."""
    depth = 1 + min(grey.shape) // 16
    ends = (slice(None, depth), slice(-depth, None))
    return float(np.median([np.median(grey[rows, columns]) for rows in ends for columns in ends]))


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
        if np.abs(surface - before).max() < _STILL:
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


def _glyph(ink: Grey) -> Grey | None:
    """Returns the digit cut out, 0 paper to 1 ink, (H, W) of its own; None for an empty page."""
    soft = _softened(ink) if min(ink.shape) >= _COARSE else ink
    brighter = soft[soft < 0]  # than the paper: no ink among them
    noise = 1.4826 * float(np.median(-brighter)) if brighter.size else 0.0
    largest = min(20, 1 + soft.size // 50)  # not the very largest: a hot pixel is not ink
    peak = float(np.partition(soft, -largest, axis=None)[-largest])
    if peak < max(6 * noise, _LEAST_INK):
        return None
    strokes = _digit_parts(soft > max(4 * noise, 0.4 * peak))
    full = float(np.median(ink[strokes]))
    faint = _grown(strokes, strokes | (soft > max(4 * noise, 0.25 * full)))
    box = bounds(faint)
    side = max(edge.stop - edge.start for edge in box)
    reach = 1 + side // 40  # of the soft edges of strokes
    wider = tuple(slice(max(edge.start - reach, 0), edge.stop + reach) for edge in box)
    near = cv2.dilate(faint[wider].astype(np.uint8), _CROSS, iterations=reach)
    glyph = np.where(near, (ink[wider] / full).clip(0, 1), 0)
    glyph[glyph < max(0.04, 2 * noise / full)] = 0
    return _with_pen(glyph[bounds(glyph > 0)])


def _softened(ink: Grey) -> Grey:
    """Returns the ink under a Gaussian of one pixel."""
    return np.asarray(cv2.GaussianBlur(ink, (9, 9), 1, borderType=cv2.BORDER_REFLECT), np.float32)


def _grown(strokes: Mask, mask: Mask) -> Mask:
    """Returns the parts of a mask, connected by edges, that hold some of the strokes."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    kept = np.zeros(count, bool)
    kept[labels[strokes]] = True
    grown: Mask = kept[labels]
    return grown


def _digit_parts(mask: Mask) -> Mask:
    """Returns the parts of the ink that are the digit: the largest, and what is large and near.

    Of two that are equally large it is the upper one. Specks go, and so do the table's edge and
    the neighbour's stroke that the border cuts.
    """
    labels, boxes, weights = _parts(mask)
    main = max(range(len(boxes)), key=lambda i: (weights[i], -boxes[i][0].start))
    side = max(edge.stop - edge.start for edge in boxes[main])
    kept = np.zeros_like(mask)
    for i, box in enumerate(boxes):
        reach = 0.05 if _touches(box, mask.shape) else 0.5
        if i == main or (
            weights[i] >= 0.03 * weights[main] and _gap(box, boxes[main]) <= reach * side
        ):
            kept[box] |= labels[box] == i + 1
    return kept


def _parts(mask: Mask) -> tuple[NDArray[np.int32], list[Box], list[float]]:
    """Returns connected parts: labels from 1 (H, W), their boxes, and their weights.

    A part's weight is its pixels, a tenth of them where it touches the border and another does not.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    boxes: list[Box] = []
    weights = []
    for left, top, width, height, size in stats[1:].tolist():
        box = slice(top, top + height), slice(left, left + width)
        boxes.append(box)
        weights.append(size * (0.1 if _touches(box, mask.shape) else 1))
    return np.asarray(labels, np.int32), boxes, weights


def _touches(box: Box, shape: tuple[int, ...]) -> bool:
    return any(edge.start == 0 or edge.stop == n for edge, n in zip(box, shape, strict=True))


def _gap(one: Box, other: Box) -> int:
    """Returns how many pixels lie between two boxes, on the axis that parts them more."""
    pairs = zip(one, other, strict=True)
    return max(max(int(a.start - b.stop), int(b.start - a.stop), 0) for a, b in pairs)


def _with_pen(glyph: Grey) -> Grey:
    """Returns the digit with strokes of a width that does not fade when they shrink."""
    glyph = shrunk(glyph[:, :, None], _CROP)[:, :, 0]
    glyph = glyph / glyph.max()  # what is thinner than a pixel by now has faded
    stroke = glyph >= 0.5
    # Across a stroke of width w the distances to its edges are 1, 2, ... w/2 ... 2, 1.
    inside = cv2.distanceTransform(
        np.pad(stroke, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )[1:-1, 1:-1][stroke]
    width = 4 * float(inside.mean(dtype=np.float64)) - 2
    missing = _PEN * max(glyph.shape) / 20 - width
    radius = round(missing / 2)
    if radius < 1:
        return glyph
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disk = y * y + x * x <= radius * radius + 1
    return np.asarray(cv2.dilate(np.pad(glyph, radius), disk.astype(np.uint8)), np.float32)
