"""A page's ink: even light, threshold, scale and turn; masks widened, thinned, opened, closed."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from holmdel.images.windows import window

Picture: TypeAlias = NDArray[np.uint8]


def dilated(ink: Picture, rows: int, columns: int) -> Picture:
    """Returns the ink wider by half of `rows` above and below, of `columns` left and right."""
    ones, middle, _ = window(rows, columns)
    return cv2.dilate(ink, ones, anchor=middle).astype(np.uint8, copy=False)


def eroded(ink: Picture, rows: int, columns: int) -> Picture:
    """Returns the ink around which all of the rectangle is ink."""
    ones, middle, _ = window(rows, columns)
    return cv2.erode(ink, ones, anchor=middle).astype(np.uint8, copy=False)


def opened(ink: Picture, rows: int, columns: int) -> Picture:
    """Returns the ink that a whole rectangle of ink covers."""
    ones, _, back = window(rows, columns)
    less = eroded(ink, rows, columns)
    return cv2.dilate(less, ones, anchor=back).astype(np.uint8, copy=False)


def closed(ink: Picture, rows: int, columns: int) -> Picture:
    """Returns the ink with the gaps filled into which the rectangle does not fit."""
    ones, _, back = window(rows, columns)
    more = dilated(ink, rows, columns)
    return cv2.erode(more, ones, anchor=back).astype(np.uint8, copy=False)


def resized(picture: Picture, size: tuple[int, int], way: int = cv2.INTER_LINEAR) -> Picture:
    """Returns the picture, (H, W) or (H, W, C), at another size (width, height)."""
    return cv2.resize(picture, size, interpolation=way).astype(np.uint8, copy=False)


def shrunk(picture: Picture, size: tuple[int, int]) -> Picture:
    """Returns the picture at a smaller size (width, height); of a large one some pixels do."""
    if picture.shape[1] > 4 * size[0]:
        twice = (2 * size[0], 2 * size[1])
        picture = resized(picture, twice, cv2.INTER_NEAREST)
    return resized(picture, size, cv2.INTER_AREA)


def luma(rgb: Picture) -> Picture:
    """Returns (H, W, 3) in grey (ITU-R 601): to the bit what `decode(image, 1)` gives."""
    return np.asarray(Image.fromarray(rgb).convert("L"))


LEAST_SIDE = 8  # pixels; no digit can be told in less
LONG_SIDE = 1600  # pixels of the working picture; a digit of 1/60 of the page has 20 to 30
SMALL_SIDE = 1000  # below it the working picture is twice as large: strokes of a pixel come apart
_PAGE_PIXELS = LONG_SIDE * LONG_SIDE * 2**-0.5  # of an A4 page at working size
_LOW = 160  # pixels; so does that of a low strip

_STEEPEST = 15.0  # degrees of skew that are looked for
_POINTS = 8_000  # of the ink; enough for an angle to a tenth of a degree
_LARGE = 0.1  # of the longer side: a mark so long that runs over the border is no writing
_THICK = 9  # pixels: few rules are so thick, and no grid is on half of its ink
_CORE = 0.5
_CLEAR = 1.25  # times as unequal: rows are told from columns
_DARKEST = 0.3  # of the sheet's brightness: the paper's in the deepest shadow
_STEP = 0.6  # of the page's paper: darker is a table or a shadow, if it reaches the border;
_LEVEL = 0.9  # of the paper's smoothed brightness: there its edge is followed
_LEAST_INK = 14.0  # of 255 under the paper; fainter is shadow, grain or the back of the sheet
_INK_PART = 0.42  # of the darkest nearby: where a stroke ends


@dataclass(frozen=True)
class Sheet:
    """A page with even light, straight: paper 255.

    Attributes:
        light: uint8 (h, w), brightness over the paper's around it.
        ink: uint8 (h, w), 255 on ink.
        from_page: float64 (3, 3), a point of the page to a point of `light`.
        turned: quarter turns counter-clockwise, in degrees.
        askew: by how many degrees its lines rose to the right before it was made straight.
    """

    light: NDArray[np.uint8]
    ink: NDArray[np.uint8]
    from_page: NDArray[np.float64]
    turned: int
    askew: float


def working(page: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Returns the page, (H, W) or (H, W, C), at working size and its scale.

    Strips keep more than `LONG_SIDE` pixels: as many in all as a page has.
    """
    height, width = page.shape[:2]
    scale = max(LONG_SIDE / max(height, width), (_PAGE_PIXELS / (height * width)) ** 0.5)
    way = cv2.INTER_AREA
    if scale >= 1:
        low = min(height, width) < _LOW and 4 * height * width <= _PAGE_PIXELS
        if max(height, width) >= SMALL_SIDE and not low:
            return page, 1.0
        scale, way = 2.0, cv2.INTER_CUBIC
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if scale < 0.5:  # by two first, which is far faster
        page = page[: height // 2 * 2, : width // 2 * 2]
        page = resized(page, (width // 2, height // 2), cv2.INTER_AREA)
    return resized(page, size, way), scale


def even_light(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns brightness as a part of the paper's around it: uint8 (h, w), paper about 255."""
    paper = paper_of(grey)
    least = max(12.0, _DARKEST * float(np.percentile(paper[::8, ::8], 75)))
    light = grey.astype(np.float32) * (255.0 / np.maximum(paper, least).astype(np.float32))
    light[paper < least] = 255  # the table under the sheet
    return np.minimum(light, 255.0).astype(np.uint8)


def paper_of(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the paper's brightness: what is left when strokes are closed, smoothed.

    The window is a twentieth of the page: wider than a broad pen, narrower than a shadow.
    """
    height, width = grey.shape
    small = (max(1, width // 4), max(1, height // 4))
    few = cv2.resize(cv2.medianBlur(grey, 3), small, interpolation=cv2.INTER_AREA)
    side = max(3, round(max(small) / 20) | 1)
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    wide = cv2.copyMakeBorder(few, side, side, side, side, cv2.BORDER_REPLICATE)
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, window)[side:-side, side:-side]
    smooth = cv2.GaussianBlur(closed, (0, 0), side / 4)
    sharp = eroded(closed.astype(np.uint8, copy=False), 3, 3)
    beyond = _open_to_border(sharp < _STEP * float(np.percentile(closed, 75)))
    paper = np.where(beyond & (sharp < _LEVEL * smooth), sharp, smooth).astype(np.uint8)
    return resized(paper, (width, height))


def _open_to_border(dark: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Returns what of the dark reaches the border: a table or a shadow, no printed figure."""
    _, labels = cv2.connectedComponents(dark.astype(np.uint8))
    outer = np.unique(np.r_[labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return dark & np.isin(labels, outer)


def ink_of(light: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns where ink is: uint8 (h, w), 0 or 255.

    Ink is darker than the paper's grain, and than a part of the darkest spot nearby: beside a
    black letter a faint pencil stroke is still ink, its blurred edge is not.
    """
    dark, least = _darkness(light)
    height, width = light.shape
    small = (max(1, width // 4), max(1, height // 4))
    few = cv2.resize(
        cv2.dilate(dark, np.ones((4, 4), np.uint8)), small, interpolation=cv2.INTER_NEAREST
    )
    darkest = cv2.blur(cv2.dilate(few, np.ones((9, 9), np.uint8)), (5, 5))
    edge = cv2.resize(darkest, (width, height), interpolation=cv2.INTER_LINEAR)
    wanted = np.maximum(edge.astype(np.float32) * _INK_PART, least)
    return np.where(dark > wanted, 255, 0).astype(np.uint8)


def stained(light: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns what is darker than the paper's grain, ink and its edges: uint8 (h, w), 0 or 255."""
    dark, least = _darkness(light)
    return np.where(dark > least, 255, 0).astype(np.uint8)


def _darkness(light: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Returns how dark each pixel is, and from where on it is no grain."""
    dark = 255 - cv2.GaussianBlur(light, (3, 3), 0)
    level = float(np.median(dark))
    grain = 1.4826 * float(np.median(np.abs(dark[::3, ::3].astype(np.float32) - level)))
    return dark.astype(np.uint8, copy=False), max(_LEAST_INK, 5.0 * grain) + level


def turnings(light: NDArray[np.uint8]) -> tuple[int, ...]:
    """Returns the turns that bring lines level, up or down, the likeliest first; () for no ink.

    Rows of writing fill the page's rows unequally and its columns more equally.
    """
    height, width = light.shape
    edge = round(0.03 * min(height, width))  # the table's edge says nothing of the writing
    x, y = _points(ink_of(light)[edge : height - edge, edge : width - edge])
    if not len(x):
        return ()
    across = _direction(x, y)[1] * height
    down = _direction(-y, x)[1] * width
    return (0,) if across > _CLEAR * down else (0, 90)


def skew(ink: NDArray[np.uint8]) -> float:
    """Returns by how many degrees lines rise to the right: -15 to 15; 0 if no direction stands out.

    The right angle is where rows of ink are the most unequal (projection profiles). What runs over
    the border, a table's edge, says nothing of the writing.
    """
    x, y = _points(_within_borders(ink))
    if len(x) < 50:
        return 0.0
    angle, best = _direction(x, y)
    return angle if best > 1.04 * _unequal(x, y, 0.0) and abs(angle) >= 0.3 else 0.0


def run_over(stats: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Returns which marks are large and run over the border: a table's edge, no writing.

    Args:
        stats: (N, 5), x, y, width, height, pixels.
        shape: of the page.
    """
    height, width = shape
    x, y, w, h, _ = stats.T
    edge = (x <= 1) | (y <= 1) | (x + w >= width - 1) | (y + h >= height - 1)
    return np.asarray(edge & (np.maximum(w, h) > _LARGE * max(height, width)), np.bool_)


def _within_borders(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the ink without large thick marks that run over the border; thin ones are rules."""
    if not any(edge.any() for edge in (ink[:2], ink[-2:], ink[:, :2], ink[:, -2:])):
        return ink  # as most pages
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    drop = run_over(stats, ink.shape)
    drop[0] = False
    if not drop.any():
        return ink
    core = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((_THICK, _THICK), np.uint8)) > 0
    drop &= np.bincount(labels[core], minlength=len(stats)) >= _CORE * stats[:, cv2.CC_STAT_AREA]
    return np.where(drop[labels], 0, ink).astype(np.uint8)


def _points(ink: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns x and y of some of the ink, spread over all of it."""
    rows, columns = np.nonzero(ink)
    step = max(1, len(rows) // _POINTS)
    return columns[::step].astype(np.float32), rows[::step].astype(np.float32)


def _direction(x: NDArray[np.float32], y: NDArray[np.float32]) -> tuple[float, float]:
    """Returns the angle at which rows are the most unequal, and how unequal they are there."""
    best, winner = -1.0, 0.0
    for width, turn in ((_STEEPEST, 1.0), (1.0, 0.2)):
        middle = winner
        for angle in np.arange(middle - width, middle + width + turn / 2, turn):
            value = _unequal(x, y, float(angle)) * (1.02 if abs(angle) < 0.1 else 1.0)
            if value > best:
                best, winner = value, float(angle)
    return winner, best


def _unequal(x: NDArray[np.float32], y: NDArray[np.float32], angle: float) -> float:
    radians = np.deg2rad(angle)
    row = y * np.cos(radians) + x * np.sin(radians)
    counts = np.bincount(((row - row.min()) / 3.0).astype(np.int64)).astype(np.float64)
    return float((counts**2).sum())


def sheet(light: NDArray[np.uint8], scale: float, turned: int, askew: float | None = None) -> Sheet:
    """Returns the page turned by `turned` degrees and made straight.

    Args:
        light: what `even_light` gives, of the page at working size.
        scale: working pixels per pixel of the page.
        turned: 0, 90, 180 or 270, counter-clockwise.
        askew: what `skew` gives of it then, if that is known.
    """
    height, width = light.shape
    matrix = np.diag([scale, scale, 1.0])
    turns = {
        0: np.eye(3),
        90: np.array([[0.0, 1, 0], [-1, 0, width - 1], [0, 0, 1]]),
        180: np.array([[-1.0, 0, width - 1], [0, -1, height - 1], [0, 0, 1]]),
        270: np.array([[0.0, -1, height - 1], [1, 0, 0], [0, 0, 1]]),
    }
    matrix = turns[turned] @ matrix
    light = np.ascontiguousarray(np.rot90(light, turned // 90))
    angle = skew(ink_of(light)) if askew is None else askew
    if angle:
        light, matrix = _straight(light, matrix, angle)
    return Sheet(light, ink_of(light), matrix, turned, angle)


def _straight(
    light: NDArray[np.uint8], matrix: NDArray[np.float64], angle: float
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    height, width = light.shape
    c, s = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    corners = turn @ np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    low, high = corners.min(1), corners.max(1)
    turn[:2, 2] = -low[:2]
    size = (int(np.ceil(high[0] - low[0])), int(np.ceil(high[1] - low[1])))
    out = cv2.warpAffine(light, turn[:2], size, flags=cv2.INTER_LINEAR, borderValue=(255,))
    return out.astype(np.uint8, copy=False), turn @ matrix
