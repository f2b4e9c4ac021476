"""A page's inks told apart by colour: pens from print and from frames, before anything is grey.

Ink of one colour takes the same shares of red, green and blue from the paper's light wherever it
stands and however thin it is; so a page has as many inks as there are heaps of such shares.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.image import (
    Picture,
    closed,
    dilated,
    even_light,
    ink_of,
    luma,
    resized,
    stained,
)

_MOST = 4  # coloured inks of a page; more is a photograph
_CELLS = 48  # of the diagram of colours, a side
_NEUTRAL = 0.2  # of 1, the saturation of a pure colour: black and grey print has less
_LEAST = 60  # pixels; fewer are a speck
_PART = 0.004  # of the page's ink; less is its fringes
_VALLEY = 0.6  # of a heap's height: how low it lies between two inks
_WALL = 5  # pixels of half the working image; how broad a rule is that a pen crosses
_FINE, _WIDE = 0.6, 1.5  # pixels of half the working image: deviations of two looks
_MIDDLE = 0.93  # of the strength nearby: the middle of a stroke
_FRINGE = 3  # pixels of it: twice how far a fringe reaches, and one
_NEAR = 5  # pixels of it: how far wrong the wider look is where inks touch
_FAINT = 0.5  # of the contrast in the channel where it is darkest: the grey of an ink that is light
_HUES = (("red", 20), ("orange", 45), ("yellow", 75), ("green", 165), ("cyan", 200), ("blue", 265))


@dataclass(frozen=True, eq=False)
class Layer:
    """One ink of a page.

    Attributes:
        name: of its colour: black (and grey), red, orange, yellow, green, cyan, blue or violet.
        light: uint8 (h, w), brightness over the paper's around it, the other inks taken out.
        own: uint8 (h, w), 255 on the ink's strokes.
        other: uint8 (h, w), 255 on what is taken out; all 0 on a page of one ink.
        channel: 0 to 2, red, green or blue, in which the ink is the darkest; None for grey.
    """

    name: str
    light: Picture
    own: Picture
    other: Picture
    channel: int | None

    def grey(self, rgb: Picture) -> Picture:
        """Returns the page at any size in this ink alone: uint8 (H, W), paper on the others."""
        plain = luma(rgb) if self.channel is None else np.ascontiguousarray(rgb[:, :, self.channel])
        if not self.other.any():
            return plain
        size = (rgb.shape[1], rgb.shape[0])
        gone = resized(self.other, size) > 127
        return np.where(gone, resized(_ground(plain, self.other), size), plain)


def layers(rgb: Picture) -> tuple[Layer, ...]:
    """Returns the inks of a page, the commonest first; one without coloured ink beside another.

    Args:
        rgb: uint8 (h, w, 3), the page at working size.
    """
    plain = even_light(luma(rgb))
    if _is_grey(rgb):
        return (_only("black", plain, None),)
    height, width = plain.shape
    half = resized(rgb, (max(1, width // 2), max(1, height // 2)), cv2.INTER_AREA)
    light = np.dstack([even_light(np.ascontiguousarray(half[:, :, c])) for c in range(3)])
    darkest = light.min(axis=2)
    ink = ink_of(darkest)
    wide, strength = _colours(light, _WIDE)
    middle = strength >= _MIDDLE * dilated(strength, 5, 5)
    inks = _heaps(wide[(ink > 0) & middle])
    if len(inks) < 2:
        return (_single(rgb, plain, light, ink, inks),)
    label = _labels(_nearest(_colours(light, _FINE)[0], inks), _nearest(wide, inks), ink, len(inks))
    return tuple(_parted(rgb, plain, light, inks, label, ink))


def _is_grey(rgb: Picture) -> bool:
    r, g, b = (rgb[::2, ::2, c] for c in range(3))
    return bool(np.array_equal(r, g) and np.array_equal(g, b))


def _only(name: str, light: Picture, channel: int | None) -> Layer:
    none = np.zeros_like(light)
    return Layer(name, light, ink_of(light), none, channel)


def _colours(light: Picture, reach: float) -> tuple[NDArray[np.float32], Picture]:
    """Returns how saturated the ink around each pixel is, and how strong (h, w), 0 to 255.

    Saturation is (h, w, 2), -1 to 1 along two axes. The red and the blue edge that a scanner gives
    a black stroke cancel out if the reach is wide.
    """
    taken = cv2.GaussianBlur(255 - light, (0, 0), reach).astype(np.uint8, copy=False)
    strength = taken.max(axis=2)
    parts = taken / np.maximum(strength, 4).astype(np.float32)[:, :, None]
    red, green, blue = (parts[:, :, c] for c in range(3))
    up = (green - blue) * np.float32(np.sqrt(0.75))
    return np.dstack([red - (green + blue) / 2, up]), strength


def _heaps(colours: NDArray[np.float32]) -> list[NDArray[np.float64]]:
    """Returns the colours, of (n, 2), that many have, the commonest first."""
    count = len(colours)
    cells = ((colours + 1) * (_CELLS / 2)).astype(np.int64).clip(0, _CELLS - 1)
    counts = np.bincount(cells[:, 0] * _CELLS + cells[:, 1], minlength=_CELLS**2)
    square = counts.reshape(_CELLS, _CELLS).astype(np.float32)
    table = cv2.GaussianBlur(square, (0, 0), 1.2).astype(np.float32, copy=False)
    least = max(_LEAST, _PART * count) / 12  # the peak of a heap of so many
    kept: list[tuple[int, int]] = []
    for peak in _peaks(table):
        if table[peak] >= least and all(_apart(table, peak, other) for other in kept):
            kept.append(peak)
    return [_colour(peak) for peak in kept[: _MOST + 1]]


def _peaks(table: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    highest = (table == cv2.dilate(table, np.ones((3, 3), np.uint8))) & (table > 0)
    yield from sorted(zip(*np.nonzero(highest), strict=True), key=lambda p: -table[p])


def _apart(table: NDArray[np.float32], low: tuple[int, int], high: tuple[int, int]) -> bool:
    """Says whether two peaks are two inks: a valley between them, and not both grey."""
    steps = np.linspace(low, high, 2 * _CELLS).round().astype(int)
    valley = float(table[steps[:, 0], steps[:, 1]].min())
    coloured = any(float(np.hypot(*_colour(peak))) > _NEUTRAL for peak in (low, high))
    return valley < _VALLEY * float(table[low]) and coloured


def _colour(cell: tuple[int, int]) -> NDArray[np.float64]:
    """Returns the colour in the middle of a cell of the diagram."""
    return (np.array(cell) + 0.5) * (2 / _CELLS) - 1


def _nearest(shares: NDArray[np.float32], inks: list[NDArray[np.float64]]) -> NDArray[np.intp]:
    far = [((shares - ink.astype(np.float32)) ** 2).sum(axis=2) for ink in inks]
    return np.asarray(np.argmin(np.stack(far), axis=0), np.intp)


def _labels(
    fine: NDArray[np.intp], wide: NDArray[np.intp], ink: Picture, count: int
) -> NDArray[np.intp]:
    """Returns each pixel's ink: what it is itself, unless it is another ink's fringe.

    A fringe lies beside ink that is another from near and from afar, and not beside its own.
    """
    label = fine.copy()
    sure = [np.where((fine == i) & (wide == i), ink, 0).astype(np.uint8) for i in range(count)]
    near = [dilated(mask, _NEAR, _NEAR) > 0 for mask in sure]
    for i in range(count):
        beside = dilated(sure[i], _FRINGE, _FRINGE) > 0
        for j in range(count):
            label[(fine == j) & (wide == i) & beside & ~near[j]] = i
    return label


def _single(
    rgb: Picture, plain: Picture, light: Picture, ink: Picture, inks: list[NDArray[np.float64]]
) -> Layer:
    """Returns a page of one ink: its grey, or where that is faint the channel that is darkest."""
    if not inks:
        return _only("black", plain, None)
    channel = _darkest(light, ink)
    where = ink > 0
    contrast = 255 - float(resized(plain, ink.shape[::-1])[where].mean())
    if contrast >= _FAINT * (255 - float(light[:, :, channel][where].mean())):
        return _only(_name(inks[0]), plain, None)
    return _only(_name(inks[0]), _channel(rgb, channel), channel)


def _channel(rgb: Picture, channel: int) -> Picture:
    return even_light(np.ascontiguousarray(rgb[:, :, channel]))


def _darkest(light: Picture, ink: Picture) -> int:
    return int(np.argmin(light[ink > 0].astype(np.float64).mean(axis=0)))


def _parted(
    rgb: Picture,
    plain: Picture,
    light: Picture,
    inks: list[NDArray[np.float64]],
    label: NDArray[np.intp],
    ink: Picture,
) -> Iterator[Layer]:
    size = (plain.shape[1], plain.shape[0])
    stain = stained(light.min(axis=2))
    for i, colour in enumerate(inks):
        strokes = np.where(label == i, ink, 0).astype(np.uint8)
        name = _name(colour)
        channel = None if name == "black" or not strokes.any() else _darkest(light, strokes)
        page = plain if channel is None else _channel(rgb, channel)
        strokes = closed(strokes, _WALL, _WALL) & ink  # on where it crosses another ink
        others = np.where(label != i, stain, 0).astype(np.uint8)
        own, gone = resized(strokes, size) > 127, resized(dilated(others, 3, 3), size) > 127
        near = dilated(np.where(own, 255, 0).astype(np.uint8), 3, 3) > 0
        other = np.where(gone & ~near, 255, 0).astype(np.uint8)
        alone = np.where(other > 0, np.uint8(255), page)
        near &= ink_of(alone) > 0
        yield Layer(name, alone, np.where(near, 255, 0).astype(np.uint8), other, channel)


def _name(colour: NDArray[np.float64]) -> str:
    """Returns the name of what an ink looks like: the light it leaves."""
    if float(np.hypot(*colour)) < _NEUTRAL:
        return "black"
    hue = float(np.degrees(np.arctan2(-colour[1], -colour[0]))) % 360
    return next((name for name, end in _HUES if hue < end), "violet" if hue < 340 else "red")


def _ground(plain: Picture, other: Picture) -> Picture:
    """Returns the paper's brightness around what is taken out, at an eighth of the size or so."""
    height, width = other.shape
    few = resized(plain, (max(1, width // 4), max(1, height // 4)), cv2.INTER_AREA)
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))
    paper = cv2.morphologyEx(few, cv2.MORPH_CLOSE, window)
    return cv2.GaussianBlur(paper, (0, 0), 4).astype(np.uint8, copy=False)
