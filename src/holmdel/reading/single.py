"""A digit alone, as the LeNet sees it that ships with the package."""

from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from holmdel.images.contract import to_input
from holmdel.images.framing import frame
from holmdel.reading.image import Picture

if TYPE_CHECKING:
    from holmdel.checkpoint import Header

_NAME = "lenet-mnist"


def digit_chances(images: Sequence[Picture]) -> list[dict[str, float]]:
    """Returns for each image how probable each digit is.

    Args:
        images: uint8 (h, w) each, one digit, dark ink on white paper.
    """
    if not images:
        return []
    network, header = _lenet()
    framed = torch.stack([frame(image[:, :, None], header.image) for image in images])
    with torch.inference_mode():
        found = network(to_input(framed, header.image)).softmax(1).numpy().astype(np.float64)
    return [dict(zip(header.classes, row.tolist(), strict=True)) for row in found]


@lru_cache(maxsize=1)
def _lenet() -> tuple[nn.Module, "Header"]:
    from holmdel.checkpoint import load_model  # when the first comb is read

    path = Path(str(resources.files("holmdel") / "weights" / f"{_NAME}.safetensors"))
    return load_model(path)
