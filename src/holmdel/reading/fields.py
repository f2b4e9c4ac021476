"""A line of writing cut out: upright, its ink alone on white paper, its digits set level."""

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.image import Picture, Sheet, dilated, resized

if TYPE_CHECKING:
    from holmdel.reading.writing import Marks

HEIGHT = 64  # pixels of a field's picture; twice what the network sees, no more than the page has

_MARGIN = 0.08  # of the height, left on every side
_STEEPEST = 0.2  # slope of a line on a straight page

Affine = NDArray[np.float64]


def slope(marks: "Marks", line: list[int]) -> float:
    """Returns the slope of a line, downwards to the right, by the middles of its marks."""
    box = marks.box[line].astype(np.float64)
    high = np.median(box[:, 3])
    tall = box[box[:, 3] >= 0.5 * high]
    if len(tall) < 3:
        return 0.0
    x, y = tall[:, 0] + tall[:, 2] / 2, tall[:, 1] + tall[:, 3] / 2
    rises = [
        (y[j] - y[i]) / (x[j] - x[i])
        for i in range(len(x))
        for j in range(i)
        if abs(x[j] - x[i]) > high
    ]
    if not rises:
        return 0.0
    middle = float(np.median(rises))
    return middle if abs(middle) <= _STEEPEST else 0.0


def crop(
    page: NDArray[np.uint8], sheet: Sheet, marks: "Marks", line: list[int], scale: float
) -> tuple[NDArray[np.uint8], Affine]:
    """Returns the picture of a line and the affine map (2, 3) from it to the page.

    Args:
        page: uint8 (H, W), the page as given.
        sheet: the page made even and straight.
        marks: its marks.
        line: those that belong to the field.
        scale: working pixels per pixel of the page.
    """
    to_sheet, size = _window(marks, line, max(1.0 / scale, 1.0))
    own, other = _ink_of(marks, line, sheet, to_sheet, size)
    light = _warp(sheet.light, to_sheet, size, 255)
    if scale < 1:
        fine = _warp(page, np.linalg.inv(sheet.from_page) @ to_sheet, size, 255)
        light = evened(fine, light)
    picture = np.where((dilated(other, 3, 3) > 127) & (own < 128), 255, light)
    return picture.astype(np.uint8), (np.linalg.inv(sheet.from_page) @ to_sheet)[:2]


def _window(marks: "Marks", line: list[int], finest: float) -> tuple[Affine, tuple[int, int]]:
    """Returns the map (3, 3) from the field's picture to the sheet, and the picture's size."""
    tilt = slope(marks, line)
    turn = np.array([[1.0, tilt], [-tilt, 1.0]]) / np.hypot(1.0, tilt)  # sheet to upright
    x, y, w, h = marks.box[line].astype(np.float64).T
    corners = np.stack([np.r_[x, x + w, x, x + w], np.r_[y, y, y + h, y + h]])
    if tilt:  # the rectangle of a slanted stroke is wider than its ink: its middle lines do
        corners = np.stack(
            [np.r_[x, x + w, x + w / 2, x + w / 2], np.r_[y + h / 2, y + h / 2, y, y + h]]
        )
    low, high = (turn @ corners).min(1), (turn @ corners).max(1)
    margin = _MARGIN * (high[1] - low[1]) + 1
    low, high = low - margin, high + margin
    zoom = min(max(HEIGHT / (high[1] - low[1]), 0.05), finest)
    size = (max(8, round((high[0] - low[0]) * zoom)), max(8, round((high[1] - low[1]) * zoom)))
    matrix = np.eye(3)
    matrix[:2, :2] = turn.T / zoom
    matrix[:2, 2] = turn.T @ low
    return matrix, size


def _ink_of(
    marks: "Marks", line: list[int], sheet: Sheet, to_sheet: Affine, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Returns the ink of the field, a little widened, and all other ink, in its picture."""
    wanted = np.zeros(int(marks.labels.max()) + 1, np.uint8)
    wanted[marks.label[line]] = 255
    corners = to_sheet @ np.array([[0, size[0], 0, size[0]], [0, 0, size[1], size[1]], [1] * 4])
    x0, y0 = np.maximum(corners[:2].min(1).astype(int) - 2, 0)
    x1, y1 = corners[:2].max(1).astype(int) + 3
    here = np.s_[y0:y1, x0:x1]
    own = dilated(wanted[marks.labels[here]], 5, 5)
    other = dilated(sheet.ink[here], 3, 3) & ~own
    shifted = to_sheet.copy()
    shifted[:2, 2] -= (x0, y0)
    return _warp(own, shifted, size, 0), _warp(other, shifted, size, 0)


def _warp(
    picture: NDArray[np.uint8], matrix: Affine, size: tuple[int, int], outside: int
) -> NDArray[np.uint8]:
    """Returns what a map (3, 3) from the result to `picture` shows, smoothed where it shrinks."""
    shrink = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    low = matrix[:2] @ np.array([[0, size[0], 0, size[0]], [0, 0, size[1], size[1]], [1] * 4])
    x0, y0 = np.maximum(low.min(1).astype(int) - 2, 0)
    x1, y1 = low.max(1).astype(int) + 3
    part = picture[y0:y1, x0:x1]
    if part.size == 0:
        return np.full((size[1], size[0]), outside, np.uint8)
    move = matrix.copy()
    move[:2, 2] -= (x0, y0)
    if shrink > 1.3:
        small = (max(1, round(part.shape[1] / shrink)), max(1, round(part.shape[0] / shrink)))
        factor = np.array([small[0] / part.shape[1], small[1] / part.shape[0]])
        part = resized(part, small, cv2.INTER_AREA)
        move[:2] *= factor[:, None]
    out = cv2.warpAffine(
        part, move[:2], size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderValue=(outside,)
    )
    return out.astype(np.uint8, copy=False)


def evened(fine: NDArray[np.uint8], light: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the sharper picture with the even light of the working one."""
    side = max(3, round(min(fine.shape) / 3) | 1)
    known = cv2.blur(light.astype(np.float32), (side, side))
    own = cv2.blur(fine.astype(np.float32), (side, side))
    return np.clip(fine.astype(np.float32) * known / np.maximum(own, 1), 0, 255).astype(np.uint8)


_LOWEST = 0.75  # of the common height: how high the smallest digit becomes
_UNEVEN = 1.5  # times the lowest digit: the highest of a line that is worth setting level
_PIECE = 0.3  # of the highest: lower marks are pieces of the digit nearby, or dashes


def levelled(
    sheet: Sheet, marks: "Marks", line: list[int]
) -> tuple[Picture, NDArray[np.float64]] | None:
    """Returns the line with digits of about one height, and the map (2, 3) from it to the page.

    Digits stay in their columns, so the map is exact across the line; None for an even line.
    """
    groups = _digits(marks, line)
    extents = np.array([marks.around(group) for group in groups])
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


def _digits(marks: "Marks", line: list[int]) -> list[list[int]]:
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


def _halves_joined(marks: "Marks", groups: list[list[int]]) -> list[list[int]]:
    """Returns the groups; one that stands over another (the flag of a 5) belongs to it."""
    joined: list[list[int]] = []
    for group in groups:
        x0, _, x1, _ = marks.around(group)
        if joined:
            a0, _, a1, _ = marks.around(joined[-1])
            if min(a1, x1) - max(a0, x0) > 0.6 * min(a1 - a0, x1 - x0):
                joined[-1].extend(group)
                continue
        joined.append(list(group))
    return joined


def _alone(
    sheet: Sheet, marks: "Marks", group: list[int], extent: tuple[int, int, int, int]
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
