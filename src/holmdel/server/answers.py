"""What a network says of a batch: computed once for all the requests whose images are in it."""

from collections.abc import Sequence
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from holmdel.server.protocol.tensors import Output

if TYPE_CHECKING:
    from holmdel.checkpoint import Header

UNNAMED = -1  # the index where the network's outputs are no numbers; the label is empty then


class Batch:
    """The outputs of a network for a batch, by name.

    Args:
        logits: float32 (N, classes).
        header: of the network; it names the classes.
    """

    def __init__(self, logits: NDArray[np.float32], header: "Header") -> None:
        self.logits = logits
        self._header = header

    @cached_property
    def probabilities(self) -> NDArray[np.float32]:
        """The softmax of the logits; NaN where these are no numbers."""
        with np.errstate(invalid="ignore"):
            shares = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
            found: NDArray[np.float32] = shares / shares.sum(axis=1, keepdims=True)
        return found

    @cached_property
    def named(self) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        """The labels and indices of the classes; NaN is no class."""
        sure = self.probabilities.argmax(axis=1)
        rest = self.probabilities.copy()
        rest[np.arange(len(rest)), sure] = 0
        others = rest.sum(axis=1)
        pairs = [
            self._header.named(place, left) if isfinite(left) else ("", UNNAMED)
            for place, left in zip(sure.tolist(), others.tolist(), strict=True)
        ]
        labels = np.array([label for label, _ in pairs], np.object_)
        return labels, np.array([index for _, index in pairs], np.int64)


class Answer(NamedTuple):
    """The rows of a batch that answer a request.

    Attributes:
        batch: the outputs of all.
        first: the number of its first row.
        rows: how many there are.
    """

    batch: Batch
    first: int
    rows: int

    @property
    def logits(self) -> Tensor:
        """Its logits, float32 (rows, classes)."""
        return torch.from_numpy(self.batch.logits[self._place])

    @property
    def outputs(self) -> dict[str, Output]:
        """All outputs by name: float32 (rows, classes), int64 (rows,), texts (rows,)."""
        place, (labels, indices) = self._place, self.batch.named
        return {
            "probabilities": self.batch.probabilities[place],
            "logits": self.batch.logits[place],
            "index": indices[place],
            "label": labels[place],
        }

    @property
    def _place(self) -> slice:
        return slice(self.first, self.first + self.rows)


def joined(answers: Sequence[Answer]) -> dict[str, Output]:
    """Returns the outputs of a request that was asked in parts."""
    if len(answers) == 1:
        return answers[0].outputs
    parts = [answer.outputs for answer in answers]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
