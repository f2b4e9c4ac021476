"""Framing: brings an image from anywhere into the form in which a data set is stored."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.images.contract import FRAMINGS, ImageContract
from holmdel.images.digit import Cut, cut_digit
from holmdel.images.opencv import cv2
from holmdel.images.pixels import (
    WORKING,
    Grey,
    Mask,
    Pixels,
    border,
    bounds,
    median,
    resized,
    shrunk,
    within,
)
from holmdel.images.tensors import Tensor

# Shares of the image's border that say in which form it is. MNIST's borders are black for 95 %
# or more of their pixels, Fashion-MNIST's for 26 % or more, and none has as much white as black.
BLACK, WHITE, ENOUGH = 16, 239, 0.25

# Of 28 pixels. All 70,000 images of MNIST have a box of 19 or 20 and their centre of mass at 13.48
# to 14.5, the set `digits` at 13 to 14; all of Fashion-MNIST have a box of 26 to 28, its middle
# within 1.
DIGIT_BOX, DIGIT_SLACK, DIGIT_CENTRE = 20, 1, (-1.05, 0.55)
OBJECT_BOX, OBJECT_AWAY = 26, 1


class Framed(NamedTuple):
    """An image in the form of a data set.

    Attributes:
        image: uint8 (C, H, W).
        found: `one` digit or object, `several` digits, of which this is the largest, or `nothing`.
    """

    image: Tensor
    found: str


def frame(pixels: Pixels, contract: ImageContract) -> Tensor:
    """Returns an image in the form of the data set: uint8 (C, H, W) of `contract.stored`.

    An image that has this size and the data set's form is returned as it is, or inverted: a black
    or white border, and a box and a centre as the framing makes them. Any other is framed:

    - `digit`: the light is made even, the ink found, rules and frames taken off it, the largest
      digit cut out, scaled into a box of 20 of 28 pixels, and moved so that its centre of mass is
      at the centre. "size normalized to fit in a 20x20 pixel box while preserving their aspect
      ratio ... centered in a 28x28 image by computing the center of mass of the pixels"
      (yann.lecun.com/exdb/mnist). Without a digit: zeros.
    - `object`: a light ground is made black, the object cut out, scaled to the full size and put
      in the middle (Xiao, Rasul and Vollgraf, "Fashion-MNIST", 2017, section 2). Without an
      object: zeros.
    - `fit`: grey values and ground stay; the image is scaled to fit and padded with the colour
      of its border.

    Args:
        pixels: uint8 (H, W, C), as `decode` gives them, C that of `contract.stored`.
        contract: the stored size and the framing.

    Raises:
        UserError: for a framing that is not in `FRAMINGS`.
    """
    return framed(pixels, contract).image


def framed(pixels: Pixels, contract: ImageContract) -> Framed:
    """Returns an image as `frame` does, and what was found on it.

    Nothing is found on an image of one colour, in any framing; for digits also where there is
    nothing but rules, specks or noise.
    """
    import torch  # `framed_array` goes without it

    # Turned by NumPy: for torch it is work that other threads may run beside, and it gives way.
    image, found = framed_array(pixels, contract)
    return Framed(torch.from_numpy(image), found)


def framed_array(pixels: Pixels, contract: ImageContract) -> tuple[NDArray[np.uint8], str]:
    """Returns an image as `framed` does, as an array (C, H, W), without PyTorch.

    Args:
        pixels: uint8 (H, W, C), as `decode` gives them, C that of `contract.stored`.
        contract: the stored size and the framing.

    Raises:
        UserError: for a framing that is not in `FRAMINGS`.
    """
    if contract.framing not in FRAMINGS:
        raise UserError(
            f"the framing was given as {contract.framing!r}; choose from {', '.join(FRAMINGS)}"
        )
    size = contract.stored[1:]
    cut = _CUTS[contract.framing](pixels, size)
    return np.array(cut.pixels.transpose(2, 0, 1), order="C"), cut.found


def _digit(pixels: Pixels, size: tuple[int, int]) -> Cut:
    """Returns the digit of an image, which may be in MNIST's form."""
    light = _light_on_black(pixels, size)
    if light is not None and _is_digit(_grey(light)):
        return Cut(light, "one")
    return cut_digit(pixels, size)


def _object(pixels: Pixels, size: tuple[int, int]) -> Cut:
    """Returns the object of an image, which may be in Fashion-MNIST's form."""
    light = _light_on_black(pixels, size)
    if light is not None and _is_object(_grey(light)):
        return Cut(light, "one")
    found = _cut_object(pixels, size)
    return Cut(found, "one" if found.any() else "nothing")


