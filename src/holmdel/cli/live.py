"""What a training shows: on a terminal a bar and live curves, elsewhere one plain line an epoch."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from holmdel.training.callbacks import Callback, Progress
from holmdel.training.history import Epoch, series, text_curve

CURVE_WIDTH, CURVE_HEIGHT = 36, 5  # characters, each with 2x4 dots


class PlainReporter(Callback):
    """Prints one line an epoch to standard output, and notes to standard error."""

    def epoch(self, history: list[Epoch]) -> None:
        """Prints the epoch's figures."""
        print(epoch_line(history[-1]), flush=True)  # noqa: T201

    def note(self, sentence: str) -> None:
        """Prints the sentence to standard error."""
        print(f"holmdel: {sentence}", file=sys.stderr, flush=True)  # noqa: T201


class TerminalReporter(PlainReporter):
    """The plain lines, and under them a bar and the curves so far."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._bar = Bar(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}"),
            console=live.console,
        )
        self._task: TaskID | None = None
        self._history: list[Epoch] = []

    def start(self, title: str, epochs: int) -> None:
        """Begins a new bar and new curves."""
        self._live.start()
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(title, total=1.0, epoch=f"0/{epochs}", figures="")
        self._history = []

    def batch(self, progress: Progress) -> None:
        """Moves the bar and shows the figures of the epoch so far."""
        assert self._task is not None
        figures = (
            f"loss {progress.loss:.3f}  acc {progress.accuracy:.3f}  "
            f"{progress.examples_per_sec:,.0f} examples/sec  {duration(progress.seconds_left)} left"
        )
        self._bar.update(
            self._task,
            completed=progress.batch / progress.batches,
            epoch=f"{progress.epoch}/{progress.epochs}",
            figures=figures,
        )
        self._draw()

    def epoch(self, history: list[Epoch]) -> None:
        """Prints the epoch's line above the bar and redraws the curves."""
        super().epoch(history)
        self._history = list(history)
        self._draw()

    def _draw(self) -> None:
        self._live.update(Group(self._bar, Text("\n".join(curve_lines(self._history)))))


def epoch_line(epoch: Epoch) -> str:
    """Returns the figures of an epoch as one line."""
    parts = [f"epoch {epoch.epoch}: loss {epoch.loss:.3f}", f"train acc {epoch.train_acc:.3f}"]
    if epoch.val_acc is not None:
        parts.append(f"val acc {epoch.val_acc:.3f}")
    if epoch.test_acc is not None:
        parts.append(f"test acc {epoch.test_acc:.3f}")
    return ", ".join(parts) + f", {epoch.examples_per_sec:.1f} examples/sec, {epoch.seconds:.1f} s"


def curve_lines(history: list[Epoch]) -> list[str]:
    """Returns the loss and the last accuracy curve, side by side, as lines of text."""
    if not history:
        return []
    curves = series(history)
    chosen = ["train loss", next(n for n in ("val acc", "test acc", "train acc") if n in curves)]
    blocks = []
    for name in chosen:
        values = [value for _, value in curves[name]]
        title = f"{name} {values[-1]:.3f} ({min(values):.3f} to {max(values):.3f})"
        blocks.append([title, *text_curve(values, CURVE_WIDTH, CURVE_HEIGHT)])
    return [f"{left:<{CURVE_WIDTH + 2}}{right}" for left, right in zip(*blocks, strict=True)]


def duration(seconds: float) -> str:
    """Returns a duration as a person reads it.

    >>> duration(75)
    '1:15'
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def reporter() -> Iterator[Callback]:
    """Gives the reporter that fits where standard error goes."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield PlainReporter()
        return
    live = Live(console=console, refresh_per_second=5)
    try:
        yield TerminalReporter(live)
    finally:
        live.stop()


@contextmanager
def data_progress() -> Iterator[Callable[[str, int, int], None] | None]:
    """Gives what shows downloads and decoding: a bar on a terminal, else None."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    bar = Bar(*columns, TimeRemainingColumn(), console=console, transient=True)
    tasks: dict[str, TaskID] = {}

    def show(what: str, done: int, total: int) -> None:
        bar.start()
        if what not in tasks:
            tasks[what] = bar.add_task(what, total=None)
        bar.update(tasks[what], completed=done, total=total or None)
        if total and done >= total:
            bar.stop()  # what comes next draws for itself

    try:
        yield show
    finally:
        bar.stop()
