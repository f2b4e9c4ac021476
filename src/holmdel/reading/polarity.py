"""Light ink on dark ground turned over: of a whole page, and of single boxes on it."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from holmdel.reading.image import Picture, dilated, eroded, luma, resized, shrunk

_LOOK = 800  # pixels of the longer side on which polarity is looked at
_GROUND = 0.25  # of the shorter side: the window whose median is the ground; broader than strokes
_LEAST = 16.0  # of 255; a mark differs so much from its ground
_SOLID = 0.75  # of its rectangle that a field or a bar fills; writing fills less
_STROKE = 0.4  # of a mark's longer side that its strokes are thick at most
_RULE = 5  # pixels; what is no thicker is a stroke, however much it fills
_BLOT = 0.2  # what a mark counts that is no stroke
_GOES_ON = 0.35  # of a mark's surroundings, as light as the mark: it is part of something larger
_LARGE = 0.4  # of the shorter side: what reaches so far is a sheet, not a mark,
_LARGEST = 200  # unless it is no larger than this, in pixels
_OUTWEIGHS = 2.0  # times as much: light marks to dark ones
_SOME = 0.25  # of the dark marks, that light ones come to on a dark page with light boxes
_INSIDE = 0.9  # of the dark writing that stands in such boxes
_AROUND = 9  # pixels: twice how far from a box its edge is seen
_DARK = 0.62  # of the paper's brightness: a box is darker
_FRAME = 0.9  # of a row or column at the border that is so dark: it is a frame's
_BOX = 14  # pixels: the least side of a box
_MARKS = 3  # on a box; a printed B or a written 8 has two holes,
_LETTER = 40  # pixels, unless it is as high as no letter is
_RECTANGULAR = 0.85  # of the smallest rectangle around it, that a box fills
_CONTRAST = 40.0  # of 255, of light writing on a dark box
_WRITING = 0.01  # of a box's area that is writing at least, and
_MOST = 0.5  # at most
_STEEPEST = 6.0  # times the contrast that a box is given


def dark_ink(page: Picture) -> Picture:
    """Returns the page with dark ink on light ground: uint8, of the same shape.

    A blackboard, blueprint or negative is turned over as a whole; then each dark box that holds
    light writing is, alone. A page with neither is returned as it is.

    Args:
        page: uint8 (H, W) or (H, W, 3).
    """
    height, width = page.shape[:2]
    scale = min(1.0, _LOOK / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = shrunk(page, size)
    grey = small if small.ndim == 2 else luma(small)
    if _is_negative(_inside_frame(grey)):
        page, grey = ~page, ~grey
    boxes = list(_dark_boxes(grey))
    return _turned(page, boxes, scale) if boxes else page


def _inside_frame(grey: Picture) -> Picture:
    """Returns what is inside a black frame at the image's border: beside it, paper looks light."""
    dark = grey < _DARK * float(np.median(grey))
    rows, columns = (np.flatnonzero(dark.mean(axis) < _FRAME) for axis in (1, 0))
    if not (len(rows) and len(columns)):
        return grey
    return grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _is_negative(grey: Picture) -> bool:
    """Says whether light writing outweighs dark on the page's own ground."""
    ground = _ground(grey)
    difference = grey.astype(np.int16) - ground
    least = float(np.clip(4.0 * np.median(np.abs(difference)), _LEAST, _CONTRAST))
    light = _writing(np.where(difference > least, 255, 0).astype(np.uint8), grey)
    dark = _writing(np.where(difference < -least, 255, 0).astype(np.uint8), ~grey)
    weight = difference.astype(np.float32) ** 2
    lighter, darker = float((weight * light).sum()), float((weight * dark).sum())
    if lighter <= _OUTWEIGHS * darker:
        return lighter > _SOME * darker and _has_light_boxes(weight, light, dark, grey)
    bright = float(np.percentile(ground, 75))
    return float(np.median(ground[light > 0])) >= min(_DARK * bright, bright - _CONTRAST)


def _has_light_boxes(
    weight: NDArray[np.float32],
    light: NDArray[np.float32],
    dark: NDArray[np.float32],
    grey: Picture,
) -> bool:
    """Returns whether dark writing stands in light boxes, and light writing beside them."""
    boxes = np.zeros(grey.shape, np.uint8)
    for outline in _dark_boxes(~grey):
        cv2.fillPoly(boxes, [outline], (255,))
    written = weight * (dark == 1)
    beside = weight * (light == 1) * (dilated(boxes, _AROUND, _AROUND) == 0)
    inside = float(written[boxes > 0].sum()) >= _INSIDE * float(written.sum())
    return inside and float(beside.sum()) > _SOME * float(written.sum())


