"""Reading pictures of single lines: many at a time, from several views where one is in doubt."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, expm1, log, log1p
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from holmdel.alphabet import STRIDE, UNSAID
from holmdel.errors import UserError
from holmdel.images.contract import LINE_HEIGHT, MARGIN, to_line
from holmdel.reading.dates import is_slashed
from holmdel.reading.decode import (
    Candidate,
    align,
    marks_as_blank,
    slash_as_one,
    texts,
    with_marks,
)
from holmdel.reading.expressions import BLANK, CHARACTERS, DIGITS
from holmdel.reading.line_models import LineModel
from holmdel.reading.looks import Look, look_of
from holmdel.reading.patterns import Pattern
from holmdel.reading.views import VIEWS, View, look

if TYPE_CHECKING:
    from torch import nn

Box = tuple[int, int, int, int]

# Views that are read one group after the other, and when a group is the last: from which score the
# views so far are enough where they say the same, and below which no more of them make it sure.
_GROUPS = ((1, 0.99, 0.0), (2, 0.97, 0.0), (4, 0.97, 0.75), (6, 0.0, 0.0))
_INK = 0.4  # of the line's darkest
_WIDTHS = 16  # columns; a picture is read at the next multiple, alone as among others
_COLUMNS = 64 * 128  # of a batch


@dataclass(frozen=True)
class DigitAnswer:
    """A digit, its confidence from 0 to 1, and its box (x, y, w, h) in the picture's pixels."""

    char: str
    confidence: float
    box: Box


@dataclass(frozen=True)
class LineAnswer:
    """What one picture of a line says.

    Attributes:
        text: the digits; empty where nothing is written or nothing fits.
        raw: with marks, where the pattern has them.
        score: the probability of `text`, averaged over the views, from 0 to 1, uncalibrated.
        digits: one for each of `text`.
        value: what the line is worth, where the pattern gives values and this is one.
        fit: the probability that `value` is right if the digits are; 0 where the pattern gives
            values and this is none, and a half for a number that may be a date whose slashes the
            network took for ones.
        marks: the boxes of the marks in `raw`.
        look: how it was read, where asked for.
    """

    text: str
    raw: str
    score: float
    digits: tuple[DigitAnswer, ...]
    value: dict[str, Any] | None = None
    fit: float = 1.0
    marks: tuple[Box, ...] = ()
    look: Look | None = field(default=None, repr=False, compare=False)

    def claim(self, growth: float) -> float:
        """Returns how far all that is said can be trusted, `value` too, uncalibrated, 0 to 1.

        That is its probability, raised for more digits: each has its part in what it lacks to 1.

        Args:
            growth: of the evidence with the digits; see `Trust.growth`.
        """
        probability = self.score * self.fit
        if probability >= 1:
            return 1.0
        return -expm1((1 + growth * log(max(len(self.text), 1))) * log1p(-probability))


