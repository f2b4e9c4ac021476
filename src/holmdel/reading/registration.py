"""A page laid on the picture of a form: which point of one is which point of the other.

Corners of print that look alike (SIFT: Lowe, 2004) give a first homography (RANSAC); where print
is too little or too much alike, the outline of the sheet does, or the frame of the image. Then
the edges of the form's print are drawn to the nearest edges of the page by least squares over a
distance transform (Fitzgibbon, "Robust registration of 2D and 3D point sets", 2003).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.compared import SECTORS, Compared, Points

Matrix = NDArray[np.float64]  # (3, 3), a homography
Reaches = tuple[float, ...]  # pixels, step by step

LEAST_MATCH = 0.6  # of the form's print that is found on a page of it: 0.79 at least, measured
_ALIKE = 0.8  # times the second best corner's difference: how much less the best one's is
_FEW = 4  # every so many edges decide whether a way is worth all of them
_WORTH = 0.9  # times what the best way so far found
_NEAR = 4.0  # pixels between corners that belong together under one homography
_LEAST_CORNERS = 12  # that agree
_TAPER = 2.5  # times as long as the side opposite to it is a side of a form, seen at an angle
_STRETCH = 4.0  # times as much: a fax twice, foreshortened, and some
_AGREE = 0.25  # of the corners that look alike
_WITHIN = 2.0  # pixels: an edge that is found
_BESIDE = 3.0  # pixels: an edge of the page that is the form's
_OWN = 1 / 3  # of a page's edges that are its form's: 0.7 and more, measured; of others up to 0.25
_REACHES = (16.0, 16.0, 10.0, 10.0, 6.0, 6.0, 4.0, 4.0, 3.0, 3.0)  # pixels, step by step
_WIDE_REACHES = (40.0, 40.0, 40.0, 28.0, 28.0, 28.0, 20.0, 20.0, *_REACHES)
_CLOSE_REACHES = (8.0, 6.0, 4.0, 3.0, 3.0)
_SHIFT = 14  # pixels; what is found so far aside is found by chance
_DAMPING = 1e-3  # of the normal equations; keeps what the edges say nothing of


@dataclass(frozen=True, eq=False)
class Registration:
    """How a page lies on a form.

    Attributes:
        to_page: float64 (3, 3), a point of the form's picture to a point of the page.
        matched: the part of the form's print that was found on the page, 0..1; what is found by
            chance is taken off, and less counts where little on the page is the form's.
    """

    to_page: Matrix
    matched: float

    @property
    def is_enough(self) -> bool:
        """Whether it is a page of the form."""
        return self.matched >= LEAST_MATCH


def register(form: Compared, page: Compared) -> Registration:
    """Returns how a page lies on a form: the best way that was found, however bad."""
    best = Registration(np.eye(3), 0.0)
    for starts in (_by_corners, _by_outline, _by_frame):
        for start, reaches in starts(form, page):
            found = _improved(form, page, start, reaches, best)
            best = found if found.matched > best.matched else best
        if best.is_enough:
            break
    to_page = np.linalg.inv(page.reduced) @ best.to_page @ form.reduced
    return Registration(to_page, best.matched)


def _improved(
    form: Compared, page: Compared, start: Matrix, reaches: Reaches, best: Registration
) -> Registration:
    """Returns where a first homography leads; roughly, where that is worse than the best so far."""
    points, turns = form.edges
    few = slice(None, None, _FEW)
    rough = _drawn(page, points[few], turns[few], start, reaches)
    matched = _matched(page, points[few], turns[few], rough)
    if matched <= _WORTH * best.matched:
        return Registration(rough, matched)
    found = _drawn(page, points, turns, rough, _CLOSE_REACHES)
    # A form folded up to a line, or shrunk to a stroke of the page, lies on edges all over.
    if not _is_plain(found, form):
        return Registration(found, 0.0)
    # Squared paper or close print has an edge everywhere, so also at the form's.
    full = min(1.0, _own(form, page, found) / _OWN)
    return Registration(found, full * _matched(page, points, turns, found))


def _own(form: Compared, page: Compared, matrix: Matrix) -> float:
    """Returns which part of the page's edges, where the form lies on it, are the form's, 0..1."""
    points, _ = page.edges
    x, y = np.round(through(np.asarray(np.linalg.inv(matrix)), points)).astype(int).T
    height, width = form.light.shape
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    if not inside.any():
        return 0.0
    nearest = form.distances.min(0)[y[inside], x[inside]]
    return float((nearest <= _BESIDE).mean())


def close_up(
    form: Compared, page: Compared, to_page: Matrix, box: tuple[float, float, float, float]
) -> Matrix:
    """Returns the homography with a part of the form moved to where its edges are on the page.

    Paper that is not flat does not follow one homography. Where little is printed it stays.

    Args:
        form: the form.
        page: the page.
        to_page: as `register` gave it.
        box: x, y, width and height in the form's pixels.
    """
    points, turns = form.edges
    x, y, w, h = box
    low, high = through(form.reduced, np.array([(x, y), (x + w, y + h)]))
    inside = (points >= low).all(1) & (points <= high).all(1)
    if inside.sum() < 2 * _LEAST_CORNERS:
        return to_page
    small = page.reduced @ to_page @ np.linalg.inv(form.reduced)
    moved = _drawn(page, points[inside], turns[inside], small, _CLOSE_REACHES, shift_only=True)
    return np.asarray(np.linalg.inv(page.reduced) @ moved @ form.reduced)


def _by_corners(form: Compared, page: Compared) -> Iterator[tuple[Matrix, Reaches]]:
    """Yields the homography on which most corners agree; none where too few do."""
    (here, looks), (there, seen) = form.corners, page.corners
    if min(len(here), len(there)) < _LEAST_CORNERS:
        return
    pairs = [
        best
        for best, *second in cv2.BFMatcher(cv2.NORM_L2).knnMatch(looks, seen, k=2)
        if second and best.distance < _ALIKE * second[0].distance
    ]
    if len(pairs) < _LEAST_CORNERS:
        return
    a = here[[pair.queryIdx for pair in pairs]]
    b = there[[pair.trainIdx for pair in pairs]]
    found, inliers = cv2.findHomography(a, b, cv2.USAC_MAGSAC, _NEAR, maxIters=4000)
    if found is None or int(inliers.sum()) < max(_LEAST_CORNERS, _AGREE * len(pairs)):
        return
    matrix = np.asarray(found, np.float64)
    if _is_plain(matrix, form):
        yield matrix, _REACHES


def _by_outline(form: Compared, page: Compared) -> Iterator[tuple[Matrix, Reaches]]:
    """Yields homographies of the form on the sheet of paper, turned by quarters."""
    if page.outline is None:
        return
    height, width = form.light.shape
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    for quarter in range(4):
        onto = np.roll(page.outline, quarter, 0).astype(np.float32)
        matrix = np.asarray(cv2.getPerspectiveTransform(corners, onto), np.float64)
        yield matrix, _WIDE_REACHES


def _is_plain(matrix: Matrix, form: Compared) -> bool:
    """Returns whether a homography keeps the form convex, unmirrored and of a sensible shape."""
    height, width = form.light.shape
    corners = through(matrix, np.array([(0, 0), (width, 0), (width, height), (0, height)], float))
    sides = np.roll(corners, -1, 0) - corners
    after = np.roll(sides, -1, 0)
    turn = sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0]
    area = 0.25 * float(turn.sum())
    if not (turn > 0).all() or not 0.02 < area / (0.5 * height * width) < 50:
        return False
    scales = np.hypot(sides[:, 0], sides[:, 1]) / np.array([width, height, width, height])
    tapers = np.maximum(scales[:2] / scales[2:], scales[2:] / scales[:2])
    return bool(tapers.max() <= _TAPER and scales.max() <= _STRETCH * scales.min())


def _by_frame(form: Compared, page: Compared) -> Iterator[tuple[Matrix, Reaches]]:
    """Yields homographies of the whole form on the whole page, turned by quarters."""
    (h, w), (height, width) = form.light.shape, page.light.shape
    middle = np.array([[1, 0, -w / 2], [0, 1, -h / 2], [0, 0, 1.0]])
    onto = np.array([[1, 0, width / 2], [0, 1, height / 2], [0, 0, 1.0]])
    for quarter in range(4):
        upright = quarter % 2 == 0
        turn = np.deg2rad(90 * quarter + (form.tilt - page.tilt if upright else 0.0))
        across, down = (width / w, height / h) if upright else (height / w, width / h)
        c, s = np.cos(turn), np.sin(turn)
        turned = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
        yield onto @ turned @ np.diag([across, down, 1.0]) @ middle, _WIDE_REACHES


def _drawn(
    page: Compared,
    points: Points,
    turns: NDArray[np.float64],
    start: Matrix,
    reaches: Reaches,
    *,
    shift_only: bool = False,
) -> Matrix:
    """Returns the homography after steps of least squares to the nearest edges within reach."""
    middle, size = points.mean(0), max(float(np.ptp(points, 0).max()), 1.0)
    unit = np.array([[1 / size, 0, -middle[0] / size], [0, 1 / size, -middle[1] / size], [0, 0, 1]])
    u, v = ((points - middle) / size).T
    matrix = start @ np.linalg.inv(unit)
    one, nil = np.ones_like(u), np.zeros_like(u)
    for reach in reaches:
        distance, slope = _nearest(page, matrix @ unit, points, turns)
        keep = distance < reach
        if keep.sum() < _LEAST_CORNERS:
            break
        # A point (u, v) moves by (a + bu + cv - gu2 - huv, d + eu + fv - guv - hv2) in the unit
        # frame, so far as the step is small: eight numbers.
        across = (one, u, v, nil, nil, nil, -u * u, -u * v)
        below = (nil, nil, nil, one, u, v, -u * v, -v * v)
        local = _jacobian(matrix, u, v)
        gradient = np.einsum("ni,nij->nj", slope, local)
        rows = gradient[:, :1] * np.stack(across, 1) + gradient[:, 1:] * np.stack(below, 1)
        if shift_only:
            rows = rows[:, [0, 3]]
        weight = (1 - (distance / reach) ** 2) ** 2 * keep  # Tukey's
        normal = rows.T @ (weight[:, None] * rows)
        normal += _DAMPING * np.trace(normal) / len(normal) * np.eye(len(normal))
        step = -np.linalg.solve(normal, rows.T @ (weight * distance))
        a, b, c, d, e, f, g, h = step if not shift_only else (step[0], 0, 0, step[1], 0, 0, 0, 0)
        matrix = matrix @ np.array([[1 + b, c, a], [e, 1 + f, d], [g, h, 1]])
    return np.asarray(matrix @ unit)


def _nearest(
    page: Compared, matrix: Matrix, points: Points, turns: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Points]:
    """Returns how far the page's edges are from points laid on it (N,), and the slopes (N, 2)."""
    x, y = through(matrix, points).astype(np.float32).T
    sector = _sectors(matrix, points, turns)
    height, width = page.light.shape
    inside = (x >= 1) & (y >= 1) & (x < width - 2) & (y < height - 2)
    at = [_sampled(page, sector, x + dx, y + dy) for dx, dy in _CROSS]
    slope = np.stack([at[1] - at[2], at[3] - at[4]], 1) / 2.0
    return np.where(inside, at[0], _OUTSIDE).astype(np.float64), slope.astype(np.float64)


