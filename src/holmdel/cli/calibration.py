"""What `holmdel read --calibrate` says: what it costs, and what other errors would give."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from holmdel.reading.trust import PRIOR_STRINGS

if TYPE_CHECKING:
    from holmdel.reading.calibration import Calibration, Outcome


def report(done: "Calibration") -> Iterator[str]:
    """Gives the lines that say what a calibration found."""
    yield f"{done.count:,} strings, {done.right:.1%} right; kept in {done.path}"
    if not done.easy:
        yield (
            "all of them were rejected when they were read, so they are harder than what is to "
            "come; review with --all to calibrate"
        )
    if done.agrees is not None:
        yield _standing(done.agrees)
    yield from _cost(done)
    yield "--max-error   surer than   right    wrong    rejected"
    for row in done.others:
        parts = "".join(f"{part:<9.1%}" for part in (row.correct, row.error, row.reject))
        yield f"{row.max_error:<14g}{row.above:<13.3f}{parts}".rstrip()


def _standing(agrees: bool) -> str:
    if agrees:
        return (
            "they are read as well as the reader promises by itself, so that counts as "
            f"{PRIOR_STRINGS} strings beside them"
        )
    return "they are read worse than the reader promises by itself, so they alone count"


def _cost(done: "Calibration") -> Iterator[str]:
    """Gives what the error that was asked for costs, and what twice as much would give."""
    now, asked = done.now, f"--max-error {done.now.max_error:g}"
    before = "" if done.own is None else f" (the reader by itself: {_parts(done.own)})"
    if now.above == 1:
        yield f"under {asked} all is rejected{before}: for so few errors there are too few strings"
    else:
        yield f"under {asked} what is surer than {now.above:.3f} is read: {_parts(now)}{before}"
    more = next((row for row in done.others if row.correct > now.correct), None)
    if more is not None:
        yield f"--max-error {more.max_error:g} would give {more.correct:.1%} read right"


def _parts(outcome: "Outcome") -> str:
    return f"{outcome.correct:.1%} right, {outcome.error:.1%} wrong"
