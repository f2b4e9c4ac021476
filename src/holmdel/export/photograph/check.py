"""Whether a file frames photographs as `images.framing` does."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from holmdel.evaluation import evaluating
from holmdel.export.check import compared, refuse_difference
from holmdel.export.graph import LOGITS
from holmdel.export.photograph.whole import FOUND, FRAMED
from holmdel.export.subject import Subject
from holmdel.images.contract import to_input
from holmdel.images.decoding import decode
from holmdel.images.framing import framed_array
from holmdel.runtime import FOUND as KINDS
from holmdel.runtime import PHOTOGRAPHS

SHOWN = 8  # images; each as it is, dark on light paper, and light on dark
_SEED = 1998


def photographs(images: Tensor) -> list[NDArray[np.uint8]]:
    """Returns images as they are, and as photographs: larger, on uneven paper with a grain.

    Args:
        images: uint8 (N, C, H, W), of which the first few are taken.

    Returns:
        uint8 (H, W, 3), of several sizes.
    """
    chance = np.random.default_rng(_SEED)
    found = []
    for number, image in enumerate(images[:SHOWN].numpy().transpose(0, 2, 3, 1)):
        colours = np.repeat(image, 3, axis=2) if image.shape[2] == 1 else image
        found.append(colours)
        for dark in (True, False):
            large = colours.repeat(2 + number, axis=0).repeat(2 + number, axis=1)
            side = max(large.shape) // 4
            page = np.pad(large, ((side, 2 * side), (2 * side, side), (0, 0))).astype(float)
            light = np.linspace(1, 0.8, page.shape[1])[None, :, None]
            grain = chance.normal(0, 3, page.shape)
            page = (230 - 0.8 * page if dark else 20 + 0.8 * page) * light + grain
            found.append(page.clip(0, 255).astype(np.uint8))
    return found


def checked(running: Any, subject: Subject, name: str, tolerance: float) -> dict[str, int]:
    """Returns how many photographs a file frames as `predict` does, and by what it is off.

    Args:
        running: ONNX Runtime with the file.
        subject: what was exported.
        name: of the runtime.
        tolerance: by what the logits of one that is framed equally may be off.

    Raises:
        UserError: if they are off by more.
    """
    contract, equal, off = subject.header.image, 0, 0
    given = photographs(subject.images)
    for pixels in given:
        logits, seen, found = running.run([LOGITS, FRAMED, FOUND], {PHOTOGRAPHS: pixels})
        expected, what = framed_array(decode(pixels, contract.stored[0]), contract)
        away = int(np.abs(seen[0].astype(int) - expected).max())
        equal += away == 0 and KINDS[int(found)] == what
        off = max(off, away)
        with evaluating(subject.network):
            answer = subject.network(to_input(torch.from_numpy(seen), contract)).float()
        difference, _ = compared(torch.from_numpy(logits), answer)
        refuse_difference(difference, name, lambda: "of the input", tolerance)
    return {"count": len(given), "equal": equal, "off": off}
