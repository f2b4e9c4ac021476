"""What framing asks of OpenCV, in NumPy: for where OpenCV is not installed.

Same names, arguments and numbers; `GaussianBlur` to the last bits of a float. Only the arguments
that framing uses are taken. It is slower: a photograph of 1024x768 takes some tens of milliseconds.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
BORDER_CONSTANT, BORDER_REFLECT = 0, 2
CC_STAT_AREA = 4
DIST_L2, DIST_MASK_PRECISE = 2, 0
MORPH_CLOSE = 3


def dilate(
    src: Array,
    kernel: Array,
    anchor: tuple[int, int] = (-1, -1),
    iterations: int = 1,
    borderType: int = BORDER_CONSTANT,  # noqa: N803
    borderValue: tuple[int, ...] | None = None,  # noqa: N803
) -> Array:
    """Returns the largest value under the kernel at each pixel (H, W); beyond is nothing."""
    del borderType
    low = borderValue[0] if borderValue else _ends(src)[0]
    for _ in range(iterations):
        src = _under(src, kernel, anchor, low, np.maximum)
    return src


def erode(
    src: Array,
    kernel: Array,
    anchor: tuple[int, int] = (-1, -1),
    borderType: int = BORDER_CONSTANT,  # noqa: N803
    borderValue: tuple[int, ...] | None = None,  # noqa: N803
) -> Array:
    """Returns the least value under the kernel at each pixel (H, W)."""
    del borderType
    return _under(src, kernel, anchor, borderValue[0] if borderValue else _ends(src)[1], np.minimum)


def morphologyEx(src: Array, op: int, kernel: Array) -> Array:  # noqa: N802
    """Returns an image (H, W) closed: dilated, then eroded."""
    assert op == MORPH_CLOSE
    return erode(dilate(src, kernel), kernel)


def _ends(src: Array) -> tuple[float, float]:
    """Returns values that no pixel is below and above."""
    return (0, 255) if src.dtype == np.uint8 else (-np.inf, np.inf)


def _under(
    src: Array, kernel: Array, anchor: tuple[int, int], beyond: float, better: np.ufunc
) -> Array:
    """Returns the best of the values that the kernel covers, its anchor at each pixel."""
    rows, columns = kernel.shape
    left, top = (n // 2 if at < 0 else at for n, at in zip((columns, rows), anchor, strict=True))
    sides = ((top, rows - 1 - top), (left, columns - 1 - left))
    wide = np.pad(src, sides, constant_values=beyond)
    if kernel.all():
        return _sliding(_sliding(wide, rows, better).T, columns, better).T
    height, width = src.shape
    places = [wide[y : y + height, x : x + width] for y, x in zip(*np.nonzero(kernel), strict=True)]
    best = places[0].copy()
    for place in places[1:]:
        better(best, place, out=best)
    return best


def _sliding(values: Array, length: int, better: np.ufunc) -> Array:
    """Returns the best of every `length` rows (H, W) in a row: (H - length + 1, W)."""
    done = 1
    while done < length:
        step = min(done, length - done)
        values = better(values[:-step], values[step:])
        done += step
    return values


def GaussianBlur(  # noqa: N802
    src: Array,
    ksize: tuple[int, int],
    sigmaX: float,  # noqa: N803
    borderType: int = BORDER_REFLECT,  # noqa: N803
) -> Array:
    """Returns an image float32 (H, W) under a Gaussian, mirrored at its border."""
    assert borderType == BORDER_REFLECT
    reach = ksize[0] // 2
    bell = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * sigmaX * sigmaX))
    weights = (bell / bell.sum()).astype(np.float32)[reach:]
    for _ in range(2):  # along the rows, and turned, along the columns
        src = np.pad(src, ((0, 0), (reach, reach)), "symmetric")
        end = src.shape[1] - reach
        soft = weights[0] * src[:, reach:end]
        for away in range(1, reach + 1):
            pair = src[:, reach - away : end - away] + src[:, reach + away : end + away]
            soft += weights[away] * pair
        src = soft.T
    return np.ascontiguousarray(src)


class _Runs(NamedTuple):
    """The runs of ones in the rows of a mask, row by row.

    Attributes:
        row, start, stop: of each, int (R,).
        number: of the part that it belongs to, from 1.
        parts: how many there are.
    """

    row: Array
    start: Array
    stop: Array
    number: Array
    parts: int


def connectedComponents(image: Array, connectivity: int = 8) -> tuple[int, Array]:  # noqa: N802
    """Returns the number of parts and of the ground, and the labels int32 (H, W), 0 the ground."""
    runs = _runs(image, connectivity)
    return runs.parts + 1, _painted(runs, image.shape)


def connectedComponentsWithStats(  # noqa: N802
    image: Array, connectivity: int = 8
) -> tuple[int, Array, Array, None]:
    """Returns what `connectedComponents` does, and left, top, width, height and area of each.

    The first row is the ground's, with the box of all; the parts' centres are not given.
    """
    runs = _runs(image, connectivity)
    height, width = image.shape
    at = runs.number - 1
    left, top = np.full(runs.parts, width), np.full(runs.parts, height)
    right, bottom = np.zeros(runs.parts, int), np.zeros(runs.parts, int)
    for found, better, values in (
        (left, np.minimum, runs.start),
        (top, np.minimum, runs.row),
        (right, np.maximum, runs.stop),
        (bottom, np.maximum, runs.row + 1),
    ):
        better.at(found, at, values)
    area = np.bincount(at, runs.stop - runs.start, runs.parts).astype(int)
    stats = np.zeros((runs.parts + 1, 5), np.int32)
    stats[0] = 0, 0, width, height, image.size - area.sum()
    stats[1:] = np.stack([left, top, right - left, bottom - top, area], axis=1)
    return runs.parts + 1, _painted(runs, image.shape), stats, None


def _runs(image: Array, connectivity: int) -> _Runs:
    """Returns the runs of an image's ones, those numbered alike that touch from row to row."""
    apart = 4  # columns between two rows that lie one behind the other
    width = image.shape[1] + apart
    flat = np.pad(image != 0, ((0, 0), (1, apart - 1))).ravel()
    start, stop = np.flatnonzero(np.diff(flat, prepend=False)).reshape(-1, 2).T
    reach = connectivity == 8  # corners touch
    first = np.searchsorted(stop, start + width - reach, side="right")
    last = np.searchsorted(start, stop + width + reach, side="left")
    touching = np.maximum(last - first, 0)
    above = np.repeat(np.arange(len(start)), touching)
    passed = np.cumsum(touching) - touching
    below = np.arange(touching.sum()) - np.repeat(passed - first, touching)
    part = _joined(len(start), above, below)
    row, column = start // width, start % width - 1
    # OpenCV numbers parts as it meets them: by squares of four pixels where corners touch.
    square = 1 + reach
    met = row // square * width + column // square
    earliest = np.full(len(start), image.size + width * len(image))
    np.minimum.at(earliest, part, met)
    roots = np.flatnonzero(part == np.arange(len(part)))
    number = np.zeros(len(start), int)
    number[roots[np.argsort(earliest[roots], kind="stable")]] = np.arange(1, len(roots) + 1)
    return _Runs(row, column, stop % width - 1, number[part], len(roots))


