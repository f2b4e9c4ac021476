"""Data augmentation of whole batches, on the batch's device.

Each function takes and returns float images (N, C, H, W) in 0..255 and draws its random numbers
from the device's default generator, which the training loop seeds before every batch.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from holmdel.errors import UserError

SHIFT = 1  # pixels; two cost 0.5 % on Fashion-MNIST, none as much (docs/recipes.md)
ROTATION = 12.0  # degrees
SCALE = 0.12  # of the size
SHEAR = 0.2  # pixels across per pixel down
RIPPLE = 2.0  # pixels; displacement of a 7x7 mesh


def flip(images: Tensor) -> Tensor:
    """Returns the images, each mirrored left to right with probability one half."""
    chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(chosen, images.flip(3), images)


def shift(images: Tensor) -> Tensor:
    """Returns the images, each moved by up to a pixel along both axes, zeros coming in."""
    n, _, height, width = images.shape
    device = images.device
    padded = F.pad(images, (SHIFT, SHIFT, SHIFT, SHIFT))
    offset = torch.randint(0, 2 * SHIFT + 1, (2, n, 1), device=device)
    rows = offset[0] + torch.arange(height, device=device)
    columns = offset[1] + torch.arange(width, device=device)
    one = torch.arange(n, device=device)
    moved = padded[one[:, None, None], :, rows[:, :, None], columns[:, None, :]]  # (N, H, W, C)
    return moved.permute(0, 3, 1, 2)


def affine(images: Tensor) -> Tensor:
    """Returns the images under a random rotation, scale, shear and shift, bilinear.

    The planar distortions of LeCun et al. (1998), section III.C.
    """
    grid = F.affine_grid(_random_affine(images), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def elastic(images: Tensor) -> Tensor:
    """Returns the images under a random affine map and a smooth random displacement.

    Simard, Steinkraus and Platt, "Best practices for convolutional neural networks applied to
    visual document analysis" (2003), section 2; the field is a bicubic surface over a 7x7 mesh.
    """
    n, _, height, width = images.shape
    mesh = torch.rand(n, 2, 7, 7, device=images.device) * 2 - 1
    field = F.interpolate(mesh, size=(height, width), mode="bicubic", align_corners=True)
    pixel = torch.tensor([2 / width, 2 / height], device=images.device)
    grid = F.affine_grid(_random_affine(images), list(images.shape), align_corners=False)
    grid = grid + field.permute(0, 2, 3, 1) * pixel * RIPPLE
    return F.grid_sample(images, grid, align_corners=False)


def _random_affine(images: Tensor) -> Tensor:
    """Returns a matrix (N, 2, 3) an image, in grid_sample's units of half the image."""
    n, _, height, width = images.shape
    u = torch.rand(6, n, device=images.device) * 2 - 1
    angle = u[0] * math.radians(ROTATION)
    cos, sin = angle.cos(), angle.sin()
    scale_x, scale_y = 1 + SCALE * u[1], 1 + SCALE * u[2]
    move_x, move_y = u[4] * SHIFT * 2 / width, u[5] * SHIFT * 2 / height
    return torch.stack(
        [
            torch.stack([cos * scale_x, SHEAR * u[3] - sin * scale_y, move_x], dim=1),
            torch.stack([sin * scale_x, cos * scale_y, move_y], dim=1),
        ],
        dim=1,
    )


AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "flip": flip,
    "shift": shift,
    "affine": affine,
    "elastic": elastic,
}


def names_of(names: str) -> list[str]:
    """Returns the augmentations that a text such as `flip+shift` names; none for `none`.

    Raises:
        UserError: for a name that is not in `AUGMENTATIONS`.
    """
    chosen = [name for name in names.split("+") if name not in ("", "none")]
    for name in chosen:
        if name not in AUGMENTATIONS:
            raise UserError(
                f"augment was given as {names!r}; expected none, or names out of "
                f"{', '.join(AUGMENTATIONS)} joined by +"
            )
    return chosen


def augmentation(names: str) -> Callable[[Tensor], Tensor]:
    """Returns the augmentations of a text such as `flip+shift`, one after the other.

    Raises:
        UserError: for a name that is not in `AUGMENTATIONS`.
    """
    chosen = names_of(names)

    def apply(images: Tensor) -> Tensor:
        for name in chosen:
            images = AUGMENTATIONS[name](images)
        return images

    return apply