def _light_on_black(pixels: Pixels, size: tuple[int, int]) -> Pixels | None:
    """Returns an image of the stored size whose ground is black or white, light on black."""
    if pixels.shape[:2] != size:
        return None
    edge = border(pixels)
    black, white = np.count_nonzero(edge <= BLACK), np.count_nonzero(edge >= WHITE)
    if max(black, white) < ENOUGH * edge.size:
        return None
    return pixels if black >= white else 255 - pixels


def _grey(pixels: Pixels) -> NDArray[np.uint8]:
    """Returns the brightest channel, (H, W)."""
    if pixels.shape[2] == 1:
        return np.ascontiguousarray(pixels[:, :, 0])
    return np.asarray(pixels.max(axis=2), np.uint8)


def _is_digit(grey: NDArray[np.uint8]) -> bool:
    """Returns whether a digit, light on black (H, W), is scaled and centred as MNIST's are."""
    scale = min(grey.shape) / 28
    box, mass = cv2.boundingRect(grey)[2:], cv2.moments(grey)
    if abs(max(box) / scale - DIGIT_BOX) > DIGIT_SLACK or not mass["m00"]:
        return False
    low, high = (away * scale for away in DIGIT_CENTRE)
    down, across = mass["m01"] / mass["m00"], mass["m10"] / mass["m00"]
    away = down - grey.shape[0] / 2, across - grey.shape[1] / 2
    return bool(low <= min(away) and max(away) <= high)


def _is_object(grey: NDArray[np.uint8]) -> bool:
    """Returns whether an object, light on black (H, W), is as large and as central as theirs."""
    scale = min(grey.shape) / 28
    left, top, width, height = cv2.boundingRect(grey)
    if max(width, height) < OBJECT_BOX * scale:
        return False
    away = abs(2 * top + height - grey.shape[0]), abs(2 * left + width - grey.shape[1])
    return bool(max(away) <= 2 * OBJECT_AWAY * scale)


def _fitted(pixels: Pixels, size: tuple[int, int]) -> Cut:
    """Returns an image scaled to fit; nothing is on one of a single colour."""
    fitted = pixels if pixels.shape[:2] == size else _fit(pixels, size)
    return Cut(fitted, "nothing" if (pixels == pixels[0, 0]).all() else "one")


def _fit(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Returns an image scaled to fit into `size`, padded with the colour of its border."""
    height, width = within(pixels.shape[:2], size)
    planes = [resized(pixels[:, :, c], (height, width)) for c in range(pixels.shape[2])]
    colour = median(border(pixels), axis=0).astype(np.uint8)
    framed = np.empty((*size, pixels.shape[2]), np.uint8)
    framed[:] = colour
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    framed[top : top + height, left : left + width] = np.stack(planes, axis=2)
    return framed


def _cut_object(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Returns the object of an image as Fashion-MNIST keeps it: (H, W, C) of `size`."""
    shown = shrunk(pixels, WORKING)
    framed = np.zeros((*size, pixels.shape[2]), np.uint8)
    mask = _object_mask(shown.mean(axis=2))
    if not mask.any():
        return framed
    ground = median(border(shown), axis=0)
    if ground.mean() >= 128:
        shown, ground = 255 - shown, 255 - ground
    shown = np.where(mask[:, :, None], (shown - ground) * (255 / (255 - ground)), 0)
    cut = np.rint(shown[bounds(mask)]).clip(0, 255).astype(np.uint8)
    height, width = within(cut.shape, size)
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    for c in range(pixels.shape[2]):
        plane = resized(cut[:, :, c], (height, width))
        framed[top : top + height, left : left + width, c] = plane
    return framed


def _object_mask(grey: Grey) -> Mask:
    """Returns where the object is: what differs from the border by over 5 %, its holes filled."""
    edge = border(grey)
    ground = float(median(edge))
    noise = 1.4826 * float(median(np.abs(edge - ground)))
    mask = np.abs(grey - ground) > max(0.05 * 255, 4 * noise)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    sizes = stats[:, cv2.CC_STAT_AREA]
    sizes[0] = 0  # the ground
    large = sizes >= max(0.01 * sizes.max(), 1)
    return _filled(large[labels])


def _filled(mask: Mask) -> Mask:
    """Returns a mask and its holes: all that the ground outside does not reach, edge by edge."""
    ground = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    _, labels = cv2.connectedComponents(ground, connectivity=4)
    filled: Mask = (labels != labels[0, 0])[1:-1, 1:-1]
    return filled


_CUTS = {"digit": _digit, "object": _object, "fit": _fitted}
