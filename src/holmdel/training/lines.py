"""Training a line network: connectionist temporal classification on strings made on the fly.

A. Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with
Recurrent Neural Networks" (2006).
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from holmdel.networks.line import BLANK, DIGITS, LineNetwork
from holmdel.training.interrupts import interrupts
from holmdel.training.job import seeds_restored
from holmdel.training.line_batches import POOL, LineBatch, Source, in_batches
from holmdel.training.line_state import LineState
from holmdel.training.team import Team, team

SEGMENT = 20 * POOL  # steps on one stream; a resumed training makes its lines again from there
MOST_PROCESSES = 64
SAVE_SECONDS = 60.0  # between two saved states
_NEVER = -1e4  # ln of a probability of 0 that has a gradient


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
        report: steps from one report to the next.
    """

    lines: int = 1_000_000
    batch_size: int = 64
    lr: float = 3e-3
    weight_decay: float = 1e-3
    average: float = 0.998
    seed: int = 0
    processes: int = 1
    report: int = 100

    @property
    def steps(self) -> int:
        """Returns how many steps that makes."""
        return max(1, self.lines // (self.batch_size * self.processes))


class LineProgress(NamedTuple):
    """Where a training stands.

    Attributes:
        step: how many steps are done.
        loss: mean over the steps since the last report, nats a character.
        seconds: since the start.
        network: the averaged weights so far.
    """

    step: int
    loss: float
    seconds: float
    network: LineNetwork


Watch: TypeAlias = Callable[[LineProgress], None]


def fit_lines(
    network: LineNetwork,
    source: Source,
    settings: LineSettings,
    watch: Watch | None = None,
    keep: Path | None = None,
) -> LineNetwork:
    """Trains a line network; returns the averaged weights, in eval mode.

    Args:
        network: where to begin; it is trained in place.
        source: gives the lines of stream k; every process draws from some of its own.
        settings: how.
        watch: told now and then how it goes.
        keep: a file where the state is saved about once a minute; where it is there already, the
            training goes on from it, and ends with the weights it would have had unbroken.

    Raises:
        UserError: a mistake of the source, in whichever process; a process that ended; a state that
            is of another training or cannot be written.
        KeyboardInterrupt: after the state was saved.
    """
    work = _Work(network, source, settings, keep if keep and keep.is_file() else None)
    weights = sum(weight.numel() for weight in network.parameters())
    with (
        seeds_restored(),
        interrupts() as interrupted,
        team(settings.processes, work, weights) as all_of_us,
    ):
        return work.run(all_of_us, watch, keep, interrupted)


@dataclass(frozen=True)
class _Work:
    """What every process does."""

    network: LineNetwork
    source: Source
    settings: LineSettings
    begun: Path | None

    def __call__(self, us: Team) -> None:
        """Trains in another process."""
        self.run(us, None, None, lambda: False)

    def run(
        self, us: Team, watch: Watch | None, keep: Path | None, interrupted: Callable[[], bool]
    ) -> LineNetwork:
        """Returns the averaged weights; only process 0 watches, keeps, and is interrupted."""
        state = LineState.begin(self.network, self.settings.lr, self.settings.weight_decay)
        if self.begun is not None:
            state.load(self.begun)
        threads = torch.get_num_threads()
        torch.set_num_threads(max(1, threads // us.count))
        try:
            _steps(state, us, self.source, self.settings, _Desk(state, watch, keep), interrupted)
        finally:
            torch.set_num_threads(threads)
        return state.averaged


class _Desk:
    """Tells the watch and keeps the state, each when it is time."""

    def __init__(self, state: LineState, watch: Watch | None, keep: Path | None) -> None:
        self._state, self._watch, self._keep = state, watch, keep
        self._began = self._saved = time.monotonic()

    def report(self, due: bool) -> None:
        """Tells the watch, if it is due, and keeps the state if a minute is over."""
        state = self._state
        if due:
            loss = float(np.mean(state.losses))
            state.losses.clear()
            if self._watch is not None:
                self._watch(LineProgress(state.step, loss, self._seconds(), state.averaged))
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.keep()

    def keep(self) -> None:
        """Keeps the state."""
        if self._keep is not None:
            self._state.save(self._keep, self._seconds())
        self._saved = time.monotonic()

    def _seconds(self) -> float:
        return self._state.seconds + time.monotonic() - self._began


def _steps(
    state: LineState,
    us: Team,
    source: Source,
    settings: LineSettings,
    desk: _Desk,
    interrupted: Callable[[], bool],
) -> None:
    batches = _batches(us.rank, source, settings, state.step)
    while state.step < settings.steps:
        torch.manual_seed((settings.seed * settings.steps + state.step) * MOST_PROCESSES + us.rank)
        for group in state.optimizer.param_groups:
            group["lr"] = settings.lr * _schedule(state.step, settings.steps)
        loss = line_loss(state.network, next(batches))
        state.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        us.share([p.grad for p in state.network.parameters() if p.grad is not None])
        torch.nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
        state.optimizer.step()
        _follow(
            state.averaged, state.network, min(settings.average, state.step / (state.step + 50))
        )
        state.losses.append(loss.item())
        state.step += 1
        desk.report(state.step % settings.report == 0 or state.step == settings.steps)
        if interrupted():
            desk.keep()
            raise KeyboardInterrupt


def _batches(rank: int, source: Source, settings: LineSettings, step: int) -> Iterator[LineBatch]:
    """Gives the batches of a process from a step on: a new stream every `SEGMENT` steps."""
    segment, done = divmod(step, SEGMENT)
    while True:
        written = source(segment * MOST_PROCESSES + rank)
        batches = in_batches(written, settings.batch_size, settings.seed + segment)
        yield from islice(batches, done, SEGMENT)
        segment, done = segment + 1, 0


def line_loss(network: LineNetwork, batch: LineBatch) -> Tensor:
    """Returns the mean of -ln p(text) / len(text) over a batch, in nats."""
    with torch.autocast("cpu", torch.bfloat16):
        logits: Tensor = network(batch.pictures.contiguous(memory_format=torch.channels_last))
    steps = F.log_softmax(logits.float(), dim=1).permute(2, 0, 1)  # (T, N, K)
    if batch.marked is not None:
        steps = torch.where(batch.marked[:, None], steps, _marks_as_blank(steps))
    times = torch.full((len(batch.lengths),), len(steps))
    losses = F.ctc_loss(
        steps, batch.targets, times, batch.lengths, BLANK, "none", zero_infinity=True
    )
    return (losses / batch.lengths.clamp(min=1)).mean()


def _marks_as_blank(steps: Tensor) -> Tensor:
    """Returns ln of the probabilities (T, N, K) where a mark is as good as a blank."""
    digits = len(DIGITS)
    marks = torch.full_like(steps[..., digits:BLANK], _NEVER)
    blank = torch.logsumexp(steps[..., digits:], dim=-1, keepdim=True)
    return torch.cat([steps[..., :digits], marks, blank], dim=-1)


def _schedule(step: int, steps: int) -> float:
    """Returns the learning rate as a part of its largest."""
    warm = min(1.0, (step + 4) / min(200, 0.1 * steps + 4))
    return warm * (0.5 + 0.5 * math.cos(math.pi * step / steps)) * 0.99 + 0.01 * warm


@torch.no_grad()
def _follow(averaged: LineNetwork, network: LineNetwork, keep: float) -> None:
    """Moves the averaged weights and statistics towards the network's."""
    pairs = zip(averaged.state_dict().values(), network.state_dict().values(), strict=True)
    for mean, value in pairs:
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - keep)
        else:
            mean.copy_(value)