_OUTSIDE = 1e4  # pixels; of a point that lies outside of the page
_CROSS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))


def _sampled(
    page: Compared, sector: NDArray[np.int64], x: NDArray[np.float32], y: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Returns the distances at points between pixels."""
    height, width = page.light.shape
    left, top = np.clip(x, 0, width - 2).astype(int), np.clip(y, 0, height - 2).astype(int)
    right, low = np.clip(x - left, 0, 1), np.clip(y - top, 0, 1)
    planes = page.distances
    upper = planes[sector, top, left] * (1 - right) + planes[sector, top, left + 1] * right
    lower = planes[sector, top + 1, left] * (1 - right) + planes[sector, top + 1, left + 1] * right
    return np.asarray(upper * (1 - low) + lower * low, np.float32)


def _sectors(matrix: Matrix, points: Points, turns: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns the sector that each edge's direction lies in once it is laid on the page."""
    u, v = points.mean(0)
    local = _jacobian(matrix, np.array([u]), np.array([v]))[0]
    # A direction across an edge goes by the inverse transposed.
    across = np.linalg.inv(local).T @ np.stack(
        [np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)]
    )
    laid = np.arctan2(across[1], across[0]) / (2 * np.pi) % 1.0
    return np.asarray(np.floor(laid * SECTORS + 0.5).astype(np.int64) % SECTORS)


