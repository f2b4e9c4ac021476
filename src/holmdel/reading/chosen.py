"""Which lines of a page are fields of digits, judged beside all that is written there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from holmdel.reading.found import Found
from holmdel.reading.frames import Box
from holmdel.reading.thresholds import READING
from holmdel.reading.writing import Marks

Around = tuple[int, int, int, int]  # left, top, right and bottom


@dataclass(frozen=True)
class Candidates:
    """What was read in one ink of a page.

    Attributes:
        marks: of the ink.
        found: its lines.
        fields: those, and words of those, that look like digits by themselves.
        boxes: printed ones and combs of the page.
    """

    marks: Marks
    found: Sequence[Found]
    fields: Sequence[Found]
    boxes: Sequence[Box]

    def around(self, line: Found) -> Around:
        """Returns left, top, right and bottom of a line."""
        return self.marks.around(line.marks)

    def high(self, line: Found) -> float:
        """Returns how high the marks of a line are."""
        return float(np.median(self.marks.box[list(line.marks), 3]))


@dataclass(frozen=True)
class Chosen:
    """The lines of an ink that are digits, and those in boxes that may be."""

    fields: tuple[Found, ...]
    weak: tuple[Found, ...]


def choose(inks: Sequence[Candidates], turned: int) -> list[Chosen]:
    """Returns the fields of each ink of a page; labels are none.

    Args:
        inks: what was read in each.
        turned: by how many degrees the page is turned.
    """
    inks = [_without_rules(ink) for ink in inks]
    on_form = [_on_form(ink) for ink in inks]
    worthy = _worthy(inks, on_form, turned)
    parted = [_parted(*three) for three in zip(inks, on_form, worthy, strict=True)]
    loose = [ink.around(f) for ink in inks for f in ink.found if f.loose]
    return [_with_beyond(*pair, loose) for pair in zip(inks, parted, strict=True)]


def _without_rules(ink: Candidates) -> Candidates:
    """Returns the lines without pieces of squared paper and of margins, which look like ones."""
    ones = [f for f in ink.found if f.text == "1" and not f.boxed]
    places = np.array([ink.around(f) for f in ones], np.float64).reshape(-1, 4)
    rules = [
        f for f, n in zip(ones, _in_one_column(places), strict=True) if n >= READING.margin_pieces
    ]
    rules += [f for f in (*ink.found, *ink.fields) if f not in rules and _is_even(ink, f)]
    found, fields = ([f for f in lines if f not in rules] for lines in (ink.found, ink.fields))
    return replace(ink, found=found, fields=fields)


def _in_one_column(places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns for each place, (N, 4), how many others stand above or below it."""
    x, y = (places[:, 0] + places[:, 2]) / 2, (places[:, 1] + places[:, 3]) / 2
    high = places[:, 3] - places[:, 1]
    away, down = np.abs(x[:, None] - x), np.abs(y[:, None] - y)
    near = away <= np.maximum(READING.margin_aside * high[:, None], READING.margin_tilt * down)
    return np.asarray((near & (down > 0)).sum(1), np.int64)


def _is_even(ink: Candidates, line: Found) -> bool:
    """Returns whether ones are as high and as far apart as no hand writes them."""
    if line.digits < 3 or set(line.text) != {"1"} or line.boxed:
        return False
    x, _, _, h = ink.marks.box[list(line.marks)].astype(np.float64).T
    tall = h >= READING.tall * h.max()
    steps, high = np.diff(np.sort(x[tall])), h[tall]
    even = float(high.std()) <= READING.even_squares * float(high.mean())
    return (
        even and len(steps) > 1 and float(steps.std()) <= READING.even_squares * float(steps.mean())
    )


