"""Development cheques with other things around the same ink."""

import io
import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from holmdel.images import decode
from holmdel.reading import read_labelled
from paper_case import PLAIN, Case, root_of

Grey = NDArray[np.uint8]
Change = Callable[[Grey], Any]
_EVERY, _COUNT = 6, 120
_WHITE = 255


def _margin(grey: Grey, *, left: int, top: int, right: int, bottom: int, value: int = 255) -> Grey:
    wide: Grey = np.pad(grey, ((top, bottom), (left, right)), constant_values=value)
    return wide


def _around(grey: Grey, room: int, value: int = 255) -> Grey:
    return _margin(grey, left=room, top=room, right=room, bottom=room, value=value)


def _paper(grey: Grey) -> int:
    return int(np.median(grey))


def framed(grey: Grey, *, width: int = 4, ink: int = 0, gap: int = 0, room: int = 60) -> Grey:
    """Draws a frame around the crop, and white paper around that."""
    inside = _around(grey, gap, _paper(grey))
    return _around(_around(inside, width, ink), room)


def _rule(grey: Grey, *, left: int = 0, top: int = 0, bottom: int = 0, room: int = 0) -> Grey:
    """Draws black rules at sides of the crop, so wide, and white paper around."""
    ruled = _margin(grey, left=left, top=top, right=0, bottom=bottom, value=0)
    return _around(ruled, room)


def _long_rule(grey: Grey) -> Grey:
    """Draws an underline longer than the crop, on paper of the crop's grey."""
    wide = _margin(grey, left=20, top=8, right=20, bottom=12, value=_paper(grey))
    wide[-10:-8] = 20
    return wide


def _scaled(grey: Grey, across: float, down: float) -> Grey:
    method = cv2.INTER_AREA if across * down < 1 else cv2.INTER_CUBIC
    scaled: Grey = cv2.resize(grey, None, fx=across, fy=down, interpolation=method).astype(np.uint8)
    return scaled


def _fax(grey: Grey, *, ending: str) -> bytes:
    """Returns a file with half the rows and the dots an inch that say so."""
    file = io.BytesIO()
    Image.fromarray(_scaled(grey, 1, 0.5)).save(file, ending, dpi=(204, 102))
    return file.getvalue()


def _squared(grey: Grey, *, step: int = 18, ink: int = 60) -> Grey:
    """Draws squared paper under the ink."""
    wide = _around(grey, 24, _paper(grey)).astype(np.float32)
    for at in range(step // 2, wide.shape[0], step):
        wide[at] -= ink
    for at in range(step // 2, wide.shape[1], step):
        wide[:, at] -= ink
    return wide.clip(0, 255).astype(np.uint8)


def _coloured(grey: Grey, *, pen: tuple[int, int, int], frame: bool) -> Grey:
    """Returns the ink in a colour on white, perhaps in a black frame."""
    share = (1 - grey.astype(np.float32) / max(_paper(grey), 1)).clip(0, 1)[:, :, None]
    share = (share * 1.6 - 0.25).clip(0, 1)
    picture = (255 * (1 - share) + np.array(pen) * share).astype(np.uint8)
    if frame:
        for width, value in ((3, 255), (3, 20), (40, 255)):
            around = ((width, width), (width, width), (0, 0))
            picture = np.pad(picture, around, constant_values=value)
    coloured: Grey = picture
    return coloured


def _alpha(grey: Grey) -> Image.Image:
    """Returns black with the ink in the alpha channel alone."""
    share = (1 - grey.astype(np.float32) / max(_paper(grey), 1)).clip(0, 1)
    layers = np.zeros((*grey.shape, 4), np.uint8)
    layers[..., 3] = 255 * (share * 1.6 - 0.25).clip(0, 1)
    return Image.fromarray(layers, "RGBA")


def _plain(grey: Grey) -> Grey:
    return grey


CHANGES: dict[str, dict[str, Change]] = {
    "framed": {
        "frame 4 px, white 60": framed,
        "frame 2 px, white 60": partial(framed, width=2),
        "frame 4 px, grey 120": partial(framed, ink=120),
        "frame 2 px, grey 180": partial(framed, width=2, ink=180),
        "frame 4 px, gap 6, white 60": partial(framed, gap=6),
        "frame 4 px, white 10": partial(framed, room=10),
        "frame 4 px at the crop's edge": partial(framed, room=0),
        "frame 1 px at the crop's edge": partial(framed, room=0, width=1),
    },
    "rule": {
        "rule at the left": partial(_rule, left=4),
        "rule at the left, white 60": partial(_rule, left=4, room=60),
        "underline": partial(_rule, bottom=3),
        "underline, longer than the ink": _long_rule,
        "rules above and below": partial(_rule, top=3, bottom=3),
        "rules above and below, white 30": partial(_rule, top=3, bottom=3, room=30),
    },
    "margins": {
        "white 10": partial(_around, room=10),
        "white 30": partial(_around, room=30),
        "white 60": partial(_around, room=60),
        "white 120": partial(_around, room=120),
        "white left 150, top 5": partial(_margin, left=150, top=5, right=5, bottom=10),
        "white right 300, bottom 80": partial(_margin, left=5, top=5, right=300, bottom=80),
        "own grey 60": lambda grey: _around(grey, 60, _paper(grey)),
    },
    "inverted": {
        "inverted": lambda grey: _WHITE - grey,
        "inverted, margin 60": lambda grey: _WHITE - _around(grey, 60),
        "inverted, framed": lambda grey: _WHITE - framed(grey),
    },
    "dpi": {
        "half the size": lambda grey: _scaled(grey, 0.5, 0.5),
        "two times the size": lambda grey: _scaled(grey, 2, 2),
        "four times the size": lambda grey: _scaled(grey, 4, 4),
        "fax, PNG": partial(_fax, ending="png"),
        "fax, TIFF": partial(_fax, ending="tiff"),
    },
    "colour": {
        "squared paper": _squared,
        "blue ink": partial(_coloured, pen=(40, 60, 170), frame=False),
        "blue ink, black frame": partial(_coloured, pen=(40, 60, 170), frame=True),
        "red ink, black frame": partial(_coloured, pen=(190, 40, 40), frame=True),
        "alpha channel alone": _alpha,
    },
}


def cheques(section: str, limit: int | None) -> Iterator[Case]:
    """Gives the development cheques as they are, and changed in the ways of a section."""
    strings = read_labelled(root_of(os.environ["HOLMDEL_DATA"], "cheques"))
    chosen = strings[::_EVERY][:_COUNT][:: max(_COUNT // (limit or _COUNT), 1)]
    for name, change in {PLAIN: _plain, **CHANGES[section]}.items():
        for lines in (True, False):
            group = f"{name}, --lines" if lines else f"{name}, default"
            for string in chosen:
                image = change(decode(string.path, 1)[:, :, 0])
                yield Case(group, string.path.stem, image, (string.text,), "amount", lines)
