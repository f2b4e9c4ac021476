"""What is read in the fields of a page, from the line network and from a comb's cells."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from holmdel.reading.answers import (
    READ,
    REJECT,
    Box,
    Digit,
    Grey,
    Line,
    Reading,
    draw_alignment,
    on_page,
)
from holmdel.reading.cells import CombAnswer
from holmdel.reading.line import LineAnswer
from holmdel.reading.looks import draw_look
from holmdel.reading.page import Field
from holmdel.reading.patterns import Pattern
from holmdel.reading.trust import Trust


@dataclass
class FieldAnswer:
    """What is read in a field.

    Attributes:
        field: where.
        answer: what.
        picture: what it was read on, uint8 (h, w).
        to_page: a point of that to a point of the page.
        weak: whether it may be no digits.
    """

    field: Field
    answer: LineAnswer
    picture: Grey
    to_page: NDArray[np.float64]
    weak: bool

    @property
    def box(self) -> Box:
        """The box around it on the page; of a comb around all that is read in its cells."""
        if self.to_page is self.field.to_page:
            return self.field.box
        digits = [on_page(digit.box, self.to_page) for digit in self.answer.digits]
        return around([self.field.box, *digits])

    @classmethod
    def of(cls, field: Field, answer: LineAnswer) -> "FieldAnswer":
        """Returns what is read on the picture of a field."""
        return cls(field, answer, field.picture, field.to_page, field.weak)

    def take(self, comb: CombAnswer) -> None:
        """Takes what is read in the cells of a comb, unless the line has more and is surer."""
        said = of_both(self.answer, comb, weak=self.weak)
        self.answer = replace(said, look=self.answer.look)
        if said is comb.answer:
            assert self.field.comb is not None
            assert self.field.comb_to_page is not None
            self.weak = False
            self.picture, self.to_page = self.field.comb.picture, self.field.comb_to_page


def of_both(line: LineAnswer, comb: CombAnswer, *, weak: bool = False) -> LineAnswer:
    """Returns what the cells of a comb say; the line where that has more digits and is surer.

    Both together are no surer than the cells: a stroke cut away with a wall misleads both alike.
    Where the line has more digits, it is as probable as the mean of both.

    Args:
        line: what is read in one go.
        comb: what is read cell by cell.
        weak: whether the line may be no digits.
    """
    cells = comb.answer
    if cells.text and (weak or cells.score >= line.score or len(cells.text) >= len(line.text)):
        return cells
    if not cells.text:
        return line
    return replace(line, score=(line.score + comb.chances.get(line.text, 0.0)) / 2)


def line_of(
    answer: LineAnswer,
    pattern: Pattern,
    trust: Trust,
    threshold: float,
    box: Box,
    to_page: NDArray[np.float64],
) -> Line:
    """Returns what is answered of a line, its digits on the page.

    Args:
        answer: what is read.
        pattern: under which.
        trust: what makes a confidence of its claim.
        threshold: the confidence up to which it is rejected.
        box: of the line, on the page.
        to_page: (2, 3), from the picture that was read to the page.
    """
    claim = answer.claim(trust.growth)
    confidence = trust.confidence(claim)
    return Line(
        answer.text,
        answer.raw if pattern.has_raw else None,
        confidence,
        READ if confidence > threshold else REJECT,
        box,
        tuple(Digit(d.char, d.confidence, on_page(d.box, to_page)) for d in answer.digits),
        claim,
        answer.value,
        answer.look,
    )


def rejected(found: Reading) -> Reading:
    """Returns the reading of a comb of which cells may be missing."""
    return replace(found, lines=tuple(replace(line, status=REJECT) for line in found.lines))


def longest(found: Reading) -> Reading:
    """Returns the reading of an image that is known to be one line."""
    lines = sorted(found.lines, key=lambda line: -line.score * len(line.text))[:1]
    return replace(found, lines=tuple(lines))


def alignments(picture: Grey, answer: LineAnswer, number: int) -> tuple[tuple[str, Grey], ...]:
    """Returns images of where the digits of a line stand and of how it was read, and their names.

    There are none where it was not asked how it was read.
    """
    if answer.look is None:
        return ()
    digits = [(digit.char, digit.box) for digit in answer.digits]
    return (
        (f"alignment-{number}", draw_alignment(picture, digits)),
        (f"network-{number}", draw_look(answer.look)),
    )


def around(boxes: Sequence[Box]) -> Box:
    """Returns the box around some; an empty one around none."""
    if not boxes:
        return 0, 0, 0, 0
    left, top = min(x for x, _, _, _ in boxes), min(y for _, y, _, _ in boxes)
    right, bottom = max(x + w for x, _, w, _ in boxes), max(y + h for _, y, _, h in boxes)
    return left, top, right - left, bottom - top
