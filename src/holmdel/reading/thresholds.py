"""The thresholds by which it is decided what of a page is read, and given: one object of them."""

from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


def _is(value: T, meaning: str) -> T:
    """Returns a field: its value, and its unit and what it decides."""
    return field(default=value, metadata={"meaning": meaning})


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """What a line, a field or a page is compared with: of each its unit, then what it decides.

    What belongs to a shape (a wall, a stroke, a ring) stands beside the code that looks for it.

    All were set by hand while looking at the scanned sheets, the form and the photographs given to
    this project, and at made pages; none was fitted. What a change of one does is seen in the
    sections of `bench/paper.py` that are named before each group. `least_score` is where the
    confidence was 0.02 under an earlier trust.
    """

    # Which lines are digits, and which are looked at again: `photos`, `forms`, `worse`
    telling: int = _is(3, "digits: a line of so many says which way up it is")
    likely: float = _is(0.7, "value, 0 to 1: from there on a line may be digits, below it is words")
    tall: float = _is(0.45, "of the highest mark: lower ones may be dashes, dots, flags")
    sure_digit: float = _is(0.93, "probability of a digit: from there on a line is left as it is")
    most_doubtful: int = _is(20, "lines that are looked at again")
    worth_frames: float = _is(0.5, "probability of a digit: from there on other frames are tried")
    hope: float = _is(0.65, "probability of a digit that the first frames must come to, for more")
    longest_doubtful: int = _is(20, "marks of a line that is looked at again")
    first_frames: int = _is(2, "frames: what they say decides whether more are tried")
    most_lines: int = _is(100, "lines that are read to find fields")
    most_marks: int = _is(40, "marks of a line that is read")
    like_digits: float = _is(0.55, "value: from there on a line may be digits upside down")
    word_gap: float = _is(0.8, "times the marks' height: it parts words")
    glance: int = _is(16, "lines that say whether a page is upside down")

    # Which of them are given: `documents`, `odd`, `letters`, `mixed`
    form: int = _is(3, "filled boxes that make a form")
    label: float = _is(0.85, "of the writing's height: a label is no higher")
    small_in_box: float = _is(
        0.6, "of the writing's height: lower marks that seem to stand in a box are print"
    )
    beside_combs: float = _is(
        0.97, "probability of a digit outside all boxes, where digits stand in combs: else a name"
    )
    little: int = _is(12, "lines of an ink: among more, two digits are letters")
    crowded: int = _is(2, "digits a mark: more is a word run together")
    weak_in_box: float = _is(0.5, "of what a line in a box is read with, that may be digits")
    alone: float = _is(0.95, "probability of a digit, of one in a box or alone on its page")
    one: float = _is(0.99, "value of one digit that counts among numbers")
    two: float = _is(0.97, "value of two digits that count among numbers")
    weights: tuple[float, ...] = _is(
        (0.0, 0.25, 0.5, 1.0),
        "by how much a line of 0, 1, 2, 3 digits speaks for a page of numbers alone",
    )
    numbers: float = _is(2.0, "what the weights come to on a page of numbers")
    few_words: float = _is(0.5, "lines of words a weight, on a page of numbers: no more")
    as_high: tuple[float, ...] = _is(
        (0.6, 1.5), "of the numbers' height: one and two digits that belong to them"
    )
    near_comb: float = _is(
        1.2, "times a cell's width: how far from a comb digits of it stand at most"
    )
    level_with_comb: float = _is(0.7, "of its height that lies beside the comb's")
    margin_pieces: int = _is(2, "ones above and below another: pieces of a margin's line")
    margin_aside: float = _is(0.3, "of a one's height: how far aside the next piece stands")
    margin_tilt: float = _is(
        0.06, "of how far down the next piece stands: the same of a tilted line"
    )
    even_squares: float = _is(
        0.06, "of their height and pitch, by which pieces of squared paper differ"
    )

    # Which parts of a row are one number: `lines`
    widest_gap: float = _is(1.7, "times the digits' height: farther apart stand two numbers")
    gap: float = _is(0.8, "times the digits' height: it parts a row")
    broken_between: float = _is(
        0.3, "of the digits' height: a piece so high between two parts is of a broken digit"
    )
    level_parts: float = _is(0.6, "of the lower one's height that two parts share")
    alike_parts: float = _is(1.6, "times as high: one part, than the other, at most")
    column_edge: float = _is(0.35, "of the height by which the edges of a column's numbers differ")
    wall_between: float = _is(0.6, "of the height that is a printed line between two parts")
    column_overlap: float = _is(0.5, "of the narrower of two gaps, one below the other")
    column_rows: float = _is(0.6, "of the rows that reach across a gap: they have one there too")

    # What is print: `print`, `documents`, `sheets`
    same_print: float = _is(0.9, "correlation of two prints of a letter")
    known_print: int = _is(4, "marks from which on a size of print is known")
    same_size: float = _is(0.07, "of the height by which prints of one size differ")
    printed_share: float = _is(0.4, "of a line's marks that come back in print")
    long_line: int = _is(8, "marks of a line of which much can be said")
    larger_than_print: float = _is(1.2, "times the print: writing beside it")
    wide_word: float = _is(1.5, "times its height: one or two marks are digits run together")
    numbered: int = _is(4, "numbers one below the other that may be those of a table's rows")
    numbered_step: int = _is(3, "from one of them to the next: some are not read")
    even_type: float = _is(0.035, "of their height by which they differ: no hand is so even")
    even_pixels: float = _is(0.75, "pixels, the same of small type")
    readable: int = _is(12, "pixels high: lower marks are dots and grain, alike in any hand")

    # What stands in the cells of a comb: `combs`, `empty`, `sheets`
    cell_speck: float = _is(0.2, "of a cell's height: what is smaller both ways is no digit")
    cell_ink: float = _is(0.4, "of the darkest ink: paler is paper")
    least_cell_ink: int = _is(30, "of 255 under the paper: paler is none")
    own_cell: float = _is(0.7, "of a mark's ink that lies in one cell: it belongs there")
    in_cells: float = _is(0.4, "of a mark's ink that lies in cells at least")
    two_digits: float = _is(1.05, "times a cell's width: a mark so wide is two digits")
    cell_aside: float = _is(0.3, "of a cell's width at the comb's ends, into which a digit may run")
    cell_reach: float = _is(
        0.25, "of a cell's height over and under it, into which a digit may run"
    )
    lowest_digit: float = _is(
        0.55, "of the usual height: lower marks (a dash) do not fill their image"
    )

    # What is given at all: `blank`, `crops`, `worse`
    least_side: int = _is(12, "pixels: nothing can be read on less")
    surer_turned: tuple[float, ...] = _is(
        (1.08, 1.5), "times as much must speak for another turning, and for one upside down"
    )
    upright: float = _is(
        20.0, "evidence of lines of three digits or more: no other turning is tried"
    )
    low: int = _is(10, "pixels of the page: what is lower is too small to be read")
    highest_box: float = _is(0.08, "of the page's longer side: a box for a line is no higher")
    least_score: float = _is(
        0.0085, "score: a field of a page that is weaker is taken for no digits"
    )


READING = Thresholds()
