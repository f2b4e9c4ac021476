"""One image of the benchmark of paper, what stands on it, and what was said of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from scores import match_lines

PLAIN = "plain"  # the group that others are compared with


@dataclass(frozen=True)
class Case:
    """An image and what stands on it.

    Attributes:
        group: what is done to the ink; a row of the table.
        name: of this one, for a file's name.
        image: what `holmdel.read` takes.
        truth: the strings on it.
        pattern: what may be written.
        lines: whether it is said that the image is one line.
        raw: whether the marks count too.
        options: further words for the reader.
        digit: whether it is one digit for `holmdel predict`.
        also: strings that stand there too, or may, and need not be given.
    """

    group: str
    name: str
    image: Any
    truth: tuple[str, ...]
    pattern: str = "digits"
    lines: bool = False
    raw: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    digit: bool = False
    also: tuple[str, ...] = ()


class Tally(NamedTuple):
    """Strings on images of a group, and what was said of them.

    Attributes:
        images: how many.
        total: strings that stand there.
        right: strings that were given exactly, accepted or rejected.
        sure: of these, accepted.
        wrong: accepted strings that are like one that stands there and not equal.
        extra: accepted strings that are like none.
        rejected: rejected lines, right ones too.
        seconds: of the processor.
    """

    images: int
    total: int
    right: int
    sure: int
    wrong: int
    extra: int
    rejected: int
    seconds: float

    def __add__(self, other: tuple[Any, ...]) -> "Tally":
        return Tally(*(a + b for a, b in zip(self, other, strict=True)))


def tally(case: Case, said: Sequence[tuple[str, bool]], seconds: float) -> Tally:
    """Returns what texts, and whether each was accepted, are worth beside the truth."""
    left, sure, misses = list(case.truth), 0, []
    for text in (text for text, accepted in said if accepted):
        if text in left:
            left.remove(text)
            sure += 1
        elif text not in case.also:
            misses.append(text)
    like = match_lines(_digits(left), _digits(misses))
    wrong = like.right + like.misread  # the same digits with other marks are wrong too
    rest = [text for text, accepted in said if not accepted]
    right = sure + sum((Counter(left) & Counter(rest)).values())
    return Tally(1, len(case.truth), right, sure, wrong, like.other, len(rest), seconds)


def _digits(texts: Sequence[str]) -> list[str]:
    return ["".join(c for c in text if c.isdigit()) for text in texts]


def root_of(data: str, *parts: str) -> Path:
    """Returns a folder of the evaluation strings."""
    return Path(data, "strings", *parts)
