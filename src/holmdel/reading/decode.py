"""From a network's steps along a line to the best text that fits a pattern."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp, inf, log

import numpy as np
from numpy.typing import NDArray

import holmdel.reading.compiled as compiled
from holmdel.alphabet import STRIDE
from holmdel.reading.expressions import BLANK, CHARACTERS, DIGITS, MARKS
from holmdel.reading.patterns import Pattern
from holmdel.reading.search import search
from holmdel.reading.values import STAND_IN, Value

BEAM = 8
LEAST = exp(-9)  # a character less probable than this is not looked at
_LOOKS_SO = 1e-3  # how often digits look like a text with slashes that fits, say a date
_DASH_ALONE = 0.2  # how often an amount ends in a one and a dash for one time in a slash and a dash
_NEVER = 1e-30
_FAINT_MARK = 0.01  # a mark less probable than this everywhere is not there
_MOSTLY = 0.5  # from where on a line is taken to have a value
_NUMBER = {character: number for number, character in enumerate(CHARACTERS)}

Found = list[tuple[str, float]]  # texts, and the ln of their probabilities


@dataclass(frozen=True)
class Candidate:
    """A text that fits the pattern.

    Attributes:
        text: digits only.
        raw: with marks.
        log_probability: ln of the probability of `text`, summed over all alignments and, where the
            digits decide, over all marks.
        said: what the network says, a character for each of `raw`; another one where a slash was
            written and it knows none.
        value: what it is worth, where the pattern gives values.
    """

    text: str
    raw: str
    log_probability: float
    said: str
    value: Value | None = None

    @property
    def claim(self) -> tuple[str, str]:
        """What is said apart from marks: the text, and its value or where its slashes stand.

        Of an amount it does not matter whether the decimal mark was seen.
        """
        if self.value is None and self.raw == self.text:
            return self.text, self.text
        if self.value is None:
            return self.text, "".join(c for c in self.raw if c in (*DIGITS, "/"))
        return self.text, str(self.value.get("cents", self.value))


def texts(
    log_probabilities: NDArray[np.float32],
    pattern: Pattern,
    beam: int = BEAM,
    *,
    slash: bool = False,
) -> list[Candidate]:
    """Returns the best texts that fit the pattern, best first; none where nothing is written.

    Where the marks are read beside the digits, they are not read yet and raw is text; see
    `with_marks`. A text that may be written in several ways has its probability shared among them.

    Args:
        log_probabilities: float32 (T, K), ln of each class's probability at each step.
        pattern: what may be written.
        beam: how many prefixes are kept.
        slash: whether the network knows the slash. Where the pattern has one, what it says for a
            slash and for a one count together, and what it says for either decides only between
            the texts that fit.
    """
    sayable = pattern.unslashed or pattern
    heard = np.exp(log_probabilities)
    merged = _slash_as_one_apart(heard) if slash and pattern.unslashed else heard
    probabilities = marks_as_blank(merged, sayable.skipped)
    found = _best(probabilities, sayable, beam)
    if pattern.beside or pattern.plain:
        candidates = [Candidate(text, text, value, text) for text, value in found]
    else:
        candidates = _candidates(found, pattern, [heard] if slash else [])
    candidates.sort(key=lambda candidate: -candidate.log_probability)
    nothing = float(np.log(np.maximum(probabilities[:, BLANK], 1e-45)).sum())
    return candidates if candidates and candidates[0].log_probability > nothing else []


def with_marks(
    views: Iterable[tuple[NDArray[np.float32], float]],
    text: str,
    pattern: Pattern,
    *,
    slash: bool = False,
) -> tuple[Candidate, float]:
    """Returns the best reading of a line with its marks when its digits are `text`.

    Its marks are those that are seen, whether an amount has such marks or not.

    Args:
        views: for each view of the line, ln of its steps' probabilities (T, K) and of that of
            `text`.
        text: the digits that the network says.
        pattern: what may be written.
        slash: whether the network knows the slash.

    Returns:
        The reading, its log_probability that of its marks, and the probability that its value is
            right; 0 where it has none. What has no value counts against it only where it is
            likelier than all that has one.
    """
    said: defaultdict[str, float] = defaultdict(float)
    heard = []
    for log_probabilities, whole in views:
        probabilities = np.exp(log_probabilities)
        if slash and pattern.unslashed:
            heard.append(probabilities)
            probabilities = _slash_as_one_apart(probabilities)
        marked = probabilities[:, len(DIGITS) : BLANK].max() >= _FAINT_MARK
        found = _best(probabilities, _any_marks(text), BEAM) if marked else [(text, whole)]
        for raw, value in found:
            said[raw] += exp(value)
    total = sum(said.values())
    shares = [(raw, log(value / total)) for raw, value in said.items() if value > 0]
    candidates = _candidates(shares or [(text, 0.0)], pattern, heard)
    best = max(candidates, key=lambda candidate: candidate.log_probability)
    if best.value is None:
        return best, 0.0
    worth = sum(exp(each.log_probability) for each in candidates if each.value is not None)
    return best, exp(best.log_probability) / (worth if worth > _MOSTLY else 1.0)


def slash_as_one(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the probabilities (T, K) with those of the slash given to what stands in for it."""
    one, slash = _NUMBER[STAND_IN], _NUMBER["/"]
    merged = probabilities.copy()
    merged[:, one] += merged[:, slash]
    merged[:, slash] = 0
    return merged


