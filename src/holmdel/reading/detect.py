"""Which lines of a page are fields of digits: asked of the line network, in doubt twice."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from holmdel.reading.fields import Affine, crop, levelled
from holmdel.reading.image import Picture, Sheet, resized, sheet
from holmdel.reading.layout import Box, Layout, find_layout
from holmdel.reading.patterns import parse_pattern
from holmdel.reading.print import printed, twins, words_of, written_in
from holmdel.reading.writing import Marks, lines_of, marks_of, regions_of

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
        cells: the fewest and the most digits that it can be, where it stands in a comb.
        text: what the network read.
        parted: whether a dash stands between its digits.
        sure: the probability of one digit, the geometric mean.
        explained: the part of its high marks on which a digit was read.
        trust: for each mark the confidence of the digit read on it, 0 for none.
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
    high = h >= _PART * h.max()
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


_SURE = 0.93  # a digit's probability from which on a line is left as it is
_MOST_DOUBTFUL = 20  # lines that are looked at again
_WORTH = 0.5  # a digit's probability from which on other frames are tried
_HOPE = 0.65  # what the first of them must come to, for more to be tried
_LONGEST = 20  # marks of a line that is looked at again
_FRAMES = ((0.1, 1.0), (0.0, 0.8), (0.2, 1.0), (-0.3, 1.0), (0.1, 0.8), (0.2, 0.8))
_FIRST = 2  # frames; what they say decides whether more are tried


def better(found: list[Found], marks: Marks, flat: Sheet, reader: Lines) -> list[Found]:
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
_SMALL = 0.6  # of the writing's height: lower marks that seem to stand in a box are print
_BESIDE = 0.97  # a digit's probability outside all boxes, where digits stand in combs: else a name
_LITTLE = 12  # lines on a page
_CROWDED = 2  # digits a mark; more is a word run together
_WEAK = 0.5  # of what a line in a box is read with, that may be digits
_GLANCE = 16  # lines that say whether a page is upside down


@dataclass(frozen=True, eq=False)
class Ink:
    """A page in one of its inks.

    Attributes:
        grey: uint8 (H, W), the page as given.
        light: uint8 (h, w), at working size with even light.
    """

    grey: Picture
    light: Picture


@dataclass(frozen=True)
class Searched:
    """One ink of a page in one of its four turnings, searched.

    Attributes:
        sheet: the page turned and made straight.
        marks: its marks.
        lines: what stands on it, print too, the indexes of its marks.
        print_lines: for each whether it is print.
        layout: what is printed, and the ink without it, in all inks together.
        fields: the lines that are digits.
        weak: those in boxes that may be.
        read: its lines as they were read at first.
        doubtful: how many digits were read but not taken.
    """

    sheet: Sheet
    marks: Marks
    lines: tuple[tuple[int, ...], ...]
    print_lines: tuple[bool, ...]
    layout: Layout
    fields: tuple[Found, ...]
    weak: tuple[Found, ...]
    read: tuple[Found, ...]
    doubtful: int

    @property
    def evidence(self) -> float:
        """How much speaks for this turning: digits read, weighted by how sure they are."""
        return evidence_of((*self.fields, *self.weak))

    @property
    def plain(self) -> bool:
        """Whether no other turning needs to be looked at."""
        digits = sum(f.digits for f in self.fields if f.digits >= TELLING)
        sure = digits >= 4 and self.evidence >= 0.42 * digits
        return sure and self.doubtful <= digits // 2


def search(
    inks: Sequence[Ink], whole: Ink, scale: float, turned: int, reader: Lines
) -> list[Searched]:
    """Returns the fields of a page turned by `turned` degrees, of each of its inks.

    What stands in boxes is looked at in all inks together: a stroke hardly tells there whose it is.

    Args:
        inks: of the page.
        whole: the page in all of them.
        scale: working pixels per pixel of the page.
        turned: 0, 90, 180 or 270, counter-clockwise.
        reader: of lines.
    """
    plain = sheet(whole.light, scale, turned)
    flats = [plain]
    if len(inks) > 1:
        flats = [sheet(ink.light, scale, turned, plain.askew) for ink in inks]
    layouts = [find_layout(flat.ink, flat.light) for flat in flats]
    boxes = _joined([box for layout in layouts for box in layout.boxes])
    clean = [layout.ink for layout in layouts]
    together = Layout(
        np.bitwise_or.reduce(clean),
        np.bitwise_or.reduce([layout.lines for layout in layouts]),
        boxes,
    )
    pages = list(inks)
    if len(inks) > 1 and boxes:
        inside = np.where(regions_of(plain.ink.shape, boxes) > 0, 255, 0).astype(np.uint8)
        clean = [ink & ~inside for ink in clean]
        clean.append(together.ink & inside)
        pages, flats = [*inks, whole], [*flats, plain]
    return [
        _searched(_Cutter(page.grey, flat, marks_of(ink, boxes), scale, together), reader)
        for page, flat, ink in zip(pages, flats, clean, strict=True)
    ]


def _joined(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Returns the boxes without those found in another ink already."""
    kept: list[Box] = []
    for box in boxes:
        middle = box.x + box.w / 2, box.y + box.h / 2
        known = any(
            o.x <= middle[0] <= o.x + o.w and o.y <= middle[1] <= o.y + o.h and box.h > 0.5 * o.h
            for o in kept
        )
        if not known:
            kept.append(box)
    return tuple(kept)


