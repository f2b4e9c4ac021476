"""Lines of like width, stacked into batches for a line network."""

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from holmdel.alphabet import ALPHABET, STRIDE
from holmdel.images.contract import LINE_HEIGHT, to_line

POOL = 36  # batches that are made together, so that lines of like width share one
WIDEST = 1024  # columns; wider lines are left out
_PLACE = {character: index for index, character in enumerate(ALPHABET)}


class LabelledLine(NamedTuple):
    """A line to learn from.

    Attributes:
        image: uint8 (H, W), dark ink on lighter paper.
        text: what stands there, over ALPHABET.
        marked: whether `text` has the marks too; if not, marks may stand anywhere.
    """

    image: NDArray[np.uint8]
    text: str
    marked: bool = True


Sample: TypeAlias = LabelledLine | tuple[NDArray[np.uint8], str]
# Of a stream's number: the lines of that stream, without end; can be pickled.
Source: TypeAlias = Callable[[int], Iterator[Sample]]


class LineBatch(NamedTuple):
    """Lines of like width.

    Attributes:
        images: float32 (N, 1, 32, W), zeros on the right.
        targets: all characters of all lines, one after the other.
        lengths: (N,) how many of them each line has.
        marked: bool (N,), which lines have their marks among the targets; None for all.
    """

    images: Tensor
    targets: Tensor
    lengths: Tensor
    marked: Tensor | None = None


def in_batches(lines: Iterator[Sample], size: int, seed: int) -> Iterator[LineBatch]:
    """Gives batches of lines of like width, without end; the order of widths depends on the seed.

    Args:
        lines: images and texts, without end.
        size: N of the batches.
        seed: processes of the same seed get batches of about the same width at the same time.
    """
    order = random.Random(seed)
    while True:
        pool: list[_Prepared] = []
        while len(pool) < size * POOL:
            image, text, marked = LabelledLine(*next(lines))
            line = to_line(image)
            if _fits(text, line.shape[1]):
                pool.append(_Prepared(line, text, marked))
        pool.sort(key=lambda prepared: prepared.line.shape[1])
        starts = list(range(0, len(pool), size))
        order.shuffle(starts)
        for start in starts:
            yield _stacked(pool[start : start + size])


class _Prepared(NamedTuple):
    """A line as the network sees it, float32 (32, W), its text, and whether that has the marks."""

    line: NDArray[np.float32]
    text: str
    marked: bool


def learnable(image: NDArray[np.uint8], text: str) -> bool:
    """Tells whether a line goes into a batch; others are left out."""
    return _fits(text, to_line(image).shape[1])


def _fits(text: str, columns: int) -> bool:
    """Tells whether a network has enough steps for a text: a blank goes between twins.

    A loss that is impossible is none: findings/ctc-loss-of-the-impossible.sh.
    """
    twins = sum(a == b for a, b in pairwise(text))
    return columns <= WIDEST and columns // STRIDE > len(text) + twins


def _stacked(lines: Sequence[_Prepared]) -> LineBatch:
    columns = max(line.shape[1] for line, _, _ in lines)
    columns = (columns + 7) // 8 * 8
    images = torch.zeros(len(lines), 1, LINE_HEIGHT, columns)
    for image, (line, _, _) in zip(images, lines, strict=True):
        image[0, :, : line.shape[1]] = torch.from_numpy(line)
    characters = [_PLACE[character] for _, text, _ in lines for character in text]
    lengths = torch.tensor([len(text) for _, text, _ in lines])
    marked = [whole for _, _, whole in lines]
    return LineBatch(
        images,
        torch.tensor(characters, dtype=torch.long),
        lengths,
        None if all(marked) else torch.tensor(marked),
    )
