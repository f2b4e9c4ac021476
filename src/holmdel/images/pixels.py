"""Arrays of pixels: types, the border, resizing, bounding boxes."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from holmdel.images.opencv import cv2
from holmdel.images.windows import window

Pixels: TypeAlias = NDArray[np.uint8]  # (H, W, C)
Grey: TypeAlias = NDArray[np.floating[Any]]
Mask: TypeAlias = NDArray[np.bool_]
Box: TypeAlias = tuple[slice, ...]

WORKING = 1024  # longest side on which ink is looked for


def median(values: ArrayLike, axis: int | None = None) -> Any:
    """Returns what `np.median` does of numbers without NaN, (N, ...) or of all of them.

    NumPy's loads masked arrays first, as `np.unique` does: a tenth of the time from the start of
    Python to a first answer.
    """
    numbers = np.asarray(values)
    numbers = numbers.ravel() if axis is None else np.moveaxis(numbers, axis, 0)
    if not len(numbers):
        return np.nan
    middle = len(numbers) // 2
    first = middle - 1 + len(numbers) % 2
    return np.partition(numbers, (first, middle), axis=0)[first : middle + 1].mean(axis=0)


def border(pixels: NDArray[Any]) -> NDArray[Any]:
    """Returns the outermost pixels: (H, W, ...) to (P, ...), P the number of them."""
    sides = (pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1])
    return np.concatenate(sides)


def within(shape: tuple[int, ...], size: tuple[int, int]) -> tuple[int, int]:
    """Returns the largest height and width of this aspect ratio that fit into `size`."""
    scale = min(size[0] / shape[0], size[1] / shape[1])
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def resized(plane: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Returns (H, W) of uint8 or float32 scaled to `size`, smoothed where it shrinks."""
    if plane.shape == size:
        return plane
    image = Image.fromarray(np.ascontiguousarray(plane))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.HAMMING))


def shrunk(pixels: NDArray[Any], longest: int) -> Grey:
    """Returns float32 (H, W, C) whose longer side is at most `longest`."""
    size = pixels.shape[:2]
    if max(size) > longest:
        size = within(size, (longest, longest))
    shown = np.empty((*size, pixels.shape[2]), np.float32)
    for c in range(pixels.shape[2]):
        shown[:, :, c] = resized(pixels[:, :, c], size)
    return shown


def opened(mask: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Returns what rectangles of ones cover of a mask (H, W); beyond its border are zeros."""
    ones, there, back = window(rows, columns)
    edge, zero = cv2.BORDER_CONSTANT, (0,)
    less = cv2.erode(mask, ones, anchor=there, borderType=edge, borderValue=zero)
    whole = cv2.dilate(less, ones, anchor=back, borderType=edge, borderValue=zero)
    return np.asarray(whole, np.uint8)


def closed(mask: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Returns a mask (H, W) with the gaps filled into which the rectangle does not fit."""
    ones, there, back = window(rows, columns)
    more = cv2.dilate(mask, ones, anchor=there)
    return np.asarray(cv2.erode(more, ones, anchor=back), np.uint8)


def bounds(mask: Mask) -> Box:
    """Returns the box around what is true."""
    rows, columns = (np.flatnonzero(mask.any(axis=1 - axis)) for axis in (0, 1))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
