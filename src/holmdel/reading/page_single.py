"""Whether a picture is one line already: a cropped amount, a strip."""

import numpy as np

from holmdel.reading.page_ink import even_light, ink_of
from holmdel.reading.page_masks import Picture, closed

_LOW = 120  # pixels; so low a picture is one line unless two are seen
_STRIP = 4.0  # times its height: how wide a higher one is of which that is true
_SECOND = 0.5  # of the first line's ink: a second line
_THIN = 0.2  # of the height; a rule or an edge, no line of writing
_SHORT = 1.0  # times its height: how wide so low a picture is at least
_WIDE = 1.5  # times its height: how wide a line's picture is at least
_HIGHEST = 400  # pixels; a higher picture is a photograph of more than a line
_SMALL = 24  # pixels; on less than this there is no page
_FILLS = 0.35  # of the height that the line's ink takes
_ALL = 0.8  # of the ink that is the line's


def is_line(grey: Picture) -> bool:
    """Returns whether the picture shows one line and little around it.

    Args:
        grey: uint8 (H, W).
    """
    height, width = grey.shape
    if height < _SMALL:
        return True
    low = height <= _LOW or width >= _STRIP * height
    if width < (_SHORT if low else _WIDE) * height or height > _HIGHEST:
        return False
    rows = ink_of(even_light(grey)).astype(bool).sum(1).astype(np.float64)
    if not rows.any():
        return False
    usual = float(np.quantile(rows[rows > 0], 0.8))  # a rule's row has many times more
    few = (rows > 0.1 * usual).astype(np.uint8)[:, None] * np.uint8(255)
    gap = max(3, round(0.08 * height) | 1)
    inked = closed(few, gap, 1)[:, 0] > 0
    bands = _bands(inked.tolist())
    sums = [float(rows[top:bottom].sum()) for top, bottom in bands]
    if low:
        high = [(b - t >= _THIN * height) * s for (t, b), s in zip(bands, sums, strict=True)]
        return bool(sorted([0.0, *high])[-2] < _SECOND * max(sums))
    top, bottom = bands[int(np.argmax(sums))]
    return bottom - top >= _FILLS * height and max(sums) >= _ALL * float(rows.sum())


def _bands(inked: list[bool]) -> list[tuple[int, int]]:
    """Returns where runs of True start and end.

    >>> _bands([False, True, True, False, True])
    [(1, 3), (4, 5)]
    """
    edges = [
        i for i, (a, b) in enumerate(zip([False, *inked], [*inked, False], strict=True)) if a != b
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))
