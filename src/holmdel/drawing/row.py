"""A row of a drawing: series and branches placed from left to right along one axis, y = 0."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from holmdel.drawing.blocks import Block, Series
from holmdel.drawing.primitives import (
    Fan,
    Figure,
    Point,
    Primitive,
    Stroke,
    Text,
    extent,
    text_width,
)
from holmdel.drawing.scale import (
    Scale,
    is_stack,
    maps_of,
    sides_of,
    size_text,
    units_of,
)

NAME, SIZE, CAPTION, NOTE, SMALL = 14.0, 13.0, 12.0, 11.0, 10.5  # sizes of the font
SIGNS = {"add": "+", "sub": "-", "mul": "×"}
SPACE = 15.0  # between two labels
ASIDE = 18.0  # room for the begin of an arc


@dataclass(frozen=True)
class Diagram:
    """What a row needs to know of the whole drawing.

    Attributes:
        blocks: all of them.
        scale: the drawing's.
        short: positions of the blocks named without their prefix, above a bracket that has it.
    """

    blocks: Sequence[Block]
    scale: Scale
    short: frozenset[int]

    def name(self, at: int) -> str:
        """Returns what is written below a block."""
        block = self.blocks[at]
        if not at:
            return "input"
        if block.family == "join":
            return ""
        return block.name.rpartition(".")[2] if at in self.short else block.name

    def figure(self, at: int, x: float, y: float = 0.0) -> Figure:
        """Returns a block as it is drawn, its left edge at x and its middle at y."""
        block, scale = self.blocks[at], self.scale
        if block.family == "join":
            sign = SIGNS.get(block.kind.strip("_"), "")
            return Figure(at, x, y, 20 if sign else 9, 20 if sign else 44, sign=sign)
        if not is_stack(block.output):
            return Figure(at, x, y, 11, scale.bar(units_of(block.output)))
        height, width = map(scale.side, sides_of(block.output))
        sheets = scale.sheets(maps_of(block.output))
        empty = Figure(at, x, y, width, height, sheets, scale.step)
        far, low = empty.depth
        return Figure(at, x, y, width + far, height + low, sheets, scale.step)

    def resizes(self, at: int) -> bool:
        """Returns whether a block's size is written: not that of a sum, which changes nothing."""
        return self.blocks[at].kind.strip("_") not in SIGNS

    def repeats(self, at: int) -> bool:
        """Returns whether a block is the convolution before it over again."""
        one, two = self.blocks[at - 1], self.blocks[at]
        return (
            two.inputs == (at - 1,)
            and one.family == two.family == "convolution"
            and (one.output, one.detail, one.kind) == (two.output, two.detail, two.kind)
        )


