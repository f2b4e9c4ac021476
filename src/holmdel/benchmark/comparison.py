"""One comparison: who was how many times as fast as whom, and how near to the processor's limit."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holmdel.benchmark.rounds import (
    Conditions,
    Maker,
    Spread,
    Turn,
    gather,
    rates,
    ratios,
    spread,
    take_turns,
)
from holmdel.errors import UserError


@dataclass(frozen=True)
class Question:
    """What is compared, and how fast it is to be.

    Attributes:
        title: in words.
        mine: the contender whose ratio over the others is asked for.
        over: the contenders that count; the best of them stands for them.
        bar, aim: the least ratio that will do, and the one hoped for.
        multiply_adds: of one picture, where the share of the processor's peak is asked for.
    """

    title: str
    mine: str
    over: tuple[str, ...]
    bar: float
    aim: float
    multiply_adds: int | None = None


@dataclass(frozen=True)
class Comparison:
    """The turns of all contenders, and what follows from them.

    Attributes:
        question: what was asked.
        turns: in the order in which they ran.
        skipped: contenders that took no part, and why.
        peaks: float32 GFLOP/s that the processor reached just before each round; [] if not asked.
        part: what of a whole was measured, such as `512 pictures`; None for all of it.
    """

    question: Question
    turns: list[Turn]
    skipped: dict[str, str]
    peaks: list[float] = field(default_factory=list)
    part: str | None = None

    @property
    def contenders(self) -> list[str]:
        """Those who ran, in the order of a round."""
        return list(dict.fromkeys(turn.contender for turn in self.turns))

    @property
    def opponent(self) -> str | None:
        """The fastest of those that count; None if none of them ran."""
        there = [name for name in self.question.over if name in self.contenders]
        return max(there, key=lambda name: statistics.median(rates(self.turns, name)), default=None)

    @property
    def ratio(self) -> Spread | None:
        """The ratio that was asked for; None if one side did not run."""
        return self.ratio_over(self.opponent) if self.opponent else None

    def ratio_over(self, other: str) -> Spread | None:
        """Returns the ratio over any contender; None if `mine` did not run."""
        if self.question.mine not in self.contenders:
            return None
        return ratios(self.turns, self.question.mine, other)

    @property
    def share_of_peak(self) -> Spread | None:
        """The part of the FMA peak of its round that `mine` reached, 0..1."""
        mine = rates(self.turns, self.question.mine)
        if not mine or not self.peaks or not self.question.multiply_adds:
            return None
        flops = 2 * self.question.multiply_adds
        pairs = zip(mine, self.peaks, strict=True)
        return spread([rate * flops / (peak * 1e9) for rate, peak in pairs])

    def to_json(self) -> dict[str, Any]:
        """Returns everything, JSON-ready."""
        values = dict(vars(self.question)) | {"part": self.part, "opponent": self.opponent}
        values["ratio"] = _json(self.ratio)
        values["ratios"] = {
            name: _json(self.ratio_over(name))
            for name in self.contenders
            if name != self.question.mine
        }
        values["examples_per_sec"] = {
            name: _json(spread(rates(self.turns, name))) for name in self.contenders
        }
        values |= {"share_of_peak": _json(self.share_of_peak), "peak_gflops": self.peaks}
        return values | {
            "skipped": self.skipped,
            "turns": [turn.to_json() for turn in self.turns],
        }

    def lines(self) -> list[str]:
        """Returns the comparison for people: the ratio first, then each contender."""
        asked, found = self.question, self.ratio
        head = asked.title + (f" ({self.part})" if self.part else "")
        if found:
            head += f": {found.median:.2f}x ({_range(found)}) over {self.opponent}"
        else:
            head += ": no ratio"
        lines = [f"{head}; bar {asked.bar:g}x, aim {asked.aim:g}x"]
        share = self.share_of_peak
        for name in self.contenders:
            ratio = None if name == asked.mine else self.ratio_over(name)
            told = f"{ratio.median:7.2f}x  {_range(ratio):>13}" if ratio else " " * 23
            rate = statistics.median(rates(self.turns, name))
            line = f"{told}  {rate:>11,.0f} examples/sec  {name}"
            if share and name == asked.mine:
                line += f", {100 * share.median:.0f} % of the FMA peak"
            lines.append(line)
        return lines + [f"  skipped: {name} ({why})" for name, why in self.skipped.items()]

    def draw(self) -> dict[str, bytes]:
        """Returns no picture."""
        return {}


def _json(found: Spread | None) -> dict[str, float] | None:
    return found and found._asdict()


def _range(found: Spread) -> str:
    return f"{found.lowest:.2f}-{found.highest:.2f}"


def compare(
    question: Question,
    makers: Mapping[str, Maker],
    conditions: Conditions,
    part: str | None = None,
) -> Comparison:
    """Returns the comparison of all contenders that can take part.

    Args:
        question: what is asked.
        makers: give the contenders, in the order of a round.
        conditions: threads, rounds and time.
        part: what of a whole is measured, if not all.
    """
    contenders, skipped = gather(makers, conditions.without)
    peaks: list[float] = []

    def measure_peak() -> None:
        found = peak(conditions.threads) if question.multiply_adds else None
        if found:
            peaks.append(found)

    turns = take_turns(contenders, conditions.rounds, conditions.seconds, measure_peak)
    return Comparison(question, turns, skipped, peaks, part)


def peak(threads: int) -> float | None:
    """Returns the float32 GFLOP/s that the processor reaches; None if nothing here can tell."""
    try:
        from holmdel import engine

        return float(engine.peak(threads))
    except (ImportError, UserError):
        return None
