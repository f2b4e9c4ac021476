"""The primitives of a drawing: texts, strokes, figures and frames, each at its place."""

from dataclasses import dataclass, replace

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # left, top, right and bottom
SLOPE = 0.6


@dataclass(frozen=True)
class Text:
    """A line of text; (x, y) is on its baseline.

    Attributes:
        x: its middle, or its left end where `anchor` is `start`.
        y: its baseline.
        text: what it says.
        size: of the font.
        tone: `strong`, `plain` or `quiet`.
        anchor: `middle` or `start`.
    """

    x: float
    y: float
    text: str
    size: float
    tone: str = "plain"
    anchor: str = "middle"


@dataclass(frozen=True)
class Stroke:
    """A line through points.

    Attributes:
        points: two or more.
        style: `arrow`, `line`, `skip`, `ray` or `bracket`.
        ends: positions of the blocks it joins, where it is a connection.
    """

    points: tuple[Point, ...]
    style: str
    ends: tuple[int, int] | None = None


@dataclass(frozen=True)
class Fan:
    """The area between two blocks that are fully connected: its corners, and the blocks."""

    points: tuple[Point, ...]
    ends: tuple[int, int]


@dataclass(frozen=True)
class Figure:
    """A block: a stack of sheets, a bar, or a join.

    Attributes:
        at: position of the block.
        x: left edge.
        y: the middle of its height.
        width: of the whole figure.
        height: of the whole figure.
        sheets: how many; 0 for a bar or a join.
        step: how far each sheet lies to the right of the one before; `SLOPE` of it lower.
        sign: what stands inside a join's circle; "" for a bar or a stack.
    """

    at: int
    x: float
    y: float
    width: float
    height: float
    sheets: int = 0
    step: float = 0.0
    sign: str = ""

    @property
    def depth(self) -> Point:
        """How far the front sheet lies right of and below the back one."""
        far = self.step * max(0, self.sheets - 1)
        return far, SLOPE * far

    @property
    def sheet(self) -> Point:
        """Width and height of one sheet."""
        return self.width - self.depth[0], self.height - self.depth[1]

    @property
    def left(self) -> float:
        """Where a line along its middle meets it, coming from the left."""
        return self.x + self.width - self._crossed()

    @property
    def right(self) -> float:
        """Where a line along its middle leaves it to the right."""
        return self.x + self._crossed()

    @property
    def middle(self) -> float:
        """The middle of its width."""
        return self.x + self.width / 2

    def _crossed(self) -> float:
        """From the left edge to the last sheet that the middle line still crosses."""
        if not self.sheets:
            return self.width
        return min(self.width, self.sheet[0] + self.height / 2 / SLOPE)


@dataclass(frozen=True)
class Frame:
    """A rectangle behind blocks that belong together."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Swatch:
    """A colour of the legend."""

    x: float
    y: float
    family: str


Primitive = Text | Stroke | Figure | Frame | Fan | Swatch


def lowered(item: Primitive, by: float) -> Primitive:
    """Returns a primitive, moved down."""
    if isinstance(item, Stroke | Fan):
        return replace(item, points=tuple((x, y + by) for x, y in item.points))
    return replace(item, y=item.y + by)


def extent(item: Primitive) -> Box:
    """Returns where a primitive lies; a text by its estimated width."""
    if isinstance(item, Stroke | Fan):
        xs, ys = zip(*item.points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)
    if isinstance(item, Text):
        width = text_width(item.text, item.size)
        left = item.x - width / 2 if item.anchor == "middle" else item.x
        return left, item.y - 0.8 * item.size, left + width, item.y + 0.22 * item.size
    if isinstance(item, Figure):
        return item.x, item.y - item.height / 2, item.x + item.width, item.y + item.height / 2
    width, height = (12, 12) if isinstance(item, Swatch) else (item.width, item.height)
    return item.x, item.y, item.x + width, item.y + height


# Widths of Helvetica in thousandths of the font's size, by kind of letter.
_NARROW = "fijlrtI.,:;()[]|'!/ -"
_WIDE = "mwMW@%"


def text_width(text: str, size: float) -> float:
    """Returns about how wide a text is, rather more than less.

    >>> text_width("6@28x28", 10)
    44.0
    """
    width = 0.0
    for letter in text:
        if letter in _NARROW:
            width += 0.36
        elif letter in _WIDE:
            width += 0.98
        else:
            width += 0.70 if letter.isupper() else 0.57
    return round(width * size, 1)
