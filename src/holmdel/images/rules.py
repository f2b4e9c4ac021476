"""Rules on paper: ruled and squared paper, frames and underlines found, and taken off the ink."""

from collections.abc import Sequence

import numpy as np

from holmdel.images.lines import Line, find_lines
from holmdel.images.opencv import cv2
from holmdel.images.pixels import Box, Grey, Mask, median, opened

_COARSE = 256  # longest side on which lines are looked for
_LARGE = 24  # pixels: in a smaller box strokes look like sides
_UNDERLINE = 0.06  # of its length: an underline is thinner
_SIDE = 0.65  # of a frame's side that is a line
_THIN = 0.09  # of a rule's length, of a frame's shorter side: thicker are a digit's strokes
_REST_OF_RULE = 0.2  # of the image's side: what is shorter may be a stroke
_SPECK = 0.04  # of the image's longer side: what is smaller is no digit
_EITHER, _BOTH = 0.05, 0.1  # of its length: how far a rule goes on beside the digit
_BEYOND = 1.15  # times the digit's longer side: a line of this length is no stroke of it
_CROSSES = 1.4  # times a rule's thickness: a stroke is longer across it
_REMAINS = 0.85  # of a part's pixels on rules: it is a rest of them
_DARKER = 1.5  # times a rule: what is darker is a stroke that runs along it


