"""Print beside handwriting: told apart by how alike the marks of a page are."""

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.image import Sheet
from holmdel.reading.thresholds import READING

if TYPE_CHECKING:
    from holmdel.reading.writing import Marks

_SIDE = 12  # pixels of the small pictures that are compared


def twins(sheet: Sheet, marks: "Marks") -> NDArray[np.float32]:
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


def printed(alike: NDArray[np.float32], marks: "Marks", lines: list[list[int]]) -> list[bool]:
    """Returns for each line whether it is print.

    Print is as high as its neighbours to a pixel and its letters come back; once print is known,
    what stands outside the boxes in exactly its size is print too (letters run together).

    Args:
        alike: what `twins` gives.
        marks: of the page.
        lines: indexes of the marks of each line.
    """
    shapes = [_shape(marks, line) for line in lines]
    beside = _has_print(alike, marks)
    verdicts = [
        _comes_back(alike[line], shape, beside, bool(marks.region[line[0]]))
        or (marks.region[line[0]] == 0 and _set_in_type(marks, line, shape, beside))
        for line, shape in zip(lines, shapes, strict=True)
    ]
    sizes = [
        shape.height
        for shape, verdict in zip(shapes, verdicts, strict=True)
        for _ in range(shape.marks if verdict else 0)
    ]
    if len(sizes) < READING.known_print:
        return verdicts
    known = np.array(sizes)
    for number, (line, shape) in enumerate(zip(lines, shapes, strict=True)):
        like = np.abs(known - shape.height) <= np.maximum(1.0, READING.same_size * known)
        if marks.region[line[0]] == 0 and like.sum() >= READING.known_print and shape.spread < 0.07:
            verdicts[number] = True
    return verdicts


def written_in(alike: NDArray[np.float32], marks: "Marks", line: list[int]) -> list[list[int]]:
    """Returns the words of a line with print that are written into it: they are larger."""
    words = words_of(marks, line)
    if len(words) < 2 or not _has_print(alike, marks):
        return []
    typed = [_is_typed(alike, word) for word in words]
    known = [i for word, is_typed in zip(words, typed, strict=True) if is_typed for i in word]
    if len(known) < READING.known_print:
        return []
    least = READING.larger_than_print * float(np.quantile(marks.box[known, 3], 0.8))
    foreign = (marks.box[:, 3] >= least) & (alike <= READING.same_print)
    kinds = []
    for word, is_typed in zip(words, typed, strict=True):
        for part in _parts(word, foreign) if is_typed else [word]:
            high = float(np.median(_tall(marks, part)[:, 3]))
            is_print = is_typed and not foreign[part].all()
            if is_print or high >= 0.5 * least:  # a dash parts no number
                kinds.append((part, not is_print and high >= least))
    runs = [
        [word for word, _ in run] for large, run in groupby(kinds, lambda kind: kind[1]) if large
    ]
    return [word for run in runs if _is_number_long(marks, run) for word in run]


def _is_typed(alike: NDArray[np.float32], word: list[int]) -> bool:
    return float((alike[word] > READING.same_print).mean()) >= READING.printed_share


def _parts(word: list[int], foreign: NDArray[np.bool_]) -> list[list[int]]:
    """Returns a word and what is written right before and behind it."""
    first = next((n for n, i in enumerate(word) if not foreign[i]), len(word))
    last = next((n for n, i in enumerate(reversed(word)) if not foreign[i]), 0)
    parts = word[:first], word[first : len(word) - last], word[len(word) - last :]
    return [part for part in parts if part] if first < len(word) else [word]


def _is_number_long(marks: "Marks", words: list[list[int]]) -> bool:
    """Returns whether words beside each other are more than a capital letter or a sign."""
    own = [i for word in words for i in word]
    left, top, right, bottom = marks.around(own)
    return len(own) >= 3 or right - left >= READING.wide_word * (bottom - top)


