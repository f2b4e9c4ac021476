"""Curves that grow while a network is trained: live in a notebook, kept in a script."""

import io
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from holmdel.d2l.bookkeeping import HyperParameters
from holmdel.d2l.plotting import FIGURE_SIZE, FORMATS, set_axes
from holmdel.errors import UserError
from holmdel.files import write_bytes
from holmdel.training.callbacks import in_notebook

LINE_STYLES = ("-", "--", "-.", ":")
COLOURS = ("C0", "C1", "C2", "C3")


class Display:
    """A figure that is shown in a notebook, again and again in the same place, and can be saved.

    Attributes:
        figure: matplotlib's; it belongs to no window, unless it was given.
    """

    def __init__(self, figsize: tuple[float, float], figure: Figure | None = None) -> None:
        self.figure = Figure(figsize=figsize) if figure is None else figure
        self._handle: Any = None

    def show(self) -> None:
        """Shows the figure as it is now, as SVG, in place of what was shown before."""
        from IPython.display import DisplayHandle

        picture = {"image/svg+xml": self.rendered("svg").decode(), "text/plain": "<Figure>"}
        if self._handle is None:
            self._handle = DisplayHandle()  # type: ignore[no-untyped-call]
            self._handle.display(picture, raw=True)
        else:
            self._handle.update(picture, raw=True)

    def rendered(self, kind: str) -> bytes:
        """Returns the figure as a file of a kind that matplotlib knows: `png`, `svg`, `pdf`."""
        buffer = io.BytesIO()
        self.figure.savefig(buffer, format=kind, dpi=150, bbox_inches="tight")
        return buffer.getvalue()

    def save(self, path: str | Path) -> None:
        """Writes the figure.

        Raises:
            UserError: for an ending that matplotlib does not know, or if it cannot be written.
        """
        path = Path(path)
        kind = path.suffix.removeprefix(".")
        known = self.figure.canvas.get_supported_filetypes()
        if kind not in known:
            raise UserError(
                f"the curves were to be saved as {str(path)!r}; expected a name that ends in .png, "
                ".svg or .pdf"
            )
        write_bytes(path, self.rendered(kind))


class Animator:
    """Lines that grow point by point: redrawn at every point in a notebook, kept in a script.

    In a script nothing is drawn or written until `save` or `fig` is asked for, or `to_pyplot`
    hands the curves on.

    Attributes:
        X: one list a line of where its points stand; None before the first.
        Y: one list a line of their values; None before the first.
        fmts: matplotlib's formats of the lines.

    Args:
        xlabel: under the axes.
        ylabel: beside them.
        legend: a text a line.
        xlim: (left, right); None for what the lines need.
        ylim: (bottom, top), likewise.
        xscale: matplotlib's name of a scale, such as `log`.
        yscale: likewise.
        fmts: matplotlib's formats of the lines, in turn.
        nrows: rows of axes in the figure; the lines are drawn on the first axes.
        ncols: columns of axes.
        figsize: inches.
    """

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        legend: Sequence[str] | None = None,
        xlim: Any = None,
        ylim: Any = None,
        xscale: str = "linear",
        yscale: str = "linear",
        fmts: Sequence[str] = FORMATS,
        nrows: int = 1,
        ncols: int = 1,
        figsize: tuple[float, float] = FIGURE_SIZE,
    ) -> None:
        self.X: list[list[float]] | None = None
        self.Y: list[list[float]] | None = None
        self.fmts = fmts
        self._axes_settings = (xlabel, ylabel, xlim, ylim, xscale, yscale, legend)
        self._display = Display(figsize)
        self.axes = list(self._display.figure.subplots(nrows, ncols, squeeze=False).flat)

    def add(self, x: Any, y: Any) -> None:
        """Adds a point to every line, none where `y` or `x` has None; in a notebook, redraws.

        Args:
            x: where, for all lines or one a line.
            y: the value, or one a line.

        Raises:
            UserError: for another number of them than lines.
        """
        ys = y if hasattr(y, "__len__") else [y]
        xs = x if hasattr(x, "__len__") else [x] * len(ys)
        if self.X is None or self.Y is None:
            self.X, self.Y = [[] for _ in ys], [[] for _ in ys]
        if not len(xs) == len(ys) == len(self.Y):
            raise UserError(
                f"a point with {len(xs)} x and {len(ys)} y was added to {len(self.Y)} lines; "
                "expected one a line, None where there is none"
            )
        for line, (where, value) in enumerate(zip(xs, ys, strict=True)):
            if where is not None and value is not None:
                self.X[line].append(where)
                self.Y[line].append(value)
        if in_notebook():
            self._draw()
            self._display.show()

    @property
    def fig(self) -> Figure:
        """The figure, with every point so far."""
        self._draw()
        return self._display.figure

    def save(self, path: str | Path) -> None:
        """Writes the curves as a picture, `.png`, `.svg` or `.pdf` by the name.

        Raises:
            UserError: for another ending, or if it cannot be written.
        """
        self._draw()
        self._display.save(path)

    def config_axes(self) -> None:
        """Sets labels, limits, scales and legend of the first axes, as the book's class does."""
        set_axes(self.axes[0], *self._axes_settings)

    def to_pyplot(self, name: str) -> None:
        """Leaves the curves as pyplot's figure of a name, for `plt.show()` and `plt.savefig()`."""
        size = self._display.figure.get_size_inches()
        axes = plt.figure(name, figsize=tuple(size), clear=True).subplots()
        self._draw_lines(axes)
        set_axes(axes, *self._axes_settings)

    def _draw(self) -> None:
        self.axes[0].cla()
        self._draw_lines(self.axes[0])
        self.config_axes()

    def _draw_lines(self, axes: Axes) -> None:
        for xs, ys, fmt in zip(self.X or [], self.Y or [], cycle(self.fmts), strict=False):
            axes.plot([float(x) for x in xs], [float(y) for y in ys], fmt)


