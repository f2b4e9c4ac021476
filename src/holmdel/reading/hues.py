"""The diagram of a page's colours: heaps in it are inks, mixtures are where two of them meet."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.image import Picture, dilated

_MOST = 5  # inks of a page; more is a photograph
_CELLS = 48  # of the diagram of colours, a side
_NEUTRAL = 0.2  # of 1, the saturation of a pure colour: black and grey print has less
_LEAST = 60  # pixels; fewer are a speck
_PART = 0.004  # of the page's ink; less is its fringes
_VALLEY = 0.6  # of a heap's height: how low it lies between two inks
_BETWEEN = 0.15  # saturation; so near to the mixtures of two inks is where one crosses the other
_ALONE = 0.15  # of an ink's pixels that are away from the others
_FRINGE = 5  # pixels of it: twice how far a fringe reaches, and one
_NEAR = 5  # pixels of it: how far wrong the wider look is where inks touch
_HUES = (("red", 20), ("orange", 45), ("yellow", 75), ("green", 165), ("cyan", 200), ("blue", 265))

Colour = NDArray[np.float32]  # saturation along two axes, -1 to 1: (2,)


def heaps(colours: NDArray[np.float32]) -> list[Colour]:
    """Returns the colours, of (n, 2), that many have, the commonest first."""
    cells = ((colours + 1) * (_CELLS / 2)).astype(np.int64).clip(0, _CELLS - 1)
    counts = np.bincount(cells[:, 0] * _CELLS + cells[:, 1], minlength=_CELLS**2)
    square = counts.reshape(_CELLS, _CELLS).astype(np.float32)
    table = cv2.GaussianBlur(square, (0, 0), 1.2).astype(np.float32, copy=False)
    around = cv2.boxFilter(square, -1, (7, 7), normalize=False)
    least = max(_LEAST, _PART * len(colours))
    kept: list[tuple[int, int]] = []
    for peak in _peaks(table):
        if around[peak] >= least and all(_apart(table, peak, other) for other in kept):
            kept.append(peak)
    return [_colour(peak) for peak in kept[:_MOST]]


def _peaks(table: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    highest = (table == cv2.dilate(table, np.ones((3, 3), np.uint8))) & (table > 0)
    yield from sorted(zip(*np.nonzero(highest), strict=True), key=lambda p: -table[p])


def _apart(table: NDArray[np.float32], low: tuple[int, int], high: tuple[int, int]) -> bool:
    """Says whether two peaks are two inks: a valley between them, and not both grey."""
    steps = np.linspace(low, high, 2 * _CELLS).round().astype(int)
    valley = float(table[steps[:, 0], steps[:, 1]].min())
    coloured = any(float(np.hypot(*_colour(peak))) > _NEUTRAL for peak in (low, high))
    return valley < _VALLEY * float(table[low]) and coloured


def _colour(cell: tuple[int, int]) -> Colour:
    """Returns the colour in the middle of a cell of the diagram."""
    return ((np.array(cell) + 0.5) * (2 / _CELLS) - 1).astype(np.float32)


def parted(
    fine: NDArray[np.float32],
    wide: NDArray[np.float32],
    inks: list[Colour],
    stain: Picture,
    core: Picture,
) -> tuple[list[Colour], NDArray[np.int8]]:
    """Returns the inks without mixtures, and the number of the ink of each pixel, -1 for none."""
    while True:
        near, afar = _nearest(fine, inks, stain), _nearest(wide, inks, stain)
        label = _labels(near, afar, core, len(inks))
        mixed = [i for i in range(len(inks)) if _is_mixture(i, inks, label)]
        if not mixed:
            return inks, label
        inks = [ink for i, ink in enumerate(inks) if i != mixed[-1]]


def _nearest(
    colours: NDArray[np.float32], inks: Sequence[Colour], stain: Picture
) -> NDArray[np.int8]:
    """Returns the number of the ink that each pixel is most like, -1 where there is none."""
    far = np.stack([((colours - ink) ** 2).sum(axis=1) for ink in inks])
    out = np.full(stain.shape, -1, np.int8)
    out[stain > 0] = np.argmin(far, axis=0)
    return out


def _labels(
    fine: NDArray[np.int8], wide: NDArray[np.int8], core: Picture, count: int
) -> NDArray[np.int8]:
    """Returns each pixel's ink: what it is itself, unless it is another ink's fringe.

    A fringe lies beside ink that is another from near and from afar, and not beside its own.
    """
    label = fine.copy()
    sure = [mask_of((fine == i) & (wide == i)) & core for i in range(count)]
    near = [dilated(mask, _NEAR, _NEAR) > 0 for mask in sure]
    for i in range(count):
        beside = (wide == i) & (fine != i) & (dilated(sure[i], _FRINGE, _FRINGE) > 0)
        for j in range(count):
            label[beside & (fine == j) & ~near[j]] = i
    return label


def mask_of(where: NDArray[np.bool_]) -> Picture:
    """Returns 255 where something is so, and 0 elsewhere: uint8 (h, w)."""
    return where.astype(np.uint8) * np.uint8(255)


def _is_mixture(number: int, inks: Sequence[Colour], label: NDArray[np.int8]) -> bool:
    """Says whether an ink is what two others look like where they meet: nowhere by itself."""
    others = [ink for i, ink in enumerate(inks) if i != number]
    if not any(_between(inks[number], a, b) for a in others for b in others if a is not b):
        return False
    own = label == number
    away = own & (dilated(mask_of((label >= 0) & ~own), 7, 7) == 0)
    return bool(away.sum() < _ALONE * own.sum())


def _between(colour: Colour, a: Colour, b: Colour) -> bool:
    along = float(np.dot(colour - a, b - a) / np.dot(b - a, b - a))
    return 0 < along < 1 and float(np.hypot(*(a + along * (b - a) - colour))) < _BETWEEN


def name_of(colour: Colour) -> str:
    """Returns the name of what an ink looks like: the light it leaves."""
    if float(np.hypot(*colour)) < _NEUTRAL:
        return "black"
    hue = float(np.degrees(np.arctan2(-colour[1], -colour[0]))) % 360
    return next((name for name, end in _HUES if hue < end), "violet" if hue < 340 else "red")
