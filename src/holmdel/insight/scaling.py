"""Values as bytes: what a page draws."""

import base64
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Scaled:
    """Values as bytes: each is low + byte / 255 * (high - low).

    Attributes:
        low: the least value.
        high: the greatest.
        data: a byte a value, in C order.
    """

    low: float
    high: float
    data: bytes

    def to_json(self) -> dict[str, Any]:
        """Returns low, high, and the bytes as base64."""
        return {
            "low": self.low,
            "high": self.high,
            "data": _base64(self.data),
        }


def scaled(values: Tensor) -> Scaled:
    r"""Returns values of any shape as bytes between the least and the greatest.

    What is no finite number, as after a training that ran away, counts as 0.

    >>> scaled(Tensor([-1.0, 0.0, 1.5])).data
    b'\x00f\xff'
    """
    finite = values.detach().cpu().numpy()  # on small arrays NumPy is the quicker
    if not finite.size:
        return Scaled(0.0, 0.0, b"")
    low, high = float(finite.min()), float(finite.max())
    if not math.isfinite(high - low):
        finite = np.nan_to_num(finite, nan=0.0, posinf=0.0, neginf=0.0)
        low, high = float(finite.min()), float(finite.max())
    span = high - low
    steps = (finite - low) * (255 / span) if span else np.zeros_like(finite)
    return Scaled(low, high, np.rint(steps).astype(np.uint8).tobytes())


def encoded(pixels: Tensor) -> str:
    """Returns the bytes of a uint8 tensor, in C order, as base64."""
    return _base64(pixels.contiguous().numpy().tobytes())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def plain(values: Tensor | float | None) -> Any:
    """Returns numbers as JSON takes them, in nested lists; None for what is no finite number."""
    if isinstance(values, Tensor):
        if values.isfinite().all():
            return values.tolist()
        return [plain(value) for value in values] if values.ndim else None
    return values if values is not None and math.isfinite(values) else None
