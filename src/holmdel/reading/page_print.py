"""Print beside handwriting: told apart by how alike the marks of a page are."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.page_ink import Sheet
from holmdel.reading.page_lines import Marks

_SIDE = 12  # pixels of the small pictures that are compared
_ALIKE = 0.9  # correlation of two prints of a letter
_KNOWN_PRINT = 4  # marks from which on a size of print is known
_SAME_SIZE = 0.07


def twins(sheet: Sheet, marks: Marks) -> NDArray[np.float32]:
    """Returns for each mark how much the likest other mark of its size resembles it: (N,), to 1.

    A printed letter comes back on the page nearly the same; no hand writes a digit twice alike.
    """
    count = len(marks.box)
    if count < 2:
        return np.zeros(count, np.float32)
    small = np.empty((count, _SIDE * _SIDE), np.float32)
    for i, (x, y, w, h) in enumerate(marks.box):
        part = sheet.light[y : y + h, x : x + w]
        small[i] = cv2.resize(part, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).ravel()
    small -= small.mean(1, keepdims=True)
    small /= np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6)
    w, h = marks.box[:, 2].astype(np.float32), marks.box[:, 3].astype(np.float32)
    best = np.zeros(count, np.float32)
    for start in range(0, count, 512):
        rows = slice(start, min(start + 512, count))
        same = small[rows] @ small.T
        far = np.abs(w[rows, None] - w) > np.maximum(1.5, 0.1 * w[rows, None])
        far |= np.abs(h[rows, None] - h) > np.maximum(1.5, 0.06 * h[rows, None])
        same[far] = 0
        same[np.arange(rows.stop - start), np.arange(start, rows.stop)] = 0
        best[rows] = same.max(1)
    return best


def printed(sheet: Sheet, marks: Marks, lines: list[list[int]]) -> list[bool]:
    """Returns for each line whether it is print.

    Print is as high as its neighbours to a pixel and its letters come back; once print is known,
    what stands outside the boxes in exactly its size is print too (letters run together).
    """
    alike = twins(sheet, marks)
    shapes = [_shape(marks, line) for line in lines]
    verdicts = [
        _comes_back(alike[line], shape) or _ruled(shape)
        for line, shape in zip(lines, shapes, strict=True)
    ]
    sizes = [
        shape.height
        for shape, verdict in zip(shapes, verdicts, strict=True)
        for _ in range(shape.marks if verdict else 0)
    ]
    if len(sizes) < _KNOWN_PRINT:
        return verdicts
    known = np.array(sizes)
    for number, (line, shape) in enumerate(zip(lines, shapes, strict=True)):
        like = np.abs(known - shape.height) <= np.maximum(1.0, _SAME_SIZE * known)
        if marks.region[line[0]] == 0 and like.sum() >= _KNOWN_PRINT and shape.spread < 0.07:
            verdicts[number] = True
    return verdicts


class _Shape(NamedTuple):
    """The tall marks of a line: how many, how high, and how unequal in parts of the height."""

    marks: int
    height: float
    spread: float
    top: float
    bottom: float


def _shape(marks: Marks, line: list[int]) -> _Shape:
    box = marks.box[line].astype(np.float64)
    box = box[box[:, 3] >= 0.6 * box[:, 3].max()]
    y, h = box[:, 1], box[:, 3]
    high = float(np.median(h))
    x = box[:, 0] + box[:, 2] / 2
    if len(box) >= 3:  # print on a page not quite straight is as even along its own slope
        a, b = np.polyfit(x, y, 1), np.polyfit(x, y + h, 1)
        top, bottom = (y - np.polyval(a, x)).std(), (y + h - np.polyval(b, x)).std()
    else:
        top, bottom = y.std(), (y + h).std()
    return _Shape(len(box), high, float(h.std() / high), float(top / high), float(bottom / high))


def _comes_back(alike: NDArray[np.float32], shape: _Shape) -> bool:
    share = float((alike > _ALIKE).mean())
    even = shape.spread <= 0.08 and min(shape.top, shape.bottom) <= 0.06
    return (shape.marks >= 2 and share >= 0.4 and even) or (shape.marks >= 8 and share >= 0.45)


def _ruled(shape: _Shape) -> bool:
    """Returns whether marks stand as evenly as only type does."""
    least = max(0.025, 0.5 / shape.height)
    return shape.marks >= 4 and max(shape.spread, shape.top, shape.bottom) <= least
