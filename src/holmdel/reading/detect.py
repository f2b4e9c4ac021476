"""A page searched for fields: what is printed, marks joined to lines, lines read and chosen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from holmdel.reading.chosen import Candidates, Chosen, choose, is_field, numbering_of
from holmdel.reading.erasing import without_slivers
from holmdel.reading.fields import crop
from holmdel.reading.found import (
    Found,
    Lines,
    better,
    evidence_of,
    read,
    upside_down,
)
from holmdel.reading.frames import Box
from holmdel.reading.gaps import marks_between, parts_of_numbers
from holmdel.reading.image import Picture, Sheet, sheet
from holmdel.reading.layout import Layout, find_layout
from holmdel.reading.print import printed, twins, words_of, written_in
from holmdel.reading.thresholds import READING
from holmdel.reading.writing import Marks, lines_of, marks_of, regions_of


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
        digits = sum(f.telling * f.digits for f in self.fields)
        sure = digits >= 4 and self.evidence >= 0.42 * digits
        many = evidence_of([f for f in self.fields if f.digits >= READING.telling])
        return sure and (self.doubtful <= digits // 2 or many >= READING.upright)


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
    lines = np.bitwise_or.reduce([layout.lines for layout in layouts])
    ink = np.bitwise_or.reduce(clean)
    pens = None
    if len(inks) > 1:  # of a black wall's edge some has the pen's colour
        pens = ink = without_slivers(ink, lines)
    bars = tuple(bar for layout in layouts for bar in layout.bars)
    together = Layout(ink, lines, boxes, bars, pens)
    pages = list(inks)
    if len(inks) > 1 and boxes:
        inside = np.where(regions_of(plain.ink.shape, boxes) > 0, 255, 0).astype(np.uint8)
        clean = [ink & ~inside for ink in clean]
        clean.append(together.ink & inside)
        pages, flats = [*inks, whole], [*flats, plain]
    seen = [
        _seen(_Cutter(page.grey, flat, marks_of(ink, boxes), scale, together), reader)
        for page, flat, ink in zip(pages, flats, clean, strict=True)
    ]
    chosen = choose([one.candidates for one in seen], turned)
    return [one.with_fields(few) for one, few in zip(seen, chosen, strict=True)]


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


@dataclass(frozen=True)
class _Seen:
    """One ink of a page, read, before its fields are chosen; attributes as `Searched`."""

    cut: "_Cutter"
    lines: list[list[int]]
    print_lines: list[bool]
    read: list[Found]
    candidates: Candidates

    def with_fields(self, chosen: Chosen) -> Searched:
        """Returns the ink with the lines that are digits."""
        unsure = (
            f for f in self.candidates.found if f.sure >= READING.like_digits and not is_field(f)
        )
        return Searched(
            self.cut.sheet,
            self.cut.marks,
            tuple(tuple(line) for line in self.lines),
            tuple(self.print_lines),
            self.cut.layout,
            chosen.fields,
            chosen.weak,
            tuple(self.read),
            sum(f.digits for f in unsure),
        )


def _seen(cut: "_Cutter", reader: Lines) -> _Seen:
    marks, flat = cut.marks, cut.sheet
    combs = frozenset(n for n, box in enumerate(cut.layout.boxes, 1) if len(box.cells) > 1)
    lines = lines_of(marks, combs)
    alike = twins(flat, marks)
    verdicts = printed(alike, marks, lines)
    written: list[list[int]] = []
    for line, is_print in zip(lines, verdicts, strict=True):
        words = written_in(alike, marks, line)
        written += words or ([] if is_print else [line])
    written = [line for line in written if len(line) <= READING.most_marks]
    written.sort(key=lambda line: -float(marks.box[line, 3].max()))
    boxed = [line for line in written if marks.region[line[0]]]
    loose = [line for line in written if not marks.region[line[0]]][: READING.most_lines]
    first = read([cut(line) for line in (*boxed, *loose)], marks, flat, reader)
    found = _with_gaps(better(first, marks, flat, reader), cut, reader)
    parts = [
        cut(part) for f in found if not f.cells and not is_field(f) for part in _words(marks, f)
    ]
    kept = [f for f in found if is_field(f)]
    kept += [f for f in read(parts, marks, flat, reader) if is_field(f) and f.digits >= 3]
    typed = {f.marks for f in numbering_of(kept, marks)}
    found, kept = ([f for f in some if f.marks not in typed] for some in (found, kept))
    verdicts = [
        is_print or tuple(line) in typed for is_print, line in zip(verdicts, lines, strict=True)
    ]
    return _Seen(cut, lines, verdicts, first, Candidates(marks, found, kept, cut.layout.boxes))


def _with_gaps(found: list[Found], cut: "_Cutter", reader: Lines) -> list[Found]:
    """Returns the lines, the parts of a number with wide gaps as one where they read as digits."""
    groups = parts_of_numbers(found, cut.marks, cut.layout.lines)
    whole = [cut(marks_between([found[n] for n in group], cut.marks)) for group in groups]
    whole = better(read(whole, cut.marks, cut.sheet, reader), cut.marks, cut.sheet, reader)
    taken: set[int] = set()
    beyond: set[int] = set()
    for group, line in zip(groups, whole, strict=True):
        if is_field(line) and line.digits >= sum(found[n].digits for n in group):
            taken.update(group)
            found = [*found, line]
        else:
            beyond.update(group)
    return [replace(line, beyond=n in beyond) for n, line in enumerate(found) if n not in taken]


def says_more_turned(found: Sequence[Searched], reader: Lines) -> bool:
    """Returns whether the likeliest lines of a page say more upside down than as they are."""
    upright: list[Found] = []
    turned: list[Found] = []
    for one in found:
        telling = [f for f in one.read if f.digits >= READING.telling]
        lines = sorted(telling, key=lambda f: -f.sure)[: READING.glance]
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
        if len(cells) < 2:
            return None
        box = self.marks.box[list(line)]
        tall = box[box[:, 3] >= READING.tall * box[:, 3].max()]
        middle = tall[:, 0] + tall[:, 2] / 2
        filled = sum(bool(((x <= middle) & (middle < x + w)).any()) for x, _, w, _ in cells)
        return filled, len(cells)


def _words(marks: Marks, line: Found) -> list[list[int]]:
    """Returns the parts of a line, between gaps wide for it, of sure digits alone."""
    if len(line.marks) < 4 or not line.digits:
        return []
    words = words_of(marks, list(line.marks), READING.word_gap)
    trust = dict(zip(line.marks, line.trust, strict=True))
    return [word for word in words if len(words) > 1 and _sure_word([trust[i] for i in word])]


def _sure_word(trust: list[float]) -> bool:
    """Returns whether there are three digits or more, and hardly a mark that is none."""
    return len(trust) >= 3 and float(np.mean(trust)) >= 0.8
