"""Framing: brings an image from anywhere into the form in which a data set is stored."""

import cv2
import numpy as np
import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.images.contract import FRAMINGS, ImageContract
from holmdel.images.digit import cut_digit
from holmdel.images.pixels import (
    WORKING,
    Grey,
    Mask,
    Pixels,
    border,
    bounds,
    resized,
    shrunk,
    within,
)

# Shares of the image's border that say in which form it is. MNIST's borders are black for 95 %
# or more of their pixels, Fashion-MNIST's for 26 % or more, and none has as much white as black.
_BLACK, _WHITE, _ENOUGH = 16, 239, 0.25


def frame(pixels: Pixels, contract: ImageContract) -> Tensor:
    """Returns an image in the form of the data set: uint8 (C, H, W) of `contract.stored`.

    An image that has this size and the data set's black border is returned as it is; one with a
    white border is inverted. Any other is framed:

    - `digit`: the light is made even, the ink found, cut out, scaled into a box of 20 of 28
      pixels, and moved so that its centre of mass is at the centre. "size normalized to fit in a
      20x20 pixel box while preserving their aspect ratio ... centered in a 28x28 image by
      computing the center of mass of the pixels" (yann.lecun.com/exdb/mnist). Without ink: zeros.
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
    if contract.framing not in FRAMINGS:
        raise UserError(
            f"the framing was given as {contract.framing!r}; choose from {', '.join(FRAMINGS)}"
        )
    size = contract.stored[1:]
    if contract.framing == "fit":
        framed = pixels if pixels.shape[:2] == size else _fit(pixels, size)
    else:
        stored = _as_stored(pixels, size)
        cut = cut_digit if contract.framing == "digit" else _cut_object
        framed = cut(pixels, size) if stored is None else stored
    # Turned by NumPy: for torch it is work that other threads may run beside, and it gives way.
    return torch.from_numpy(np.array(framed.transpose(2, 0, 1), order="C"))


def _as_stored(pixels: Pixels, size: tuple[int, int]) -> Pixels | None:
    """Returns an image of the stored size and form, light on black, or None."""
    if pixels.shape[:2] != size:
        return None
    edge = border(pixels)
    black, white = np.count_nonzero(edge <= _BLACK), np.count_nonzero(edge >= _WHITE)
    if max(black, white) < _ENOUGH * edge.size:
        return None
    return pixels if black >= white else 255 - pixels


def _fit(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Returns an image scaled to fit into `size`, padded with the colour of its border."""
    height, width = within(pixels.shape[:2], size)
    planes = [resized(pixels[:, :, c], (height, width)) for c in range(pixels.shape[2])]
    colour = np.median(border(pixels), axis=0).astype(np.uint8)
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
    ground = np.median(border(shown), axis=0)
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
    ground = float(np.median(edge))
    noise = 1.4826 * float(np.median(np.abs(edge - ground)))
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
