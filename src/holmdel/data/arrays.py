"""Arrays as data sets: `.npz` files, as Keras and MedMNIST have them, and arrays from Python."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holmdel.data.examples import Examples
from holmdel.data.tables import as_pixels, numbered
from holmdel.errors import UserError

# Names of the arrays of a part: images, labels.
_TRAIN = (("x_train", "y_train"), ("train_images", "train_labels"))
_TEST = (("x_test", "y_test"), ("test_images", "test_labels"))
_ALONE = (("images", "labels"), ("x", "y"), ("X", "y"), ("data", "labels"), ("arr_0", "arr_1"))
_LEAST_SIDE = 8  # of an image that came as a row
FORM = "(images, labels), or two such pairs for training and testing"


def read_npz(path: Path) -> Examples:
    """Returns the examples of a `.npz` file.

    Raises:
        UserError: if it cannot be read, holds Python objects, or has no arrays of known names.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files}
    except Exception as error:  # a foreign parser on foreign bytes raises anything
        reason = str(error) or type(error).__name__
        raise UserError(
            f"{path} cannot be read as .npz ({reason}); expected numpy.savez's"
        ) from None
    train = _pair(held, (*_TRAIN, *_ALONE))
    if train is None:
        raise UserError(
            f"{path} has the arrays {', '.join(held) or 'none'}; expected x_train, y_train, x_test "
            "and y_test, or images and labels"
        )
    return _examples([train, *([test] if (test := _pair(held, _TEST)) else [])], str(path))


def read_arrays(data: Any) -> Examples:
    """Returns the examples of arrays or tensors.

    Args:
        data: (images, labels), or ((images, labels), (test images, test labels)). Images are
            (N, H, W), (N, H, W, C) or (N, C, H, W) with C 1 or 3, or rows of square images, of
            H*H or 3*H*H, uint8 or 0..1 or 0..255; labels (N,) numbers or texts.

    Raises:
        UserError: for anything else.
    """
    if not isinstance(data, Sequence) or len(data) != 2:
        raise UserError(f"data was given as {type(data).__name__}; expected {FORM}")
    return _examples(data if _is_pair(data[0]) else [data], "arrays")


def _is_pair(part: Any) -> bool:
    """Returns whether a part is images and labels, and not the images themselves."""
    if not isinstance(part, Sequence) or len(part) != 2:
        return False
    return np.ndim(part[0]) >= 3 or (np.ndim(part[0]) == 2 and np.ndim(part[1]) == 1)


def _pair(held: dict[str, NDArray[Any]], names: tuple[tuple[str, str], ...]) -> Any:
    return next(((held[x], held[y]) for x, y in names if x in held and y in held), None)


def _examples(parts: Sequence[Any], origin: str) -> Examples:
    images = [_images(np.asarray(part[0]), origin) for part in parts]
    texts = [_texts(np.asarray(part[1]), origin) for part in parts]
    for pixels, names in zip(images, texts, strict=True):
        if len(pixels) != len(names) or not names:
            raise UserError(
                f"{origin} hold {len(pixels):,} images and {len(names):,} labels; expected as many "
                "of both"
            )
    labels, classes = numbered([text for part in texts for text in part])
    every = [image for part in images for image in part]
    return Examples(classes, every, labels, len(texts[0]) if len(parts) > 1 else None, origin)


def _images(values: NDArray[Any], origin: str) -> NDArray[np.uint8]:
    """Returns images as uint8 (N, H, W) or (N, H, W, C)."""
    shape = "x".join(map(str, values.shape))
    values = _unrolled(values)
    if values.ndim == 4 and values.shape[1] in (1, 3) and values.shape[3] not in (1, 3):
        values = values.transpose(0, 2, 3, 1)
    if values.ndim not in (3, 4) or (values.ndim == 4 and values.shape[3] not in (1, 3)):
        raise UserError(
            f"{origin} hold images of shape {shape}; expected (N, H, W), (N, H, W, C) or "
            "(N, C, H, W) with 1 or 3 channels"
        )
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "bfiu":
        raise UserError(f"{origin} hold images of {values.dtype}; expected numbers")
    return as_pixels(values.astype(np.float32), origin)


def _unrolled(values: NDArray[Any]) -> NDArray[Any]:
    """Returns rows of square images, as scikit-learn and CIFAR have them, as images."""
    if values.ndim != 2:
        return values
    for channels in (1, 3):
        side = math.isqrt(values.shape[1] // channels)
        if channels * side * side == values.shape[1] and side >= _LEAST_SIDE:
            planes = (side, side) if channels == 1 else (channels, side, side)
            return values.reshape(-1, *planes)
    return values


def _texts(values: NDArray[Any], origin: str) -> list[str]:
    """Returns labels as texts; columns of 0 and 1 (one-hot) as the number of the column."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    elif values.ndim == 2 and ((values == 0) | (values == 1)).all() and (values.sum(1) == 1).all():
        values = values.argmax(axis=1)
    whole = values.dtype.kind in "iubUS" or (values.dtype.kind == "f" and (values % 1 == 0).all())
    if values.ndim != 1 or not whole:
        raise UserError(
            f"{origin} hold labels of shape {'x'.join(map(str, values.shape))} and type "
            f"{values.dtype}; expected (N,) whole numbers or texts"
        )
    if values.dtype.kind in "fb":
        values = values.astype(np.int64)
    return [text.decode() if isinstance(text, bytes) else str(text) for text in values.tolist()]
