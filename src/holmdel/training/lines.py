"""Training a line network: connectionist temporal classification on strings made on the fly.

A. Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with
Recurrent Neural Networks" (2006).
"""

import copy
import math
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, distributed, multiprocessing

from holmdel.images.line import to_line
from holmdel.networks.line import ALPHABET, BLANK, STRIDE, LineNetwork

POOL = 12  # batches that are made together, so that lines of like width share one
WIDEST = 416  # columns; wider lines are left out
_PLACE = {character: index for index, character in enumerate(ALPHABET)}

Written: TypeAlias = tuple[np.ndarray, str]  # a picture, uint8 (H, W), and what stands there
Source: TypeAlias = Callable[[int], Iterator[Written]]  # of a stream's number; can be pickled


@dataclass(frozen=True)
class LineSettings:
    """How a line network is trained.

    Attributes:
        lines: how many are seen in all.
        batch_size: lines a step and process.
        lr: the largest learning rate; it warms up and then falls along a cosine.
        weight_decay: of AdamW.
        average: how slowly the averaged weights follow.
        seed: of the weights and the order.
        processes: that make lines and train side by side, their gradients averaged.
    """

    lines: int = 1_000_000
    batch_size: int = 64
    lr: float = 3e-3
    weight_decay: float = 1e-3
    average: float = 0.998
    seed: int = 0
    processes: int = 1

    @property
    def steps(self) -> int:
        """Returns how many steps that makes."""
        return max(1, self.lines // (self.batch_size * self.processes))


class LineProgress(NamedTuple):
    """Where a training stands.

    Attributes:
        step: how many steps are done.
        loss: mean over the steps since the last report, nats a line.
        seconds: since the start.
        network: the averaged weights so far.
    """

    step: int
    loss: float
    seconds: float
    network: LineNetwork


class LineBatch(NamedTuple):
    """Lines of like width.

    Attributes:
        pictures: float32 (N, 1, 32, W), zeros on the right.
        targets: all characters of all lines, one after the other.
        lengths: (N,) how many of them each line has.
    """

    pictures: Tensor
    targets: Tensor
    lengths: Tensor


Watch: TypeAlias = Callable[[LineProgress], None]


def fit_lines(
    network: LineNetwork, source: Source, settings: LineSettings, watch: Watch | None = None
) -> LineNetwork:
    """Trains a line network; returns the averaged weights, in eval mode.

    Args:
        network: where to begin; it is trained in place.
        source: gives the lines of stream k; every process draws from one of its own.
        settings: how.
        watch: told now and then how it goes.
    """
    if settings.processes == 1:
        return _train(0, network, source, settings, watch)
    with tempfile.TemporaryDirectory() as folder:
        meeting = f"file://{Path(folder) / 'meeting'}"
        context = multiprocessing.get_context("spawn")
        helpers = [
            context.Process(
                target=_help, args=(rank, meeting, network, source, settings), daemon=True
            )
            for rank in range(1, settings.processes)
        ]
        for helper in helpers:
            helper.start()
        try:
            _join(0, meeting, settings)
            return _train(0, network, source, settings, watch)
        finally:
            distributed.destroy_process_group()
            for helper in helpers:
                helper.terminate()
                helper.join()


def _join(rank: int, meeting: str, settings: LineSettings) -> None:
    distributed.init_process_group(
        "gloo", init_method=meeting, rank=rank, world_size=settings.processes,
        timeout=timedelta(minutes=10),
    )  # fmt: skip


def _help(
    rank: int, meeting: str, network: LineNetwork, source: Source, settings: LineSettings
) -> None:
    """What another process does."""
    _join(rank, meeting, settings)
    _train(rank, network, source, settings, None)


def _train(
    rank: int, network: LineNetwork, source: Source, settings: LineSettings, watch: Watch | None
) -> LineNetwork:
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads // settings.processes))
    torch.manual_seed(settings.seed * 1000 + rank)
    try:
        return _steps(rank, network, source, settings, watch)
    finally:
        torch.set_num_threads(threads)


def _steps(
    rank: int, network: LineNetwork, source: Source, settings: LineSettings, watch: Watch | None
) -> LineNetwork:
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    averaged = copy.deepcopy(network).eval()
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.lr, weight_decay=settings.weight_decay, foreach=True
    )
    batches = in_batches(source(rank), settings.batch_size, settings.seed)
    began, losses = time.monotonic(), []
    for step in range(settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.lr * _schedule(step, settings.steps)
        loss = _loss(network, next(batches))
        optimizer.zero_grad()
        loss.backward()
        if settings.processes > 1:
            _share(network, settings.processes)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        _follow(averaged, network, min(settings.average, step / (step + 50)))
        losses.append(loss.item())
        if watch is not None and ((step + 1) % 100 == 0 or step + 1 == settings.steps):
            watch(
                LineProgress(step + 1, float(np.mean(losses)), time.monotonic() - began, averaged)
            )
            losses.clear()
    return averaged


def _loss(network: LineNetwork, batch: LineBatch) -> Tensor:
    """Returns the mean of -ln p(text) over a batch, in nats."""
    with torch.autocast("cpu", torch.bfloat16):
        logits: Tensor = network(batch.pictures.contiguous(memory_format=torch.channels_last))
    steps = F.log_softmax(logits.float(), dim=1).permute(2, 0, 1)  # (T, N, K)
    times = torch.full((len(batch.lengths),), len(steps))
    losses = F.ctc_loss(
        steps, batch.targets, times, batch.lengths, BLANK, "none", zero_infinity=True
    )
    return (losses / batch.lengths.clamp(min=1)).mean()


def _schedule(step: int, steps: int) -> float:
    """Returns the learning rate as a part of its largest."""
    warm = min(1.0, (step + 4) / min(200, 0.1 * steps + 4))
    return warm * (0.5 + 0.5 * math.cos(math.pi * step / steps)) * 0.99 + 0.01 * warm


def _share(network: LineNetwork, processes: int) -> None:
    """Makes every process's gradient the mean of all."""
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= processes
    parts = flat.split([gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


@torch.no_grad()
def _follow(averaged: LineNetwork, network: LineNetwork, keep: float) -> None:
    """Moves the averaged weights and statistics towards the network's."""
    pairs = zip(averaged.state_dict().values(), network.state_dict().values(), strict=True)
    for mean, value in pairs:
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - keep)
        else:
            mean.copy_(value)


def in_batches(written: Iterator[Written], size: int, seed: int) -> Iterator[LineBatch]:
    """Gives batches of lines of like width, without end; the order of widths depends on the seed.

    Args:
        written: pictures and texts, without end.
        size: N of the batches.
        seed: processes of the same seed get batches of about the same width at the same time.
    """
    order = random.Random(seed)
    while True:
        pool: list[tuple[np.ndarray, str]] = []
        while len(pool) < size * POOL:
            picture, text = next(written)
            line = to_line(picture)
            if line.shape[1] <= WIDEST and _fits(text, line.shape[1]):
                pool.append((line, text))
        pool.sort(key=lambda pair: pair[0].shape[1])
        starts = list(range(0, len(pool), size))
        order.shuffle(starts)
        for start in starts:
            yield _stacked(pool[start : start + size])


def _fits(text: str, columns: int) -> bool:
    """Says whether a network has enough steps for a text: a blank goes between twins."""
    twins = sum(a == b for a, b in pairwise(text))
    return columns // STRIDE > len(text) + twins


def _stacked(pairs: Sequence[tuple[np.ndarray, str]]) -> LineBatch:
    columns = max(line.shape[1] for line, _ in pairs)
    columns = (columns + 7) // 8 * 8
    pictures = torch.zeros(len(pairs), 1, pairs[0][0].shape[0], columns)
    for picture, (line, _) in zip(pictures, pairs, strict=True):
        picture[0, :, : line.shape[1]] = torch.from_numpy(line)
    characters = [_PLACE[character] for _, text in pairs for character in text]
    lengths = torch.tensor([len(text) for _, text in pairs])
    return LineBatch(pictures, torch.tensor(characters, dtype=torch.long), lengths)
