"""What a reading says: the lines of a picture, their digits, and how sure each is."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Box = tuple[int, int, int, int]
Grey = NDArray[np.uint8]

READ, REJECT = "read", "reject"
_DECIMALS = 4  # of a confidence in JSON


@dataclass(frozen=True)
class Digit:
    """One digit of a line.

    Attributes:
        char: `0` to `9`.
        confidence: the network's, 0..1.
        box: x, y, width and height in the picture's pixels.
    """

    char: str
    confidence: float
    box: Box

    def to_json(self) -> dict[str, Any]:
        """Returns the digit as JSON-ready values."""
        confidence = round(self.confidence, _DECIMALS)
        return {"char": self.char, "confidence": confidence, "box": list(self.box)}


@dataclass(frozen=True)
class Line:
    """One string of digits on a picture.

    Attributes:
        text: the digits.
        raw: the digits with marks, where the pattern has marks; else None.
        confidence: the probability 0..1 that all of `text` is right.
        status: `read`, or `reject` where the confidence is too low for the errors allowed.
        box: x, y, width and height in the picture's pixels.
        digits: one for each of `text`.
        score: what the line reader gave, 0..1, before it was calibrated.
    """

    text: str
    raw: str | None
    confidence: float
    status: str
    box: Box
    digits: tuple[Digit, ...]
    score: float

    def to_json(self) -> dict[str, Any]:
        """Returns the line as JSON-ready values."""
        return {
            "text": self.text,
            **({} if self.raw is None else {"raw": self.raw}),
            "confidence": round(self.confidence, _DECIMALS),
            "status": self.status,
            "box": list(self.box),
            "digits": [digit.to_json() for digit in self.digits],
        }


@dataclass(frozen=True)
class Reading:
    """What stands on one picture.

    Attributes:
        path: the picture's path, or None if it was not given as one.
        lines: in the order a person reads; empty where no digits are written.
        steps: names and pictures, uint8 (H, W) or (H, W, 3), of what was done, where asked for.
    """

    path: str | None
    lines: tuple[Line, ...]
    steps: tuple[tuple[str, Grey], ...] = field(default=(), repr=False, compare=False)

    @property
    def text(self) -> str:
        """The texts of the lines that are `read`, a line each."""
        return "\n".join(line.text for line in self.lines if line.status == READ)

    def to_json(self) -> dict[str, Any]:
        """Returns the reading as JSON-ready values."""
        return {"path": self.path or "-", "lines": [line.to_json() for line in self.lines]}
