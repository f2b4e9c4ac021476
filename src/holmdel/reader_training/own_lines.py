"""A user's own lines: which are held out, how the others are varied and mixed with made ones."""

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.images.decoding import grey_page
from holmdel.reader_training.batches import LabelledLine, Sample, Source, learnable
from holmdel.reading.labelled import LabelledString

HELD_OUT = 0.1
LEAST_HELD_OUT = 20  # with fewer, the trust is guesswork
LEAST = 2 * LEAST_HELD_OUT
_TALLEST = 64  # pixels that are kept, twice what the network sees

Grey = NDArray[np.uint8]
Strings = Sequence[LabelledString]


def hold_out(strings: Strings) -> tuple[list[LabelledString], list[LabelledString]]:
    """Returns the strings to learn from and those held out: a tenth, at least 20.

    Which ones depends on the files' names alone. Strings of equal digits whose names are neighbours
    stay together, since one person may have written them.

    Raises:
        UserError: for fewer than 40 strings.
    """
    if len(strings) < LEAST:
        raise UserError(
            f"{len(strings)} labelled lines were given; expected {LEAST} or more, of which "
            f"{LEAST_HELD_OUT} are held out"
        )
    wanted = max(LEAST_HELD_OUT, round(HELD_OUT * len(strings)))
    order = sorted(strings, key=lambda string: _natural(string.path.name))
    groups = [list(group) for _, group in groupby(order, key=lambda string: string.text)]
    groups.sort(key=lambda group: hashlib.sha256(group[0].path.name.encode()).digest())
    held: list[LabelledString] = []
    taken: list[LabelledString] = []
    for group in groups:
        (held if len(held) < wanted else taken).extend(group)
    if len(taken) < LEAST_HELD_OUT:
        raise UserError(
            f"all but {len(taken)} of the {len(strings)} labelled lines say the same as their "
            "neighbours; expected lines of different digits"
        )
    return taken, held


def load_grey(string: LabelledString) -> Grey:
    """Returns a line's image, uint8 (H, W).

    Raises:
        UserError: if it cannot be read.
    """
    return grey_page(string.path)


def refuse_unlearnable(strings: Strings) -> int:
    """Returns how many lines are too wide to learn from, or too narrow for their digits.

    Raises:
        UserError: if a image cannot be read, or most are so.
    """
    bad = [
        string
        for string, image in zip(strings, _images(tuple(strings)), strict=True)
        if not learnable(image, string.text)
    ]
    if 2 * len(bad) > len(strings):
        raise UserError(
            f"{len(bad)} of {len(strings)} images, such as {bad[0].path}, are too wide to be one "
            "line or too narrow for their digits; expected images of one line each, cropped close"
        )
    return len(bad)


@dataclass(frozen=True)
class MixedSource:
    """Streams of the user's lines, varied, among made ones; can be pickled.

    Attributes:
        own: the user's lines; their marks are not known.
        made: gives the others.
        seed: of their order.
        share: the part of the user's.
    """

    own: tuple[LabelledString, ...]
    made: Source
    seed: int
    share: float

    def __call__(self, stream: int) -> Iterator[Sample]:
        """Gives the lines of a stream, without end; every line of the user's before one again."""
        r = random.Random(f"{self.seed} mixed {stream}")
        images, made = _images(self.own), self.made(stream)
        waiting: list[int] = []
        while True:
            if r.random() >= self.share:
                yield next(made)
                continue
            if not waiting:
                waiting = r.sample(range(len(images)), len(images))
            number = waiting.pop()
            yield LabelledLine(vary(images[number], r), self.own[number].text, marked=False)


@lru_cache(maxsize=1)
def _images(strings: tuple[LabelledString, ...]) -> list[Grey]:
    """Returns the images of lines, those that are tall made smaller; read once in a process."""
    images = []
    for string in strings:
        image = load_grey(string)
        height, width = image.shape
        if height > _TALLEST:
            size = (max(1, round(width * _TALLEST / height)), _TALLEST)
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
        images.append(image)
    return images


def vary(image: Grey, r: random.Random) -> Grey:
    """Returns a line as it might have been written and scanned another time.

    Args:
        image: uint8 (H, W).
        r: where the numbers come from.
    """
    height, width = image.shape
    shear, slope = r.gauss(0, 0.12), r.gauss(0, 0.015)
    wider = r.uniform(0.82, 1.2)
    above, below = (r.uniform(-0.12, 0.1) * height for _ in range(2))
    before, after = (r.uniform(-0.03, 0.15) * height for _ in range(2))
    reach = abs(shear) * height / 2
    size = (
        max(8, round((width + 2 * reach) * wider + before + after)),
        max(8, round(height + above + below)),
    )
    matrix = np.array(
        [
            [wider, wider * shear, before + wider * (reach - shear * height / 2)],
            [slope, 1.0, above - slope * width / 2],
        ]
    )
    paper = int(np.median(image))
    varied = cv2.warpAffine(
        image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT,
        borderValue=paper,
    )  # fmt: skip
    return _other_ink(varied.astype(np.uint8, copy=False), r)


def _other_ink(image: Grey, r: random.Random) -> Grey:
    """Returns a line with a thicker or thinner pen, other light and another focus."""
    pen, height = r.random(), image.shape[0]
    varied: MatLike = image
    if height >= 40 and pen < 0.3:
        change = cv2.erode if pen < 0.15 else cv2.dilate  # ink is dark: erosion makes it thicker
        varied = change(varied, np.ones((2, 2), np.uint8))
    if r.random() < 0.3:
        varied = cv2.GaussianBlur(varied, (0, 0), r.uniform(0.3, 0.02 * height + 0.4))
    tone = 255 * (np.arange(256) / 255) ** r.uniform(0.7, 1.5) * r.uniform(0.8, 1.0)
    return cv2.LUT(varied, tone.astype(np.uint8)).astype(np.uint8, copy=False)


def _natural(name: str) -> list[tuple[int, str]]:
    """Returns a key that sorts `2.png` before `10.png`."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", name)]
