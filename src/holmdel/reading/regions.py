"""Parts of an image that are read alone: given in pixels, or as shares of the image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from holmdel.errors import UserError
from holmdel.reading.answers import Box, Digit, Grey, Line, Reading, Skipped
from holmdel.reading.image import LEAST_SIDE

if TYPE_CHECKING:
    from holmdel.reading.sheets import Sheet

Sides: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True)
class Region:
    """A part of an image.

    Attributes:
        sides: x, y, width and height; shares of the image where none is above 1, else pixels.
        name: what the answers call it; None for the only one.
    """

    sides: Sides
    name: str | None = None

    def within(self, sheet: "Sheet") -> Box:
        """Returns the region in the pixels of a sheet.

        Raises:
            UserError: if it reaches outside of the sheet, or is too small.
        """
        height, width = sheet.grey.shape
        shares = max(self.sides) <= 1
        across, down = (width, height) if shares else sheet.stretch
        x, y, w, h = self.sides
        left, right = round(x * across), round((x + w) * across)
        top, bottom = round(y * down), round((y + h) * down)
        if right > width or bottom > height or min(right - left, bottom - top) < LEAST_SIDE:
            size = f"{width / sheet.stretch[0]:.0f} x {height / sheet.stretch[1]:.0f}"
            raise UserError(
                f"the region {_text(self.sides)} is no part of {sheet.path or 'the image'}, which "
                f"has {size} pixels; expected x,y,w,h within it, {LEAST_SIDE} x {LEAST_SIDE} "
                "pixels at least"
            )
        return left, top, right - left, bottom - top


def parse_regions(given: Sequence[str | Sequence[float]]) -> tuple[Region, ...]:
    """Returns regions from texts `x,y,w,h` or four numbers each; several are named region-1, ...

    Raises:
        UserError: for one that is not four numbers, or that has no size.
    """
    sides = [_parsed(one) for one in given]
    if len(sides) == 1:
        return (Region(sides[0]),)
    return tuple(Region(four, f"region-{number}") for number, four in enumerate(sides, start=1))


def _parsed(given: str | Sequence[float]) -> Sides:
    parts = given.split(",") if isinstance(given, str) else given
    try:
        x, y, w, h = (float(part) for part in parts)
        fits = all(map(math.isfinite, (x, y, w, h))) and min(x, y) >= 0 and min(w, h) > 0
    except (TypeError, ValueError):
        fits = False
    if not fits:
        shown = given if isinstance(given, str) else _text(given)
        raise UserError(
            f"the region {shown} is no part of an image; expected x,y,w,h in pixels, such as "
            "40,200,600,80, or in shares of the image, such as 0.1,0.2,0.5,0.1"
        )
    return x, y, w, h


def _text(sides: Sequence[float]) -> str:
    return ",".join(f"{side:g}" if isinstance(side, float) else str(side) for side in sides)


def parts_of(sheet: "Sheet", regions: Sequence[Region]) -> tuple[list[Box], list["Sheet"]]:
    """Returns where the regions of a sheet are, and each as a sheet of its own.

    Raises:
        UserError: if one is no part of the sheet.
    """
    boxes = [region.within(sheet) for region in regions]
    return boxes, [sheet.part(box) for box in boxes]


def joined(
    path: str | None,
    regions: Sequence[Region],
    boxes: Sequence[Box],
    readings: Sequence[Reading],
) -> Reading:
    """Returns one reading of what the regions of an image say, in the image's pixels."""
    lines: list[Line] = []
    skipped: list[Skipped] = []
    steps: list[tuple[str, Grey]] = []
    for region, box, reading in zip(regions, boxes, readings, strict=True):
        lines += [_moved(line, box, region.name) for line in reading.lines]
        missed = [
            replace(item, box=_shifted(item.box, box), field=region.name)
            for item in reading.skipped
        ]
        if not reading.lines and not missed:
            missed = [Skipped(box, "empty", region.name)]
        skipped += missed
        steps += [
            (f"{region.name}-{step}" if region.name else step, s) for step, s in reading.steps
        ]
    return Reading(path, tuple(lines), tuple(skipped), steps=tuple(steps))


def _moved(line: Line, box: Box, name: str | None) -> Line:
    digits = tuple(Digit(d.char, d.confidence, _shifted(d.box, box)) for d in line.digits)
    return replace(line, box=_shifted(line.box, box), digits=digits, field=name)


def _shifted(box: Box, corner: Box) -> Box:
    x, y, w, h = box
    return x + corner[0], y + corner[1], w, h
