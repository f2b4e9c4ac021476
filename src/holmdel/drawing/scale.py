"""The scale of a drawing: from pixels to lengths, from units to bars, from maps to sheets."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from holmdel.anatomy.table import Shape

LINEAR = 8  # up to this ratio of the largest to the smallest, lengths are in proportion
SHEETS = 20  # up to as many maps, each is a sheet of its own
DEPTH = 0.42  # of the deepest stack, as part of the largest map
BAR = 0.8  # the longest bar, likewise
UNITS = 100  # the least that the longest bar stands for
FONT = "Helvetica, Arial, 'Liberation Sans', 'Nimbus Sans', 'DejaVu Sans', sans-serif"


@dataclass(frozen=True)
class Scale:
    """How long things are drawn.

    Attributes:
        pixels: the largest H or W of the drawing.
        units: what the longest bar stands for.
        maps: the most maps of a stack.
        height: of the largest map.
        map_power: 1 where map heights are in proportion to H, 1/2 where to its square root.
        bar_power: likewise for the bars.
    """

    pixels: int
    units: int
    maps: int
    height: float
    map_power: float
    bar_power: float

    def side(self, pixels: int) -> float:
        """Returns the length of a side of so many pixels."""
        return self.height * math.pow(pixels / self.pixels, self.map_power)

    def bar(self, units: int) -> float:
        """Returns the length of a bar of so many units."""
        return BAR * self.height * math.pow(units / self.units, self.bar_power)

    def sheets(self, maps: int) -> int:
        """Returns how many sheets a stack of so many maps has."""
        return maps if self.maps <= SHEETS else max(1, round(math.sqrt(maps)))

    @property
    def step(self) -> float:
        """How far each sheet lies beside the one before."""
        return min(4.0, DEPTH * self.height / max(1, self.sheets(self.maps) - 1))

    def sentence(self) -> str:
        """Returns the rule in words."""
        maps = "H and W" if self.map_power == 1 else "the square roots of H and W"
        bars = "its units" if self.bar_power == 1 else "the square root of its units"
        sheets = "a sheet a map" if self.maps <= SHEETS else "the square root of C as sheets"
        return (
            f"To scale: the sides of a map are in proportion to {maps} ({self.pixels} pixels are "
            f"{self.height:g} units), the length of a bar to {bars} ({self.units} are "
            f"{BAR * self.height:g}); a stack of C maps has {sheets}."
        )


def scale_for(shapes: Sequence[Shape], height: float) -> Scale:
    """Returns the scale that fits the shapes (C, H, W) of stacks and (F,) of bars."""
    sides = [side for shape in shapes if is_stack(shape) for side in sides_of(shape)] or [1]
    bars = [units_of(shape) for shape in shapes if not is_stack(shape)] or [1]
    maps = [maps_of(shape) for shape in shapes if is_stack(shape)] or [1]
    return Scale(
        pixels=max(sides),
        units=max(UNITS, *bars),
        maps=max(maps),
        height=height,
        map_power=1 if max(sides) <= LINEAR * min(sides) else 0.5,
        bar_power=1 if max(bars) <= 2 * LINEAR * min(bars) else 0.5,
    )


def is_stack(shape: Shape) -> bool:
    """Returns whether a shape is drawn as maps; one of a single pixel a map is a bar."""
    return len(shape) > 1 and math.prod(sides_of(shape)) > 1


def sides_of(shape: Shape) -> tuple[int, int]:
    """Returns H and W of a stack's maps; (T, F) is one map."""
    return (max(1, shape[-2]), max(1, shape[-1])) if len(shape) > 1 else (1, 1)


def maps_of(shape: Shape) -> int:
    """Returns C of a stack, at least 1."""
    return max(1, shape[0]) if len(shape) > 2 else 1


def units_of(shape: Shape) -> int:
    """Returns the units of a bar, at least 1."""
    return max(1, math.prod(shape))


def size_text(shape: Shape) -> str:
    """Returns a shape as it is written at a block.

    >>> size_text((6, 28, 28)), size_text((120,)), size_text((120, 1, 1)), size_text((64, 9))
    ('6@28x28', '120', '120@1x1', '64x9')
    """
    if len(shape) > 2:
        return f"{shape[0]}@{'x'.join(map(str, shape[1:]))}"
    return "x".join(map(str, shape))