def _slash_as_one_apart(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the same with a blank step more where a slash and a one follow each other at once.

    Between a slash and a one no blank is needed; between what stands in for it and a one it is.
    """
    pair = probabilities[:, [_NUMBER[STAND_IN], _NUMBER["/"]]]
    said = np.where(pair.max(1) > _MOSTLY, pair.argmax(1) + 1, 0)
    apart = np.flatnonzero((said[1:] != said[:-1]) & (said[1:] > 0) & (said[:-1] > 0)) + 1
    blank = np.zeros(probabilities.shape[1], probabilities.dtype)
    blank[BLANK] = 1
    return np.insert(slash_as_one(probabilities), apart, blank, axis=0)


@lru_cache(maxsize=1024)
def _exactly(text: str) -> Pattern:
    """Returns the pattern of one text, its marks counted."""
    moves = [{character: place + 1} for place, character in enumerate(text)]
    return Pattern(text, (*moves, {}), frozenset([len(text)]), marks=True)


@lru_cache(maxsize=1024)
def _any_marks(text: str) -> Pattern:
    """Returns the pattern of digits with any marks around and between them."""
    moves = [dict.fromkeys(MARKS, place) for place in range(len(text) + 1)]
    for place, digit in enumerate(text):
        moves[place][digit] = place + 1
    return Pattern(text, tuple(moves), frozenset([len(text)]), marks=True)


def marks_as_blank(probabilities: NDArray[np.float32], marks: str = MARKS) -> NDArray[np.float32]:
    """Returns the probabilities (T, K) with those of some marks given to the blank."""
    if not marks:
        return probabilities
    places = slice(len(DIGITS), BLANK) if marks == MARKS else [_NUMBER[mark] for mark in marks]
    merged = probabilities.copy()
    merged[:, BLANK] += merged[:, places].sum(1)
    merged[:, places] = 0
    return merged


def _best(probabilities: NDArray[np.float32], pattern: Pattern, beam: int) -> Found:
    """Returns texts, in no order; unlikely characters are tried only if nothing else fits."""
    for least in (LEAST, 0.0):
        kept = np.where(probabilities > least, probabilities, 0).astype(np.float64)
        found = pattern.codes.search(kept, beam) if pattern.codes else search(kept, pattern, beam)
        if found:
            return found
    return []


def _candidates(
    found: Found, pattern: Pattern, heard: Sequence[NDArray[np.float32]]
) -> list[Candidate]:
    """Returns what texts say, those of the same digits and worth together, with the best raw.

    Args:
        found: texts in which `STAND_IN` may stand for a slash, and ln of their probabilities.
        pattern: what may be written.
        heard: the steps' probabilities (T, K) of each view, of a network that knows the slash;
            without, what a text may mean is equally probable.
    """
    same: defaultdict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for said, log_probability in found:
        meanings = pattern.meanings(said)
        shares = _shares(said, [raw for raw, _ in meanings], heard)
        for (raw, value), share in zip(meanings, shares, strict=True):
            text = "".join(c for c in raw if c in DIGITS)
            each = Candidate(text, raw, log_probability + share, said, value)
            nothing = value is None and pattern.worth is not None
            same[(text, raw) if nothing else each.claim].append(each)
    return [_together(candidates) for candidates in same.values()]


def _shares(said: str, raws: Sequence[str], heard: Sequence[NDArray[np.float32]]) -> list[float]:
    """Returns ln of the part of a text's probability that each of its meanings has.

    What was said counts, too, where it is no meaning: a number that looks like what fits.
    """
    if not heard or list(raws) == [said]:
        return [-log(len(raws))] * len(raws)
    texts = [*raws, *([] if said in raws else [said])]
    values = [_usual(text) * sum(_probability(steps, text) for steps in heard) for text in texts]
    values[len(raws) :] = [_LOOKS_SO * value for value in values[len(raws) :]]
    total = max(sum(values), _NEVER)
    return [log(max(value, _NEVER) / total) for value in values[: len(raws)]]


def _usual(text: str) -> float:
    """Returns how often a text is written so, for one time in the other way: `2500-`, `2500/-`."""
    return _DASH_ALONE if text.endswith("-") and not text.endswith("/-") else 1.0


def _probability(probabilities: NDArray[np.float32], text: str) -> float:
    """Returns the probability of one text with its marks."""
    found = search(probabilities.astype(np.float64), _exactly(text), BEAM)
    return exp(found[0][1]) if found else 0.0


def _together(candidates: list[Candidate]) -> Candidate:
    """Returns the likeliest of some candidates with the probability of all."""
    if len(candidates) == 1:
        return candidates[0]
    best = max(candidates, key=lambda candidate: candidate.log_probability)
    top = best.log_probability
    total = top + log(sum(exp(each.log_probability - top) for each in candidates))
    return replace(best, log_probability=total)


def align(log_probabilities: NDArray[np.float32], raw: str) -> list[tuple[str, float, int, int]]:
    """Returns where each character stands: itself, confidence 0 to 1, first step, last step.

    The spans come from the best alignment; they reach half-way to the neighbours, but no further
    than half a digit's width.

    Args:
        log_probabilities: float32 (T, K), ln of each class's probability at each step.
        raw: a text that the steps may say.
    """
    path = _alignment(np.maximum(log_probabilities, _IMPOSSIBLE).astype(np.float64), raw)
    peaks = []
    for number, character in enumerate(raw):
        start = path.index(2 * number + 1)
        steps = slice(start, start + path.count(2 * number + 1))
        values = log_probabilities[steps, _NUMBER[character]]
        peaks.append((start, steps.stop - 1, exp(values.max())))
    last = len(log_probabilities) - 1
    spans = []
    for number, (character, (start, end, confidence)) in enumerate(zip(raw, peaks, strict=True)):
        before = peaks[number - 1][1] if number else -last
        after = peaks[number + 1][0] if number + 1 < len(peaks) else 2 * last
        first = max(start - _REACH, (before + start) // 2 + 1, 0)
        final = min(end + _REACH, (end + after) // 2, last)
        spans.append((character, confidence, min(first, start), max(final, end)))
    return spans


_IMPOSSIBLE = -1e4  # in place of minus infinity
_REACH = 8 // STRIDE  # steps


def _alignment(values: NDArray[np.float64], raw: str) -> list[int]:
    """Returns the place of each step in the best path: 2 i + 1 is character i, even a blank."""
    places = [BLANK]
    for character in raw:
        places += [_NUMBER[character], BLANK]
    found = compiled.alignment(values, np.array(places, np.int32))
    return _aligned(values.tolist(), places) if found is None else found


def _aligned(steps: list[list[float]], places: list[int]) -> list[int]:
    """Returns the place of each step in the best path over places, every other one a blank."""
    skips = [i > 1 and p not in (BLANK, places[i - 2]) for i, p in enumerate(places)]
    scores = [0.0] + [-inf] * (len(places) - 1)
    came: list[list[int]] = []
    for number, step in enumerate(steps):
        following, origins = [], []
        for i, place in enumerate(places):
            best = i
            if i and (scores[i - 1] > scores[best]):
                best = i - 1
            if skips[i] and scores[i - 2] > scores[best]:
                best = i - 2
            if number == 0:
                following.append(step[place] if i < 2 else -inf)
            else:
                following.append(scores[best] + step[place])
            origins.append(best)
        scores = following
        came.append(origins)
    at = len(places) - 1
    if at and scores[at - 1] > scores[at]:
        at -= 1
    path = [at]
    for origins in reversed(came[1:]):
        path.append(origins[path[-1]])
    return path[::-1]
