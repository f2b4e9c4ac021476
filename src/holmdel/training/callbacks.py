"""Callbacks: what is told of a training while it runs, and may stop it."""

import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from torch import nn

from holmdel.errors import UserError
from holmdel.training.history import Epoch, draw_curves

if TYPE_CHECKING:
    from holmdel.checkpoint import Header

Snapshot: TypeAlias = "Callable[[], tuple[nn.Module, Header]]"
"""Returns a copy of the network as it is now, and its header: what `Classifier` takes."""


class Stopped(Exception):  # noqa: N818 - stopping a training is no error
    """A callback stopped the training; its state is saved, and `resume=True` continues it."""


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


class Callback:
    """Is told of a training as it runs. Each method does nothing; override those you need.

    The calls come in order, from the thread of the training.
    """

    def start(self, title: str, epochs: int) -> None:
        """A training begins, or begins again with the next seed."""

    def batch(self, progress: Progress) -> None:
        """Some batches are done; called a few times a second."""

    def epoch(self, history: list[Epoch]) -> None:
        """An epoch is done; its figures are the last of the history. May raise `Stopped`."""

    def note(self, sentence: str) -> None:
        """Something happened that the user should know."""

    def warn(self, sentence: str) -> None:
        """The training is of no use, or nearly; as `note` unless overridden."""
        self.note(sentence)

    def between_batches(self, snapshot: Snapshot) -> None:
        """Called after every batch. Raise `Stopped` to save the state and end the training.

        It may also wait, which pauses the training: the pause counts neither in `examples_per_sec`
        nor in `wall_examples_per_sec`.

        Args:
            snapshot: gives a copy of the network as it is now, in eval mode, on the CPU, batch
                norms folded; the average of the weights where one is kept. Call it before
                returning.
        """


class Callbacks(Callback):
    """Several callbacks that are told as one, in their order.

    Args:
        callbacks: one, or several.
    """

    def __init__(self, callbacks: Callback | Iterable[Callback]) -> None:
        one = isinstance(callbacks, Callback) or hasattr(callbacks, "go_on")
        several: Iterable[Any] = [callbacks] if one else callbacks  # type: ignore[assignment]
        self._all = [_OldReporter(c) if hasattr(c, "go_on") else c for c in several]

    def start(self, title: str, epochs: int) -> None:
        """Tells all of them."""
        for callback in self._all:
            callback.start(title, epochs)

    def batch(self, progress: Progress) -> None:
        """Tells all of them."""
        for callback in self._all:
            callback.batch(progress)

    def epoch(self, history: list[Epoch]) -> None:
        """Tells all of them."""
        for callback in self._all:
            callback.epoch(history)

    def note(self, sentence: str) -> None:
        """Tells all of them."""
        for callback in self._all:
            callback.note(sentence)

    def warn(self, sentence: str) -> None:
        """Tells all of them."""
        for callback in self._all:
            callback.warn(sentence)

    def between_batches(self, snapshot: Snapshot) -> None:
        """Tells all of them."""
        for callback in self._all:
            callback.between_batches(snapshot)


class Warner(Callback):
    """Says nothing but warnings, on standard error."""

    def warn(self, sentence: str) -> None:
        """Prints the sentence."""
        print(f"holmdel: {sentence}", file=sys.stderr)  # noqa: T201


class _OldReporter(Callback):
    """A reporter of version 0.1, whose `go_on(snapshot)` returns False to stop."""

    def __init__(self, reporter: Any) -> None:
        warnings.warn(
            "the method go_on of a reporter is now Callback.between_batches, which raises Stopped; "
            "the old name goes with version 0.3",
            DeprecationWarning,
            stacklevel=4,
        )
        self.start, self.batch = reporter.start, reporter.batch  # type: ignore[method-assign]
        self.epoch, self.note = reporter.epoch, reporter.note  # type: ignore[method-assign]
        self._go_on = reporter.go_on

    def between_batches(self, snapshot: Snapshot) -> None:
        if not self._go_on(snapshot):
            raise Stopped


class TensorBoard(Callback):
    """Writes each epoch's figures as TensorBoard scalars (extra: tensorboard).

    Args:
        folder: where the event file goes: the run folder.

    Raises:
        UserError: if TensorBoard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise UserError(
                "tensorboard was asked for and is not installed; "
                "install it with: pip install 'holmdel[tensorboard]'"
            ) from None
        self._writer = SummaryWriter(str(folder))

    def epoch(self, history: list[Epoch]) -> None:
        """Writes the epoch's figures."""
        figures = history[-1].to_json()
        number = figures.pop("epoch")
        for name, value in figures.items():
            self._writer.add_scalar(name, value, number)
        self._writer.flush()


class Animator(Callback):
    """Redraws the curves in a notebook after every epoch, as the book's does."""

    def __init__(self) -> None:
        from IPython.display import DisplayHandle

        self._handle: Any = DisplayHandle()  # type: ignore[no-untyped-call]
        self._shown = False

    def start(self, title: str, epochs: int) -> None:
        """Takes a fresh output for a fresh training."""
        self._shown = False

    def epoch(self, history: list[Epoch]) -> None:
        """Redraws the curves."""
        from IPython.display import Image

        image = Image(draw_curves(history)["png"])  # type: ignore[no-untyped-call]
        if self._shown:
            self._handle.update(image)
        else:
            self._handle.display(image)
        self._shown = True

    def note(self, sentence: str) -> None:
        """Shows the sentence."""
        from IPython.display import display

        display({"text/plain": sentence}, raw=True)  # type: ignore[no-untyped-call]


def in_notebook() -> bool:
    """Tells whether this runs in a notebook's kernel."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    shell: Any = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


@contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Gives a function that tells whether Ctrl-C was pressed, so that no step is left half done.

    The second Ctrl-C raises KeyboardInterrupt at once. Only the main thread can handle signals; in
    any other the function always returns False.
    """
    asked = False

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    try:
        old = signal.signal(signal.SIGINT, ask)
    except ValueError:  # not the main thread
        yield lambda: False
        return
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, old)
