"""What a training tells while it runs. The library reports; who asked decides what to show."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeAlias

from torch import nn

from holmdel.checkpoint import Header

Look: TypeAlias = Callable[[], tuple[nn.Module, Header]]
"""Returns a copy of the network as it is now, and its header: what `Classifier` takes."""


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch: a line of `metrics.jsonl`.

    Attributes:
        epoch: counted from 1.
        loss: mean training loss over the epoch, natural logarithm.
        train_acc: training accuracy over the epoch, 0..1, while the weights were changing.
        test_acc: accuracy on the test split after the epoch, 0..1; None where a validation split
            is kept and the test split is left for the end.
        test_loss: mean cross-entropy there.
        val_acc: accuracy on the validation split, 0..1, or None.
        lr: the learning rate of the epoch's last step.
        examples_per_sec: examples over the time in forward, backward and step (the book's).
        wall_examples_per_sec: examples over the whole time of the epoch, evaluation included.
        seconds: the whole time of the epoch.
    """

    epoch: int
    loss: float
    train_acc: float
    test_acc: float | None
    test_loss: float | None
    val_acc: float | None
    lr: float
    examples_per_sec: float
    wall_examples_per_sec: float
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Returns the figures that are there, JSON-ready."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Progress:
    """Where a training stands inside an epoch; `loss` and `accuracy` over the epoch so far."""

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    accuracy: float
    examples_per_sec: float
    seconds_left: float


class Reporter(Protocol):
    """Is told of a training as it goes, and may hold or stop it.

    The calls come in order, from the training's thread.
    """

    def start(self, title: str, epochs: int) -> None:
        """A training begins, or begins anew with the next seed."""

    def batch(self, progress: Progress) -> None:
        """Some batches were done; called a few times a second."""

    def epoch(self, history: list[Epoch]) -> None:
        """An epoch is done; its figures are the last of the history."""

    def note(self, sentence: str) -> None:
        """Something happened that the user should know."""

    def go_on(self, look: Look) -> bool:
        """Tells whether the training goes on; asked after every batch.

        False saves the state and stops, as Ctrl-C does. It may wait, which holds the training: what
        it takes counts as no time of the training, neither in `examples_per_sec` nor in the wall's.

        Args:
            look: gives the network between two steps, in eval mode, on the CPU, without batch
                norms: the average where one is kept. To be called before the answer.
        """


class Silent:
    """A reporter that says nothing."""

    def start(self, title: str, epochs: int) -> None:
        """Says nothing."""

    def batch(self, progress: Progress) -> None:
        """Says nothing."""

    def epoch(self, history: list[Epoch]) -> None:
        """Says nothing."""

    def note(self, sentence: str) -> None:
        """Says nothing."""

    def go_on(self, look: Look) -> bool:
        """Always tells so."""
        return True