def _with_beyond(ink: Candidates, chosen: Chosen, loose: Sequence[Around]) -> Chosen:
    """Returns the fields; of combs and of digits it is said whether they stand beside each other.

    The walls between them may not have been found: neither is a whole number then.
    """
    combs = [box for box in ink.boxes if len(box.cells) > 1]

    def seen(line: Found) -> Found:
        comb = ink.boxes[int(ink.marks.region[line.marks[0]]) - 1] if line.cells else None
        if comb is None:
            place = ink.around(line)
            near = line.loose and any(_beside(box, place) for box in combs)
        else:
            near = any(_beside(comb, other) for other in loose)
        return replace(line, beyond=line.beyond or near)

    return Chosen(tuple(map(seen, chosen.fields)), tuple(map(seen, chosen.weak)))


def _beside(comb: Box, other: Around) -> bool:
    """Returns whether a line stands at the height of a comb, no farther away than a cell."""
    left, top, right, bottom = other
    cell = float(np.median([w for _, _, w, _ in comb.cells]))
    gap = max(left - comb.x - comb.w, comb.x - right)
    shared = min(bottom, comb.y + comb.h) - max(top, comb.y)
    return (
        shared >= READING.level_with_comb * (bottom - top)
        and -0.5 * cell <= gap <= READING.near_comb * cell
    )


def _parted(ink: Candidates, on_form: list[Found], kept: list[Found]) -> Chosen:
    """Returns the fields without those that may be none: two numbers, a name beside combs."""
    labels = [f for f in ink.fields if f not in on_form]
    in_combs = any(f.cells for f in kept)
    weak = [
        f for f in kept if f.parted or (in_combs and not f.boxed and f.value < READING.beside_combs)
    ]
    kept, weak = _one_a_comb(ink, [f for f in kept if f not in weak], weak)
    taken = {_comb(ink, f) for f in (*kept, *weak) if f.cells}
    boxed = [f for f in ink.found if f.boxed and f not in (*kept, *weak, *labels)]
    likely = [f for f in boxed if _may_be_field(f) and not (f.cells and _comb(ink, f) in taken)]
    return Chosen(tuple(kept), (*weak, *_one_a_comb(ink, [], likely)[1]))


def _one_a_comb(
    ink: Candidates, kept: list[Found], weak: list[Found]
) -> tuple[list[Found], list[Found]]:
    """Returns the lines, of those in one comb the longest alone: each gives the whole comb."""
    longest: dict[int, Found] = {}
    for line in sorted((*kept, *weak), key=lambda f: len(f.marks)):
        if line.cells:
            longest[_comb(ink, line)] = line
    alone = [f for f in (*kept, *weak) if not f.cells or f in longest.values()]
    return [f for f in kept if f in alone], [f for f in weak if f in alone]


def _comb(ink: Candidates, line: Found) -> int:
    """Returns the number of the box or comb in which a line stands."""
    return int(ink.marks.region[line.marks[0]])


def numbering_of(lines: Sequence[Found], marks: Marks) -> list[Found]:
    """Returns the lines that number the rows of a table: set in type, each more than that above.

    No hand writes digits of one height; where one counts on, heights tell.

    Args:
        lines: that look like digits.
        marks: of the page.
    """
    short = [f for f in lines if f.boxed and not f.cells and f.digits <= READING.telling]
    columns: list[list[Found]] = []
    for line in sorted(short, key=lambda f: _middle(f, marks)):
        if columns and _middle(line, marks) - _middle(columns[-1][-1], marks) <= _height(
            line, marks
        ):
            columns[-1].append(line)
        else:
            columns.append([line])
    found: list[Found] = []
    for column in columns:
        run: list[Found] = []
        for line in sorted(column, key=lambda f: marks.around(f.marks)[1]):
            if run and not 0 < int(line.text) - int(run[-1].text) <= READING.numbered_step:
                found += _typed(run, marks)
                run = []
            run.append(line)
        found += _typed(run, marks)
    return found


def _typed(run: list[Found], marks: Marks) -> list[Found]:
    """Returns lines one below the other if they are as high as only type is; else none."""
    if len(run) < READING.numbered:
        return []
    high = np.array([_height(line, marks) for line in run])
    even = max(READING.even_type * float(high.mean()), READING.even_pixels)
    return run if float(high.std()) <= even else []


def _middle(line: Found, marks: Marks) -> float:
    left, _, right, _ = marks.around(line.marks)
    return (left + right) / 2


