"""A page's inks told apart by colour: pens from print and from frames, before anything is grey.

Ink of one colour takes the same shares of red, green and blue from the paper's light wherever it
stands and however thin it is; so a page has as many inks as there are heaps of such shares.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.hues import Colour, heaps, mask_of, name_of, parted
from holmdel.reading.image import (
    Picture,
    closed,
    dilated,
    even_light,
    ink_of,
    luma,
    resized,
    shrunk,
    stained,
    working,
)

_GRAIN = 4.0  # of 255; a channel's grain is no worse below it
_FAINT = 0.5  # of the contrast in the channel where it is darkest: the grey of an ink that is light
_FINE, _WIDE = 0.6, 1.5  # pixels of half the working image: deviations of two looks
_WEAK = 6.0  # of 255, and somewhat more than the paper's grain: ink that has a colour
_MIDDLE = 0.93  # of the strength nearby: the middle of a stroke
_WALL = 5  # pixels of half the working image; how broad a rule is that a pen crosses

Planes = Sequence[Picture]  # red, green and blue, uint8 (h, w)


@dataclass(frozen=True, eq=False)
class Layer:
    """One ink of a page.

    A scanner that saves space may turn single strokes of a pen black: what a pen left in a box is
    all the ink there but the box, whatever its layer.

    Attributes:
        name: of its colour: black (and grey), red, orange, yellow, green, cyan, blue or violet.
        light: uint8 (h, w), brightness over the paper's around it, the other inks taken out.
        other: uint8 (h, w), 255 on what is taken out; all 0 on a page of one ink.
        channel: 0 to 2, red, green or blue, in which the ink is the darkest; None for grey.
    """

    name: str
    light: Picture
    other: Picture
    channel: int | None

    def grey(self, rgb: Picture) -> Picture:
        """Returns the page at any size in this ink alone: uint8 (H, W), paper on the others."""
        plain = luma(rgb) if self.channel is None else _plane(rgb, self.channel)
        if not self.other.any():
            return plain
        size = (rgb.shape[1], rgb.shape[0])
        _, gone = cv2.threshold(resized(self.other, size), 127, 255, cv2.THRESH_BINARY)
        ground = resized(_ground(plain, self.other), size)
        return cv2.copyTo(ground, gone, plain.copy()).astype(np.uint8, copy=False)


class Inks:
    """A page and its inks, each worked out once, when it is first asked for.

    Args:
        page: uint8 (H, W) or (H, W, 3), dark ink on lighter paper.
    """

    def __init__(self, page: Picture) -> None:
        self.page = page

    @cached_property
    def small(self) -> tuple[Picture, float]:
        """The page at working size, and its working pixels per pixel."""
        return working(self.page)

    @cached_property
    def grey(self) -> Picture:
        """The page in all its inks together, uint8 (H, W)."""
        return self.page if self.page.ndim == 2 else luma(self.page)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """What `layers` finds; a page without colours is its only ink."""
        small, _ = self.small
        return layers(small) if small.ndim == 3 else (_only("black", even_light(small), None),)

    @cached_property
    def greys(self) -> tuple[Picture, ...]:
        """The page in each of its inks alone, uint8 (H, W) each, paper on the others."""
        if self.page.ndim == 2:
            return (self.page,)
        return tuple(layer.grey(self.page) for layer in self.layers)


def _plane(rgb: Picture, channel: int) -> Picture:
    return cv2.extractChannel(rgb, channel).astype(np.uint8, copy=False)


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
    planes = [even_light(np.ascontiguousarray(plane)) for plane in cv2.split(half)]
    darkest = _darkest(planes)
    stain, core = stained(darkest), ink_of(darkest)
    strength, wide = _colours(planes, _WIDE, stain)
    grain = float(np.median(~darkest[stain == 0])) if (stain == 0).any() else 0.0
    middle = strength >= np.maximum(_MIDDLE * dilated(strength, 5, 5), _WEAK + 1.2 * grain)
    inks = heaps(wide[middle[stain > 0]])
    if len(inks) > 1:
        _, fine = _colours(planes, _FINE, stain)
        inks, label = parted(fine, wide, inks, stain, core)
    if len(inks) < 2:
        return (_single(rgb, plain, planes, inks, stain),)
    return tuple(_layers(rgb, plain, planes, inks, label, core))


def _is_grey(rgb: Picture) -> bool:
    r, g, b = (rgb[::2, ::2, c] for c in range(3))
    return bool(np.array_equal(r, g) and np.array_equal(g, b))


def _only(name: str, light: Picture, channel: int | None) -> Layer:
    return Layer(name, light, np.zeros_like(light), channel)


def _darkest(planes: Planes) -> Picture:
    red, green, blue = planes
    return np.minimum(np.minimum(red, green), blue)


def _colours(planes: Planes, reach: float, stain: Picture) -> tuple[Picture, NDArray[np.float32]]:
    """Returns how strong the ink around each pixel is (h, w), and on stains its colour (n, 2).

    The red and the blue edge that a scanner gives a black stroke cancel out if the reach is wide.
    """
    taken = [cv2.GaussianBlur(~plane, (0, 0), reach) for plane in planes]
    strength = ~_darkest([~plane.astype(np.uint8, copy=False) for plane in taken])
    on = stain > 0
    red, green, blue = (
        plane[on].astype(np.float32) / np.maximum(strength[on], 4) for plane in taken
    )
    up = (green - blue) * np.float32(np.sqrt(0.75))
    return strength, np.stack([red - (green + blue) / 2, up], axis=1).astype(np.float32)


def _single(
    rgb: Picture, plain: Picture, planes: Planes, inks: Sequence[Colour], stain: Picture
) -> Layer:
    """Returns a page of one ink: its grey, or where that is faint the channel that is darkest."""
    if not inks:
        return _only("black", plain, None)
    channel = _channel_of(planes, stain, stain)
    grey = resized(plain, (stain.shape[1], stain.shape[0]))
    contrast = 255 - float(grey[stain > 0].mean())
    if contrast >= _FAINT * (255 - float(planes[channel][stain > 0].mean())):
        return _only(name_of(inks[0]), plain, None)
    return _only(name_of(inks[0]), even_light(_plane(rgb, channel)), channel)


def _channel_of(planes: Planes, strokes: Picture, stain: Picture) -> int:
    """Returns the channel in which strokes stand out the most from the paper's grain."""
    paper = stain == 0
    return int(
        np.argmax(
            [
                float((~plane)[strokes > 0].mean()) / (_GRAIN + float((~plane)[paper].std()))
                for plane in planes
            ]
        )
    )


