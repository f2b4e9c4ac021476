"""From a network's steps along a line to the best text that fits a pattern."""

from dataclasses import dataclass
from functools import lru_cache
from math import exp, inf, log

import numpy as np
from numpy.typing import NDArray

from holmdel.networks.line import ALPHABET, BLANK, DIGITS, STRIDE
from holmdel.reading.patterns import Pattern
from holmdel.reading.search import search

BEAM = 8
_FEW = 3  # prefixes, when the digits are known and only the best marks are asked for
LEAST = exp(-9)  # a character less probable than this is not looked at
_NUMBER = {character: number for number, character in enumerate(ALPHABET)}


@dataclass(frozen=True)
class Candidate:
    """A text that fits the pattern.

    Attributes:
        text: digits only.
        raw: with marks.
        log_probability: ln of the probability of `text`, summed over all alignments and, where the
            digits decide, over all marks.
    """

    text: str
    raw: str
    log_probability: float


def texts(
    log_probabilities: NDArray[np.float32], pattern: Pattern, beam: int = BEAM
) -> list[Candidate]:
    """Returns the best texts that fit the pattern, best first; none where nothing is written.

    Where the digits decide, the marks are not read yet and raw is text; see `with_marks`.

    Args:
        log_probabilities: float32 (T, K), ln of each class's probability at each step.
        pattern: what may be written.
        beam: how many prefixes are kept.
    """
    automaton = pattern.digits or pattern
    probabilities = np.exp(log_probabilities)
    if not automaton.marks:
        probabilities = marks_as_blank(probabilities)
    found = _best(probabilities, automaton, beam)
    nothing = float(np.log(np.maximum(probabilities[:, BLANK], 1e-45)).sum())
    return found if found and found[0].log_probability > nothing else []


def with_marks(log_probabilities: NDArray[np.float32], text: str, pattern: Pattern) -> str:
    """Returns the best reading of a line with its marks when its digits are `text`."""
    probabilities = np.exp(log_probabilities)
    if probabilities[:, len(DIGITS) : BLANK].max() < 0.01 and pattern.fits(text):
        return text
    found = _best(probabilities, _with_digits(pattern, text), _FEW, joined=False)
    return found[0].raw if found else text


def marks_as_blank(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the probabilities (T, K) with the marks' given to the blank."""
    merged = probabilities.copy()
    merged[:, BLANK] += merged[:, len(DIGITS) : BLANK].sum(1)
    merged[:, len(DIGITS) : BLANK] = 0
    return merged


def _best(
    probabilities: NDArray[np.float32], pattern: Pattern, beam: int, joined: bool = True
) -> list[Candidate]:
    """Returns the texts, best first; unlikely characters are tried only if nothing else fits."""
    for least in (LEAST, 0.0):
        kept = np.where(probabilities > least, probabilities, 0).astype(np.float64)
        found = search(kept, pattern, beam)
        if found:
            return _candidates(found, joined)
    return []


def _candidates(found: list[tuple[str, float]], joined: bool) -> list[Candidate]:
    """Returns candidates, best first; those of the same digits `joined`, with the best raw."""
    found = sorted(found, key=lambda pair: -pair[1])
    if not joined:
        return [Candidate(raw, raw, value) for raw, value in found]
    same: dict[str, list[tuple[str, float]]] = {}
    for raw, value in found:
        same.setdefault("".join(c for c in raw if c in DIGITS), []).append((raw, value))
    answers = []
    for text, pairs in same.items():
        top = pairs[0][1]
        total = top + log(sum(exp(value - top) for _, value in pairs))
        answers.append(Candidate(text, pairs[0][0], total))
    return sorted(answers, key=lambda c: -c.log_probability)


@lru_cache(maxsize=1024)
def _with_digits(pattern: Pattern, text: str) -> Pattern:
    """Returns the part of a pattern whose digits are `text`."""
    numbers = {(0, 0): 0}  # how many of the digits are written, and the pattern's state
    waiting = list(numbers)
    table = []
    for done, state in waiting:  # grows while it is walked
        row = {}
        for character, to in pattern.next[state].items():
            if character in DIGITS and character != text[done : done + 1]:
                continue
            there = (done + (character in DIGITS), to)
            if there not in numbers:
                numbers[there] = len(numbers)
                waiting.append(there)
            row[character] = numbers[there]
        table.append(row)
    final = (n for (done, s), n in numbers.items() if done == len(text) and s in pattern.final)
    return Pattern(pattern.name, tuple(table), frozenset(final), marks=True)


def align(log_probabilities: NDArray[np.float32], raw: str) -> list[tuple[str, float, int, int]]:
    """Returns where each character stands: itself, confidence 0 to 1, first step, last step.

    The spans come from the best alignment; they reach half-way to the neighbours, but no further
    than half a digit's width.

    Args:
        log_probabilities: float32 (T, K), ln of each class's probability at each step.
        raw: a text that the steps may say.
    """
    path = _alignment(np.maximum(log_probabilities, _IMPOSSIBLE).tolist(), raw)
    peaks = []
    for number, character in enumerate(raw):
        steps = [step for step, at in enumerate(path) if at == 2 * number + 1]
        values = log_probabilities[steps, _NUMBER[character]]
        peaks.append((steps[0], steps[-1], float(np.exp(values.max()))))
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


def _alignment(steps: list[list[float]], raw: str) -> list[int]:
    """Returns the place of each step in the best path: 2 i + 1 is character i, even a blank."""
    places = [BLANK]
    for character in raw:
        places += [_NUMBER[character], BLANK]
    skips = [i > 1 and p not in (BLANK, places[i - 2]) for i, p in enumerate(places)]
    scores = [0.0] + [-inf] * (len(places) - 1)
    scores[0], scores[1:2] = 0.0, ([-inf] if raw else [])
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
    if raw and scores[at - 1] > scores[at]:
        at -= 1
    path = [at]
    for origins in reversed(came[1:]):
        path.append(origins[path[-1]])
    return path[::-1]