class LineReader:
    """Reads pictures of lines with a line network.

    Args:
        network: a `LineNetwork`, of which a copy is kept, or what computes one elsewhere.
    """

    def __init__(self, network: "nn.Module | LineModel") -> None:
        self._model = _model_of(network)
        said = self._model.alphabet.rstrip(UNSAID)
        self._places = [*map(CHARACTERS.index, said), BLANK]  # of the classes that are said
        self._slash = "/" in self._model.alphabet

    def answers(
        self,
        pictures: Sequence[NDArray[np.uint8]],
        pattern: Pattern,
        views: int | None = None,
        *,
        looks: bool = False,
    ) -> list[LineAnswer]:
        """Returns what each picture says.

        Args:
            pictures: uint8 (H, W) each, of one line, dark ink on lighter paper.
            pattern: what may be written.
            views: how many views of each picture are read, 1 to 8; None takes more where one is in
                doubt.
            looks: keep how each was read.

        Raises:
            UserError: if there are not so many views.
        """
        if views is not None and not 1 <= views <= len(VIEWS):
            raise UserError(f"{views} views of a line were asked for; expected 1 to {len(VIEWS)}")
        seen: list[list[Seen]] = [[] for _ in pictures]
        self._look(pictures, pattern, VIEWS[: views or 1], range(len(pictures)), seen)
        if views is None:
            left = list(range(len(pictures)))
            for (count, enough, least), (more, *_) in pairwise(_GROUPS):
                left = [number for number in left if _doubtful(seen[number], enough, least)]
                self._look(pictures, pattern, VIEWS[count:more], left, seen)
        return [
            _answer(few, picture, pattern, self._slash, looks=looks)
            for few, picture in zip(seen, pictures, strict=True)
        ]

    def chances(
        self, pictures: Sequence[NDArray[np.uint8]], pattern: Pattern, views: int
    ) -> list[dict[str, float]]:
        """Returns the probable texts of each picture, and how probable they are over the views.

        Args:
            pictures: uint8 (H, W) each, of one line, dark ink on lighter paper.
            pattern: what may be written.
            views: how many views of each picture are read, 1 to 8.
        """
        seen: list[list[Seen]] = [[] for _ in pictures]
        self._look(pictures, pattern, VIEWS[:views], range(len(pictures)), seen)
        found: list[dict[str, float]] = []
        for looks in seen:
            weights: defaultdict[str, float] = defaultdict(float)
            for candidate in (c for one in looks for c in one.candidates):
                weights[candidate.text] += exp(candidate.log_probability) / views
            found.append(dict(weights))
        return found

    def digit_chances(self, images: Sequence[NDArray[np.uint8]]) -> list[dict[str, float]]:
        """Returns for each image (h, w) of one digit, dark on white, how probable each digit is."""
        return self._model.digit_chances(images)

    def _look(
        self,
        pictures: Sequence[NDArray[np.uint8]],
        pattern: Pattern,
        views: Sequence[View],
        numbers: Sequence[int],
        seen: list[list["Seen"]],
    ) -> None:
        """Adds to `seen` what each view of the pictures `numbers` shows."""
        for view in views:
            lines = [to_line(look(pictures[number], view)) for number in numbers]
            for number, line, steps in zip(numbers, lines, self._steps(lines), strict=True):
                found = texts(steps, pattern, slash=self._slash)
                seen[number].append(Seen(line, steps, found))

    def _steps(self, lines: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Returns ln of the probabilities (T, K) for each line (32, W), T = W // STRIDE.

        K are all `CHARACTERS` and the blank; those that the network does not know never come; for
        those that are never said see `_said`.
        """
        found: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(lines)
        for numbers, batch in batches_of(lines):
            for number, line in zip(numbers, self._model.log_probabilities(batch), strict=True):
                length = lines[number].shape[1] // STRIDE
                found[number] = np.full((length, BLANK + 1), -np.inf, np.float32)
                found[number][:, self._places] = _said(line[:length], len(self._places))
        return found


def _model_of(network: "nn.Module | LineModel") -> LineModel:
    """Returns what computes a network."""
    if hasattr(network, "log_probabilities"):
        return cast(LineModel, network)
    from holmdel.reading.on_torch import OnTorch

    return OnTorch(cast("nn.Module", network))


class Seen(NamedTuple):
    """A view of a picture.

    Attributes:
        line: as the network sees it, (32, W).
        steps: what it says, (T, K).
        candidates: the texts.
    """

    line: NDArray[np.float32]
    steps: NDArray[np.float32]
    candidates: list[Candidate]


def _doubtful(looks: Sequence[Seen], enough: float, least: float) -> bool:
    """Returns whether a picture is to be looked at again after these views; see `_GROUPS`."""
    said = _claims(looks)
    score = max(map(_sum, said.values()), default=0.0) / len(looks)
    best = {seen.candidates[0].claim if seen.candidates else None for seen in looks}
    return score >= least and (None in best or len(best) > 1 or score < enough)


Claims = dict[tuple[str, str], list[tuple[Candidate, Seen]]]


def _claims(looks: Sequence[Seen]) -> Claims:
    """Returns for all that views claim the candidates that do, and their views."""
    found: defaultdict[tuple[str, str], list[tuple[Candidate, Seen]]] = defaultdict(list)
    for seen in looks:
        for candidate in seen.candidates:
            found[candidate.claim].append((candidate, seen))
    return found


def _said(steps: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Returns ln of the probabilities (T, count) without the classes that are never said.

    A wall is as good as blank, and so is other ink before the first digit and behind the last.
    Other ink amid the digits may be one of them that was not read: it makes the whole less
    probable.

    Args:
        steps: float32 (T, K), of the classes that are said, the wall, other ink, and the blank.
        count: of the classes that are said, and the blank.
    """
    if steps.shape[1] == count:
        return steps
    wall, other, blank = steps[:, count - 1 :].T
    digits = np.flatnonzero(steps.argmax(1) < len(DIGITS))
    amid = slice(digits[0], digits[-1] + 1) if digits.size else slice(0, 0)
    as_blank = np.logaddexp(blank, wall)
    around = np.logaddexp(as_blank, other)
    around[amid] = as_blank[amid]
    return np.column_stack([steps[:, : count - 1], around])


def batches_of(
    lines: Sequence[NDArray[np.float32]],
) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
    """Yields lines of about one width together: their numbers, and (N, 1, 32, W) with zeros."""
    alike: defaultdict[int, list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        alike[-(-line.shape[1] // _WIDTHS) * _WIDTHS].append(number)
    for width, members in alike.items():
        size = max(_COLUMNS // width, 1)
        for start in range(0, len(members), size):
            numbers = members[start : start + size]
            batch = np.zeros((len(numbers), 1, LINE_HEIGHT, width), np.float32)
            for row, number in zip(batch, numbers, strict=True):
                row[0, :, : lines[number].shape[1]] = lines[number]
            yield numbers, batch


def _answer(
    seen: Sequence[Seen], picture: NDArray[np.uint8], pattern: Pattern, slash: bool, *, looks: bool
) -> LineAnswer:
    """Returns the answer of one picture from its views; the first has the picture's edges."""
    found = _claims(seen)
    if not found:
        return LineAnswer("", "", 0.0, (), look=_look(seen, {}, ()) if looks else None)
    scores = _scores(found, len(seen), pattern, slash)
    best, fit = _best(found, scores, pattern, slash)
    merged = slash and pattern.unslashed is not None
    spans = _spans(seen[0], best, merged=merged)
    digits = _digits(seen[0], spans, picture)
    marks = _marks(seen[0], best, picture, merged=merged) if best.raw != best.text else ()
    score = next(iter(scores.values()))
    look = _look(seen, scores, spans) if looks else None
    return LineAnswer(best.text, best.raw, score, digits, best.value, fit, marks, look)


def _look(
    seen: Sequence[Seen],
    scores: dict[tuple[str, str], float],
    spans: Sequence[tuple[str, float, int, int]],
) -> Look:
    """Returns how a picture was read: the views, what they claim, where the answer's digits are."""
    said: defaultdict[str, float] = defaultdict(float)
    for (text, _), score in scores.items():
        said[text] += score
    digits = [(char, first, last) for char, _, first, last in spans]
    return look_of(seen[0].line, seen[0].steps, digits, [*said.items()], len(seen))


def _best(
    found: Claims, scores: dict[tuple[str, str], float], pattern: Pattern, slash: bool
) -> tuple[Candidate, float]:
    """Returns what is claimed best, and the probability that its value is right if it is."""
    claim = next(iter(scores))
    best, _ = max(found[claim], key=lambda pair: pair[0].log_probability)
    fit = float(pattern.worth is None or best.value is not None)
    if pattern.beside:
        best, fit = _marked(found[claim], pattern, slash)
    if pattern.plain and is_slashed(best.text):
        fit = 0.5
    return best, fit


def _scores(
    found: Claims, views: int, pattern: Pattern, slash: bool
) -> dict[tuple[str, str], float]:
    """Returns how probable each claim is over so many views, 0 to 1; what is chosen comes first.

    What is usual decides between claims, and makes none surer.
    """
    chances = _weighed(found, pattern, slash)
    order = sorted(found, key=chances.__getitem__, reverse=True)
    return {c: min(min(chances[c], _sum(found[c])) / views, 1.0) for c in order}


def _weighed(found: Claims, pattern: Pattern, slash: bool) -> dict[tuple[str, str], float]:
    """Returns what each claim's candidates sum up to, weighed by how usual what they say is.

    All claims together have as much as without weights. Where a decimal mark stands behind a 0
    that seems to come first, it does.
    """
    sums = {claim: _sum(said) for claim, said in found.items()}
    if pattern.usual is None:
        return sums
    first = max(sums, key=sums.__getitem__)
    raws = {claim: claim[0] for claim in sums}
    if first[0].startswith("0"):
        raws[first] = _marked(found[first], pattern, slash)[0].raw
    weighed = {claim: sums[claim] * pattern.usual(raw) for claim, raw in raws.items()}
    scale = sum(sums.values()) / sum(weighed.values())
    return {claim: weight * scale for claim, weight in weighed.items()}


def _marked(
    said: Sequence[tuple[Candidate, Seen]], pattern: Pattern, slash: bool
) -> tuple[Candidate, float]:
    """Returns a claim with its marks, and the probability of its value; see `with_marks`."""
    views = [(seen.steps, candidate.log_probability) for candidate, seen in said]
    return with_marks(views, said[0][0].text, pattern, slash=slash)


def _sum(said: Sequence[tuple[Candidate, Seen]]) -> float:
    return sum(exp(candidate.log_probability) for candidate, _ in said)


def _digits(
    seen: Seen, spans: Sequence[tuple[str, float, int, int]], picture: NDArray[np.uint8]
) -> tuple[DigitAnswer, ...]:
    """Returns the digits that are written, with their boxes."""
    ink = seen.line[:, MARGIN:-MARGIN] > _INK
    return tuple(
        DigitAnswer(char, confidence, _box(first, last, ink, picture.shape))
        for char, confidence, first, last in spans
    )


def _spans(seen: Seen, best: Candidate, *, merged: bool) -> list[tuple[str, float, int, int]]:
    """Returns where the digits stand that are written: not what was said in a slash's place."""
    heard = np.exp(seen.steps)
    with np.errstate(divide="ignore"):
        alone = np.log(marks_as_blank(slash_as_one(heard) if merged else heard))
    pairs = zip(best.raw, best.said, strict=True)
    written = [raw in DIGITS for raw, said in pairs if said in DIGITS]
    spans = align(alone, "".join(c for c in best.said if c in DIGITS))
    return [span for span, is_digit in zip(spans, written, strict=True) if is_digit]


def _marks(
    seen: Seen, best: Candidate, picture: NDArray[np.uint8], *, merged: bool
) -> tuple[Box, ...]:
    """Returns the boxes of the marks that are written."""
    heard = np.exp(seen.steps)
    with np.errstate(divide="ignore"):
        steps = np.log(slash_as_one(heard) if merged else heard)
    ink = seen.line[:, MARGIN:-MARGIN] > _INK
    return tuple(
        _box(first, last, ink, picture.shape)
        for raw, (_, _, first, last) in zip(best.raw, align(steps, best.said), strict=True)
        if raw not in DIGITS
    )


def _box(
    first: int,
    last: int,
    ink: NDArray[np.bool_],
    shape: tuple[int, ...],
) -> Box:
    """Returns the box of the ink that the steps `first` to `last` look at, in the picture.

    Args:
        first: a step.
        last: another.
        ink: bool (32, W), where it is on the line, without its margins.
        shape: of the picture.
    """
    height, width = shape
    count = ink.shape[1]
    left = min(max(STRIDE * first - MARGIN, 0), count - 1)
    right = min(max(STRIDE * (last + 1) - MARGIN, left + 1), count)
    window = ink[:, left:right]
    top, bottom = _ends(np.logical_or.reduce(window, 1))
    before, behind = _ends(np.logical_or.reduce(window, 0))
    left, right = left + before, left + behind
    x, y = int(left * width / count), int(top * height / LINE_HEIGHT)
    end_x, end_y = round(right * width / count), round(bottom * height / LINE_HEIGHT)
    return (x, y, max(end_x - x, 1), max(end_y - y, 1))


def _ends(there: NDArray[np.bool_]) -> tuple[int, int]:
    """Returns the first place that is true and the one behind the last; all where none is."""
    first = int(there.argmax())
    return (first, len(there) - int(there[::-1].argmax())) if there[first] else (0, len(there))
