"""Small SVG pictures of grids of numbers: the same text on every machine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.etree import ElementTree

from torch import Tensor

INK, GREY, PALE = "#1b1b1b", "#7d8791", "#f1f3f5"
BLUE, ORANGE, GREEN, PURPLE, RED = "#1f5f9e", "#b8620a", "#2f7d32", "#7b3fa0", "#a8322a"
TINTS = {BLUE: "#cfe2f3", ORANGE: "#fbdcb8", GREEN: "#cfe8cc", PURPLE: "#e6d5f0", RED: "#f6d0cc"}
FOURS = (BLUE, GREEN, PURPLE, RED)  # four windows and their outputs; orange is the kernel's

Fill = Callable[[int, int], str]  # (row, column) to a colour
Point = tuple[float, float]


def plain(_row: int, _column: int) -> str:
    """Returns white, for every cell."""
    return "white"


def block(top: int, left: int, height: int, width: int, colour: str = BLUE) -> Fill:
    """Returns a fill that tints one window of the cells."""
    return lambda i, j: (
        TINTS[colour] if top <= i < top + height and left <= j < left + width else "white"
    )


def all_of(colour: str) -> Fill:
    """Returns a fill that tints every cell."""
    return lambda _i, _j: TINTS[colour]


def terms(window: Tensor, k: Tensor) -> str:
    """Returns the sum that makes one output, written out."""
    pairs = zip(window.flatten().tolist(), k.flatten().tolist(), strict=True)
    signed = ((f"{pixel:g}", f"{w:g}" if w >= 0 else f"(−{-w:g})") for pixel, w in pairs)
    return " + ".join(f"{pixel}·{weight}" for pixel, weight in signed)


@dataclass(frozen=True)
class Sheet:
    """A grid of numbers.

    Attributes:
        values: (rows, columns); NaN is an empty cell.
        title: stands above it.
        fill: the colour of each cell.
        weights: what stands small in the corner of a cell.
        cell: pixels a side.
        decimals: of the numbers; None for as many as they have.
    """

    values: Tensor
    title: str = ""
    fill: Fill = plain
    weights: dict[tuple[int, int], str] = field(default_factory=dict)
    cell: int = 44
    decimals: int | None = None

    @property
    def size(self) -> Point:
        """Width and height in pixels."""
        rows, columns = self.values.shape
        return columns * self.cell, rows * self.cell

    def text_of(self, value: float) -> str:
        """Returns what stands in a cell."""
        if value != value:
            return ""
        text = f"{value:g}" if self.decimals is None else f"{value:.{self.decimals}f}"
        return text.replace("-", "−")


class Picture:
    """An SVG picture on white; what is drawn later lies above."""

    def __init__(self, width: int, height: int) -> None:
        size = {"width": str(width), "height": str(height), "viewBox": f"0 0 {width} {height}"}
        space = {
            "xmlns": "http://www.w3.org/2000/svg",
            "font-family": "Helvetica, Arial, sans-serif",
        }
        self.root = ElementTree.Element("svg", space | size)
        self.rect(0, 0, width, height, fill="white", stroke="none")

    def add(self, tag: str, **attributes: float | str) -> ElementTree.Element:
        """Returns a new element; numbers are rounded to a hundredth of a pixel."""
        texts = {
            name.replace("_", "-"): value if isinstance(value, str) else f"{round(value, 2):g}"
            for name, value in attributes.items()
        }
        return ElementTree.SubElement(self.root, tag, texts)

    def rect(self, x: float, y: float, w: float, h: float, **look: float | str) -> None:
        """Draws a rectangle from its upper left corner."""
        self.add("rect", x=x, y=y, width=w, height=h, **({"stroke": GREY} | look))

    def line(self, start: Point, end: Point, **look: float | str) -> None:
        """Draws a line."""
        ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
        self.add("line", **(ends | {"stroke": GREY} | look))

    def curve(self, points: list[Point], colour: str) -> None:
        """Draws a line through points, with a dot on each."""
        text = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.add("polyline", points=text, fill="none", stroke=colour, stroke_width=2.5)
        for x, y in points:
            self.add("circle", cx=x, cy=y, r=4, fill=colour)

    def arrow(self, start: Point, end: Point) -> None:
        """Draws an arrow to the right."""
        self.line(start, end, stroke=INK, stroke_width=2)
        x, y = end
        self.add("polygon", points=f"{x + 8:g},{y:g} {x - 4:g},{y - 6:g} {x - 4:g},{y + 6:g}")

    def text(self, x: float, y: float, words: str, size: float = 18, **look: float | str) -> None:
        """Writes a line, in the middle of x unless `text_anchor` says otherwise."""
        standard = {"text_anchor": "middle", "fill": INK}
        self.add("text", x=x, y=y, font_size=size, **(standard | look)).text = words

    def sheet(self, x: float, y: float, sheet: Sheet) -> None:
        """Draws a grid from its upper left corner, and its title above."""
        cell, size = sheet.cell, sheet.cell * (0.42 if sheet.decimals is None else 0.36)
        for i, row in enumerate(sheet.values.tolist()):
            for j, value in enumerate(row):
                left, top, fill = x + j * cell, y + i * cell, sheet.fill(i, j)
                self.rect(left, top, cell, cell, fill=fill)
                ink = "white" if fill == INK else INK
                words = sheet.text_of(value)
                points = size if len(words) < 4 else 0.85 * size
                self.text(left + cell / 2, top + cell / 2 + 0.36 * points, words, points, fill=ink)
                if (i, j) in sheet.weights:
                    small = sheet.weights[i, j]
                    look = {"fill": ORANGE, "text_anchor": "end"}
                    self.text(left + cell - 3, top + cell - 4, small, cell * 0.27, **look)
        if sheet.title:
            self.text(x + sheet.size[0] / 2, y - 12, sheet.title, 16, fill=GREY)

    def across(self, x: float, middle: float, *items: Sheet | str, gap: float = 20) -> float:
        """Draws grids and signs from left to right around a height; returns where they end."""
        for item in items:
            if isinstance(item, str):
                width = 15.0 * len(item)
                self.text(x + width / 2, middle + (16 if item == "*" else 9), item, 28)
            else:
                width, height = item.size
                self.sheet(x, middle - height / 2, item)
            x += width + gap
        return x - gap

    def __str__(self) -> str:
        """The file's text."""
        ElementTree.indent(self.root)
        return ElementTree.tostring(self.root, encoding="unicode") + "\n"
