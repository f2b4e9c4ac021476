"""A network drawn as papers draw LeNet, as an SVG file."""

import re
from collections.abc import Callable
from typing import Any
from xml.sax import saxutils

from holmdel.anatomy.blocks import Block
from holmdel.anatomy.layers import Anatomy
from holmdel.anatomy.layout import Picture, arrange
from holmdel.anatomy.marks import Fan, Figure, Frame, Line, Mark, Point, Swatch, Text
from holmdel.anatomy.scale import FONT, size_text

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


def draw(anatomy: Anatomy) -> str:
    """Returns a drawing of a network as the text of an SVG file, the same for the same anatomy.

    Stacks of maps as offset sheets, dense layers as bars, both to a scale that `<desc>` states;
    kernel, stride and padding at the connections, C@HxW above the blocks, names below. Activations,
    dropout and normalisations are folded into the layer before. After figure 2 of LeCun, Bottou,
    Bengio and Haffner, "Gradient-based learning applied to document recognition" (1998).

    Raises:
        UserError: where there is no layer to draw.
    """
    picture = arrange(anatomy)
    left, top, width, height = picture.box
    totals = anatomy.totals
    title = f"{anatomy.network}: {size_text(anatomy.input)}, {totals.parameters:,} parameters"
    marks = sorted(picture.marks, key=_level)
    rows = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{_n(left)} {_n(top)} {_n(width)} '
        f'{_n(height)}" width="{_n(width)}" height="{_n(height)}" role="img" '
        f"font-family={_quoted(FONT)}>",
        f"<title>{_escape(title)}</title>",
        f"<desc>{_escape(picture.scale.sentence())}</desc>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0,1 L8,4 L0,7 z" fill="#555555"/>'
        "</marker></defs>",
        f'<rect x="{_n(left)}" y="{_n(top)}" width="{_n(width)}" height="{_n(height)}" '
        'fill="#ffffff"/>',
    ]
    rows += [WRITERS[type(mark)](mark, picture) for mark in marks]
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


def _level(mark: Mark) -> int:
    """Returns a number that is larger the farther in front a mark lies."""
    if isinstance(mark, Line) and mark.style in ("ray", "window"):
        return 4
    return (Frame, Fan, Line, Figure, Swatch, Text).index(type(mark))


def _n(number: float) -> str:
    """Returns a number with at most one decimal."""
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")


def _d(points: tuple[Point, ...]) -> str:
    return "M" + " L".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _text(mark: Text, picture: Picture) -> str:
    weight = ' font-weight="bold"' if mark.tone == "strong" else ""
    return (
        f'<text x="{_n(mark.x)}" y="{_n(mark.y)}" font-size="{_n(mark.size)}" '
        f'text-anchor="{mark.anchor}"{weight} fill="{TONES[mark.tone]}">{_escape(mark.text)}</text>'
    )


def _line(mark: Line, picture: Picture) -> str:
    colour, width, more = STROKES[mark.style]
    fill = "#ffffff" if mark.style == "window" else "none"
    opacity = ' fill-opacity="0.6"' if mark.style == "window" else ""
    return (
        f'<path{_ends(mark.ends, picture)} d="{_d(mark.points)}" fill="{fill}"{opacity} '
        f'stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{more}/>'
    )


def _ends(ends: tuple[int, int] | None, picture: Picture) -> str:
    """Returns which layers a connection joins, as attributes."""
    if not ends:
        return ""
    source, at = (picture.blocks[end].name or "input" for end in ends)
    return f" data-from={_quoted(source)} data-to={_quoted(at)}"


def _fan(mark: Fan, picture: Picture) -> str:
    return (
        f'<path{_ends(mark.ends, picture)} d="{_d(mark.corners)} z" fill="#f1f1f1" '
        'stroke="#cccccc" stroke-width="0.8"/>'
    )


def _frame(mark: Frame, picture: Picture) -> str:
    return (
        f'<rect x="{_n(mark.x)}" y="{_n(mark.y)}" width="{_n(mark.width)}" '
        f'height="{_n(mark.height)}" rx="8" fill="#f7f7f7" stroke="#d8d8d8"/>'
    )


def _swatch(mark: Swatch, picture: Picture) -> str:
    fill, stroke = COLOURS[mark.family]
    return (
        f'<rect x="{_n(mark.x)}" y="{_n(mark.y)}" width="12" height="12" fill="{fill}" '
        f'stroke="{stroke}"/>'
    )


def _figure(mark: Figure, picture: Picture) -> str:
    """Returns a block with its whole story as a title, which browsers show at the pointer."""
    block = picture.blocks[mark.at]
    size = "x".join(map(str, block.output))
    parts = [f"<title>{_escape(_story(block))}</title>", *_shapes(mark, block)]
    name = _quoted(block.name or "input")
    return f'<g data-layer={name} data-output="{size}">' + "".join(parts) + "</g>"


def _shapes(mark: Figure, block: Block) -> list[str]:
    fill, stroke = COLOURS[block.family]
    top = mark.y - mark.height / 2
    pen = _n(min(0.8, 0.2 + mark.step / 4)) if mark.sheets > 1 else "0.8"
    paint = f'fill="{fill}" stroke="{stroke}" stroke-width="{pen}"'
    if mark.sign:
        x, y, radius = mark.middle, mark.y, mark.height / 2
        return [
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" {paint}/>',
            f'<text x="{_n(x)}" y="{_n(y + 5)}" font-size="16" text-anchor="middle" '
            f'fill="{stroke}">{mark.sign}</text>',
        ]
    wide, high = mark.sheet
    shapes = []
    for sheet in range(max(1, mark.sheets)):
        x, y = mark.x + sheet * mark.step, top + sheet * mark.depth[1] / max(1, mark.sheets - 1)
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


WRITERS: dict[type, Callable[[Any, Picture], str]] = {
    Text: _text,
    Line: _line,
    Fan: _fan,
    Frame: _frame,
    Swatch: _swatch,
    Figure: _figure,
}
