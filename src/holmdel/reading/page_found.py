"""Lines of a page that may be fields, and what the line network reads on them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from holmdel.reading.page_crop import Affine
from holmdel.reading.page_ink import Picture, Sheet
from holmdel.reading.page_lines import Marks

if TYPE_CHECKING:
    from holmdel.reading.line import LineAnswer

Score = Callable[[Sequence[Picture]], "list[LineAnswer]"]

TELLING = 3  # digits of a line that says which way up it is
_PART = 0.45  # of the highest mark: lower ones may be dashes, dots, flags


@dataclass(frozen=True)
class Found:
    """A line that may be a field.

    Attributes:
        marks: indexes of its marks.
        picture: of the field.
        to_page: (2, 3), from the picture to the page.
        boxed: it stands in a printed box.
        fills: and is at least a third as high as the box.
        text: what the network read.
        sure: the probability of one digit, the geometric mean.
        explained: the part of its high marks on which a digit was read.
        trust: for each mark the confidence of the digit read on it, 0 for none.
    """

    marks: tuple[int, ...]
    picture: Picture
    to_page: Affine
    boxed: bool
    fills: bool
    text: str = ""
    sure: float = 0.0
    explained: float = 0.0
    trust: tuple[float, ...] = ()

    @property
    def digits(self) -> int:
        """How many digits the network read."""
        return len(self.text)

    @property
    def value(self) -> float:
        """How well the digits read account for the ink."""
        return self.sure * self.explained**2


def evidence_of(lines: Sequence[Found]) -> float:
    """Returns how much speaks for digits: how many were read, weighted by how sure they are."""
    return sum(f.digits * max(f.value - 0.5, 0.0) for f in lines if f.digits >= TELLING)


def upside_down(line: Found) -> Found:
    """Returns the line turned by half a turn."""
    height, width = line.picture.shape
    matrix = line.to_page @ np.array([[-1.0, 0, width], [0, -1, height], [0, 0, 1]])
    return replace(line, picture=np.ascontiguousarray(line.picture[::-1, ::-1]), to_page=matrix)


def read(lines: list[Found], marks: Marks, flat: Sheet, score: Score) -> list[Found]:
    """Returns the lines with what the network reads on them."""
    if not lines:
        return []
    answers = score([line.picture for line in lines])
    return [_judged(line, answer, marks, flat) for line, answer in zip(lines, answers, strict=True)]


def _judged(line: Found, answer: "LineAnswer", marks: Marks, flat: Sheet) -> Found:
    count = len(answer.text)
    if not count:
        return replace(line, text="", sure=0.0, explained=0.0)
    onto = (flat.from_page @ np.vstack([line.to_page, [0, 0, 1]]))[:2]
    spans = np.array([_across(digit.box, onto) for digit in answer.digits])
    confidence = np.array([digit.confidence for digit in answer.digits])
    box = marks.box[list(line.marks)]
    x, w, h = box[:, :1], box[:, 2:3], box[:, 3]
    on = (spans[:, 0] < x + 0.7 * w + 1) & (spans[:, 1] > x + 0.3 * w - 1)
    trust = np.where(on, confidence, 0).max(1)
    high = h >= _PART * h.max()
    return replace(
        line,
        text=answer.text,
        sure=answer.score ** (1.0 / count),
        explained=float(on[high].any(1).mean()),
        trust=tuple(trust.tolist()),
    )


def _across(box: tuple[int, int, int, int], onto: Affine) -> tuple[float, float]:
    """Returns from where to where a digit reaches on the sheet, at half its height."""
    x, y, w, h = box
    ends = onto @ np.array([[x, x + w], [y + h / 2, y + h / 2], [1.0, 1.0]])
    return float(ends[0].min()), float(ends[0].max())
