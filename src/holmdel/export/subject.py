"""What is exported: a network, and what an answer from it is compared on."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from holmdel.checkpoint import Header
from holmdel.errors import UserError
from holmdel.evaluation import evaluating
from holmdel.images.contract import to_input
from holmdel.shapes import parameter_count

MOST_PARAMETERS = 4_000_000  # of a page of 22 megabytes, or a source file of some 50
GENERATED = 64  # images, where none of a data set are given
TOLERATED = 0.2  # percentage points of accuracy that 8 bits may lose
_SEED = 1989
_PATH = re.compile(r"(?<![\w.:/])(?:[A-Za-z]:[\\/]|/)(?:[\w.+ -]+[\\/])+([\w.+-]+)")


@dataclass(frozen=True)
class Subject:
    """A classifier on its way into a file.

    Attributes:
        network: gives logits (N, K).
        header: what must be known to use it.
        images: uint8 (N, C, H, W) as stored, on which the file is compared with the network.
        source: what they are, such as `1,000 images of mnist`.
        card: the model card in Markdown; "" for none.
        licence: what the weights may be used under; "" where that is not known.
        name: what to call the model; "" for the network's name.
        labels: int64 (N,) of the images; None where they are not known.
        training: images to calibrate on; None for those that it is compared on.
    """

    network: nn.Module
    header: Header
    images: Tensor
    source: str
    card: str = ""
    licence: str = ""
    name: str = ""
    labels: Tensor | None = None
    training: Tensor | None = None

    @cached_property
    def logits(self) -> Tensor:
        """What PyTorch's float32 network says of the images: (N, K)."""
        contract = self.header.image
        with evaluating(self.network):
            parts = [self.network(to_input(part, contract)).float() for part in self.parts()]
        return torch.cat(parts)

    @property
    def parameters(self) -> int:
        """How many the network has."""
        return parameter_count(self.network)

    def refuse_large(self, files: str) -> None:
        """Raises a UserError for a network that is too large for some files, `pages` or such."""
        if self.parameters > MOST_PARAMETERS:
            raise UserError(
                f"the network has {self.parameters:,} parameters; {files} are for small ones, of "
                f"up to {MOST_PARAMETERS:,}; ONNX takes it"
            )

    def accuracy(self, logits: Tensor) -> float:
        """Returns the share of images named right; as the network names them without labels."""
        right = self.logits.argmax(1) if self.labels is None else self.labels
        return float((logits.argmax(1) == right).double().mean())

    @property
    def _right(self) -> str:
        """How a sentence says of images that they are named as they should be."""
        if self.labels is None:
            return "are named as before"
        return "are right"

    def kept(self, logits: Tensor, tolerance: float) -> dict[str, Any]:
        """Returns the accuracy before and after weights were put into 8 bits, as facts of a report.

        `labelled` tells whether it is of labels, or of what the network said before.

        Raises:
            UserError: if more percentage points are lost than `tolerance`.
        """
        before, after = self.accuracy(self.logits), self.accuracy(logits)
        lost = 100 * (before - after)
        if lost > tolerance:
            raise UserError(
                f"with 8 bits {after:.2%} of {self.source} {self._right}, {lost:.2f} points fewer "
                f"than with float32; --tolerance is {tolerance:g} points; nothing was written"
            )
        return {"accuracy": [before, after], "labelled": self.labels is not None}

    def parts(self) -> tuple[Tensor, ...]:
        """Returns the images in batches."""
        return torch.split(self.images, self.header.image.batch_size)


def generated(stored: tuple[int, int, int]) -> Tensor:
    """Returns images to compare on where no data set is at hand: noise, fine and coarse."""
    chance = torch.Generator().manual_seed(_SEED)
    half = GENERATED // 2
    fine = torch.rand(half, *stored, generator=chance)
    coarse = torch.rand(half, stored[0], 5, 5, generator=chance)
    coarse = F.interpolate(coarse, size=stored[1:], mode="bilinear")
    return torch.cat([fine, coarse]).mul(255).round().to(torch.uint8)


def without_paths(text: str) -> str:
    """Returns a text in which of every absolute path its last part is left.

    >>> without_paths("data: /home/ada/digits/train, 28x28, 1/255")
    'data: train, 28x28, 1/255'
    """
    return _PATH.sub(r"\1", text)
