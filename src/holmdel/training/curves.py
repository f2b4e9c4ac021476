"""The curves of a training: as files, as text for a terminal, and live in a notebook."""

from collections.abc import Sequence
from typing import Any

from holmdel.figures import figure_files, new_figure
from holmdel.training.report import Epoch, Look, Progress

# The book's three curves, in its line styles.
STYLES = {
    "train loss": ("#1f77b4", "-"),
    "train acc": ("#a31fb4", "--"),
    "val acc": ("#d97706", ":"),
    "test acc": ("#138a36", "-."),
}


def series(history: Sequence[Epoch]) -> dict[str, list[tuple[int, float]]]:
    """Returns the curves that are there: points (epoch, value) by name."""
    columns: dict[str, list[float | None]] = {
        "train loss": [*(epoch.loss for epoch in history)],
        "train acc": [*(epoch.train_acc for epoch in history)],
        "val acc": [epoch.val_acc for epoch in history],
        "test acc": [epoch.test_acc for epoch in history],
    }
    points = {
        name: [(e.epoch, v) for e, v in zip(history, column, strict=True) if v is not None]
        for name, column in columns.items()
    }
    return {name: found for name, found in points.items() if found}


def draw_curves(history: Sequence[Epoch]) -> dict[str, bytes]:
    """Returns the curves over the epochs as the content of a `png` and an `svg` file."""
    return figure_files(_curves(history))


def _curves(history: Sequence[Epoch]) -> Any:
    from matplotlib.ticker import MaxNLocator

    figure, axes = new_figure()
    axes.grid(visible=True, alpha=0.3)
    for name, points in series(history).items():
        colour, style = STYLES[name]
        epochs, values = zip(*points, strict=True)
        marker = "o" if len(points) == 1 else ""
        label = f"{name} {values[-1]:.3f}"
        axes.plot(epochs, values, style, color=colour, marker=marker, label=label)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylim(bottom=0)
    axes.legend()
    return figure


BRAILLE = 0x2800
DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # of a cell, by row and column


def text_curve(values: Sequence[float], width: int = 40, height: int = 6) -> list[str]:
    """Returns `height` lines of braille dots that draw the values from left to right.

    The first line is at the largest value, the last one at the smallest. A cell holds 2x4 dots.

    >>> text_curve([0.0, 1.0], width=2, height=1)
    ['⣀⡏']
    """
    columns, rows = 2 * width, 4 * height
    low, high = min(values), max(values)
    cells = [[0] * width for _ in range(height)]
    before = None
    for column in range(columns):
        value = values[column * len(values) // columns]
        row = round((high - value) / (high - low) * (rows - 1)) if high > low else rows - 1
        start = row if before is None else before
        for dot in range(min(row, start), max(row, start) + 1):  # joined to the column before
            cells[dot // 4][column // 2] |= DOTS[dot % 4][column % 2]
        before = row
    return ["".join(chr(BRAILLE + cell) for cell in line) for line in cells]


class Animator:
    """A reporter that redraws the curves in a notebook after every epoch, as the book's does."""

    def __init__(self) -> None:
        from IPython.display import DisplayHandle

        self._handle: Any = DisplayHandle()  # type: ignore[no-untyped-call]
        self._shown = False

    def start(self, title: str, epochs: int) -> None:
        """Takes a fresh output for a fresh training."""
        self._shown = False

    def batch(self, progress: Progress) -> None:
        """Nothing: the curves have a point an epoch."""

    def epoch(self, history: list[Epoch]) -> None:
        """Redraws the curves."""
        from IPython.display import Image

        picture = Image(draw_curves(history)["png"])  # type: ignore[no-untyped-call]
        if self._shown:
            self._handle.update(picture)
        else:
            self._handle.display(picture)
        self._shown = True

    def note(self, sentence: str) -> None:
        """Shows the sentence."""
        from IPython.display import display

        display({"text/plain": sentence}, raw=True)  # type: ignore[no-untyped-call]

    def go_on(self, look: Look) -> bool:
        """Always tells so: the notebook's stop button is Ctrl-C."""
        return True


def in_notebook() -> bool:
    """Tells whether this runs in a notebook's kernel."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    shell: Any = get_ipython()
    return shell is not None and hasattr(shell, "kernel")