class Point(NamedTuple):
    """A point of a curve."""

    x: float
    y: float


class ProgressBoard(HyperParameters):
    """Curves that grow while a network is trained: redrawn in a notebook, kept in a script.

    Attributes:
        data: the points (x, y) of each label, drawn so far.
        raw_points: those that wait for their mean to be drawn.

    Args:
        xlabel: under the axes.
        ylabel: beside them.
        xlim: (left, right); None for what the lines need.
        ylim: (bottom, top), likewise.
        xscale: matplotlib's name of a scale, such as `log`.
        yscale: likewise.
        ls: the lines' styles, in turn.
        colors: the lines' colours, in turn.
        fig: drawn on in place of a figure of its own.
        axes: drawn on in place of the figure's.
        figsize: inches.
        display: whether a notebook shows it.
    """

    xlabel: str | None
    ylabel: str | None
    xlim: Any
    ylim: Any
    xscale: str
    yscale: str
    ls: Sequence[str]
    colors: Sequence[str]
    axes: Any
    display: bool

    def __init__(
        self,
        xlabel: str | None = None,
        ylabel: str | None = None,
        xlim: Any = None,
        ylim: Any = None,
        xscale: str = "linear",
        yscale: str = "linear",
        ls: Sequence[str] = LINE_STYLES,
        colors: Sequence[str] = COLOURS,
        fig: Any = None,
        axes: Any = None,
        figsize: tuple[float, float] = FIGURE_SIZE,
        display: bool = True,
    ) -> None:
        self.save_hyperparameters()
        self.data: dict[str, list[Point]] = {}
        self.raw_points: dict[str, list[Point]] = {}
        self._display = Display(figsize, fig)

    def draw(self, x: Any, y: Any, label: str, every_n: int = 1) -> None:
        """Adds a point to the line of a label, the mean of every `every_n`; in a notebook, redraws.

        Args:
            x: where.
            y: the value.
            label: the line, as the legend has it.
            every_n: how many points make one that is drawn; less than 1 is 1.
        """
        waiting = self.raw_points.setdefault(label, [])
        line = self.data.setdefault(label, [])
        waiting.append(Point(float(x), float(y)))
        if len(waiting) < every_n:
            return
        line.append(Point(*(sum(values) / len(waiting) for values in zip(*waiting, strict=True))))
        waiting.clear()
        if self.display and in_notebook():
            self._draw()
            self._display.show()

    def save(self, path: str | Path) -> None:
        """Writes the curves as a picture, `.png`, `.svg` or `.pdf` by the name.

        Raises:
            UserError: for another ending, or if it cannot be written.
        """
        self._draw()
        self._display.save(path)

    def _draw(self) -> None:
        axes = self._display.figure.gca() if self.axes is None else self.axes
        axes.cla()
        styles = zip(cycle(self.ls), cycle(self.colors), strict=False)
        for line, (style, colour) in zip(self.data.values(), styles, strict=False):
            axes.plot([p.x for p in line], [p.y for p in line], linestyle=style, color=colour)
        limits = (self.xlim, self.ylim)
        set_axes(axes, self.xlabel, self.ylabel, *limits, self.xscale, self.yscale, [*self.data])
        axes.grid(False)
