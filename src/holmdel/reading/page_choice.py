"""Which lines of a page are fields of digits: asked of the line network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holmdel.reading.page_again import better
from holmdel.reading.page_crop import crop
from holmdel.reading.page_found import TELLING, Found, Score, evidence_of, read, upside_down
from holmdel.reading.page_frames import without_frames
from holmdel.reading.page_ink import Sheet, sheet
from holmdel.reading.page_lines import Marks, lines_of, marks_of
from holmdel.reading.page_masks import Picture
from holmdel.reading.page_print import printed, twins, words_of, written_in

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