def _searched(cut: "_Cutter", reader: Lines) -> Searched:
    marks, flat = cut.marks, cut.sheet
    combs = frozenset(n for n, box in enumerate(cut.layout.boxes, 1) if len(box.cells) > 1)
    lines = lines_of(marks, combs)
    alike = twins(flat, marks)
    verdicts = printed(alike, marks, lines)
    written: list[list[int]] = []
    for line, is_print in zip(lines, verdicts, strict=True):
        words = written_in(alike, marks, line)
        written += words or ([] if is_print else [line])
    written = [line for line in written if len(line) <= _MOST_MARKS]
    written.sort(key=lambda line: -float(marks.box[line, 3].max()))
    first = read([cut(line) for line in written[:_MOST_LINES]], marks, flat, reader)
    found = better(first, marks, flat, reader)
    parts = [cut(part) for f in found if not _field(f) for part in _words(marks, f)]
    kept = [f for f in found if _field(f)]
    kept += [f for f in read(parts, marks, flat, reader) if _field(f) and f.digits >= 3]
    kept, weak = _sorted(kept, found, marks, flat)
    doubtful = sum(f.digits for f in found if f.sure >= _LIKE_DIGITS and not _field(f))
    return Searched(
        flat,
        marks,
        tuple(tuple(line) for line in lines),
        tuple(verdicts),
        cut.layout,
        tuple(kept),
        tuple(weak),
        tuple(first),
        doubtful,
    )


def _sorted(
    kept: list[Found], found: list[Found], marks: Marks, flat: Sheet
) -> tuple[list[Found], list[Found]]:
    """Returns the lines that are fields for sure, and those that may be; labels are neither."""
    on_form = _on_form(kept, marks)
    labels = [f for f in kept if f not in on_form]
    kept = _worthy(on_form, found, flat)
    in_combs = any(f.cells for f in kept)
    weak = [f for f in kept if f.parted or (in_combs and not f.boxed and f.value < _BESIDE)]
    kept = [f for f in kept if f not in weak]
    boxed = [f for f in found if f.boxed and f not in (*kept, *weak, *labels)]
    return kept, weak + [f for f in boxed if _may_be_field(f)]


def _may_be_field(line: Found) -> bool:
    """Returns whether a line in a box may be digits, and is told of though it is not sure."""
    return line.digits > 0 and line.fills and line.sure >= _WEAK and line.explained >= _WEAK


def says_more_turned(found: Sequence[Searched], reader: Lines) -> bool:
    """Returns whether the likeliest lines of a page say more upside down than as they are."""
    upright: list[Found] = []
    turned: list[Found] = []
    for one in found:
        telling = [f for f in one.read if f.digits >= TELLING]
        lines = sorted(telling, key=lambda f: -f.sure)[:_GLANCE]
        upright += lines
        turned += read([upside_down(f) for f in lines], one.marks, one.sheet, reader)
    return evidence_of(turned) > evidence_of(upright)


@dataclass(frozen=True)
class _Cutter:
    page: Picture
    sheet: Sheet
    marks: Marks
    scale: float
    layout: Layout

    def __call__(self, line: Sequence[int]) -> Found:
        picture, to_page = crop(self.page, self.sheet, self.marks, list(line), self.scale)
        room = int(self.marks.room[line[0]])
        fills = 0 < room < 3 * int(self.marks.box[list(line), 3].max())
        return Found(tuple(line), picture, to_page, room > 0, fills, self._cells(line))

    def _cells(self, line: Sequence[int]) -> tuple[int, int] | None:
        """Returns how many cells of its comb a line fills, and how many there are."""
        number = int(self.marks.region[line[0]])
        cells = self.layout.boxes[number - 1].cells if number else ()
        box = self.marks.box[list(line)]
        tall = box[box[:, 3] >= _PART * box[:, 3].max()]
        middle = tall[:, 0] + tall[:, 2] / 2
        if len(cells) < 2:
            return None
        filled = sum(bool(((x <= middle) & (middle < x + w)).any()) for x, _, w, _ in cells)
        return filled, len(cells)


def _field(line: Found) -> bool:
    """Returns whether this is a field of digits; fewer digits must be surer."""
    if line.cells and not line.cells[0] <= line.digits <= line.cells[1]:
        return False
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
    usual = float(np.median(boxed))
    return [f for f, h in zip(kept, high, strict=True) if h >= _least_high(f) * usual]


def _least_high(line: Found) -> float:
    """Returns how high a line of a form is at least, as a part of the writing in boxes.

    What fills few of a comb's cells may be print between strokes that look like walls.
    """
    full = line.cells is None or line.cells[0] == line.cells[1]
    return _SMALL if line.boxed and full else _LABEL


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
