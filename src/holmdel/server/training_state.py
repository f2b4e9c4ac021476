"""The state of a training, as the page and the event stream get it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from holmdel.training.callbacks import Progress
from holmdel.training.history import Epoch

Value: TypeAlias = bool | int | float | str | None
Status: TypeAlias = Literal["preparing", "running", "paused", "stopped", "finished", "failed"]
ENDED: tuple[Status, ...] = ("stopped", "finished", "failed")

MOST_POINTS = 500  # of a curve


@dataclass(frozen=True)
class Point:
    """A point of the curves: mean loss and accuracy of the epoch so far, after `step` epochs."""

    step: float
    loss: float
    accuracy: float


@dataclass(frozen=True, kw_only=True)
class State:
    """The state of a training.

    Attributes:
        id: what requests call it.
        model: the name of the model that it trains.
        network: a name in `networks.NETWORKS`.
        data: the data set's name.
        settings: as given.
        status: `preparing` until the first batch; `stopped`, `finished` and `failed` are ends.
        error: why it failed, in one sentence.
        history: the figures of the finished epochs.
        progress: how far the current epoch is.
        points: the curves, with at most `MOST_POINTS` points.
        notes: what the user should know.
        weights: how often the model was updated; 0 as long as there is none.
        kept: the name of the kept run and of its model; None if it was not kept.
        back: whether there is a step to take back.
    """

    id: str
    model: str
    network: str
    data: str
    settings: dict[str, Value]
    status: Status = "preparing"
    error: str | None = None
    history: tuple[dict[str, int | float], ...] = ()
    progress: Progress | None = None
    points: tuple[Point, ...] = ()
    notes: tuple[str, ...] = ()
    weights: int = 0
    kept: str | None = None
    back: bool = False


class Curve:
    """The points of a curve; above `MOST_POINTS`, every other one is dropped.

    Args:
        points: those that are there already.
    """

    def __init__(self, points: tuple[Point, ...] = ()) -> None:
        self.points = points
        self._apart = 0.0  # epochs between two points, at least

    def add(self, progress: Progress) -> None:
        """Adds the progress of a training."""
        step = progress.epoch - 1 + progress.batch / progress.batches
        if self.points and step - self.points[-1].step < self._apart:
            return
        self.points += (Point(step, progress.loss, progress.accuracy),)
        if len(self.points) > MOST_POINTS:
            self.points = self.points[::2]
            self._apart = (step - self.points[0].step) / (len(self.points) - 1)


def figures(history: Sequence[Epoch]) -> tuple[dict[str, int | float], ...]:
    """Returns the figures of epochs without those that are not finite, which JSON lacks."""
    return tuple(
        {name: value for name, value in epoch.to_json().items() if math.isfinite(value)}
        for epoch in history
    )
