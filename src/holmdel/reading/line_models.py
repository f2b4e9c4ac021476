"""What a reader of lines asks of a network, whatever computes it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class LineModel(Protocol):
    """A line network, and a network of single digits beside it.

    Attributes:
        alphabet: the classes in order, without the blank, which is the last.
    """

    alphabet: str

    def log_probabilities(self, lines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns ln of the probabilities (N, T, K) of lines (N, 1, 32, W)."""
        ...

    def digit_chances(self, images: Sequence[NDArray[np.uint8]]) -> list[dict[str, float]]:
        """Returns for each image (h, w) of one digit, dark on white, how probable each digit is."""
        ...
