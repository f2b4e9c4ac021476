"""What a reader answers: readings, lines, digits; and images of how a line was read."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from holmdel.reading.looks import Look

Box = tuple[int, int, int, int]
Grey = NDArray[np.uint8]

READ, REJECT = "read", "reject"
DIGITS = "digits"  # the pattern where none is given
MAX_ERROR = 0.01  # of strings that may be read wrongly, where nothing else is said
UNCLEAR = "unclear"  # why ink is skipped that the pattern has no reading for
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
        confidence: the probability 0..1 that all of `text` is right, and `value` where the pattern
            gives values; near 0 where it does and this is none.
        status: `read`, or `reject` where the confidence is too low for the errors allowed.
        box: x, y, width and height in the picture's pixels.
        digits: one for each of `text`.
        score: what the line reader gave, 0..1, before it was calibrated.
        value: what the line is worth as JSON-ready values, where the pattern gives it a value.
        look: how the network read it, where asked for; of a comb in one go, not cell by cell.
        field: the name of the field it stands in, where fields have names.
    """

    text: str
    raw: str | None
    confidence: float
    status: str
    box: Box
    digits: tuple[Digit, ...]
    score: float
    value: dict[str, Any] | None = None
    look: Look | None = field(default=None, repr=False, compare=False)
    field: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Returns the line as JSON-ready values."""
        return {
            **_known(field=self.field),
            "text": self.text,
            **_known(raw=self.raw, value=self.value),
            "confidence": round(self.confidence, _DECIMALS),
            "status": self.status,
            "box": list(self.box),
            "digits": [digit.to_json() for digit in self.digits],
        }


@dataclass(frozen=True)
class Skipped:
    """Something on a picture that was seen and not read.

    Attributes:
        box: x, y, width and height in the picture's pixels.
        reason: `print`, `letters`, `too small`, `crossed out`, `rule`, `empty` for a field in which
            nothing is written, or `unclear`.
        field: the name of the field, where fields have names.
        required: whether something should be written there, as the template says.
    """

    box: Box
    reason: str
    field: str | None = None
    required: bool = False

    def to_json(self) -> dict[str, Any]:
        """Returns what was passed over as JSON-ready values."""
        return {
            **_known(field=self.field),
            "box": list(self.box),
            "reason": self.reason,
            **({"required": True} if self.required else {}),
        }


@dataclass(frozen=True)
class Cheque:
    """What a file of cheques says of an item.

    Attributes:
        amount: in cents, or None where the record has none.
        sequence: the item's number as its institution counts.
        routing: of the payor's bank, with the check digit.
    """

    amount: int | None
    sequence: str
    routing: str

    def to_json(self) -> dict[str, Any]:
        """Returns the record as JSON-ready values."""
        return {"amount": self.amount, "sequence": self.sequence, "routing": self.routing}


@dataclass(frozen=True)
class Reading:
    """What stands on one picture.

    Attributes:
        path: the picture's path, or None if it was not given as one.
        lines: in the order a person reads; empty where no digits are written.
        skipped: what was seen and not read, in the same order.
        page: the number of the page from 1, where the file may have several; else None.
        cheque: what the file says, where the picture is an item of a file of cheques; else None.
        agrees: whether its amount is what was read on the picture; None where that is not known.
        steps: names and pictures, uint8 (H, W) or (H, W, 3), of what was done, where asked for.
    """

    path: str | None
    lines: tuple[Line, ...]
    skipped: tuple[Skipped, ...] = ()
    page: int | None = None
    cheque: Cheque | None = None
    agrees: bool | None = None
    steps: tuple[tuple[str, Grey], ...] = field(default=(), repr=False, compare=False)

    @property
    def text(self) -> str:
        """The texts of the lines that are `read`, a line each."""
        return "\n".join(line.text for line in self.lines if line.status == READ)

    def to_json(self) -> dict[str, Any]:
        """Returns the reading as JSON-ready values."""
        return {
            "path": self.path or "-",
            **_known(page=self.page),
            **({"record": self.cheque.to_json(), "agrees": self.agrees} if self.cheque else {}),
            "lines": [line.to_json() for line in self.lines],
            **({"skipped": [item.to_json() for item in self.skipped]} if self.skipped else {}),
        }


def _known(**values: Any) -> dict[str, Any]:
    """Returns the values that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def on_page(box: Box, to_page: NDArray[np.float64]) -> Box:
    """Returns the upright box around a box of a field's picture, in the page's pixels.

    Args:
        box: x, y, width and height in the picture.
        to_page: float64 (2, 3), a point of the picture to a point of the page.
    """
    x, y, w, h = box
    corners = np.array([(x, y, 1), (x + w, y, 1), (x, y + h, 1), (x + w, y + h, 1)], float)
    points = corners @ to_page.T
    left, top = (int(v) for v in np.floor(points.min(axis=0)))
    right, bottom = (int(v) for v in np.ceil(points.max(axis=0)))
    return left, top, right - left, bottom - top


_HEIGHT = 96  # pixels of the line as it is drawn
_ROOM = 28  # above it, for the characters
_BOX, _TEXT = (200, 90, 30), (30, 30, 190)  # red, green, blue


def draw_alignment(picture: Grey, digits: Sequence[tuple[str, Box]]) -> Grey:
    """Returns a line, enlarged, with a box around each digit and what it was read as above it.

    Args:
        picture: uint8 (H, W).
        digits: the characters and their boxes in the picture's pixels.
    """
    height, width = picture.shape
    scale = _HEIGHT / height
    large = cv2.resize(picture, (max(round(width * scale), 1), _HEIGHT))
    drawn = np.full((_HEIGHT + _ROOM, large.shape[1], 3), 255, np.uint8)
    drawn[_ROOM:] = large[:, :, None]
    for char, (x, y, w, h) in digits:
        left, right = round(x * scale), round((x + w) * scale) - 1
        top, bottom = _ROOM + round(y * scale), _ROOM + round((y + h) * scale) - 1
        cv2.rectangle(drawn, (left, top), (right, bottom), _BOX, 1)
        middle = (max((left + right) // 2 - 8, 0), _ROOM - 7)
        cv2.putText(drawn, char, middle, cv2.FONT_HERSHEY_SIMPLEX, 0.8, _TEXT, 2, cv2.LINE_AA)
    return drawn


def to_png(picture: Grey) -> bytes:
    """Returns a picture, uint8 (H, W) or (H, W, 3), as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return file.getvalue()
