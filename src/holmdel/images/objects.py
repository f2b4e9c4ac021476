"""An object on an even ground, as Fashion-MNIST keeps it."""

import numpy as np
from scipy import ndimage

from holmdel.images.decoding import Pixels
from holmdel.images.planes import WORKING, Grey, Mask, border, bounds, resized, shrunk, within


def cut_object(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Returns the object of a picture as Fashion-MNIST keeps it: (H, W, C) of `size`."""
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
    labels, _ = ndimage.label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    large = sizes >= max(0.01 * sizes.max(), 1)
    return ndimage.binary_fill_holes(large[labels])
