"""Lines in doubt looked at again: cut closer, with more paper, narrower, set level."""

from collections import defaultdict
from dataclasses import replace

import cv2
import numpy as np

from holmdel.reading.page_found import Found, Score, read
from holmdel.reading.page_ink import Sheet
from holmdel.reading.page_level import levelled
from holmdel.reading.page_lines import Marks
from holmdel.reading.page_masks import resized

_SURE = 0.93  # a digit's probability from which on a line is left as it is
_MOST_DOUBTFUL = 20  # lines that are looked at again
_WORTH = 0.5  # a digit's probability from which on other frames are tried
_HOPE = 0.65  # what the first of them must come to, for more to be tried
_LONGEST = 20  # marks of a line that is looked at again
_FRAMES = ((0.1, 1.0), (0.0, 0.8), (0.2, 1.0), (-0.3, 1.0), (0.1, 0.8), (0.2, 0.8))
_FIRST = 2  # frames; what they say decides whether more are tried


def better(found: list[Found], marks: Marks, flat: Sheet, score: Score) -> list[Found]:
    """Returns the lines, those in doubt in the frame in which they are read best.

    Long tails make a line's picture high and its digits small; wide gaps part them.
    """
    doubtful = [
        number
        for number, line in enumerate(found)
        if line.digits >= 2
        and len(line.marks) <= _LONGEST
        and line.sure >= _WORTH
        and line.value < _SURE
    ]
    doubtful = sorted(doubtful, key=lambda number: -found[number].sure)[:_MOST_DOUBTFUL]
    views = {number: _views(found[number], flat, marks) for number in doubtful}
    options = {number: [found[number]] for number in doubtful}
    for part in (slice(_FIRST), slice(_FIRST, None)):
        asked = [number for number in doubtful if _open(options[number])]
        pictures = [view for number in asked for view in views[number][part]]
        answers = iter(read(pictures, marks, flat, score))
        for number in asked:
            options[number] += [next(answers) for _ in views[number][part]]
    best = list(found)
    for number in doubtful:
        best[number] = _agreed(options[number])
    return best


def _open(options: list[Found]) -> bool:
    """Returns whether more frames may change what a line says."""
    if len(options) == 1:
        return True
    most = max(option.value for option in options)
    agreed = len({option.text for option in options}) == 1
    return most >= _HOPE and not (agreed and most >= _SURE)


def _agreed(options: list[Found]) -> Found:
    """Returns the best frame of the text for which the most speaks in all frames together."""
    weight: defaultdict[str, float] = defaultdict(float)
    for option in options:
        weight[option.text] += option.value**2
    return max(options, key=lambda f: (weight[f.text], f.value))


def _views(line: Found, flat: Sheet, marks: Marks) -> list[Found]:
    """Returns a line in other frames, and set level where its digits are uneven."""
    views = [_framed(line, *frame) for frame in _FRAMES]
    level = levelled(flat, marks, list(line.marks))
    if level is None:
        return views
    even = replace(line, picture=level[0], to_page=level[1])
    return [views[0], even, *views[1:], _framed(even, -0.15, 1.0), _framed(even, 0.0, 0.8)]


def _framed(line: Found, cut: float, narrow: float) -> Found:
    """Returns the field with its picture cut above and below (added to, if less than 0)."""
    picture, matrix = line.picture, line.to_page
    rows = round(abs(cut) * picture.shape[0])
    if cut > 0:
        picture = picture[rows : picture.shape[0] - rows]
    elif rows:
        paper = int(np.median(picture))
        picture = np.pad(picture, ((rows, rows), (0, 0)), constant_values=paper)
    columns = max(8, round(picture.shape[1] * narrow))
    wider = picture.shape[1] / columns
    if columns != picture.shape[1]:
        size = (columns, picture.shape[0])
        picture = resized(picture, size, cv2.INTER_AREA)
    shift = rows if cut > 0 else -rows
    move = np.array([[wider, 0, 0], [0, 1, shift], [0, 0, 1.0]])
    return replace(line, picture=picture, to_page=matrix @ move)
