"""What a drawing is made of: texts, lines, figures and frames, each at its place."""

from dataclasses import dataclass, replace

from holmdel.anatomy.scale import text_width

Point = tuple[float, float]


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

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, by the estimated width."""
        width = text_width(self.text, self.size)
        left = self.x - width / 2 if self.anchor == "middle" else self.x
        return left, self.y - 0.8 * self.size, left + width, self.y + 0.22 * self.size


@dataclass(frozen=True)
class Line:
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
        return self.x + self.width - self._reach()

    @property
    def right(self) -> float:
        """Where a line along its middle leaves it to the right."""
        return self.x + self._reach()

    @property
    def middle(self) -> float:
        """The middle of its width."""
        return self.x + self.width / 2

    def _reach(self) -> float:
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
class Fan:
    """The area between two blocks that are fully connected."""

    corners: tuple[Point, ...]
    ends: tuple[int, int]


@dataclass(frozen=True)
class Swatch:
    """A colour of the legend."""

    x: float
    y: float
    family: str


Mark = Text | Line | Figure | Frame | Fan | Swatch
SLOPE = 0.6


def lowered(mark: Mark, by: float) -> Mark:
    """Returns a mark, moved down."""
    if isinstance(mark, Line):
        return replace(mark, points=tuple((x, y + by) for x, y in mark.points))
    if isinstance(mark, Fan):
        return replace(mark, corners=tuple((x, y + by) for x, y in mark.corners))
    return replace(mark, y=mark.y + by)


def extent(mark: Mark) -> tuple[float, float, float, float]:
    """Returns left, top, right and bottom of a mark."""
    if isinstance(mark, Text):
        return mark.box
    if isinstance(mark, Figure):
        above, below = mark.y - mark.height / 2, mark.y + mark.height / 2
        return mark.x, above, mark.x + mark.width, below
    if isinstance(mark, Frame):
        return mark.x, mark.y, mark.x + mark.width, mark.y + mark.height
    if isinstance(mark, Swatch):
        return mark.x, mark.y, mark.x + 12, mark.y + 12
    points = mark.points if isinstance(mark, Line) else mark.corners
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
