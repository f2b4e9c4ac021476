"""Inside the reader: what the line network says along a line, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.alphabet import STRIDE
from holmdel.images.contract import LINE_HEIGHT
from holmdel.reading.expressions import BLANK, CHARACTERS

MOST_TEXTS = 5
_FAINT = 0.02  # a mark less probable than this at every step has no row
_PLACES = 4  # of a probability in JSON


@dataclass(frozen=True)
class Look:
    """How the line network read a line.

    What it looks at are the pixels of its first view of the line, and what it says at each step:
    step t is about the columns around `STRIDE` t + 1. A digit that is said at several steps in a
    row is one digit; between two equal ones "nothing" must be said (Graves et al., "Connectionist
    Temporal Classification", 2006).

    Attributes:
        picture: uint8 (32, W), the line as the network sees it, dark ink on white, with margins.
        characters: what the classes stand for; the last, an empty text, for nothing.
        steps: float32 (T, K), how probable each class is at each step, T = W // 2; rows sum to 1,
            or less where ink that is no character stands amid the digits.
        digits: each digit of the best text, the first and the last step at which it stands.
        texts: what else it may be, the answer first: likely texts, and how probable each is, the
            mean of all views.
        views: how many views were read.
    """

    picture: NDArray[np.uint8]
    characters: tuple[str, ...]
    steps: NDArray[np.float32]
    digits: tuple[tuple[str, int, int], ...]
    texts: tuple[tuple[str, float], ...]
    views: int

    def to_json(self) -> dict[str, Any]:
        """Returns all but the picture as JSON-ready values, of marks those that were thought of."""
        shown = self._shown
        return {
            "width": self.picture.shape[1],
            "characters": [self.characters[number] for number in shown],
            "steps": np.round(self.steps[:, shown].astype(float), _PLACES).tolist(),
            "digits": [{"char": c, "first": first, "last": last} for c, first, last in self.digits],
            "texts": [{"text": text, "probability": part} for text, part in self.texts],
            "views": self.views,
        }

    @property
    def _shown(self) -> list[int]:
        """The classes that have a row: digits, marks that were thought of, nothing."""
        most = self.steps.max(0, initial=0.0)
        last = len(self.characters) - 1
        always = {number for number, c in enumerate(self.characters) if c.isdecimal()} | {last}
        return [n for n in range(last + 1) if n in always or most[n] >= _FAINT]


def look_of(
    line: NDArray[np.float32],
    steps: NDArray[np.float32],
    digits: Sequence[tuple[str, int, int]],
    texts: Sequence[tuple[str, float]],
    views: int,
) -> Look:
    """Returns how a line was read.

    Args:
        line: float32 (32, W), as the network sees it: 0 paper, 1 ink.
        steps: float32 (T, K), ln of the probability of each class at each step.
        digits: of the best text, with their steps.
        texts: all that were thought of, and how probable they are, the answer first.
        views: how many were read.
    """
    return Look(
        np.clip(255 - 255 * line, 0, 255).round().astype(np.uint8),
        (*CHARACTERS, ""),
        np.exp(steps[:, : BLANK + 1]),
        tuple(digits),
        tuple(texts[:MOST_TEXTS]),
        views,
    )


_SCALE, _ROW, _NAMES = 4, 14, 22  # pixels: of a column, of a character's row, of their names
_INK, _SPAN = (140, 60, 20), (30, 30, 190)  # red, green, blue


def draw_look(look: Look) -> NDArray[np.uint8]:
    """Returns a line, enlarged, and under it how probable each character is at each step.

    Returns:
        uint8 (H, W, 3): a row a character, darker where it is more probable; the spans of the
            digits as bars between both.
    """
    shown = look._shown
    height, width = LINE_HEIGHT * _SCALE, look.picture.shape[1] * _SCALE
    top = height + _ROW
    drawn = np.full((top + _ROW * len(shown), _NAMES + width, 3), 255, np.uint8)
    large = cv2.resize(look.picture, (width, height), interpolation=cv2.INTER_NEAREST)
    drawn[:height, _NAMES:] = large[:, :, None]
    for row, number in enumerate(shown):
        y = top + row * _ROW
        name = look.characters[number] or "-"
        cv2.putText(drawn, name, (6, y + 11), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1)
        parts = np.repeat(look.steps[:, number], STRIDE * _SCALE)[:width, None]
        colour = 255 - parts * (255 - np.array(_INK, np.float32))
        drawn[y : y + _ROW - 1, _NAMES : _NAMES + len(parts)] = colour.round().astype(np.uint8)
    for _, first, last in look.digits:
        left, right = (_NAMES + STRIDE * _SCALE * step for step in (first, last + 1))
        cv2.rectangle(drawn, (left, height + 4), (right - 2, height + 8), _SPAN, -1)
    return drawn
