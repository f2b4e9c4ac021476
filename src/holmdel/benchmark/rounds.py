"""Contenders measured in turns: a round runs each of them once, so that all meet the same machine.

Ratios are taken inside a round and then their median, so that what slows a whole round down leaves
them as they are.
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from holmdel.errors import UserError


class Missing(Exception):  # noqa: N818 - a contender is missing, not an error's name
    """Why a contender cannot take part."""


@dataclass(frozen=True)
class Contender:
    """One who is measured.

    Attributes:
        name: as it is shown.
        examples: pictures that one call goes through.
        turn: makes that many calls; returns the seconds they took.
        calls: of a turn; None: as many as fill the time of a turn.
    """

    name: str
    examples: int
    turn: Callable[[int], float]
    calls: int | None = None


Maker = Callable[[], Contender]


@dataclass(frozen=True)
class Conditions:
    """What all measurements of a run have in common.

    Attributes:
        threads: of every contender that lets itself be told.
        rounds: how often each contender has its turn.
        seconds: that a turn takes, where it is not a whole epoch.
        without: names of contenders to leave out.
        limit: go through the first so many pictures in epochs; None for all, or a part that is
            named.
        data_root: where to look for data sets first.
    """

    threads: int
    rounds: int = 5
    seconds: float = 0.5
    without: tuple[str, ...] = ()
    limit: int | None = None
    data_root: Path | None = None


@dataclass(frozen=True)
class Turn:
    """What a contender did in a round; turns are listed in the order in which they ran."""

    round: int
    contender: str
    calls: int
    seconds: float
    rate: float

    def to_json(self) -> dict[str, Any]:
        """Returns the turn, JSON-ready; `rate` is in pictures a second."""
        return asdict(self)


class Spread(NamedTuple):
    """The median of some figures, the lowest and the highest."""

    median: float
    lowest: float
    highest: float


def spread(values: Sequence[float]) -> Spread:
    """Returns median, lowest and highest.

    >>> spread([3.0, 1.0, 2.0])
    Spread(median=2.0, lowest=1.0, highest=3.0)
    """
    return Spread(statistics.median(values), min(values), max(values))


def repeated(call: Callable[[], object]) -> Callable[[int], float]:
    """Returns a turn that makes the call again and again; one call before it is not counted.

    That one wakes the threads and brings the contender's weights back into the caches.
    """

    def turn(calls: int) -> float:
        call()
        began = time.perf_counter()
        for _ in range(calls):
            call()
        return time.perf_counter() - began

    return turn


def gather(
    makers: Mapping[str, Maker], without: Sequence[str]
) -> tuple[list[Contender], dict[str, str]]:
    """Returns the contenders that can take part, and why each of the others cannot.

    Args:
        makers: give a contender each, ready to run, or raise.
        without: names to leave out.
    """
    contenders, skipped = [], {}
    for name, make in makers.items():
        if name in without:
            skipped[name] = "left out by --without"
            continue
        try:
            contenders.append(make())
        except ImportError as error:
            skipped[name] = f"{error.name} is not installed"
        except (Missing, UserError) as error:
            skipped[name] = str(error)
    return contenders, skipped


def take_turns(
    contenders: Sequence[Contender],
    rounds: int,
    seconds: float,
    before: Callable[[], object] = lambda: None,
) -> list[Turn]:
    """Returns the turns of all rounds, in the order in which they ran.

    Args:
        contenders: who runs once a round, in turn.
        rounds: how many.
        seconds: that a turn is to take.
        before: called before each round.
    """
    calls = {one.name: one.calls or _calls(one, seconds) for one in contenders}
    turns = []
    for number in range(1, rounds + 1):
        before()
        for one in contenders:
            took = one.turn(calls[one.name])
            rate = one.examples * calls[one.name] / took
            turns.append(Turn(number, one.name, calls[one.name], took, rate))
    return turns


def _calls(one: Contender, seconds: float) -> int:
    """Returns how many calls fill the time; finding that out is the contender's warm-up."""
    calls = 1
    while (took := one.turn(calls)) < seconds / 4:
        calls *= 2
    return max(1, math.ceil(calls * seconds / took))


def rates(turns: Sequence[Turn], name: str) -> list[float]:
    """Returns a contender's pictures a second, round by round."""
    return [turn.rate for turn in turns if turn.contender == name]


def ratios(turns: Sequence[Turn], one: str, other: str) -> Spread:
    """Returns how many times as fast `one` was as `other`, taken round by round."""
    pairs = zip(rates(turns, one), rates(turns, other), strict=True)
    return spread([mine / theirs for mine, theirs in pairs])
