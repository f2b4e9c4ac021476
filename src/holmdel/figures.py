"""Figures drawn with matplotlib, without a display: PNG and SVG files as bytes."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

COLUMNS = 5  # of a sheet of mistakes
_STRING_COLUMNS = 3  # of a sheet of strings, which are wide


def new_figure(width: float = 6, height: float = 4) -> tuple[Any, Any]:
    """Returns a matplotlib figure of so many inches, and its axes."""
    from matplotlib.figure import Figure  # slow to import, and not always needed

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def figure_files(figure: Any) -> dict[str, bytes]:
    """Returns a figure as the content of a `png` and an `svg` file."""
    files = {}
    for kind in ("png", "svg"):
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=150)
        files[kind] = buffer.getvalue()
    return files


def draw_confusion(confusion: "Tensor", classes: tuple[str, ...]) -> dict[str, bytes]:
    """Returns a confusion matrix as an image, `png` and `svg`.

    Args:
        confusion: int64 (classes, classes), rows the truth, columns the predictions.
        classes: the label texts.
    """
    side = max(4.0, 0.55 * len(classes) + 1.5)
    figure, axes = new_figure(side, side)
    share = confusion / confusion.sum(dim=1, keepdim=True).clamp(min=1)
    axes.imshow(share.numpy(), cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, rotation=45, ha="right")
    axes.set_yticks(ticks, classes)
    axes.set_xlabel("said")
    axes.set_ylabel("truth")
    if len(classes) <= 30:
        for row in ticks:
            for column in ticks:
                colour = "white" if share[row, column] > 0.5 else "black"
                count = int(confusion[row, column])
                axes.text(
                    column, row, count or "", ha="center", va="center", color=colour, fontsize=7
                )
    return figure_files(figure)


def draw_mistakes(images: "Tensor", captions: list[str]) -> dict[str, bytes]:
    """Returns a sheet of images with a caption each, `png` and `svg`.

    Args:
        images: uint8 (N, C, H, W), C 1 or 3.
        captions: N texts.
    """
    shown = [image.permute(1, 2, 0).squeeze(2).numpy() for image in images]
    return _draw_sheet(shown, captions, COLUMNS, (1.6, 1.9), 7)


def draw_risk(curve: Sequence[tuple[float, float, float]]) -> dict[str, bytes]:
    """Returns how many strings are read against how many of all are read wrongly, `png` and `svg`.

    Args:
        curve: triples (confidence, right, wrong), the parts of all strings from that confidence up.
    """
    figure, axes = new_figure()
    wrong = [0.0, *(100 * point[2] for point in curve)]
    right = [0.0, *(100 * point[1] for point in curve)]
    axes.plot(wrong, right)
    axes.axvline(1, color="grey", linewidth=0.8, linestyle="--")
    axes.set_xlabel("read wrongly, % of all strings (dashed: 1 %)")
    axes.set_ylabel("read right, % of all strings")
    axes.set_xlim(left=0)
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3)
    return figure_files(figure)


def draw_strings(images: Sequence[NDArray[np.uint8]], captions: Sequence[str]) -> dict[str, bytes]:
    """Returns a sheet of images of strings with a caption each, `png` and `svg`.

    Args:
        images: uint8 (H, W) each, of any size.
        captions: as many texts.
    """
    return _draw_sheet(images, captions, _STRING_COLUMNS, (3.2, 1.5), 8)


def _draw_sheet(
    images: Sequence[NDArray[np.uint8]],
    captions: Sequence[str],
    columns: int,
    inches: tuple[float, float],
    font_size: int,
) -> dict[str, bytes]:
    """Returns images (H, W) or (H, W, 3) in rows of `columns`, each of `inches` and a caption."""
    rows = max(1, -(-len(captions) // columns))
    figure, axes = new_figure(inches[0] * columns, inches[1] * rows)
    axes.remove()
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for place in grid:
        place.axis("off")
    for place, image, caption in zip(grid, images, captions, strict=False):
        place.imshow(image, cmap="gray", vmin=0, vmax=255)
        place.set_title(caption, fontsize=font_size)
    return figure_files(figure)
