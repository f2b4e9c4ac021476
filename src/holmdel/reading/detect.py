"""Which lines of a page are fields of digits: asked of the line network, in doubt twice."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from holmdel.reading.fields import Affine, crop, levelled
from holmdel.reading.image import Picture, Sheet, resized, sheet
from holmdel.reading.layout import without_frames
from holmdel.reading.print import printed, twins, words_of, written_in
from holmdel.reading.writing import Marks, lines_of, marks_of

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


_SURE = 0.93  # a digit's probability from which on a line is left as it is
_MOST_DOUBTFUL = 20  # lines that are looked at again
_WORTH = 0.5  # a digit's probability from which on other frames are tried
_HOPE = 0.65  # what the first of them must come to, for more to be tried
_LONGEST = 20  # marks of a line that is looked at again
_FRAMES = ((0.1, 1.0), (0.0, 0.8), (0.2, 1.0), (-0.3, 1.0), (0.1, 0.8), (0.2, 0.8))
_FIRST = 2  # frames; what they say decides whether more are tried


def better(found: list[Found], marks: Marks, flat: Sheet, score: Score) -> list[Found]:
    """Returns the lines, those in doubt in the frame in which they are read best.

    Long tails make a line's picture high and its digits small; wide gaps part them.
    """
    doubtful = [
        number
        for number, line in enumerate(found)
        if line.digits >= 2
        and len(line.marks) <= _LONGEST
        and line.sure >= _WORTH
        and line.value < _SURE
    ]
    doubtful = sorted(doubtful, key=lambda number: -found[number].sure)[:_MOST_DOUBTFUL]
    views = {number: _views(found[number], flat, marks) for number in doubtful}
    options = {number: [found[number]] for number in doubtful}
    for part in (slice(_FIRST), slice(_FIRST, None)):
        asked = [number for number in doubtful if _open(options[number])]
        pictures = [view for number in asked for view in views[number][part]]
        answers = iter(read(pictures, marks, flat, score))
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
    return most >= _HOPE and not (agreed and most >= _SURE)


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


_MOST_LINES = 100  # that are read to find fields
_MOST_MARKS = 40  # of a line
_LIKE_DIGITS = 0.55  # from which on a line may be digits upside down
_WORD_GAP = 0.8  # times the marks' height
_FORM = 3  # filled boxes make a form
_LABEL = 0.85  # of the writing's height: how high a label is at most
_LITTLE = 12  # lines on a page
_CROWDED = 2  # digits a mark; more is a word run together
_GLANCE = 16  # lines that say whether a page is upside down


@dataclass(frozen=True)
class Searched:
    """A page in one of its four turnings, searched.

    `read` are its lines as they were read at first; `doubtful` digits were read but not taken.
    """

    sheet: Sheet
    marks: Marks
    lines: tuple[tuple[int, ...], ...]
    print_lines: tuple[bool, ...]
    clean: Picture
    fields: tuple[Found, ...]
    read: tuple[Found, ...]
    doubtful: int

    @property
    def evidence(self) -> float:
        """How much speaks for this turning: digits read, weighted by how sure they are."""
        return evidence_of(self.fields)

    @property
    def plain(self) -> bool:
        """Whether no other turning needs to be looked at."""
        digits = sum(f.digits for f in self.fields if f.digits >= TELLING)
        sure = digits >= 4 and self.evidence >= 0.42 * digits
        return sure and self.doubtful <= digits // 2


def search(page: Picture, light: Picture, scale: float, turned: int, score: Score) -> Searched:
    """Returns the fields of a page turned by `turned` degrees.

    Args:
        page: uint8 (H, W) as given.
        light: the page at working size with even light.
        scale: working pixels per pixel of the page.
        turned: 0, 90, 180 or 270, counter-clockwise.
        score: reads pictures of lines.
    """
    flat = sheet(light, scale, turned)
    frames = without_frames(flat.ink)
    marks = marks_of(frames)
    lines = lines_of(marks, frames.combs)
    alike = twins(flat, marks)
    verdicts = printed(alike, marks, lines)
    written: list[list[int]] = []
    for line, is_print in zip(lines, verdicts, strict=True):
        words = written_in(alike, marks, line)
        written += words or ([] if is_print else [line])
    written = [line for line in written if len(line) <= _MOST_MARKS]
    written.sort(key=lambda line: -float(marks.box[line, 3].max()))
    cut = _Cutter(page, flat, marks, scale)
    first = read([cut(line) for line in written[:_MOST_LINES]], marks, flat, score)
    found = better(first, marks, flat, score)
    parts = [cut(part) for f in found if not _field(f) for part in _words(marks, f)]
    kept = [f for f in found if _field(f)]
    kept += [f for f in read(parts, marks, flat, score) if _field(f) and f.digits >= 3]
    kept = _worthy(_on_form(kept, marks), found, flat)
    doubtful = sum(f.digits for f in found if f.sure >= _LIKE_DIGITS and not _field(f))
    shapes = tuple(tuple(line) for line in lines)
    return Searched(
        flat, marks, shapes, tuple(verdicts), frames.ink, tuple(kept), tuple(first), doubtful
    )


def says_more_turned(page: Searched, score: Score) -> bool:
    """Returns whether the likeliest lines of a page say more upside down than as they are."""
    telling = [f for f in page.read if f.digits >= TELLING]
    lines = sorted(telling, key=lambda f: -f.sure)[:_GLANCE]
    turned = read([upside_down(line) for line in lines], page.marks, page.sheet, score)
    return evidence_of(turned) > evidence_of(lines)


@dataclass(frozen=True)
class _Cutter:
    page: Picture
    sheet: Sheet
    marks: Marks
    scale: float

    def __call__(self, line: Sequence[int]) -> Found:
        picture, to_page = crop(self.page, self.sheet, self.marks, list(line), self.scale)
        room = int(self.marks.room[line[0]])
        fills = 0 < room < 3 * int(self.marks.box[list(line), 3].max())
        return Found(tuple(line), picture, to_page, room > 0, fills)


def _field(line: Found) -> bool:
    """Returns whether this is a field of digits; fewer digits must be surer."""
    if line.digits == 1:
        return line.sure > 0.95 and line.fills and len(line.marks) <= 2
    if line.explained < 0.75 or line.digits > _CROWDED * len(line.marks) + 1:
        return False
    return line.value >= (0.9 if line.digits == 2 else 0.8) - (0.04 if line.boxed else 0.0)


def _on_form(kept: list[Found], marks: Marks) -> list[Found]:
    """Returns the fields; beside filled boxes, what stands outside and is smaller is a label."""
    high = [float(np.median(marks.box[list(f.marks), 3])) for f in kept]
    boxed = [h for f, h in zip(kept, high, strict=True) if f.boxed]
    if len(boxed) < _FORM:
        return kept
    least = _LABEL * float(np.median(boxed))
    return [f for f, h in zip(kept, high, strict=True) if f.boxed or h >= least]


def _worthy(kept: list[Found], found: list[Found], flat: Sheet) -> list[Found]:
    """Returns the fields; one or two digits outside a box count only where little else is."""
    strong = [f for f in kept if f.boxed or f.digits >= 3]
    if flat.turned or len(found) > _LITTLE:
        return strong
    if kept or len(found) != 1:
        return kept
    return [f for f in found if f.digits == 1 and f.sure > 0.95]


def _words(marks: Marks, line: Found) -> list[list[int]]:
    """Returns the parts of a line, between gaps wide for it, of sure digits alone."""
    if len(line.marks) < 4 or not line.digits:
        return []
    words = words_of(marks, list(line.marks), _WORD_GAP)
    trust = dict(zip(line.marks, line.trust, strict=True))
    return [word for word in words if len(words) > 1 and _sure_word([trust[i] for i in word])]


def _sure_word(trust: list[float]) -> bool:
    """Returns whether there are three digits or more, and hardly a mark that is none."""
    return len(trust) >= 3 and float(np.mean(trust)) >= 0.8
