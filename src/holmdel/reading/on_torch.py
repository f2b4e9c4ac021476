"""A line network on PyTorch."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from holmdel.alphabet import ALPHABET
from holmdel.devices import use_bfloat16
from holmdel.images.contract import LINE_HEIGHT, WIDEST
from holmdel.reading.folding import folded
from holmdel.reading.single import digit_chances


class OnTorch:
    """A line network on PyTorch: a copy, its normalisation folded into the convolutions.

    Args:
        network: a `LineNetwork`; it computes in bfloat16 where the processor does.
    """

    def __init__(self, network: nn.Module) -> None:
        fast = use_bfloat16("auto", torch.device("cpu"), (LINE_HEIGHT, WIDEST))
        self._type = torch.bfloat16 if fast else torch.float32
        self._network = folded(network).to(self._type)
        self.alphabet = str(getattr(network, "alphabet", ALPHABET))

    def log_probabilities(self, lines: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns ln of the probabilities (N, T, K) of lines (N, 1, 32, W)."""
        with torch.inference_mode():
            inputs = torch.from_numpy(lines).to(self._type, memory_format=torch.channels_last)
            logits = self._network(inputs).float()
            steps = logits.log_softmax(1).transpose(1, 2).contiguous().numpy()
        return np.asarray(steps, np.float32)

    def digit_chances(self, images: Sequence[NDArray[np.uint8]]) -> list[dict[str, float]]:
        """Returns for each image (h, w) of one digit, dark on white, how probable each digit is."""
        return digit_chances(images)
