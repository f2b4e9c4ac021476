"""Figures of a reader's training: its curves, and a sheet of what it learns from."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from holmdel.figures import figure_files, new_figure

ROWS, COLUMNS = 10, 7  # of a sheet
_CELL = (230, 84)  # pixels, of which the text takes
_TEXT = 22
_LARGEST_LOSS = 3.0  # nats a character, as far as the curves show it: it starts far above


def draw_line_curves(
    lines: Sequence[int], losses: Sequence[float], parts: Mapping[str, Sequence[float | None]]
) -> dict[str, bytes]:
    """Returns loss and strings right over the lines seen, as a `png` and an `svg` file.

    Args:
        lines: seen at each report.
        losses: nats a character.
        parts: by name, the part of strings that are right; empty ones are left out.
    """
    figure, axes = new_figure()
    axes.plot(lines, np.minimum(losses, _LARGEST_LOSS), color="grey", marker=_marker(lines))
    axes.set_xlabel("lines seen")
    axes.set_ylabel("loss (grey), nats a character")
    axes.set_ylim(bottom=0)
    right = axes.twinx()
    for name, values in parts.items():
        if values:
            per_cent = [100 * (value or 0) for value in values]
            right.plot(lines, per_cent, marker=_marker(lines), label=f"{name} {per_cent[-1]:.1f} %")
    right.set_ylabel("strings right, %")
    right.set_ylim(0, 100)
    right.grid(visible=True, alpha=0.3)
    right.legend(loc="center right")
    return figure_files(figure)


def _marker(points: Sequence[Any]) -> str:
    return "o" if len(points) == 1 else ""


def draw_sheet(images: Sequence[NDArray[np.uint8]], texts: Sequence[str]) -> bytes:
    """Returns a sheet of lines, each with its text above it, as a PNG file.

    Args:
        images: uint8 (H, W) each; the first 70 are shown.
        texts: as many.
    """
    import matplotlib  # has a font with all the signs, and is slow to import

    font_file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    font = ImageFont.truetype(str(font_file), 14)
    wide, tall = _CELL
    sheet = Image.new("L", (COLUMNS * wide, ROWS * tall), 255)
    pen = ImageDraw.Draw(sheet)
    for place, (image, text) in enumerate(zip(images, texts, strict=True)):
        if place == ROWS * COLUMNS:
            break
        left, top = place % COLUMNS * wide, place // COLUMNS * tall
        pen.text((left + 4, top + 3), text or "(nothing)", fill=0, font=font)
        shown = Image.fromarray(image)
        shown.thumbnail((wide - 8, tall - _TEXT - 4))
        sheet.paste(shown, (left + 4, top + _TEXT))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()