def without_rules(ink: Grey, mask: Mask) -> Grey | None:
    """Returns the ink without rules, as strokes that cross them were; None where there are none.

    A rule goes from border to border, frames the digit, or underlines it.

    Args:
        ink: float (H, W), 0 paper.
        mask: (H, W), where there is any ink, faint rules too.
    """
    step = -(-max(mask.shape) // _COARSE)
    coarse = _pooled(mask, step)
    lines = find_lines(coarse)
    rules = _rules(coarse, lines) if lines else []
    if not rules:
        return None
    left, clean, bands = mask.copy(), ink.copy(), np.zeros(mask.shape, bool)
    for rule in rules:
        band = np.zeros(mask.shape, bool)
        rule.cover(band, step)
        _erase(clean, left, band, rule.standing)
        bands |= band
    wider = cv2.dilate(bands.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    longest = 3 * step * (2 + max(rule.thickness for rule in rules))
    clean[_remains(left, wider, longest)] = 0
    return clean


def _remains(mask: Mask, bands: Mask, longest: float) -> Mask:
    """Returns the small parts that lie on rules alone: what crossings and corners leave of them."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    within = np.bincount(labels[bands], minlength=count)
    remains = within > _REMAINS * stats[:, cv2.CC_STAT_AREA]
    remains &= stats[:, 2:4].max(axis=1) <= longest
    remains[0] = False
    return np.asarray(cv2.dilate(remains[labels].astype(np.uint8), np.ones((3, 3), np.uint8))) > 0


def _pooled(mask: Mask, step: int) -> Mask:
    """Returns a mask a `step`th as large; a pixel is true where any was."""
    if step == 1:
        return mask
    height, width = (-(-n // step) for n in mask.shape)
    whole = np.zeros((height * step, width * step), np.uint8)
    whole[: mask.shape[0], : mask.shape[1]] = mask
    most = cv2.dilate(whole, np.ones((step, step), np.uint8), anchor=(0, 0))
    return np.asarray(most)[::step, ::step] > 0


def _rules(mask: Mask, lines: Sequence[Line]) -> list[Line]:
    """Returns the lines that are no strokes of a digit."""
    through = [line for line in lines if line.through and _is_thin(line)]
    sides = _frame(mask.shape, lines)
    lines = [sides.get(line, line) for line in lines]
    frame = set(sides.values())
    either = {*through, *frame, *_beside(through, lines)}
    likely = [line for line in lines if line in either]
    rest = _rest(mask, likely)
    if rest is None:
        return _of_empty_paper(likely)
    rules = []
    for line in likely:
        many = sum(other.standing == line.standing for other in likely) > 1
        if line in frame or (_is_beyond(line, rest) if many else _is_far_beyond(line, rest)):
            rules.append(line)
    return rules + [line for line in lines if line not in either and _underlines(line, mask, rules)]


def _is_thin(line: Line) -> bool:
    """Returns whether a line is thin for its length, as strokes are not."""
    return line.thickness <= max(_THIN * line.length, 3)


def _is_beyond(line: Line, rest: Box) -> bool:
    """Returns whether a line goes on where the rest of the ink has ended."""
    left, right = _overhangs(line, rest)
    return left + right >= _BOTH * line.length


def _is_far_beyond(line: Line, rest: Box) -> bool:
    """Returns whether a line goes on at both sides of the rest, as no stroke of it would."""
    side = max(edge.stop - edge.start for edge in rest)
    return line.length >= _BEYOND * side and min(_overhangs(line, rest)) >= _EITHER * line.length


def _overhangs(line: Line, rest: Box) -> tuple[int, int]:
    """Returns by how much a line goes beyond a box at either end."""
    along = rest[0 if line.standing else 1]
    return along.start - line.start, line.stop - along.stop


def _underlines(line: Line, mask: Mask, rules: list[Line]) -> bool:
    """Returns whether a line that ends inside the image lies under, or through, all the rest."""
    thin = line.thickness <= max(_UNDERLINE * line.length, 2)
    if line.standing or not thin or line.length < 0.2 * line.size[1]:
        return False
    rest = _rest(mask, [*rules, line])
    return rest is None or _is_far_beyond(line, rest)


def _frame(size: tuple[int, ...], lines: Sequence[Line]) -> dict[Line, Line]:
    """Returns the lines that are the sides of the largest frame, and the same to its corners."""
    sheet = np.zeros(size, bool)
    for line in lines:
        line.cover(sheet)
    _, _, stats, _ = cv2.connectedComponentsWithStats(sheet.astype(np.uint8), connectivity=8)
    largest, best = 0, dict[Line, Line]()
    for left, top, width, height, _ in stats[1:].tolist():
        box = slice(top, top + height), slice(left, left + width)
        if width * height > largest and min(width, height) >= 7 and (sides := _sides(box, lines)):
            largest, best = width * height, sides
    return best


def _sides(box: Box, lines: Sequence[Line]) -> dict[Line, Line]:
    """Returns the lines along the edges of a box, and as far as its corners, if they frame it.

    Of a large box three edges must be lines for the most part, of a small one all four.
    """
    some, closed = dict[Line, Line](), 0
    for standing in (False, True):
        whole = box[0 if standing else 1]
        for first in (True, False):
            side = [o for o in lines if o.standing == standing and _is_along(o, box, first)]
            closed += sum(o.length for o in side) >= _SIDE * (whole.stop - whole.start)
            some |= {line: _to_corners(line, whole) for line in side}
    shorter = min(edge.stop - edge.start for edge in box)
    usual = float(median([line.thickness for line in some])) if some else 0.0
    if closed < (3 if shorter >= _LARGE else 4) or usual > max(_THIN * shorter, 2.5):
        return {}
    return {line: whole for line, whole in some.items() if line.thickness <= 1.5 * usual + 1}


def _to_corners(line: Line, whole: slice) -> Line:
    """Returns a line of a frame with its ends moved to the corners, if they are near."""
    near = 4 + 3 * line.thickness
    start = whole.start if 0 < line.start - whole.start <= near else line.start
    stop = whole.stop if 0 < whole.stop - line.stop <= near else line.stop
    return line.moved(start, stop)


def _is_along(line: Line, box: Box, first: bool) -> bool:
    """Returns whether a line is at the first (upper, left) or the last edge of a box, and in it."""
    across, along = (1, 0) if line.standing else (0, 1)
    edge, mine, whole = box[across], line.box[across], box[along]
    reach = 2 + 0.12 * (edge.stop - edge.start) + line.thickness
    near = mine.stop <= edge.start + reach if first else mine.start >= edge.stop - reach
    return bool(near and line.start < whole.stop and line.stop > whole.start)


def _beside(through: Sequence[Line], lines: Sequence[Line]) -> list[Line]:
    """Returns the lines that begin at a border as two rules or more do, and end in strokes."""
    found = []
    for line in lines:
        rules = [other.thickness for other in through if other.standing == line.standing]
        at_border = line.start <= 2 or line.stop >= line.size[1] - 2
        long = line.length >= _REST_OF_RULE * line.size[1]
        if len(rules) >= 2 and at_border and long and line.thickness <= 1.5 * median(rules) + 1:
            found.append(line)
    return found


def _rest(mask: Mask, lines: Sequence[Line]) -> Box | None:
    """Returns the box of what is left without some lines; None if that is specks at most."""
    band = np.zeros(mask.shape, bool)
    for line in lines:
        line.cover(band)
    bare = (mask & ~band).astype(np.uint8)
    left = cv2.morphologyEx(bare, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    parts = cv2.connectedComponentsWithStats(left, connectivity=8)[2][1:]
    if not len(parts):
        return None
    starts, sizes, (height, width) = parts[:, :2], parts[:, 2:4], mask.shape
    inner = (starts > 0).all(axis=1) & (starts + sizes < (width, height)).all(axis=1)
    weights = parts[:, 4] * np.where(inner, 1, 0.1)
    large = weights >= 0.3 * weights.max()
    if sizes[large].max() < max(4, _SPECK * max(mask.shape)):
        return None
    left_top, right_bottom = starts[large].min(axis=0), (starts + sizes)[large].max(axis=0)
    columns, rows = (slice(int(a), int(b)) for a, b in zip(left_top, right_bottom, strict=True))
    return rows, columns


def _of_empty_paper(lines: list[Line]) -> list[Line]:
    """Returns the rules where nothing else is on paper: a single line that stands is a digit 1."""
    return [] if len(lines) == 1 and lines[0].standing else lines


def _erase(clean: Grey, left: Mask, band: Mask, standing: bool) -> None:
    """Takes what lies in a rule's band off the ink and off the mask, in place.

    Strokes stay where they cross it, as what is longer across it than the rule is thick, and where
    they run along it, if they are darker.
    """
    ink, mask, band = (clean.T, left.T, band.T) if standing else (clean, left, band)
    inside = band & mask
    counts = inside.sum(axis=0)
    if not counts.any():
        return
    tall = round(_CROSSES * float(median(counts[counts > 0]))) + 2
    rows = np.flatnonzero(band.any(axis=1))
    view = slice(max(rows[0] - 2 * tall, 0), rows[-1] + 2 * tall)
    ink, mask, band, inside = ink[view], mask[view], band[view], inside[view]
    strokes = opened(mask.astype(np.uint8), tall, 1) > 0
    most = np.where(inside & ~strokes, ink, 0).max(axis=0)
    if not most.any():
        return
    strokes |= mask & (ink > _DARKER * float(median(most[most > 0])))
    gone = inside & ~strokes
    wider = cv2.dilate(gone.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    ink[wider & band & ~strokes] = 0
    crossed = inside & strokes
    if (outside := mask & ~band).any():  # a dark rule must not make a pencil's strokes look faint
        ink[crossed] = np.minimum(ink[crossed], 1.2 * float(median(ink[outside])))
    mask &= ~gone
