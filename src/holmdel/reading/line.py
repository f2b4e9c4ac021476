"""Reading pictures of single lines: many at a time, from several views where one is in doubt."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from itertools import pairwise
from math import exp

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from holmdel.images.line import LINE_HEIGHT, MARGIN, to_line
from holmdel.networks.line import STRIDE
from holmdel.reading.decode import Candidate, align, marks_as_blank, texts
from holmdel.reading.patterns import Pattern

Box = tuple[int, int, int, int]

_WIDTHS = 32  # columns; a picture is read at the next multiple, alone as among others
_COLUMNS = 64 * 128  # of a batch


@dataclass(frozen=True)
class DigitAnswer:
    """A digit, its confidence from 0 to 1, and its box (x, y, w, h) in the picture's pixels."""

    char: str
    confidence: float
    box: Box


@dataclass(frozen=True)
class LineAnswer:
    """What one picture of a line says.

    Attributes:
        text: the digits; empty where nothing is written or nothing fits.
        raw: with marks, where the pattern has them.
        score: the probability of `text`, averaged over the views, from 0 to 1, uncalibrated.
        agreement: the part of the views whose best text is `text`.
        alternatives: the next best texts and their scores.
        digits: one for each of `text`.
    """

    text: str
    raw: str
    score: float
    agreement: float
    alternatives: tuple[tuple[str, float], ...]
    digits: tuple[DigitAnswer, ...]


class LineReader:
    """Reads pictures of lines with a line network.

    Args:
        network: a `LineNetwork`; a copy is kept, its normalisation folded into the convolutions.
        threads: of PyTorch, for the whole process; None leaves them.
    """

    def __init__(self, network: nn.Module, threads: int | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self._network = _folded(network)

    def answers(
        self,
        pictures: Sequence[NDArray[np.uint8]],
        pattern: Pattern,
        views: int | None = None,
    ) -> list[LineAnswer]:
        """Returns what each picture says.

        Args:
            pictures: uint8 (H, W) each, of one line, dark ink on lighter paper.
            pattern: what may be written.
            views: how many views of each picture are read; None takes more where one is in doubt.
        """
        lines = [to_line(picture) for picture in pictures]
        return [
            _answer([texts(steps, pattern)], [steps], line, picture.shape, pattern)
            for steps, line, picture in zip(self._steps(lines), lines, pictures, strict=True)
        ]

    def _steps(self, lines: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Returns ln of the probabilities (T, K) for each line (32, W), T = W // 4."""
        found: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(lines)
        with torch.inference_mode():
            for numbers, batch in _batches(lines):
                inputs = torch.from_numpy(batch).to(memory_format=torch.channels_last)
                logits = self._network(inputs).float()
                steps = F.log_softmax(logits, 1).transpose(1, 2).contiguous().numpy()
                for number, line in zip(numbers, steps, strict=True):
                    found[number] = line[: lines[number].shape[1] // STRIDE]
        return found


def _batches(
    lines: Sequence[NDArray[np.float32]],
) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
    """Yields lines of about one width together: their numbers, and (N, 1, 32, W) with zeros."""
    alike: defaultdict[int, list[int]] = defaultdict(list)
    for number, line in enumerate(lines):
        alike[-(-line.shape[1] // _WIDTHS) * _WIDTHS].append(number)
    for width, members in alike.items():
        size = max(_COLUMNS // width, 1)
        for start in range(0, len(members), size):
            numbers = members[start : start + size]
            batch = np.zeros((len(numbers), 1, LINE_HEIGHT, width), np.float32)
            for row, number in zip(batch, numbers, strict=True):
                row[0, :, : lines[number].shape[1]] = lines[number]
            yield numbers, batch


def _folded(network: nn.Module) -> nn.Module:
    """Returns a copy for reading: each batch norm folded into the convolution before it."""
    copy = deepcopy(network).eval()
    for block in copy.modules():
        if not isinstance(block, nn.Sequential):
            continue
        for number, (layer, following) in enumerate(pairwise(list(block))):
            if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
                block[number] = fuse_conv_bn_eval(layer, following)
                block[number + 1] = nn.Identity()
    copy.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return copy


def _answer(
    found: Sequence[list[Candidate]],
    steps: Sequence[NDArray[np.float32]],
    line: NDArray[np.float32],
    shape: tuple[int, ...],
    pattern: Pattern,
) -> LineAnswer:
    """Returns the answer of one picture from the candidates and steps of its views."""
    scores: defaultdict[str, float] = defaultdict(float)
    for candidates in found:
        for candidate in candidates:
            scores[candidate.text] += exp(candidate.log_probability) / len(found)
    if not scores:
        return LineAnswer("", "", 0.0, 1.0, (), ())
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])
    text, score = ranked[0]
    agreement = sum(bool(c) and c[0].text == text for c in found) / len(found)
    raw = next(c.raw for cs in found for c in cs if c.text == text)
    digits = _digits(steps[0], text, line, shape)
    return LineAnswer(text, raw, min(score, 1.0), agreement, tuple(ranked[1:4]), digits)


def _digits(
    steps: NDArray[np.float32], text: str, line: NDArray[np.float32], shape: tuple[int, ...]
) -> tuple[DigitAnswer, ...]:
    with np.errstate(divide="ignore"):
        alone = np.log(marks_as_blank(np.exp(steps)))
    return tuple(
        DigitAnswer(char, confidence, _box(first, last, line, shape))
        for char, confidence, first, last in align(alone, text)
    )


def _box(first: int, last: int, line: NDArray[np.float32], shape: tuple[int, ...]) -> Box:
    """Returns the box of the ink that the steps `first` to `last` look at, in the picture."""
    height, width = shape
    columns = line.shape[1] - 2 * MARGIN
    across = width / columns
    left = max(STRIDE * first - MARGIN, 0)
    right = min(max(STRIDE * (last + 1) - MARGIN, left + 1), columns)
    left = min(left, right - 1)
    x, y = int(left * across), 0
    return (x, y, max(round(right * across) - x, 1), height)
