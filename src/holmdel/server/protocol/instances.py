"""The images of a request in KServe's first protocol: arrays of pixels, or base64."""

import base64
import binascii
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.images import ImageContract
from holmdel.server.protocol.inputs import Given, normalised


def read_instances(header: dict[str, Any], contract: ImageContract, rows: int) -> Given:
    """Returns the images of a request's `instances`.

    Each is an array of pixels, HxW, CxHxW, HxWxC or flat, or the base64 of an image file: as a
    text, or as the only field of an object, such as `{"b64": ...}` or `{"image": {"b64": ...}}`.
    Pixels lie in 0..255, or in 0..1 where none of the request is above 1.

    Args:
        header: the request's JSON.
        contract: what the model's network was trained to see.
        rows: the most images.

    Returns:
        uint8 (N, C, H, W) in the stored form, float32 as the network sees it, or encoded images.

    Raises:
        UserError: for what is none of these.
    """
    found = header.get("instances")
    if not isinstance(found, list) or not 1 <= len(found) <= rows:
        raise UserError(
            f"the request has no 'instances' that are an array; expected 1 to {rows} images in it"
        )
    if all(isinstance(one, list) for one in found):
        return _pixels(np.stack([_array(one, contract.stored) for one in found]), contract)
    return [_file(one) for one in found]


def _array(given: list[Any], size: tuple[int, int, int]) -> NDArray[np.float64]:
    """Returns an array of pixels, (C, H, W)."""
    channels, height, width = size
    try:
        pixels = np.array(given)
    except ValueError:  # rows of different lengths
        pixels = np.empty(0)
    if pixels.dtype.kind not in "iuf":
        raise UserError("an instance holds something else than numbers; expected pixels or base64")
    if pixels.shape == (height, width, channels):
        pixels = pixels.transpose(2, 0, 1)
    shapes = [size, (pixels.size,)] + [(height, width)] * (channels == 1)
    if pixels.shape not in shapes or pixels.size != channels * height * width:
        raise UserError(
            f"an instance has the shape {list(pixels.shape)}; expected {list(size)}, or an image "
            "file as base64"
        )
    return pixels.reshape(size).astype(np.float64)


def _pixels(pixels: NDArray[np.float64], contract: ImageContract) -> Given:
    """Returns pixels in 0..1 or 0..255 as a network takes them."""
    low, high = pixels.min(), pixels.max()
    if low < 0 or high > 255:
        raise UserError(
            f"the pixels lie in {low:.4g}..{high:.4g}; expected 0..1 or 0..255, not normalised: "
            "the server does that"
        )
    if high > 1 and (pixels == pixels.round()).all():
        return pixels.astype(np.uint8)
    return normalised((pixels / (255 if high > 1 else 1)).astype(np.float32), contract)


def _file(given: Any) -> bytes:
    """Returns an encoded image."""
    while isinstance(given, dict) and len(given) == 1:
        (given,) = given.values()
    if not isinstance(given, str):
        raise UserError(
            "an instance is neither an array of pixels nor base64; expected all to be the one or "
            'the other, such as {"b64": "..."}'
        )
    try:
        return base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        raise UserError(
            "a text of the instances is not base64; expected that of an image"
        ) from None
