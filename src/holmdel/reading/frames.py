"""What a printed frame is made of: straight lines, walls, and rows of cells between them."""

from dataclasses import dataclass
from typing import NamedTuple

Cell = tuple[int, int, int, int]  # x, y, width and height of its inside, in pixels

THICKEST = 13  # pixels; thicker is a stroke of a broad pen, or a bar
STEEPEST = 0.09  # slope of a line on a page that is straight but for some degrees
STRONG = 0.6  # of its height that is ink: a wall
WEAK = 0.4  # the same of a wall that is broken, where others say that there is one


@dataclass(frozen=True)
class Box:
    """A field: a printed box, or the cells of a comb.

    Attributes:
        x, y, w, h: around the insides of its cells, in pixels of the sheet.
        cells: x, y, w, h of the inside of each, from the left; one for a box.
    """

    x: int
    y: int
    w: int
    h: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Segment:
    """A line from (x0, y0) to (x1, y1), x0 < x1, and its thickness, in pixels.

    `filled` is the part of its length on which there is ink, `off` how far the ink strays.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    thick: float
    filled: float = 1.0
    off: float = 0.0

    @property
    def slope(self) -> float:
        """Pixels down for each to the right."""
        return (self.y1 - self.y0) / max(self.x1 - self.x0, 1.0)

    @property
    def length(self) -> float:
        """Pixels from left to right."""
        return self.x1 - self.x0

    def at(self, x: float) -> float:
        """Returns the height of the line at x, also beyond its ends."""
        return self.y0 + (x - self.x0) * self.slope


@dataclass(frozen=True)
class Bar:
    """A wall or rule that is to be taken away: its ends and thickness, in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float
    thick: float

    @property
    def level(self) -> bool:
        """Whether it runs across rather than down."""
        return abs(self.x1 - self.x0) >= abs(self.y1 - self.y0)


@dataclass(frozen=True)
class Row:
    """Cells side by side that share walls.

    Attributes:
        cells: x, y, width and height of the inside of each.
        bars: their walls.
        worth: how much speaks for them: combs before boxes, inner boxes before those around.
    """

    cells: tuple[Cell, ...]
    bars: tuple[Bar, ...]
    worth: float = 0.0


class Wall(NamedTuple):
    """A wall in a strip.

    First and last column, how much of its height is ink, how bright it is, and how much is ink of
    columns a little before and after.
    """

    u0: float
    u1: float
    peak: float
    shade: float = 0.0
    before: float = 0.0
    after: float = 0.0

    @property
    def middle(self) -> float:
        """Its middle column."""
        return (self.u0 + self.u1) / 2

    @property
    def thick(self) -> float:
        """How many columns it is wide."""
        return self.u1 - self.u0 + 1
