"""A list of all that may be written, and how probable a line's steps make each entry."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from holmdel.errors import UserError, quoted
from holmdel.reading.expressions import BLANK, DIGITS, MARKS

MOST = 100_000  # entries
_LONGEST = 100  # digits of an entry
_TINY = 1e-150  # probabilities under it are scaled up, far from the end of floats


class Codes:
    """The strings of digits that may be written, as a tree of their beginnings.

    Attributes:
        entries: the entry as the list has it, for each string of digits.
    """

    def __init__(self, entries: dict[str, str]) -> None:
        self.entries = entries
        places = {"": 0}
        for text in sorted(entries, key=lambda text: (len(text), text)):
            for end in range(1, len(text) + 1):
                places.setdefault(text[:end], len(places))
        order = sorted(places, key=len)  # what is shorter stands further in front
        places = {text: place for place, text in enumerate(order)}
        self._parents = np.array([places[text[:-1]] for text in order])
        self._last = np.array([int(text[-1:] or 0) for text in order])
        again = (self._last == self._last[self._parents]) & (self._parents > 0)
        self._again = np.flatnonzero(again)  # the last digit stands twice
        lengths = np.array([len(text) for text in order])
        self._ends = np.searchsorted(lengths, np.arange(lengths[-1] + 2))  # of each length
        self._texts = list(entries)
        self._places = np.array([places[text] for text in self._texts])

    def search(self, probabilities: NDArray[np.float64], most: int) -> list[tuple[str, float]]:
        """Returns the likeliest entries' digits and the ln of their probabilities, best first.

        The probability of each is the sum over all its alignments (the forward variable of A.
        Graves et al., 2006), computed for all beginnings at once.

        Args:
            probabilities: float64 (T, K); marks are 0.
            most: how many to give.
        """
        blanks = np.zeros(len(self._parents))  # of the alignments that end in a blank
        owns = np.zeros(len(self._parents))  # of those that end in the last digit
        blanks[0], scale, written = 1.0, 0.0, 0
        for step in probabilities:
            digits = bool(step[: len(DIGITS)].any())
            written += digits
            end = self._ends[min(written + 1, len(self._ends) - 1)]
            self._advance(blanks[:end], owns[:end], step, digits)
            top = max(blanks[:end].max(), owns[:end].max())
            if 0 < top < _TINY:
                blanks, owns, scale = blanks / top, owns / top, scale + float(np.log(top))
        values = (blanks + owns)[self._places]
        best = np.argsort(-values, kind="stable")[:most]
        return [(self._texts[n], float(np.log(values[n])) + scale) for n in best if values[n] > 0]

    def _advance(
        self,
        blanks: NDArray[np.float64],
        owns: NDArray[np.float64],
        step: NDArray[np.float64],
        digits: bool,
    ) -> None:
        """Takes the beginnings (N,) one step further, in place."""
        count = len(blanks)
        both = blanks + owns
        if digits:
            comes = both[self._parents[:count]]
            again = self._again[: np.searchsorted(self._again, count)]
            comes[again] = blanks[self._parents[again]]
            owns += comes
            owns *= step[self._last[:count]]
            owns[0] = 0
        else:
            owns[:] = 0
        np.multiply(both, step[BLANK], out=blanks)


def load_codes(path: Path, pattern: str) -> Codes:
    """Returns the codes of a text file, an entry a line.

    Args:
        path: digits a line; marks between them may stand and are not compared.
        pattern: what the user gave, for the sentence.

    Raises:
        UserError: for a file that is missing, empty or no text, and for an entry that is blank, has
            other characters, or stands there twice.
    """
    try:
        stat = path.stat()
        return _loaded(path, pattern, stat.st_mtime_ns, stat.st_size)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UserError(
            f"pattern {quoted(pattern)} names a list that cannot be read: {reason}; expected a "
            "text file with a string of digits a line"
        ) from None


@lru_cache(maxsize=8)
def _loaded(path: Path, pattern: str, _changed: int, _size: int) -> Codes:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    if not 1 <= len(lines) <= MOST:
        raise UserError(
            f"{path} of pattern {quoted(pattern)} has {len(lines):,} lines; expected a string of "
            f"digits a line, 1 to {MOST:,} of them"
        )
    return Codes(_entries(lines, path))


def _entries(lines: Sequence[str], path: Path) -> dict[str, str]:
    entries: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        entry = line.strip()
        digits = "".join(c for c in entry if c in DIGITS)
        if not digits or len(digits) > _LONGEST or set(entry) - set(DIGITS + MARKS + " "):
            said = repr(entry[:40]) if entry else "blank"
            raise UserError(
                f"line {number} of {path} is {said}; expected 1 to {_LONGEST} digits, which marks "
                "may stand between"
            )
        if digits in entries:
            raise UserError(
                f"line {number} of {path} has the digits {digits} of line {numbers[digits]} once "
                "more; leave one of them out"
            )
        entries[digits], numbers[digits] = entry, number
    return entries