def _ground(grey: Picture) -> Picture:
    """Returns the brightness of most of the pixels around each."""
    height, width = grey.shape
    few = resized(grey, (max(1, width // 2), max(1, height // 2)), cv2.INTER_AREA)
    window = max(3, round(_GROUND * min(few.shape)) | 1)
    return resized(cv2.medianBlur(few, window).astype(np.uint8, copy=False), (width, height))


def _writing(marks: Picture, grey: Picture) -> NDArray[np.float32]:
    """Returns how much each pixel of the marks counts: (h, w), 1 for thin strokes, 0 elsewhere.

    Fields, bars and blots count little; what goes on where the mark ends, as a sheet's corner on a
    table does, nothing.

    Args:
        marks: uint8 (h, w), 255 on what differs from its ground.
        grey: uint8 (h, w), lighter there.
    """
    count, found, stats, _ = cv2.connectedComponentsWithStats(marks, connectivity=8)
    labels = found.astype(np.intp)
    half = np.zeros(count, np.float32)  # of the thickness
    where = labels > 0
    np.maximum.at(half, labels[where], cv2.distanceTransform(marks, cv2.DIST_L2, 3)[where])
    w, h, area = (stats[:, i].astype(np.float64) for i in (2, 3, 4))
    thin = (2 * half <= _STROKE * np.maximum(w, h)) & (area <= _SOLID * w * h)
    thin |= 2 * half <= _RULE
    thin &= np.minimum(w, h) <= max(_LARGE * min(grey.shape), _LARGEST)
    counts = np.where(thin, 1.0, _BLOT) * (_going_on(labels, grey, count) < _GOES_ON)
    counts[0] = 0
    return np.asarray(counts[labels], np.float32)


def _going_on(labels: NDArray[np.intp], grey: Picture, count: int) -> NDArray[np.float64]:
    """Returns for each mark the part of the pixels around it that are nearly as light."""
    mean = np.bincount(labels.ravel(), grey.ravel(), count) / np.maximum(
        np.bincount(labels.ravel(), minlength=count), 1
    )
    wide = cv2.dilate(labels.astype(np.float32), np.ones((7, 7), np.uint8)).astype(np.intp)
    ring = (wide > 0) & (labels == 0)
    around, brightness = wide[ring], grey[ring]
    pixels = np.bincount(around, minlength=count)
    as_light = np.bincount(around, brightness > mean[around] - _LEAST, count)
    return np.asarray(as_light / np.maximum(pixels, 1), np.float64)


def _dark_boxes(grey: Picture) -> Iterator[NDArray[np.int32]]:
    """Yields the outlines of dark boxes with light writing."""
    paper = float(np.percentile(grey, 75))
    dark = np.where(grey < _DARK * paper, 255, 0).astype(np.uint8)
    outlines, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for outline in (found.astype(np.int32, copy=False) for found in outlines):
        _, _, w, h = cv2.boundingRect(outline)
        if min(w, h) < _BOX:
            continue
        (_, _), (along, across), _ = cv2.minAreaRect(outline)
        if cv2.contourArea(outline) < _RECTANGULAR * along * across:
            continue
        if _holds_light_writing(grey, outline):
            yield outline


def _holds_light_writing(grey: Picture, outline: NDArray[np.int32]) -> bool:
    x, y, w, h = cv2.boundingRect(outline)
    grey_part = grey[y : y + h, x : x + w]
    part = grey_part.astype(np.int16)
    inside = eroded(_inside(outline, (x - 1, y - 1, w + 2, h + 2)), 5, 5)[1:-1, 1:-1] > 0
    if not inside.any():
        return False
    ground = float(np.median(part[inside]))
    light = np.where(inside & (part > ground + _CONTRAST), 255, 0).astype(np.uint8)
    dark = np.where(inside & (part < ground - _CONTRAST), 255, 0).astype(np.uint8)
    writing = _writing(light, grey_part) == 1
    area = float(inside.sum())
    if not _WRITING * area <= writing.sum() <= _MOST * area:
        return False
    other = (light > 0).sum() - writing.sum() + (_writing(dark, ~grey_part) == 1).sum()
    if writing.sum() <= _OUTWEIGHS * other:
        return False
    marks = cv2.connectedComponents(writing.astype(np.uint8))[0] - 1
    return bool(marks >= _MARKS or min(w, h) >= _LETTER)


def _inside(outline: NDArray[np.int32], box: tuple[int, int, int, int]) -> Picture:
    x, y, w, h = box
    mask = np.zeros((h, w), np.uint8)
    cv2.fillPoly(mask, [outline.reshape(-1, 2) - np.array([x, y], np.int32)], (255,))
    return mask


def _turned(page: Picture, boxes: list[NDArray[np.int32]], scale: float) -> Picture:
    """Returns the page with the boxes' ground as light as the paper, their writing dark."""
    page = page.copy()
    paper = np.percentile(page[::4, ::4], 75, axis=(0, 1))
    edge = max(3, round(4 / scale) | 1)  # around the box, neither ground nor paper
    for small in boxes:
        outline = np.round((small + 0.5) / scale - 0.5).astype(np.int32)
        x, y, w, h = cv2.boundingRect(outline)
        x0, y0 = max(0, x - edge), max(0, y - edge)
        part = page[y0 : y + h + edge, x0 : x + w + edge]
        inside = _inside(outline, (x0, y0, part.shape[1], part.shape[0]))
        within = eroded(inside, edge, edge) > 0
        ground = np.median(part[within], axis=0)
        light = np.percentile(part[within], 99, axis=0)
        steep = np.minimum(0.9 * paper / np.maximum(light - ground, 1.0), _STEEPEST)
        turned = np.clip(paper - (part - ground) * steep, 0, paper).astype(np.uint8)
        ring = (dilated(inside, edge, edge) > 0) & ~within
        part[within] = turned[within]
        part[ring] = np.asarray(paper, np.uint8)
    return page
