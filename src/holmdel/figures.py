"""Pictures drawn with matplotlib, without a display: PNG and SVG files as bytes."""

import io
from typing import Any

from torch import Tensor

COLUMNS = 5  # of a sheet of mistakes


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


def draw_confusion(confusion: Tensor, classes: tuple[str, ...]) -> dict[str, bytes]:
    """Returns a confusion matrix as a picture, `png` and `svg`.

    Args:
        confusion: int64 (classes, classes), rows the truth, columns what was said.
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


def draw_mistakes(pictures: Tensor, captions: list[str]) -> dict[str, bytes]:
    """Returns a sheet of pictures with a caption each, `png` and `svg`.

    Args:
        pictures: uint8 (N, C, H, W), C 1 or 3.
        captions: N texts.
    """
    rows = max(1, -(-len(captions) // COLUMNS))
    figure, axes = new_figure(1.6 * COLUMNS, 1.9 * rows)
    axes.remove()
    grid = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    for place in grid:
        place.axis("off")
    for place, picture, caption in zip(grid, pictures, captions, strict=False):
        place.imshow(picture.permute(1, 2, 0).squeeze(2).numpy(), cmap="gray", vmin=0, vmax=255)
        place.set_title(caption, fontsize=7)
    return figure_files(figure)
