"""A line of uneven digits set level: small ones higher, long tails shorter, all on one middle."""

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.page_ink import Picture, Sheet, dilated, resized
from holmdel.reading.page_lines import Marks

_LOWEST = 0.75  # of the common height: how high the smallest digit becomes
_UNEVEN = 1.5  # times the lowest digit: the highest of a line that is worth setting level
_PIECE = 0.3  # of the highest: lower marks are pieces of the digit nearby, or dashes


def levelled(
    sheet: Sheet, marks: Marks, line: list[int]
) -> tuple[Picture, NDArray[np.float64]] | None:
    """Returns the line with digits of about one height, and the map (2, 3) from it to the page.

    Digits stay in their columns, so the map is exact across the line; None for an even line.
    """
    groups = _digits(marks, line)
    extents = np.array([_extent(marks, group) for group in groups])
    heights = extents[:, 3] - extents[:, 1]
    if len(groups) < 3 or heights.max() < _UNEVEN * heights.min():
        return None
    common = round(float(np.quantile(heights, 0.6)))
    margin = max(2, common // 10)
    left, right = int(extents[:, 0].min()), int(extents[:, 2].max())
    size = (common + 2 * margin, right - left + 2 * margin)
    canvas = np.full(size, 255, np.uint8)
    for group, (x0, y0, x1, y1) in zip(groups, extents, strict=True):
        alone = _alone(sheet, marks, group, (x0, y0, x1, y1))
        high = int(np.clip(y1 - y0, round(_LOWEST * common), common))
        even = resized(alone, (int(x1 - x0), high), cv2.INTER_AREA)
        top, start = margin + (common - high) // 2, int(x0) - left + margin
        place = canvas[top : top + high, start : start + even.shape[1]]
        np.minimum(place, even, out=place)
    return canvas, _to_page(sheet, extents, (left - margin, size[0]))


def _digits(marks: Marks, line: list[int]) -> list[list[int]]:
    """Returns the marks of a line by digits: each tall one with the small ones nearest to it."""
    box = marks.box[line]
    tall = [i for i, high in zip(line, box[:, 3], strict=True) if high >= _PIECE * box[:, 3].max()]
    groups = {i: [i] for i in tall}
    for i in line:
        if i in groups:
            continue
        x = marks.box[i, 0] + marks.box[i, 2] / 2
        far = {t: max(marks.box[t, 0] - x, x - marks.box[t, 0] - marks.box[t, 2]) for t in tall}
        groups[min(tall, key=far.__getitem__)].append(i)
    return _halves_joined(marks, list(groups.values()))


def _halves_joined(marks: Marks, groups: list[list[int]]) -> list[list[int]]:
    """Returns the groups; one that stands over another (the flag of a 5) belongs to it."""
    joined: list[list[int]] = []
    for group in groups:
        x0, _, x1, _ = _extent(marks, group)
        if joined:
            a0, _, a1, _ = _extent(marks, joined[-1])
            if min(a1, x1) - max(a0, x0) > 0.6 * min(a1 - a0, x1 - x0):
                joined[-1].extend(group)
                continue
        joined.append(list(group))
    return joined


def _extent(marks: Marks, group: list[int]) -> tuple[int, int, int, int]:
    box = marks.box[group]
    (x0, y0), (x1, y1) = box[:, :2].min(0), (box[:, :2] + box[:, 2:]).max(0)
    return int(x0), int(y0), int(x1), int(y1)


def _alone(
    sheet: Sheet, marks: Marks, group: list[int], extent: tuple[int, int, int, int]
) -> Picture:
    """Returns the light of a digit without its neighbours."""
    x0, y0, x1, y1 = extent
    own = np.isin(marks.labels[y0:y1, x0:x1], marks.label[group]).astype(np.uint8)
    return np.where(dilated(own, 3, 3) > 0, sheet.light[y0:y1, x0:x1], 255).astype(np.uint8)


def _to_page(
    sheet: Sheet, extents: NDArray[np.int64], corner: tuple[int, int]
) -> NDArray[np.float64]:
    """Returns the map from the level line to the page: its middle onto the digits' middles."""
    left, high = corner
    x = (extents[:, 0] + extents[:, 2]) / 2
    y = (extents[:, 1] + extents[:, 3]) / 2
    slope, start = np.polyfit(x, y, 1)
    reach = float((np.abs(extents[:, 1::2].T - (slope * x + start))).max())
    down = 2 * reach / high
    onto = np.array([[1.0, 0, left], [slope, down, start + slope * left - reach], [0, 0, 1]])
    return np.asarray((np.linalg.inv(sheet.from_page) @ onto)[:2], np.float64)
