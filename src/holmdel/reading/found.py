"""Lines that may be fields, as the line network reads them; in doubt read again in other frames."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from holmdel.reading.fields import Affine, levelled
from holmdel.reading.image import Picture, Sheet, resized
from holmdel.reading.patterns import parse_pattern
from holmdel.reading.thresholds import READING
from holmdel.reading.writing import Marks

if TYPE_CHECKING:
    from holmdel.reading.line import LineAnswer
    from holmdel.reading.patterns import Pattern


class Lines(Protocol):
    """What reads pictures of lines; `LineReader` does."""

    def answers(
        self, pictures: Sequence[Picture], pattern: "Pattern", views: int | None = None
    ) -> "list[LineAnswer]":
        """Returns what each picture says under a pattern."""


_SEEN = r"[.,=$€£-]*(\d[.,=$€£-]?)+"  # what is looked for, whatever the pattern
_PARTED = "-="  # what parts numbers, or makes a date of them


@dataclass(frozen=True, eq=False)  # two with the same marks could not be compared
class Found:
    """A line that may be a field.

    Attributes:
        marks: indexes of its marks.
        picture: of the field.
        to_page: (2, 3), from the picture to the page.
        boxed: it stands in a printed box.
        fills: and is at least a third as high as the box.
        cells: the fewest and the most digits that it can be, where it stands in a comb.
        text: what the network read.
        parted: whether a dash stands between its digits.
        sure: the probability of one digit, the geometric mean.
        explained: the part of its high marks on which a digit was read.
        trust: for each mark the confidence of the digit read on it, 0 for none.
        beyond: digits stand beside its comb, of which cells may be missing.
    """

    marks: tuple[int, ...]
    picture: Picture
    to_page: Affine
    boxed: bool
    fills: bool
    cells: tuple[int, int] | None = None
    text: str = ""
    parted: bool = False
    sure: float = 0.0
    explained: float = 0.0
    trust: tuple[float, ...] = ()
    beyond: bool = False

    @property
    def digits(self) -> int:
        """How many digits the network read."""
        return len(self.text)

    @property
    def telling(self) -> float:
        """How much its digits tell, 0 to 1: one or two may be letters, a 6 is a 9 upside down."""
        return READING.weights[min(self.digits, READING.telling)]

    @property
    def value(self) -> float:
        """How well the digits read account for the ink."""
        return self.sure * self.explained**2

    @property
    def loose(self) -> bool:
        """Whether it may be digits and stands in no box: a part of a number, or beside a comb."""
        return not self.boxed and self.digits > 0 and self.value >= READING.likely


def evidence_of(lines: Sequence[Found]) -> float:
    """Returns how much speaks for digits: how many were read, weighted by how sure they are."""
    return sum(f.telling * f.digits * max(f.value - 0.5, 0.0) for f in lines)


def upside_down(line: Found) -> Found:
    """Returns the line turned by half a turn."""
    height, width = line.picture.shape
    matrix = line.to_page @ np.array([[-1.0, 0, width], [0, -1, height], [0, 0, 1]])
    return replace(line, picture=np.ascontiguousarray(line.picture[::-1, ::-1]), to_page=matrix)


def read(lines: list[Found], marks: Marks, flat: Sheet, reader: Lines) -> list[Found]:
    """Returns the lines with what the network reads on them."""
    if not lines:
        return []
    answers = reader.answers([line.picture for line in lines], parse_pattern(_SEEN), views=1)
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
    high = h >= READING.tall * h.max()
    return replace(
        line,
        text=answer.text,
        parted=any(mark in answer.raw.strip(_PARTED) for mark in _PARTED),
        sure=answer.score ** (1.0 / count),
        explained=float(on[high].any(1).mean()),
        trust=tuple(trust.tolist()),
    )


def _across(box: tuple[int, int, int, int], onto: Affine) -> tuple[float, float]:
    """Returns from where to where a digit reaches on the sheet, at half its height."""
    x, y, w, h = box
    ends = onto @ np.array([[x, x + w], [y + h / 2, y + h / 2], [1.0, 1.0]])
    return float(ends[0].min()), float(ends[0].max())


_FRAMES = ((0.1, 1.0), (0.0, 0.8), (0.2, 1.0), (-0.3, 1.0), (0.1, 0.8), (0.2, 0.8))


def better(found: list[Found], marks: Marks, flat: Sheet, reader: Lines) -> list[Found]:
    """Returns the lines, those in doubt in the frame in which they are read best.

    Long tails make a line's picture high and its digits small; wide gaps part them.
    """
    doubtful = [
        number
        for number, line in enumerate(found)
        if line.digits >= 2
        and len(line.marks) <= READING.longest_doubtful
        and line.sure >= READING.worth_frames
        and line.value < READING.sure_digit
    ]
    doubtful = sorted(doubtful, key=lambda number: -found[number].sure)[: READING.most_doubtful]
    views = {number: _views(found[number], flat, marks) for number in doubtful}
    options = {number: [found[number]] for number in doubtful}
    for part in (slice(READING.first_frames), slice(READING.first_frames, None)):
        asked = [number for number in doubtful if _open(options[number])]
        pictures = [view for number in asked for view in views[number][part]]
        answers = iter(read(pictures, marks, flat, reader))
        for number in asked:
            options[number] += [next(answers) for _ in views[number][part]]
    best = list(found)
    for number in doubtful:
        best[number] = _agreed(options[number])
    return best


def _open(options: list[Found]) -> bool:
    """Returns whether more frames may change what a line says."""
    if len(options) == 1:
        return True
    most = max(option.value for option in options)
    agreed = len({option.text for option in options}) == 1
    return most >= READING.hope and not (agreed and most >= READING.sure_digit)


def _agreed(options: list[Found]) -> Found:
    """Returns the best frame of the text for which the most speaks in all frames together."""
    weight: defaultdict[str, float] = defaultdict(float)
    for option in options:
        weight[option.text] += option.value**2
    return max(options, key=lambda f: (weight[f.text], f.value))


def _views(line: Found, flat: Sheet, marks: Marks) -> list[Found]:
    """Returns a line in other frames, and set level where its digits are uneven."""
    views = [_framed(line, *frame) for frame in _FRAMES]
    level = levelled(flat, marks, list(line.marks))
    if level is None:
        return views
    even = replace(line, picture=level[0], to_page=level[1])
    return [views[0], even, *views[1:], _framed(even, -0.15, 1.0), _framed(even, 0.0, 0.8)]


def _framed(line: Found, cut: float, narrow: float) -> Found:
    """Returns the field with its picture cut above and below (added to, if less than 0)."""
    picture, matrix = line.picture, line.to_page
    rows = round(abs(cut) * picture.shape[0])
    if cut > 0:
        picture = picture[rows : picture.shape[0] - rows]
    elif rows:
        paper = int(np.median(picture))
        picture = np.pad(picture, ((rows, rows), (0, 0)), constant_values=paper)
    columns = max(8, round(picture.shape[1] * narrow))
    wider = picture.shape[1] / columns
    if columns != picture.shape[1]:
        size = (columns, picture.shape[0])
        picture = resized(picture, size, cv2.INTER_AREA)
    shift = rows if cut > 0 else -rows
    move = np.array([[wider, 0, 0], [0, 1, shift], [0, 0, 1.0]])
    return replace(line, picture=picture, to_page=matrix @ move)