def _joined(count: int, one: Array, other: Array) -> Array:
    """Returns for each of `count` things the least that pairs (one, other) join it with."""
    least = np.arange(count)
    while (least[one] != least[other]).any():
        lower = np.minimum(least[one], least[other])
        np.minimum.at(least, least[one], lower)
        np.minimum.at(least, least[other], lower)
        while (least[least] != least).any():
            least = least[least]
    return least


def _painted(runs: _Runs, shape: tuple[int, ...]) -> Array:
    """Returns the label of each pixel, int32 (H, W)."""
    steps = np.zeros((shape[0], shape[1] + 1), np.int32)
    steps[runs.row, runs.start] += runs.number.astype(np.int32)
    steps[runs.row, runs.stop] -= runs.number.astype(np.int32)
    labels: Array = np.cumsum(steps, axis=1, dtype=np.int32)[:, :-1]
    return labels


def distanceTransform(src: Array, distanceType: int, maskSize: int) -> Array:  # noqa: N802, N803
    """Returns how far the nearest zero is, float32 (H, W); there must be one in each column."""
    assert (distanceType, maskSize) == (DIST_L2, DIST_MASK_PRECISE)
    down = np.where(src, len(src), 0).astype(np.int64)
    for y in range(1, len(src)):
        np.minimum(down[y], down[y - 1] + 1, out=down[y])
    for y in range(len(src) - 2, -1, -1):
        np.minimum(down[y], down[y + 1] + 1, out=down[y])
    columns = np.arange(src.shape[1])
    across = (columns[:, None] - columns) ** 2
    squares = [(across + row * row).min(axis=1) for row in down]
    found: Array = np.sqrt(np.array(squares)).astype(np.float32)
    return found


def boundingRect(array: Array) -> tuple[int, int, int, int]:  # noqa: N802
    """Returns left, top, width and height of what is not zero; zeros where all is."""
    rows, columns = (np.flatnonzero(array.any(axis=1 - axis)) for axis in (0, 1))
    if not len(rows):
        return 0, 0, 0, 0
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top


def moments(array: Array) -> dict[str, float]:
    """Returns the sum of the values, and of each times its column (m10) and its row (m01)."""
    rows, columns = (array.sum(axis=1 - axis, dtype=np.int64) for axis in (0, 1))
    return {
        "m00": float(rows.sum()),
        "m10": float(columns @ np.arange(len(columns))),
        "m01": float(rows @ np.arange(len(rows))),
    }
