"""How good a reader is on strings of known truth."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.evaluation import calibration_error
from holmdel.prediction import Failure
from holmdel.reading.answers import READ, REJECT
from holmdel.reading.calibration import ERRORS, Calibration, Outcome, own_trust
from holmdel.reading.labelled import LabelledString, read_labelled
from holmdel.reading.model_file import model_file
from holmdel.reading.record import Read
from holmdel.reading.stream import ReaderSettings, read_stream
from holmdel.reading.trust import Trust, contradicted, fit_trust, save_calibration

NONE = 10  # in a confusion: no digit
NAMES = (*"0123456789", "none")
_ONE_PER_CENT = 0.01
_POINTS = 200  # of the curve in JSON, at most


@dataclass(frozen=True)
class Said:
    """One string: what it is, and what was read.

    Attributes:
        truth: its digits.
        text: the digits that were read; empty if none were.
        confidence: of `text`, 0..1.
        status: `read` or `reject`.
        score: of `text`, before it was calibrated.
    """

    truth: str
    text: str
    confidence: float
    status: str
    score: float = 0.0

    @property
    def right(self) -> bool:
        """Whether every digit is right."""
        return self.text == self.truth


@dataclass(frozen=True)
class Assessment:
    """What a reader said of strings of known truth."""

    strings: tuple[Said, ...]

    @property
    def count(self) -> int:
        """How many strings were looked at."""
        return len(self.strings)

    @cached_property
    def correct(self) -> float:
        """The part of all strings that is read, and right."""
        return sum(said.right and said.status == READ for said in self.strings) / self.count

    @cached_property
    def error(self) -> float:
        """The part of all strings that is read, and wrong."""
        return sum(not said.right and said.status == READ for said in self.strings) / self.count

    @property
    def reject(self) -> float:
        """The part of all strings that is rejected."""
        return 1 - self.correct - self.error

    @cached_property
    def right(self) -> float:
        """The part of all strings that is right, where none is rejected."""
        return sum(said.right for said in self.strings) / self.count

    def correct_at(self, error: float) -> float:
        """Returns the largest part that can be read right with at most so large a part wrong."""
        points = (right for _, right, wrong in self.curve if wrong <= error)
        return max(points, default=0.0)

    @cached_property
    def curve(self) -> list[tuple[float, float, float]]:
        """Triples (confidence, right, wrong): the parts of all strings from that confidence up."""
        order = sorted(self.strings, key=lambda said: -said.confidence)
        points, right, wrong = [], 0, 0
        for number, said in enumerate(order):
            right, wrong = right + said.right, wrong + (not said.right)
            if number + 1 == self.count or order[number + 1].confidence < said.confidence:
                points.append((said.confidence, right / self.count, wrong / self.count))
        return points

    @cached_property
    def ece(self) -> float:
        """The expected calibration error over 15 bins of equal width, 0..1."""
        confidence = torch.tensor([said.confidence for said in self.strings], dtype=torch.float64)
        return calibration_error(confidence, torch.tensor([said.right for said in self.strings]))

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Counts int64 (11, 11): rows the true digits, columns what was read.

        Row `NONE` counts digits that were put in, column `NONE` those that were left out.
        """
        counts = Counter(
            pair for said in self.strings for pair in align_texts(said.truth, said.text)
        )
        table = np.zeros((NONE + 1, NONE + 1), np.int64)
        for (truth, read), count in counts.items():
            table[truth, read] = count
        return table

    def most_confused(self, most: int = 8) -> list[tuple[str, str, int]]:
        """Returns up to `most` triples (truth, read, how often), the most frequent first."""
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        found = [(int(r), int(c), int(wrong[r, c])) for r, c in np.argwhere(wrong)]
        found.sort(key=lambda triple: (-triple[2], triple[:2]))
        return [(NAMES[truth], NAMES[read], count) for truth, read, count in found[:most]]

    def worst(self, most: int = 25) -> list[int]:
        """Returns the numbers of the surest mistakes, the surest first."""
        wrong = [number for number, said in enumerate(self.strings) if not said.right]
        return sorted(wrong, key=lambda number: -self.strings[number].confidence)[:most]

    def to_json(self) -> dict[str, Any]:
        """Returns the figures of the command line's JSON."""
        return {
            "count": self.count,
            "correct": self.correct,
            "error": self.error,
            "reject": self.reject,
            "right": self.right,
            "correct_at_1": self.correct_at(_ONE_PER_CENT),
            "ece": self.ece,
            "confusion": self.confusion.tolist(),
            "curve": [list(point) for point in self.curve[:: -(-len(self.curve) // _POINTS)]],
        }


def assess_folder(
    folder: str | Path,
    settings: ReaderSettings,
    jobs: int | None = None,
    read: Callable[..., Iterator[Read]] = read_stream,
) -> tuple[Assessment, list[LabelledString]]:
    """Returns what a reader says of a labelled folder's strings, and the strings.

    Args:
        folder: see `read_labelled`; every picture is taken as one line.
        settings: of the reader.
        jobs: how many processes; one a core if None.
        read: reads paths with these settings and jobs.

    Raises:
        UserError: for a mistake in the folder, the settings, or a picture that cannot be used.
    """
    strings = read_labelled(folder)
    paths = (str(string.path) for string in strings)
    results = read(paths, replace(settings, lines=True, template=None, regions=()), jobs)
    said = [_said(string.text, found) for string, found in zip(strings, results, strict=True)]
    return Assessment(tuple(said)), strings


def _said(truth: str, found: Read) -> Said:
    if isinstance(found, Failure):
        raise UserError(found.error)
    if not found.lines:
        return Said(truth, "", 0.0, REJECT)
    line = max(found.lines, key=lambda line: len(line.text))
    return Said(truth, line.text, line.confidence, line.status, line.score)


def calibrate(folder: str | Path, settings: ReaderSettings, jobs: int | None = None) -> Calibration:
    """Fits a reader's trust to a labelled folder and keeps it for later readings.

    Arguments as `assess_folder`.

    Raises:
        UserError: as `assess_folder`, for too few strings, or if it cannot be kept.
    """
    found, strings = assess_folder(folder, settings, jobs)
    scores, right = [said.score for said in found.strings], [said.right for said in found.strings]
    model = model_file(settings.model)
    kept = own_trust(model)
    own = kept if kept.promises else None
    agrees = None if own is None else not contradicted(own, scores, right)
    trust = fit_trust(scores, right, own if agrees else None, kept.growth)
    return Calibration(
        count=found.count,
        right=found.right,
        agrees=agrees,
        easy=any(string.status != REJECT for string in strings),
        own=None if own is None else _outcome(own, found, settings.max_error),
        now=_outcome(trust, found, settings.max_error),
        others=tuple(_outcome(trust, found, error) for error in ERRORS),
        path=save_calibration(model, trust),
    )


def _outcome(trust: Trust, found: Assessment, max_error: float) -> Outcome:
    above = trust.threshold(max_error)
    read = [said for said in found.strings if trust.confidence(said.score) > above]
    correct = sum(said.right for said in read)
    error = len(read) - correct
    return Outcome(max_error, above, correct / found.count, error / found.count)


def align_texts(truth: str, read: str) -> list[tuple[int, int]]:
    """Returns pairs (true digit, digit read) of an alignment of the fewest edits.

    `NONE` stands for no digit, on either side.

    >>> align_texts("407", "47")
    [(4, 4), (0, 10), (7, 7)]
    """
    costs = _edits(truth, read)
    pairs = []
    row, column = len(truth), len(read)
    while row or column:
        here = costs[row][column]
        both = bool(row and column)
        if both and here == costs[row - 1][column - 1] + (truth[row - 1] != read[column - 1]):
            row, column = row - 1, column - 1
            pairs.append((int(truth[row]), int(read[column])))
        elif row and here == costs[row - 1][column] + 1:
            row -= 1
            pairs.append((int(truth[row]), NONE))
        else:
            column -= 1
            pairs.append((NONE, int(read[column])))
    return pairs[::-1]


def _edits(truth: Sequence[str], read: Sequence[str]) -> list[list[int]]:
    """Returns the least edits between every beginning of one text and every one of the other."""
    costs = [list(range(len(read) + 1))]
    for row, wanted in enumerate(truth, 1):
        above = costs[-1]
        line = [row]
        for column, given in enumerate(read, 1):
            kept = above[column - 1] + (wanted != given)
            line.append(min(kept, above[column] + 1, line[-1] + 1))
        costs.append(line)
    return costs
