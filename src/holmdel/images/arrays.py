"""Arrays and tensors of any form and range as uint8 pixels."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.images.pixels import Pixels
from holmdel.images.tensors import Tensor, is_tensor


def as_bytes(array: NDArray[Any] | Tensor) -> Pixels:
    """Returns an array or tensor as uint8 (H, W) or (H, W, C), C of 2, 3 or 4.

    The byte order of an array does not matter, as findings/arrays-of-the-other-byte-order.sh says.
    """
    values = array.detach().cpu().numpy() if is_tensor(array) else np.asarray(array)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if values.ndim == 3 and _is_channels_first(values.shape, is_tensor(array)):
        values = values.transpose(1, 2, 0)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim not in (2, 3) or values.size == 0 or values.shape[2:] > (4,):
        raise UserError(
            f"an image was given as an array of shape {tuple(array.shape)}; expected (H, W), "
            "(H, W, C) or (C, H, W) of 1 to 4 channels"
        )
    return np.ascontiguousarray(_scaled(values))


def _is_channels_first(shape: tuple[int, ...], tensor: bool) -> bool:
    """Says whether a shape is (C, H, W); where both would do, a tensor has its channels first."""
    first, last = shape[0] <= 4, shape[2] <= 4
    return first and (tensor or not last)


def _scaled(values: NDArray[Any]) -> Pixels:
    """Returns an array's values as uint8, by its dtype."""
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        return to_8_bits(values)
    top = 255 if values.dtype.kind in "iu" else 1
    if values.dtype.kind not in "iufb" or not (values.min() >= 0 and values.max() <= top):
        raise UserError(
            f"an image was given as an array of {values.dtype} from {values.min()} to "
            f"{values.max()}; expected floats in 0..1, or integers in 0..255"
        )
    return np.rint(values * (255 / top)).astype(np.uint8)


def to_8_bits(values: NDArray[Any]) -> Pixels:
    """Returns a PIL image's integers or floats as uint8, scaled by the range they are in."""
    largest = float(values.max(initial=0))
    ranges = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (65535.0,)
    full = next((r for r in ranges if largest <= r), largest)
    return np.rint(values.clip(0) * (255 / full)).astype(np.uint8)
