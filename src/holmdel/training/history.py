"""The history of a training: the figures of its epochs, and their curves as files and as text."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from holmdel.figures import figure_files, new_figure
from holmdel.schema import read_record, schema

# The book's three curves, in its line styles.
STYLES = {
    "train loss": ("#1f77b4", "-"),
    "train acc": ("#a31fb4", "--"),
    "val acc": ("#d97706", ":"),
    "test acc": ("#138a36", "-."),
}


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

    @property
    def final_acc(self) -> float:
        """The accuracy on the test split; on the validation split where no test split was used."""
        final = self.val_acc if self.test_acc is None else self.test_acc
        assert final is not None  # the last epoch always evaluates one of them
        return final

    def to_json(self) -> dict[str, Any]:
        """Returns the figures that are there, JSON-ready."""
        return {name: value for name, value in asdict(self).items() if value is not None}


_EPOCH = schema(Epoch)


def read_epoch(row: Any, what: str) -> Epoch:
    """Returns the epoch that `Epoch.to_json` gave.

    Raises:
        UserError: if it is none; `what` names it.
    """
    return Epoch(**read_record(row, _EPOCH.values(), what))


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
