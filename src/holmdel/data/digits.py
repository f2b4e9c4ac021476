"""The data set `digits`: 1,797 real handwritten digits that ship with the package.

Source: Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI (1998), the test
part: 8x8 pixels, each a count 0..16 of the ink in a 4x4 block of the scanned digit. Its licence
(CC BY 4.0) stands in `digits.LICENSE.md`; `bench/make_digits.py` writes the file.
"""

from importlib import resources
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from holmdel.data.dataset import Dataset, Split

CLASSES = tuple("0123456789")
COUNTS = (1437, 360)  # train, test: every fifth
SIZE, BOX = 28, 20  # pixels; MNIST's: a box of 20x20 in an image of 28x28


def load_digits() -> Dataset:
    """Returns the data set `digits`: uint8 (N, 1, 28, 28), 1,437 for training, 360 for testing.

    Every fifth digit, the first one first, is a test digit.
    """
    file = resources.files("holmdel.data") / "digits.npz"
    with file.open("rb") as opened, np.load(opened) as stored:
        images = torch.from_numpy(np.stack([enlarge(digit) for digit in stored["images"]]))[:, None]
        labels = torch.from_numpy(stored["labels"].astype(np.int64))
    held = torch.arange(len(labels)) % 5 == 0
    train, test = (Split(images[part], labels[part]) for part in (~held, held))
    return Dataset("digits", CLASSES, train, test, framing="digit", origin="holmdel itself")


def enlarge(digit: NDArray[Any]) -> NDArray[np.uint8]:
    """Returns one digit as MNIST has them: uint8 (28, 28), 0 background to 255 ink.

    The ink fits a box of 20x20, its centre of mass lies in the middle of the image.

    Args:
        digit: (8, 8), 0..16.
    """
    rows, columns = (np.flatnonzero(digit.any(axis)) for axis in (1, 0))
    ink = digit[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] * (255 / 16)
    scale = BOX / max(ink.shape)
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    image = Image.fromarray(ink.round().astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    return _centred(np.asarray(image))


def _centred(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    corner = []
    for axis, length in enumerate(ink.shape):
        weight = ink.sum(1 - axis, dtype=np.float64)
        centre = (weight @ (np.arange(length) + 0.5)) / weight.sum()
        corner.append(min(max(round(SIZE / 2 - centre), 0), SIZE - length))
    top, left = corner
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas
