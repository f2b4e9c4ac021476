"""Figures over a size that grows: batch, threads, side of a picture, data set."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import nn

from epochs import epoch_makers
from holmdel.benchmark.contenders import CHANNELS_LAST, CONTIGUOUS, FUSED, trainers
from holmdel.benchmark.machine import cores
from holmdel.benchmark.rounds import (
    Conditions,
    Contender,
    Maker,
    Spread,
    Turn,
    gather,
    rates,
    spread,
    take_turns,
)
from holmdel.benchmark.workload import Workload, lenet
from holmdel.figures import figure_files, new_figure
from holmdel.networks import build

ROUNDS = 3  # at most: a curve has many points
BATCHES = (16, 32, 64, 128, 256, 512, 1024)
SIDES, ENGINE_SIDES = (28, 32, 48, 64, 96, 128, 160, 224), (28, 32, 48, 64)
LARGE_SIDES, LARGE_BATCH = (64, 96, 160, 224), 32
LARGE = ("alexnet", "vgg11", "nin", "googlenet")
DATA_SIZES = (1_000, 3_000, 10_000, 30_000, 60_000)
COLOURS = ("#1f77b4", "#d97706", "#138a36", "#a31fb4", "#c0392b", "#555555")
MARKS = ("o-", "s--", "^-.", "D:", "v-", "P--")


@dataclass(frozen=True)
class Curve:
    """Series of points over one axis.

    Attributes:
        title: what was measured, in words.
        x, y: what the axes show, with the unit.
        cost: whether y is microseconds a picture, else pictures a second.
        points: by series, the x of each point and the name that its turns have.
        turns: in the order in which they ran.
        skipped: points that were not measured, and why.
    """

    title: str
    x: str
    y: str
    cost: bool
    points: dict[str, list[tuple[int, str]]]
    turns: list[Turn]
    skipped: dict[str, str]

    def series(self) -> dict[str, list[tuple[int, Spread]]]:
        """Returns the points that were measured: x, and y over the rounds."""
        return {
            name: [(x, self._y(point)) for x, point in points if rates(self.turns, point)]
            for name, points in self.points.items()
        }

    def _y(self, point: str) -> Spread:
        found = rates(self.turns, point)
        return spread([1e6 / rate for rate in found] if self.cost else found)

    def to_json(self) -> dict[str, Any]:
        """Returns everything, JSON-ready."""
        series = {
            name: [{"x": x, **y._asdict()} for x, y in points]
            for name, points in self.series().items()
        }
        turns = [asdict(turn) for turn in self.turns]
        values = {"title": self.title, "x": self.x, "y": self.y, "series": series}
        return values | {"skipped": self.skipped, "turns": turns}

    def lines(self) -> list[str]:
        """Returns the points for people, a line a series."""
        lines = [f"{self.title}: {self.y} by {self.x}"]
        for name, points in self.series().items():
            told = ", ".join(f"{x:,}: {y.median:,.{self.cost:d}f}" for x, y in points)
            lines.append(f"  {name}  {told or 'no point'}")
        return lines + [f"  skipped: {name} ({why})" for name, why in self.skipped.items()]

    def draw(self) -> dict[str, bytes]:
        """Returns the curves as the content of a `png` and an `svg` file."""
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

        figure, axes = new_figure(6.5, 4.2)
        axes.grid(visible=True, which="major", alpha=0.3)
        ticks: set[int] = set()
        styles = zip(COLOURS, MARKS, strict=True)
        for (name, points), (colour, style) in zip(self.series().items(), styles, strict=False):
            if points:
                xs, ys = zip(*points, strict=True)
                ticks |= set(xs)
                axes.plot(xs, [y.median for y in ys], style, color=colour, label=name)
                ends = [y.lowest for y in ys], [y.highest for y in ys]
                axes.fill_between(xs, *ends, color=colour, alpha=0.12, linewidth=0)
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xticks(sorted(ticks), [f"{x:,}" for x in sorted(ticks)])
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(self.x)
        axes.set_ylabel(self.y)
        axes.legend(fontsize=8)
        return figure_files(figure)


Points = dict[str, dict[int, Maker]]  # by series and x


def measure(
    title: str, x: str, points: Points, conditions: Conditions, *, cost: bool = False
) -> Curve:
    """Returns the curve through all points that can be measured.

    Args:
        title: in words.
        x: the axis, with its unit.
        points: who is measured at each x, by series.
        conditions: threads, rounds and time.
        cost: give microseconds a picture in place of pictures a second.
    """
    makers = {
        f"{name}, {at}": partial(_named, make, f"{name}, {at}")
        for name, makers in points.items()
        if name not in conditions.without
        for at, make in makers.items()
    }
    contenders, skipped = gather(makers, conditions.without)
    skipped |= {name: "left out by --without" for name in points if name in conditions.without}
    turns = take_turns(contenders, min(conditions.rounds, ROUNDS), conditions.seconds)
    y = "microseconds a picture" if cost else "examples/sec"
    named = {name: [(at, f"{name}, {at}") for at in makers] for name, makers in points.items()}
    return Curve(title, x, y, cost, named, turns, skipped)


def _named(make: Maker, name: str) -> Contender:
    return replace(make(), name=name)


def over_batch(conditions: Conditions) -> Curve:
    """Returns the speed of training `lenet` over the batch size."""
    points = _among(
        (FUSED, CHANNELS_LAST, CONTIGUOUS),
        {batch: trainers(lenet(batch)) for batch in BATCHES},
    )
    return measure("training lenet", "batch size (pictures)", points, conditions)


def over_threads(conditions: Conditions) -> Curve:
    """Returns the speed of training `lenet` at batch 256 over the threads, up to all cores."""
    counts = sorted({*(2**power for power in range(cores().bit_length())), cores()})
    makers = trainers(lenet(256))
    points: Points = {
        name: {n: partial(_on_threads, makers[name], n) for n in counts}
        for name in (FUSED, CHANNELS_LAST, CONTIGUOUS)
    }
    return measure("training lenet, batch 256", "threads", points, conditions)


def _on_threads(make: Maker, threads: int) -> Contender:
    """Returns a contender that sets the number of threads for its turn, and puts it back."""
    one = make()

    def turn(calls: int) -> float:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            return one.turn(calls)
        finally:
            torch.set_num_threads(before)

    return replace(one, turn=turn)


def over_side(conditions: Conditions) -> Curve:
    """Returns the cost of training on a picture over its side, `lenet` and the deep networks."""
    works = {side: trainers(lenet(256, side)) for side in SIDES}
    points: Points = {
        f"lenet, {FUSED}": {side: works[side][FUSED] for side in ENGINE_SIDES},
        f"lenet, {CHANNELS_LAST}": {side: works[side][CHANNELS_LAST] for side in SIDES},
    }
    for name in LARGE:
        points[f"{name}, {CHANNELS_LAST}"] = {
            side: partial(_large, name, side) for side in LARGE_SIDES
        }
    axis = "height and width (pixels)"
    return measure("training", axis, points, conditions, cost=True)


def _large(name: str, side: int) -> Contender:
    """Returns a deep network's contender; its layers may not fit the side, which is a UserError."""

    def make() -> nn.Sequential:
        network = build(name, size=(side, side))
        assert isinstance(network, nn.Sequential)
        return network

    digits = lenet(LARGE_BATCH, side)
    work = Workload(make, digits.images, digits.labels, LARGE_BATCH, lr=1e-3)
    return trainers(work)[CHANNELS_LAST]()


def over_data(conditions: Conditions, limit: int | None = None) -> Curve:
    """Returns the cost of a training picture over the size of the data set, epochs with tests."""
    most = limit or DATA_SIZES[-1]
    sizes = [size for size in DATA_SIZES if size < most] + [most]
    points = _among(None, {size: epoch_makers("lenet", size, conditions) for size in sizes})
    return measure(
        "an epoch of lenet with its test", "training pictures", points, conditions, cost=True
    )


def _among(names: Sequence[str] | None, makers: Mapping[int, Mapping[str, Maker]]) -> Points:
    """Returns the makers by name and then by x, those of some names or all."""
    chosen = names or list(next(iter(makers.values())))
    return {name: {x: named[name] for x, named in makers.items()} for name in chosen}


CURVES: dict[str, Callable[[Conditions], Curve]] = {
    "curve-batch-size": over_batch,
    "curve-threads": over_threads,
    "curve-image-size": over_side,
    "curve-data-size": over_data,
}
