"""The book's plotting functions, over matplotlib's `pyplot`."""
# ruff: noqa: N803, N806  X and Y are the book's names

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from torch import Tensor

from holmdel.d2l.accuracies import Batches, Network, home, moved
from holmdel.d2l.fashion_mnist import get_fashion_mnist_labels
from holmdel.errors import UserError
from holmdel.training.callbacks import in_notebook

FORMATS = ("-", "m--", "g-.", "r:")
FIGURE_SIZE = (3.5, 2.5)  # inches


def use_svg_display() -> None:
    """Makes a notebook draw its figures as SVG; does nothing in a script."""
    if in_notebook():
        from matplotlib_inline import backend_inline  # comes with the notebook

        backend_inline.set_matplotlib_formats("svg")  # type: ignore[no-untyped-call]


def set_figsize(figsize: tuple[float, float] = FIGURE_SIZE) -> None:
    """Sets the size of the figures to come, (width, height) in inches."""
    use_svg_display()
    plt.rcParams["figure.figsize"] = figsize


def set_axes(
    axes: Axes,
    xlabel: str | None,
    ylabel: str | None,
    xlim: Any,
    ylim: Any,
    xscale: str,
    yscale: str,
    legend: Sequence[str] | None,
) -> None:
    """Sets labels, limits, scales and legend of axes, and draws their grid."""
    axes.set(xlabel=xlabel, ylabel=ylabel, xscale=xscale, yscale=yscale)
    # Limits that are equal, as those of a training of one epoch, would make matplotlib warn.
    for limits, setter in ((xlim, axes.set_xlim), (ylim, axes.set_ylim)):
        if limits is not None and limits[0] != limits[1]:
            setter(limits)
    if legend:
        axes.legend(legend)
    axes.grid()


def plot(
    X: Any,
    Y: Any = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    legend: Sequence[str] | None = None,
    xlim: Any = None,
    ylim: Any = None,
    xscale: str = "linear",
    yscale: str = "linear",
    fmts: Sequence[str] = FORMATS,
    figsize: tuple[float, float] = FIGURE_SIZE,
    axes: Axes | None = None,
) -> None:
    """Draws lines on the current axes: Y over X, or X over 0, 1, 2, ... where Y is None.

    Args:
        X: the values of one line, or a list of lines; one X serves every Y.
        Y: likewise.
        xlabel: under the axes.
        ylabel: beside them.
        legend: a text a line.
        xlim: (left, right); None for what the lines need.
        ylim: (bottom, top), likewise.
        xscale: matplotlib's name of a scale, such as `log`.
        yscale: likewise.
        fmts: matplotlib's formats of the lines, in turn.
        figsize: inches, of the figures from here on.
        axes: drawn on in place of the current ones.

    Raises:
        UserError: for several X, and another number of Y.
    """
    set_figsize(figsize)
    axes = plt.gca() if axes is None else axes
    lines = [X] if _is_line(X) else list(X)
    if Y is None:
        pairs = [(range(len(line)), line) for line in lines]
    else:
        heights = [Y] if _is_line(Y) else list(Y)
        lines = lines if len(lines) > 1 else lines * len(heights)
        if len(lines) != len(heights):
            raise UserError(
                f"plot was given {len(lines)} lines of X and {len(heights)} of Y; expected as many "
                "of each, or one X for all"
            )
        pairs = list(zip(lines, heights, strict=True))
    axes.cla()
    for (xs, ys), fmt in zip(pairs, cycle(fmts), strict=False):
        axes.plot(_numbers(xs), _numbers(ys), fmt)
    set_axes(axes, xlabel, ylabel, xlim, ylim, xscale, yscale, legend)


def show_images(
    imgs: Any,
    num_rows: int,
    num_cols: int,
    titles: Sequence[str] | None = None,
    scale: float = 1.5,
) -> Any:
    """Draws images in a grid, and returns its axes (num_rows * num_cols,).

    Args:
        imgs: tensors (H, W), (1, H, W) or (H, W, 3), arrays or PIL images.
        num_rows: rows of the grid.
        num_cols: columns of the grid.
        titles: a text an image.
        scale: inches an image.
    """
    size = (num_cols * scale, num_rows * scale)
    _, grid = plt.subplots(num_rows, num_cols, figsize=size, squeeze=False, layout="constrained")
    axes = grid.flatten()
    for number, (place, image) in enumerate(zip(axes, imgs, strict=False)):
        place.imshow(_numbers(image[0] if getattr(image, "shape", ())[:-2] == (1,) else image))
        place.get_xaxis().set_visible(False)
        place.get_yaxis().set_visible(False)
        if titles and number < len(titles):
            place.set_title(titles[number])
    return axes


def _is_line(values: Any) -> bool:
    """Tells whether values are those of one line, and not a list of lines."""
    return bool(values.ndim == 1) if hasattr(values, "ndim") else not hasattr(values[0], "__len__")


def _numbers(values: Any) -> Any:
    """Returns a tensor, from any device and with any gradient, as an array; all else as it is."""
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else values


def predict_ch3(net: Network, test_iter: Batches, n: int = 6) -> None:
    """Draws the first `n` images of Fashion-MNIST, titled with the truth and what a network says.

    Args:
        net: from X to scores (N, 10), in the mode it is in.
        test_iter: pairs (X (N, 1, H, W), y (N,)); its first batch is looked at.
        n: how many, at most a batch.

    Raises:
        UserError: if there is no batch.
    """
    first = next(iter(test_iter), None)
    if first is None:
        raise UserError("test_iter gave no batch; expected an iterable of pairs (X, y)")
    X, y = first[0][:n], first[1][:n]
    with torch.no_grad():
        said = net(moved(X, home(net))).argmax(dim=1)
    pairs = zip(get_fashion_mnist_labels(y), get_fashion_mnist_labels(said), strict=True)
    show_images(X, 1, len(y), titles=[f"{truth}\n{answer}" for truth, answer in pairs])
