"""A foreign picture in the form a data set is kept in."""

import numpy as np
import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.images.contract import FRAMINGS, ImageContract
from holmdel.images.decoding import Pixels
from holmdel.images.planes import border, resized, within

# Shares of the picture's border that say in which form it is. MNIST's borders are black for 95 %
# or more of their pixels, Fashion-MNIST's for 26 % or more, and none has as much white as black.
_BLACK, _WHITE, _ENOUGH = 16, 239, 0.25


def frame(pixels: Pixels, contract: ImageContract) -> Tensor:
    """Returns a picture in the form of the data set: uint8 (C, H, W) of `contract.stored`.

    A picture that has this size and the data set's black border is returned as it is; one with a
    white border is inverted. Any other is framed:

    - `digit`: the light is made even, the ink found, cut out, scaled into a box of 20 of 28
      pixels, and moved so that its centre of mass is at the centre. "size normalized to fit in a
      20x20 pixel box while preserving their aspect ratio ... centered in a 28x28 image by
      computing the center of mass of the pixels" (yann.lecun.com/exdb/mnist). Without ink: zeros.
    - `object`: a light ground is made black, the object cut out, scaled to the full size and put
      in the middle (Xiao, Rasul and Vollgraf, "Fashion-MNIST", 2017, section 2). Without an
      object: zeros.
    - `fit`: grey values and ground stay; the picture is scaled to fit and padded with the colour
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
        framed = _cut_out(pixels, size, contract.framing) if stored is None else stored
    # Turned by NumPy: for torch it is work that other threads may run beside, and it gives way.
    return torch.from_numpy(np.array(framed.transpose(2, 0, 1), order="C"))


def _as_stored(pixels: Pixels, size: tuple[int, int]) -> Pixels | None:
    """Returns a picture of the stored size and form, light on black, or None."""
    if pixels.shape[:2] != size:
        return None
    edge = border(pixels)
    black, white = np.count_nonzero(edge <= _BLACK), np.count_nonzero(edge >= _WHITE)
    if max(black, white) < _ENOUGH * edge.size:
        return None
    return pixels if black >= white else 255 - pixels


def _cut_out(pixels: Pixels, size: tuple[int, int], framing: str) -> Pixels:
    """Returns the digit or object of a picture, (H, W, C) of `size`."""
    # scipy takes a third of a second to load: trainings and data sets in form do without.
    from holmdel.images.digit import cut_digit
    from holmdel.images.objects import cut_object

    return (cut_digit if framing == "digit" else cut_object)(pixels, size)


def _fit(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Returns a picture scaled to fit into `size`, padded with the colour of its border."""
    height, width = within(pixels.shape[:2], size)
    planes = [resized(pixels[:, :, c], (height, width)) for c in range(pixels.shape[2])]
    colour = np.median(border(pixels), axis=0).astype(np.uint8)
    framed = np.empty((*size, pixels.shape[2]), np.uint8)
    framed[:] = colour
    top, left = (size[0] - height) // 2, (size[1] - width) // 2
    framed[top : top + height, left : left + width] = np.stack(planes, axis=2)
    return framed