@dataclass
class Row:
    """Primitives along an axis, and where the next one may begin.

    Attributes:
        diagram: of the drawing.
        right: where the last figure ends.
        said: where the last label ends.
        held: where the bracket of the last prefix ends.
        low: where the lowest caption ends.
        parted: whether an arc begins between the last figure and the next.
    """

    diagram: Diagram
    right: float = 0.0
    said: float = -1e9
    held: float = -1e9
    items: list[Primitive] = field(default_factory=list)
    figures: dict[int, Figure] = field(default_factory=dict)
    names: list[list[tuple[float, int]]] = field(default_factory=lambda: [[]])
    low: float = 30.0
    parted: bool = False
    _prefix: str | None = None

    def copy(self) -> "Row":
        """Returns a row to try things on."""
        names = [list(stretch) for stretch in self.names]
        return replace(self, items=list(self.items), figures=dict(self.figures), names=names)

    def series(self, series: Series) -> None:
        """Places blocks one behind the other, and arcs over them."""
        start = max(self.right, self.said) if self.figures else 0.0
        begins = {source: start for source, _ in series.skips}
        if any(source not in series.members for source in begins):
            self._part(start)
        for at in series.members:
            self._block(at)
            if at in begins:
                begins[at] = max(self.right, self.said)
                self._part(begins[at])
        for source, at in sorted(series.skips, key=lambda ends: ends[1] - ends[0]):
            self._skip(source, at, begins[source])

    def _part(self, x: float) -> None:
        """Leaves room for an arc that begins at x, beside labels."""
        self.right = self.said = x + ASIDE
        self.parted = True

    def _block(self, at: int) -> None:
        block = self.diagram.blocks[at]
        previous = self.figures.get(at - 1)
        caption = block.detail
        tight = previous is not None and self.diagram.repeats(at)
        if tight:
            caption = caption[:1]
        wide = max([text_width(line, CAPTION) for line in caption], default=0) + 12
        fan = previous is not None and not is_stack(block.output) and block.family == "dense"
        lead = max(wide, 44 if fan else 26 if tight else 34) if at else 0
        lead += ASIDE * any(source < at - 1 for source in block.inputs)
        figure = self.diagram.figure(at, self.right + lead)
        half = self._half_label(at)
        begins = max(self.said + SPACE, self.held + SPACE if block.prefix != self._prefix else -1e9)
        shift = begins - (figure.middle - half)
        if shift > 0:
            figure = self.diagram.figure(at, figure.x + shift)
        if block.prefix != self._prefix:
            self._prefix = block.prefix
            start = min(figure.x, figure.middle - half)
            self.held = start + text_width(block.prefix, NAME) if at in self.diagram.short else -1e9
        rise = self._connect(at, figure, previous, caption)
        self.parted = False
        self._write(at, figure, max(26.0 if caption else 12.0, rise + CAPTION))
        self.figures[at] = figure
        self.said = figure.middle + half
        self.right = figure.x + figure.width
        if block.family == "join":
            self.right = max(self.right, self.said)

    def _half_label(self, at: int) -> float:
        block = self.diagram.blocks[at]
        texts = [(self.diagram.name(at), NAME)]
        texts += [(size_text(block.output), SIZE)] if self.diagram.resizes(at) else []
        texts += [(note, NOTE) for note in block.notes]
        return max(text_width(*text) for text in texts) / 2

    def _write(self, at: int, figure: Figure, clear: float) -> None:
        """Puts the figure and its size; the name waits until the row is complete."""
        self.items.append(figure)
        block = self.diagram.blocks[at]
        size = size_text(block.output)
        if block.family == "join":
            lines = [size] * self.diagram.resizes(at) + block.notes
            for line, text in enumerate(lines, start=1):
                y = figure.height / 2 + line * SIZE + 2
                self.items.append(Text(figure.middle, y, text, NOTE, "quiet"))
            return
        y = -max(figure.height / 2, clear) - 7
        self.items.append(Text(figure.middle, y, size, SIZE))
        self.names[-1].append((figure.middle, at))

    def _connect(
        self, at: int, figure: Figure, previous: Figure | None, caption: tuple[str, ...]
    ) -> float:
        """Draws how the block before, or the row's begin, leads to a block; returns its rise."""
        block = self.diagram.blocks[at]
        if at - 1 not in block.inputs:  # an arc leads to it, and comes down just before it
            self.say(caption, (self.right + figure.left - ASIDE) / 2, 0, (0, 0), CAPTION)
            return 0.0
        above, below = 0.0, 0.0
        if previous is None or self.diagram.blocks[at - 1].family == "join":
            begin = previous.right if previous else 0.0
            self._line(((begin, 0), (figure.left, 0)), "arrow", at - 1, at)
        elif block.family == "dense" and not figure.sheets:
            self.items.append(_fan(previous, figure))
        elif not self.parted and (rays := self._rays(at, previous, figure)):
            self.items += rays
            above, below = -rays[0].points[0][1], rays[1].points[0][1]
        else:
            self._line(((previous.right, 0), (figure.left, 0)), "arrow", at - 1, at)
        self.say(caption, (self.right + figure.left) / 2, 0, (above, below), CAPTION)
        return above

    def say(self, caption: tuple[str, ...], x: float, y: float, clear: Point, size: float) -> None:
        """Writes a caption: its first line above a connection, the others below."""
        above, below = (max(5.0, each + 3) for each in clear)
        for line, text in enumerate(caption):
            lower = y - above if line == 0 else y + below + line * (size + 1) - 3
            self.items.append(Text(x, lower, text, size, "quiet"))
            if size == CAPTION:
                self.low = max(self.low, lower + 3)

    def _line(self, points: tuple[Point, ...], style: str, source: int, at: int) -> None:
        self.items.append(Stroke(points, style, (source, at)))

    def _rays(self, at: int, previous: Figure, figure: Figure) -> list[Stroke]:
        """Returns the window on the map before and the two rays to one position of the block."""
        block, before = self.diagram.blocks[at], self.diagram.blocks[at - 1]
        found = re.search(r"(\d+)x(\d+)", block.detail[0]) if block.detail else None
        if not found or not previous.sheets or not is_stack(before.output):
            return []
        (height, width), (tall, wide) = sides_of(before.output), previous.sheet[::-1]
        high = min(tall, max(3.0, tall * int(found[1]) / height))
        broad = min(wide, max(3.0, wide * int(found[2]) / width))
        front = previous.depth[1] / 2 - tall / 2  # the front sheet's upper edge
        top = min(max(-high / 2, front), front + tall - high)
        right = previous.x + previous.width - min(4.0, (wide - broad) / 2)
        left, low = right - broad, top + high
        tip = (figure.left + min(3.0, figure.width / 4), 0.0)
        window = ((left, top), (right, top), (right, low), (left, low), (left, top))
        return [
            Stroke(((right, top), tip), "ray", (at - 1, at)),
            Stroke(((right, low), tip), "ray"),
            Stroke(window, "window"),
        ]

    def _skip(self, source: int, at: int, begin: float) -> None:
        """Draws an arc over the labels, from where a connection begins to a later block."""
        end = self.figures[at]
        turn = begin + ASIDE / 2
        over = [box for box in map(extent, self.items) if box[2] > turn and box[0] < end.right]
        y = min(box[1] for box in over) - 12
        if self.diagram.blocks[at].family == "join":
            tip: tuple[Point, ...] = ((end.middle, y), (end.middle, -end.height / 2))
        else:
            before = end.left - ASIDE
            tip = ((before, y), (before, 0), (end.left, 0))
        self._line(((begin, 0), (turn, 0), (turn, y), *tip), "skip", source, at)

    def finish(self) -> None:
        """Writes the names of each stretch on one line, and brackets with their prefixes."""
        for stretch in self.names:
            if stretch:
                self._finish(stretch)

    def _finish(self, stretch: list[tuple[float, int]]) -> None:
        inside = [self.figures[at] for _, at in stretch]
        base = max(self.low, *(figure.height / 2 for figure in inside)) + NAME + 6
        low = base
        for x, at in stretch:
            if name := self.diagram.name(at):
                self.items.append(Text(x, base, name, NAME, "strong"))
            for line, note in enumerate(self.diagram.blocks[at].notes, start=1):
                y = base + line * (NOTE + 2)
                low = max(low, y) if at in self.diagram.short else low
                self.items.append(Text(x, y, note, NOTE, "quiet"))
        for group in self._groups([at for _, at in stretch if at in self.diagram.short]):
            self._bracket(group, low + 8)

    def _groups(self, members: list[int]) -> list[list[int]]:
        """Returns the blocks that share a prefix, in a row each."""
        groups: list[list[int]] = []
        for at in members:
            prefix = self.diagram.blocks[at].prefix
            if (
                groups
                and groups[-1][-1] == at - 1
                and (self.diagram.blocks[at - 1].prefix == prefix)
            ):
                groups[-1].append(at)
            else:
                groups.append([at])
        return groups

    def _bracket(self, group: list[int], y: float) -> None:
        first, last = self.figures[group[0]], self.figures[group[-1]]
        left = min(first.x, first.middle - self._half_label(group[0]))
        right = max(last.x + last.width, last.middle + self._half_label(group[-1]))
        prefix = self.diagram.blocks[group[0]].prefix
        ends = ((left, y), (left, y + 4), (right, y + 4), (right, y))
        self.items.append(Stroke(ends, "bracket"))
        middle = max((left + right) / 2, left + text_width(prefix, NAME) / 2)
        self.items.append(Text(middle, y + NAME + 6, prefix, NAME, "strong"))


def _fan(one: Figure, two: Figure) -> Fan:
    """Returns the area between the front of one figure and a bar."""
    low = one.depth[1] / 2
    half = one.sheet[1] / 2
    right = one.x + one.width
    return Fan(
        (
            (right, low - half),
            (two.x, -two.height / 2),
            (two.x, two.height / 2),
            (right, low + half),
        ),
        (one.at, two.at),
    )
