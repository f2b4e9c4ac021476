"""Contenders measured in interleaved rounds: each round runs each of them once, in turn.

A ratio is taken inside a round, and then the median over the rounds: what slows a whole round down
leaves the ratio as it is.
"""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from holmdel.benchmark.machine import peak
from holmdel.errors import UserError


class Missing(Exception):  # noqa: N818 - a contender is missing, not an error's name
    """Why a contender cannot take part."""


@dataclass(frozen=True)
class Contender:
    """One who is measured.

    Attributes:
        name: as it is shown.
        examples: images that one call goes through.
        turn: makes that many calls; returns the seconds they took.
        calls: of a turn; None for as many as fill the time of a turn.
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
        seconds: that a turn takes.
        without: names of contenders to leave out.
        data_root: where to look for data sets first.
    """

    threads: int
    rounds: int = 5
    seconds: float = 0.5
    without: tuple[str, ...] = ()
    data_root: Path | None = None


@dataclass(frozen=True)
class Turn:
    """What a contender did in a round; `rate` is in images a second."""

    round: int
    contender: str
    calls: int
    seconds: float
    rate: float


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
    """Returns a turn that repeats a call; one call before it wakes threads and is not counted."""

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
    """Returns the contenders that can take part, and why each of the others cannot."""
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
    """Returns a contender's images a second, round by round."""
    return [turn.rate for turn in turns if turn.contender == name]


@dataclass(frozen=True)
class Comparison:
    """How many times as fast one contender is as the others.

    Attributes:
        title: what was compared, in words.
        mine: the contender whose ratio over the others is asked for.
        over: the contenders that count; the fastest of them is the opponent.
        turns: in the order in which they ran.
        skipped: contenders that took no part, and why.
        flops: operations on one image; None where the share of the peak is not asked.
        peaks: float32 GFLOP/s that the processor reached just before each round.
        part: what of a whole was measured, such as `a part: 512 images`; None for all of it.
    """

    title: str
    mine: str
    over: tuple[str, ...]
    flops: int | None = None
    part: str | None = None
    turns: Sequence[Turn] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    peaks: Sequence[float] = ()

    @property
    def contenders(self) -> list[str]:
        """Those who ran, in the order of a round."""
        return list(dict.fromkeys(turn.contender for turn in self.turns))

    @property
    def opponent(self) -> str | None:
        """The fastest of those that count; None if none of them ran."""
        there = [name for name in self.over if name in self.contenders]
        return max(there, key=lambda name: statistics.median(rates(self.turns, name)), default=None)

    def ratio(self, other: str | None) -> Spread | None:
        """Returns the ratio over a contender, taken round by round; None if one did not run."""
        if self.mine not in self.contenders or other is None:
            return None
        pairs = zip(rates(self.turns, self.mine), rates(self.turns, other), strict=True)
        return spread([mine / theirs for mine, theirs in pairs])

    @property
    def share_of_peak(self) -> Spread | None:
        """The part of the FMA peak of its round that `mine` reached, 0..1."""
        mine = rates(self.turns, self.mine)
        if not mine or not self.peaks or not self.flops:
            return None
        pairs = zip(mine, self.peaks, strict=True)
        return spread([rate * self.flops / (peak * 1e9) for rate, peak in pairs])

    def to_json(self) -> dict[str, Any]:
        """Returns everything, JSON-ready."""
        names = self.contenders
        return {
            "title": self.title,
            "mine": self.mine,
            "over": self.over,
            "part": self.part,
            "opponent": self.opponent,
            "ratio": _json(self.ratio(self.opponent)),
            "ratios": {name: _json(self.ratio(name)) for name in names if name != self.mine},
            "examples_per_sec": {name: _json(spread(rates(self.turns, name))) for name in names},
            "share_of_peak": _json(self.share_of_peak),
            "peak_gflops": list(self.peaks),
            "skipped": dict(self.skipped),
            "turns": [asdict(turn) for turn in self.turns],
        }

    def lines(self) -> list[str]:
        """Returns the comparison for people: the ratio first, then each contender."""
        found, share = self.ratio(self.opponent), self.share_of_peak
        head = self.title + (f" ({self.part})" if self.part else "")
        if found:
            head += f": {found.median:.2f}x ({_range(found)}) over {self.opponent}"
        lines = [head if found else f"{head}: no ratio"]
        for name in self.contenders:
            ratio = None if name == self.mine else self.ratio(name)
            told = f"{ratio.median:7.2f}x  {_range(ratio):>13}" if ratio else " " * 23
            line = (
                f"{told}  {statistics.median(rates(self.turns, name)):>11,.0f} examples/sec  {name}"
            )
            if share and name == self.mine:
                line += f", {100 * share.median:.0f} % of the FMA peak"
            lines.append(line)
        return lines + [f"  skipped: {name} ({why})" for name, why in self.skipped.items()]


def compare(asked: Comparison, makers: Mapping[str, Maker], conditions: Conditions) -> Comparison:
    """Returns a comparison with the turns of all contenders that can take part.

    Args:
        asked: the comparison, still without turns.
        makers: give the contenders, in the order of a round.
        conditions: threads, rounds and time.
    """
    contenders, skipped = gather(makers, conditions.without)
    peaks: list[float | None] = []

    def measure_peak() -> None:
        peaks.append(peak(conditions.threads) if asked.flops else None)

    turns = take_turns(contenders, conditions.rounds, conditions.seconds, measure_peak)
    return replace(asked, turns=turns, skipped=skipped, peaks=[found for found in peaks if found])


def _json(found: Spread | None) -> dict[str, float] | None:
    return found and found._asdict()


def _range(found: Spread) -> str:
    return f"{found.lowest:.2f}-{found.highest:.2f}"