def through(matrix: Matrix, points: Points) -> Points:
    """Returns points (N, 2) through a homography."""
    laid = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(laid[:, :2] / laid[:, 2:])


def _jacobian(matrix: Matrix, u: NDArray[np.float64], v: NDArray[np.float64]) -> Matrix:
    """Returns the derivatives (N, 2, 2) of a homography."""
    x, y, w = matrix @ np.stack([u, v, np.ones_like(u)])
    (a, b, _), (c, d, _), (g, h, _) = matrix
    rows = [[(a - g * x / w) / w, (b - h * x / w) / w], [(c - g * y / w) / w, (d - h * y / w) / w]]
    return np.moveaxis(np.array(rows), 2, 0)


def _matched(page: Compared, points: Points, turns: NDArray[np.float64], matrix: Matrix) -> float:
    """Returns the part of the edges that are found, 0..1, less what is found by chance."""

    def part(dx: float, dy: float) -> float:
        moved = np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1.0]]) @ matrix
        return float((_nearest(page, moved, points, turns)[0] <= _WITHIN).mean())

    aside = [part(_SHIFT * dx, _SHIFT * dy) for dx, dy in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    chance = float(np.mean(aside))
    return max(0.0, (part(0, 0) - chance) / (1 - chance)) if chance < 1 else 0.0