def _tall(marks: "Marks", line: list[int]) -> NDArray[np.float64]:
    """Returns the boxes of the marks of a line that are no points, dashes or pieces."""
    box = marks.box[line].astype(np.float64)
    high: NDArray[np.float64] = box[box[:, 3] >= 0.6 * box[:, 3].max()]
    return high


def words_of(marks: "Marks", line: list[int], gap: float = 0.45) -> list[list[int]]:
    """Returns the parts of a line between gaps wider than `gap` times the marks beside them."""
    box = marks.box[line]
    words = [[line[0]]]
    reach, before = int(box[0, 0] + box[0, 2]), int(box[0, 3])
    for mark, (x, _, w, h) in zip(line[1:], box[1:].tolist(), strict=True):
        if x - reach > gap * max(h, before):
            words.append([])
        words[-1].append(mark)
        if x + w > reach:
            reach, before = x + w, h
    return words


def _has_print(alike: NDArray[np.float32], marks: "Marks") -> bool:
    """Returns whether there is print on the page: enough marks come back."""
    high = alike[marks.box[:, 3] >= READING.readable]
    return bool(len(high) >= 20 and (high > READING.same_print).mean() >= 0.12)


class _Shape(NamedTuple):
    """The tall marks of a line: how many, how high, and how unequal in parts of the height."""

    marks: int
    height: float
    spread: float
    top: float
    bottom: float


def _shape(marks: "Marks", line: list[int]) -> _Shape:
    box = _tall(marks, line)
    y, h = box[:, 1], box[:, 3]
    high = float(np.median(h))
    x = box[:, 0] + box[:, 2] / 2
    if len(box) >= 3:  # print on a page not quite straight is as even along its own slope
        a, b = np.polyfit(x, y, 1), np.polyfit(x, y + h, 1)
        top, bottom = (y - np.polyval(a, x)).std(), (y + h - np.polyval(b, x)).std()
    else:
        top, bottom = y.std(), (y + h).std()
    return _Shape(len(box), high, float(h.std() / high), float(top / high), float(bottom / high))


def _comes_back(alike: NDArray[np.float32], shape: _Shape, beside: bool, boxed: bool) -> bool:
    """Returns whether the marks of a line stand on the page once more, as print does.

    A table has so many digits that of two or three in a cell one is like another by chance.
    """
    share = float((alike > READING.same_print).mean())
    even = shape.spread <= 0.08 and min(shape.top, shape.bottom) <= 0.06
    if boxed and shape.marks < READING.known_print:
        return shape.marks >= 2 and share > 0.5 and (even or shape.marks > 2)
    if beside and shape.marks >= READING.long_line:
        return share >= 0.7 * READING.printed_share
    return (
        shape.marks >= 2
        and share >= READING.printed_share
        and (even or beside or shape.marks >= READING.long_line)
    )


def _set_in_type(marks: "Marks", line: list[int], shape: _Shape, beside: bool) -> bool:
    """Returns whether marks stand as evenly as only type does."""
    least = max(0.02, 0.4 / shape.height)
    if shape.marks >= 5 and max(shape.spread, shape.top, shape.bottom) <= least:
        return True
    return beside and shape.marks >= READING.long_line and _on_base(marks, line) >= 0.85


def _on_base(marks: "Marks", line: list[int]) -> float:
    """Returns the part of the marks that stand on one base line to a hair."""
    box = marks.box[line].astype(np.float64)
    box = box[box[:, 3] >= 0.45 * box[:, 3].max()]
    foot, x = box[:, 1] + box[:, 3], box[:, 0] + box[:, 2] / 2
    hair = max(1.0, 0.03 * float(np.median(box[:, 3])))
    most = 0
    for slope in np.tan(np.deg2rad(np.arange(-0.75, 1.0, 0.25))):
        feet = np.sort(foot - slope * x)
        reach = np.searchsorted(feet, feet + 2 * hair, side="right")
        most = max(most, int((reach - np.arange(len(feet))).max()))
    return most / len(box)