def _height(line: Found, marks: Marks) -> float:
    """Returns how high the highest mark of a line is, in pixels."""
    return float(marks.box[list(line.marks), 3].max())


def is_field(line: Found) -> bool:
    """Returns whether this looks like digits by itself; fewer digits must be surer."""
    if line.cells and not line.cells[0] <= line.digits <= line.cells[1]:
        return False
    if line.digits == 1:
        return line.sure > READING.alone and line.fills and len(line.marks) <= 2
    if line.explained < 0.75 or line.digits > READING.crowded * len(line.marks) + 1:
        return False
    return line.value >= (0.9 if line.digits == 2 else 0.8) - (0.04 if line.boxed else 0.0)


def _may_be_field(line: Found) -> bool:
    """Returns whether a line in a box may be digits, and is told of though it is not sure."""
    return (
        line.digits > 0
        and line.fills
        and line.sure >= READING.weak_in_box
        and line.explained >= READING.weak_in_box
    )


def _on_form(ink: Candidates) -> list[Found]:
    """Returns the fields; beside filled boxes, what stands outside and is smaller is a label."""
    boxed = [ink.high(f) for f in ink.fields if f.boxed]
    if len(boxed) < READING.form:
        return list(ink.fields)
    usual = float(np.median(boxed))
    return [f for f in ink.fields if ink.high(f) >= _least_high(f) * usual]


def _least_high(line: Found) -> float:
    """Returns how high a line of a form is at least, as a part of the writing in boxes.

    What fills few of a comb's cells may be print between strokes that look like walls.
    """
    full = line.cells is None or line.cells[0] == line.cells[1]
    return READING.small_in_box if line.boxed and full else READING.label


def _worthy(
    inks: Sequence[Candidates], on_form: list[list[Found]], turned: int
) -> list[list[Found]]:
    """Returns the fields; one or two digits outside a box count among numbers, or alone."""
    strong = [[f for f in few if f.boxed or f.digits >= 3] for few in on_form]
    if turned and not any(strong):
        return strong
    short = _short(inks, strong)
    if any(short):
        pairs = zip(on_form, short, strict=True)
        return [few + [f for f in more if f not in few] for few, more in pairs]
    if turned:
        return strong
    if not any(on_form) and sum(len(ink.found) for ink in inks) == 1:
        return [
            [f for f in ink.found if f.digits == 1 and f.sure > READING.alone and not f.boxed]
            for ink in inks
        ]
    each = zip(inks, strong, on_form, strict=True)
    return [few if len(ink.found) > READING.little else form for ink, few, form in each]


def _short(inks: Sequence[Candidates], strong: list[list[Found]]) -> list[list[Found]]:
    """Returns the lines of one and of two digits on a page of numbers: none on one of words.

    None on a form either: there they are print.
    """
    short = [[f for f in ink.found if _is_short(f)] for ink in inks]
    each = list(zip(inks, strong, short, strict=True))
    heights = [ink.high(f) for ink, few, more in each for f in (*few, *more)]
    none: list[list[Found]] = [[] for _ in inks]
    if not heights or any(f.boxed for few in strong for f in few):
        return none
    least, most = (part * float(np.median(heights)) for part in READING.as_high)
    short = [[f for f in more if least <= ink.high(f) <= most] for ink, _, more in each]
    numbers = [f for few, more in zip(strong, short, strict=True) for f in (*few, *more)]
    words = [
        f for ink in inks for f in ink.found if f.value < READING.likely and ink.high(f) >= least
    ]
    speaks = sum(f.telling for f in numbers)
    return short if speaks >= READING.numbers and len(words) <= READING.few_words * speaks else none


def _is_short(line: Found) -> bool:
    """Returns whether a line outside of boxes is surely one or two digits."""
    if line.boxed or line.digits > 2:
        return False
    if line.digits == 1:
        return line.value >= READING.one and len(line.marks) <= 2
    return line.digits == 2 and line.value >= READING.two and len(line.marks) <= 4