def _layers(
    rgb: Picture,
    plain: Picture,
    planes: Planes,
    inks: Sequence[Colour],
    label: NDArray[np.int8],
    core: Picture,
) -> Iterator[Layer]:
    size = (plain.shape[1], plain.shape[0])
    for i, colour in enumerate(inks):
        name, strokes, page, channel = name_of(colour), mask_of(label == i), plain, None
        if name != "black":
            channel = _channel_of(planes, strokes, mask_of(label >= 0))
            page = even_light(_plane(rgb, channel))
        bare = strokes & core
        crossing = (closed(bare, _WALL, 1) | closed(bare, 1, _WALL)) & core
        gone = dilated(mask_of((label >= 0) & (label != i)), 3, 3) & ~crossing
        other = mask_of(resized(gone, size) > 127)
        yield Layer(name, page | other, other, channel)


def _ground(plain: Picture, other: Picture) -> Picture:
    """Returns the paper's brightness, at a quarter of the size of `other`."""
    height, width = other.shape
    few = shrunk(plain, (max(1, width // 4), max(1, height // 4)))
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))
    paper = cv2.morphologyEx(few, cv2.MORPH_CLOSE, window)
    return cv2.GaussianBlur(paper, (0, 0), 4).astype(np.uint8, copy=False)
