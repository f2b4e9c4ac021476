"""The items of a drawing written as SVG."""

import re
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax import saxutils

from holmdel.drawing.blocks import Block
from holmdel.drawing.primitives import (
    Box,
    Fan,
    Figure,
    Frame,
    Point,
    Primitive,
    Stroke,
    Swatch,
    Text,
)
from holmdel.drawing.scale import FONT, size_text

Blocks = Sequence[Block]
COLOURS = {  # (fill, stroke) of each family
    "input": ("#ffffff", "#555555"),
    "convolution": ("#dbe6f3", "#3f6592"),
    "pooling": ("#f2e4cc", "#93713a"),
    "dense": ("#d9ebd9", "#47794d"),
    "normalisation": ("#e6dcf0", "#77579a"),
    "join": ("#ffffff", "#555555"),
    "other": ("#ececec", "#666666"),
}
TONES = {"strong": "#111111", "plain": "#222222", "quiet": "#5a5a5a"}
STROKES = {  # (colour, width, more) of each style of line
    "arrow": ("#555555", 1.2, ' marker-end="url(#tip)"'),
    "line": ("#555555", 1.2, ""),
    "skip": ("#555555", 1.2, ' marker-end="url(#tip)"'),
    "ray": ("#777777", 0.8, ""),
    "window": ("#444444", 0.9, ""),
    "bracket": ("#999999", 1.0, ""),
}


def svg(title: str, description: str, box: Box, items: Sequence[Primitive], blocks: Blocks) -> str:
    """Returns the items of a drawing as the text of an SVG file.

    Args:
        title: what `<title>` says.
        description: what `<desc>` says.
        box: left, top, width and height of the whole.
        items: what is drawn.
        blocks: what the figures among them stand for.
    """
    left, top, width, height = map(_n, box)
    rows = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left} {top} {width} {height}" '
        f'width="{width}" height="{height}" role="img" font-family={_quoted(FONT)}>',
        f"<title>{_escape(title)}</title>",
        f"<desc>{_escape(description)}</desc>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0,1 L8,4 L0,7 z" fill="#555555"/>'
        "</marker></defs>",
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    rows += [WRITERS[type(item)](item, blocks) for item in sorted(items, key=_level)]
    return "\n".join([*rows, "</svg>"]) + "\n"


def _clean(text: str) -> str:
    """Returns a text without the characters that XML cannot hold, as a name may."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def _escape(text: str) -> str:
    """Returns a text as it stands in an element."""
    return saxutils.escape(_clean(text))


def _quoted(text: str) -> str:
    """Returns a text as it stands in an attribute, with its quotes."""
    return saxutils.quoteattr(_clean(text))


def _level(item: Primitive) -> int:
    """Returns a number that is larger the farther in front a item lies."""
    if isinstance(item, Stroke) and item.style in ("ray", "window"):
        return 4
    return (Frame, Fan, Stroke, Figure, Swatch, Text).index(type(item))


def _n(number: float) -> str:
    """Returns a number with at most one decimal."""
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")


def _d(points: tuple[Point, ...]) -> str:
    return "M" + " L".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _text(item: Text, blocks: Blocks) -> str:
    weight = ' font-weight="bold"' if item.tone == "strong" else ""
    return (
        f'<text x="{_n(item.x)}" y="{_n(item.y)}" font-size="{_n(item.size)}" '
        f'text-anchor="{item.anchor}"{weight} fill="{TONES[item.tone]}">{_escape(item.text)}</text>'
    )


def _line(item: Stroke, blocks: Blocks) -> str:
    colour, width, more = STROKES[item.style]
    fill = "#ffffff" if item.style == "window" else "none"
    opacity = ' fill-opacity="0.6"' if item.style == "window" else ""
    return (
        f'<path{_ends(item.ends, blocks)} d="{_d(item.points)}" fill="{fill}"{opacity} '
        f'stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{more}/>'
    )


def _ends(ends: tuple[int, int] | None, blocks: Blocks) -> str:
    """Returns which layers a connection joins, as attributes."""
    if not ends:
        return ""
    source, at = (blocks[end].name or "input" for end in ends)
    return f" data-from={_quoted(source)} data-to={_quoted(at)}"


def _fan(item: Fan, blocks: Blocks) -> str:
    return (
        f'<path{_ends(item.ends, blocks)} d="{_d(item.points)} z" fill="#f1f1f1" '
        'stroke="#cccccc" stroke-width="0.8"/>'
    )


def _frame(item: Frame, blocks: Blocks) -> str:
    return (
        f'<rect x="{_n(item.x)}" y="{_n(item.y)}" width="{_n(item.width)}" '
        f'height="{_n(item.height)}" rx="8" fill="#f7f7f7" stroke="#d8d8d8"/>'
    )


def _swatch(item: Swatch, blocks: Blocks) -> str:
    fill, stroke = COLOURS[item.family]
    return (
        f'<rect x="{_n(item.x)}" y="{_n(item.y)}" width="12" height="12" fill="{fill}" '
        f'stroke="{stroke}"/>'
    )


def _figure(item: Figure, blocks: Blocks) -> str:
    """Returns a block with its whole story as a title, which browsers show at the pointer."""
    block = blocks[item.at]
    size = "x".join(map(str, block.output))
    parts = [f"<title>{_escape(_story(block))}</title>", *_shapes(item, block)]
    name = _quoted(block.name or "input")
    return f'<g data-layer={name} data-output="{size}">' + "".join(parts) + "</g>"


def _shapes(item: Figure, block: Block) -> list[str]:
    fill, stroke = COLOURS[block.family]
    top = item.y - item.height / 2
    pen = _n(min(0.8, 0.2 + item.step / 4)) if item.sheets > 1 else "0.8"
    paint = f'fill="{fill}" stroke="{stroke}" stroke-width="{pen}"'
    if item.sign:
        x, y, radius = item.middle, item.y, item.height / 2
        return [
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" {paint}/>',
            f'<text x="{_n(x)}" y="{_n(y + 5)}" font-size="16" text-anchor="middle" '
            f'fill="{stroke}">{item.sign}</text>',
        ]
    wide, high = item.sheet
    shapes = []
    for sheet in range(max(1, item.sheets)):
        x, y = item.x + sheet * item.step, top + sheet * item.depth[1] / max(1, item.sheets - 1)
        shapes.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(wide)}" height="{_n(high)}" {paint}/>'
        )
    if block.normalised:
        fill, stroke = COLOURS["normalisation"]
        thin = min(6.0, wide / 2)
        shapes.append(
            f'<rect x="{_n(x + wide - thin)}" y="{_n(y)}" width="{_n(thin)}" height="{_n(high)}" '
            f'fill="{fill}" stroke="{stroke}" stroke-width="0.8"/>'
        )
    return shapes


def _story(block: Block) -> str:
    """Returns what is known of a block in a line."""
    if block.layer is None:
        return f"input: {size_text(block.output)}"
    rows = []
    for layer in (block.layer, *block.folded):
        text = " ".join(filter(None, (f"{layer.name}:", layer.kind, layer.detail)))
        count = f", {layer.parameters:,} parameters" if layer.parameters else ""
        rows.append(f"{text}, {size_text(layer.output)}{count}")
    return "\n".join(rows)


WRITERS: dict[type, Callable[[Any, Blocks], str]] = {
    Text: _text,
    Stroke: _line,
    Fan: _fan,
    Frame: _frame,
    Swatch: _swatch,
    Figure: _figure,
}
