"""Filled forms read by their template: a line a field, and the fields in which nothing stands."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from holmdel.reading.answers import (
    UNCLEAR,
    Grey,
    Line,
    Reading,
    Skipped,
    draw_alignment,
)
from holmdel.reading.cells import read_cells
from holmdel.reading.comb_crops import Comb
from holmdel.reading.field_answers import line_of, of_both
from holmdel.reading.filled import Filled, Form
from holmdel.reading.patterns import parse_pattern
from holmdel.reading.trust import Trust

if TYPE_CHECKING:
    from holmdel.reading.line import LineAnswer, LineReader

_FRAME = (40, 40, 220)  # red, green, blue


class FormReader:
    """Reads pages of one form.

    Args:
        form: which.
        network: reads the pictures of fields.
        trust: what makes confidences of scores.
        threshold: the confidence up to which a line is rejected.
    """

    def __init__(self, form: Form, network: "LineReader", trust: Trust, threshold: float) -> None:
        self.form = form
        self._network, self._trust, self._threshold = network, trust, threshold

    def read(self, grey: Grey, path: str | None, *, steps: bool = False) -> Reading:
        """Returns what stands in the fields of a page, in the template's order.

        Args:
            grey: uint8 (H, W), the page.
            path: its name, for the answer and for an error.
            steps: keep pictures of the fields.

        Raises:
            UserError: if it is no page of the form.
        """
        filled = list(self.form.cut(grey, path or "the image"))
        answers = self._answers([one for one in filled if one.picture is not None], looks=steps)
        lines, skipped, shown = [], [], [("form", _drawn(grey, filled))] if steps else []
        for one in filled:
            name, answer = one.field.name, answers.get(one.field.name)
            if answer is None or not answer.text:
                reason = UNCLEAR if answer else "empty"
                skipped.append(Skipped(one.box, reason, name, one.field.required))
            else:
                lines.append(self._line(one, answer))
            if steps and answer is not None and one.picture is not None:
                digits = [(digit.char, digit.box) for digit in answer.digits]
                shown.append((f"field-{name}", draw_alignment(one.picture, digits)))
        return Reading(path, tuple(lines), tuple(skipped), steps=tuple(shown))

    def _answers(self, filled: Sequence[Filled], *, looks: bool) -> dict[str, "LineAnswer"]:
        """Returns what the fields say by their names; those of one pattern are read together.

        What stands in a comb is read cell by cell as well as in one go; how is kept of the latter.
        """
        alike: defaultdict[str, list[Filled]] = defaultdict(list)
        for one in filled:
            alike[one.field.pattern].append(one)
        found: dict[str, LineAnswer] = {}
        for pattern, fields in alike.items():
            known = parse_pattern(pattern)
            pictures = [one.picture for one in fields if one.picture is not None]
            answers = self._network.answers(pictures, known, looks=looks)
            found |= {one.field.name: said for one, said in zip(fields, answers, strict=True)}
            combs = {
                one.field.name: Comb(one.picture, one.cells)
                for one in fields
                if one.picture is not None and len(one.cells) > 1
            }
            in_cells = read_cells([*combs.values()], self._network, known)
            for name, said in zip(combs, in_cells, strict=True):
                found[name] = replace(of_both(found[name], said), look=found[name].look)
        return found

    def _line(self, filled: Filled, answer: "LineAnswer") -> Line:
        pattern, certain = parse_pattern(filled.field.pattern), (self._trust, self._threshold)
        line = line_of(answer, pattern, *certain, filled.box, filled.to_page)
        return replace(line, field=filled.field.name)


def _drawn(grey: Grey, filled: Sequence[Filled]) -> Grey:
    """Returns the page with a frame around each field, uint8 (H, W, 3)."""
    drawn = np.repeat(grey[:, :, None], 3, axis=2)
    for one in filled:
        x, y, w, h = one.box
        cv2.rectangle(drawn, (x, y), (x + w, y + h), _FRAME, 2)
    return drawn
