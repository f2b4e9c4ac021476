"""Prefix search: the texts that a network's steps along a line may say, inside a pattern.

A. Graves, "Supervised Sequence Labelling with Recurrent Neural Networks" (2012), section 7.5.3;
here the pattern's automaton runs inside the search, and a prefix is worth what it and all that may
still follow it are worth together.
"""

from functools import lru_cache
from math import log

import numpy as np
from numpy.typing import NDArray

import holmdel.reading.compiled as compiled
from holmdel.reading.expressions import BLANK, CHARACTERS, DIGITS
from holmdel.reading.patterns import Pattern

_FAINT = 1e-5  # a prefix worth less than this part of the best is forgotten
_TINY = 1e-150  # probabilities under it are scaled up, far from the end of floats
_NUMBER = {character: number for number, character in enumerate(CHARACTERS)}

# A step: the blank's probability, and those of the characters that are not 0.
Step = tuple[float, list[tuple[str, float]]]

# A text so far: the probability of its alignments that end in a blank, of those that end in its own
# last character, and the state of the pattern.
Prefixes = dict[str, tuple[float, float, int]]


def search(
    probabilities: NDArray[np.float64], pattern: Pattern, beam: int
) -> list[tuple[str, float]]:
    """Returns texts that fit the pattern and the ln of their probabilities, in no order.

    Args:
        probabilities: float64 (T, K), those that are 0 are not looked at.
        pattern: what may be written, its marks as `Pattern.marks` says.
        beam: how many prefixes are kept.
    """
    free, table, final = _tables(pattern)
    found = compiled.search(probabilities, table, final, beam, look_ahead=not free)
    if found is not None:
        return [("".join(map(CHARACTERS.__getitem__, text)), value) for text, value in found]
    worth = None if free else _worth(probabilities, pattern)
    prefixes: Prefixes = {"": (1.0, 0.0, 0)}
    scale = 0.0
    for number, (blank, characters) in enumerate(_steps(probabilities)):
        if characters:
            prefixes = _grow(prefixes, blank, characters, pattern)
            prefixes = _keep(prefixes, worth, number + 1, beam)
        else:
            prefixes = {text: (blank * (b + c), 0.0, s) for text, (b, c, s) in prefixes.items()}
        most = max((b + c for b, c, _ in prefixes.values()), default=0.0)
        if 0 < most < _TINY:
            prefixes = {text: (b / most, c / most, s) for text, (b, c, s) in prefixes.items()}
            scale += log(most)
    return [
        (text, log(b + c) + scale)
        for text, (b, c, state) in prefixes.items()
        if state in pattern.final and text and b + c > 0
    ]


def _grow(
    prefixes: Prefixes, blank: float, characters: list[tuple[str, float]], pattern: Pattern
) -> Prefixes:
    """Returns the prefixes after one more step: each stays, or goes on by a character."""
    grown: Prefixes = {}
    for text, (ends_blank, ends_own, state) in prefixes.items():
        both = ends_blank + ends_own
        own = text[-1:]
        stays = 0.0
        moves = pattern.next[state]
        for character, probability in characters:
            if character == own:
                stays = ends_own * probability
                comes = ends_blank * probability
            else:
                comes = both * probability
            if comes and character in moves:
                longer = text + character
                b, c, _ = grown.get(longer, _NOTHING)
                grown[longer] = (b, c + comes, moves[character])
        b, c, _ = grown.get(text, _NOTHING)
        grown[text] = (b + both * blank, c + stays, state)
    return grown


_NOTHING = (0.0, 0.0, 0)


class _Worth:
    """What may still come: the probability of all ways from a step to an end that fits.

    Attributes:
        after_blank: float64 (T + 1, S), before step t in state s, if step t - 1 was blank.
        after: float64 (T + 1, S, C), if step t - 1 was the character c, which may go on; C are the
            digits, and the marks where they count.

    Each step is scaled to its largest value; only ratios within a step mean anything.
    """

    def __init__(self, after_blank: NDArray[np.float64], after: NDArray[np.float64]) -> None:
        self.after_blank, self.after = after_blank, after


def _keep(prefixes: Prefixes, worth: _Worth | None, step: int, beam: int) -> Prefixes:
    """Returns the `beam` prefixes that are worth most before `step`, without the faint ones."""
    if worth is None:
        values = {text: b + c for text, (b, c, _) in prefixes.items()}
    else:
        blanks, own = worth.after_blank[step], worth.after[step]
        values = {
            text: b * float(blanks[s]) + (c * float(own[s, _NUMBER[text[-1]]]) if c else 0.0)
            for text, (b, c, s) in prefixes.items()
        }
    least = _FAINT * max(values.values(), default=0.0)
    kept = [text for text, value in values.items() if value > least]
    if len(kept) > beam:
        kept = sorted(kept, key=values.__getitem__, reverse=True)[:beam]
    return {text: prefixes[text] for text in kept}


def _steps(probabilities: NDArray[np.float64]) -> list[Step]:
    """Returns (T, K) as lists, without the characters of probability 0."""
    steps: list[Step] = [(blank, []) for blank in probabilities[:, BLANK].tolist()]
    rows, columns = np.nonzero(probabilities[:, :BLANK])
    values = probabilities[rows, columns].tolist()
    for row, column, value in zip(rows.tolist(), columns.tolist(), values, strict=True):
        steps[row][1].append((CHARACTERS[column], value))
    return steps


def _is_free(pattern: Pattern) -> bool:
    """Returns whether any digits may follow any others: there is nothing to look ahead for."""
    return not pattern.marks and all(
        set(DIGITS) <= moves.keys() and set(moves.values()) <= pattern.final
        for moves in pattern.next
    )


def _worth(probabilities: NDArray[np.float64], pattern: Pattern) -> _Worth:
    _, table, _ = _tables(pattern)
    count = table.shape[1]
    characters = np.arange(count)
    steps, states = len(probabilities), len(pattern.next)
    after_blank = np.zeros((steps + 1, states + 1))  # the last state is the one of no return
    after = np.zeros((steps + 1, states + 1, count))
    after_blank[-1, list(pattern.final)] = 1
    after[-1] = after_blank[-1][:, None]
    for step in range(steps - 1, -1, -1):
        likely = probabilities[step, :count]
        if not likely.any():  # only a blank can come: the same for all, up to the scale
            after_blank[step] = after_blank[step + 1]
            after[step] = after_blank[step][:, None]
            continue
        follow = after[step + 1, table, characters]
        come = follow @ likely + probabilities[step, BLANK] * after_blank[step + 1]
        scale = come.max() or 1
        after_blank[step] = come / scale
        after[step] = (come[:, None] + likely * (after[step + 1] - follow)) / scale
    return _Worth(after_blank, np.maximum(after, 0))


@lru_cache(maxsize=256)
def _tables(pattern: Pattern) -> tuple[bool, NDArray[np.intp], NDArray[np.uint8]]:
    """Returns whether a pattern is free, the state after each (S + 1, C), and which are final.

    The state S is the one of no return, where the pattern forbids a character.
    """
    dead = len(pattern.next)
    characters = CHARACTERS if pattern.marks else DIGITS
    rows = [[moves.get(c, dead) for c in characters] for moves in pattern.next]
    table = np.array([*rows, [dead] * len(characters)], np.intp)
    final = np.zeros(dead + 1, np.uint8)
    final[list(pattern.final)] = 1
    return _is_free(pattern), table, final
