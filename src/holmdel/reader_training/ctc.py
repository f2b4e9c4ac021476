"""Training a line network by connectionist temporal classification, on lines made on the fly.

A. Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with
Recurrent Neural Networks" (2006).
"""

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from holmdel.alphabet import BLANK, DIGITS
from holmdel.networks.line import LineNetwork
from holmdel.reader_training.batches import POOL, LineBatch, Source, in_batches
from holmdel.reader_training.muon import LineOptimizer
from holmdel.reader_training.processes import Group, Launched, processes
from holmdel.reader_training.settings import MOST_PROCESSES, ReaderPlan
from holmdel.schema import Setting, read_record
from holmdel.shapes import parameter_count
from holmdel.training import group as workers
from holmdel.training.callbacks import interrupts
from holmdel.training.job import seeds_restored
from holmdel.training.optimise import average_in, learning_rate
from holmdel.training.state import load_state, save_state, state_errors

SEGMENT = 20 * POOL  # steps on one stream; a resumed training makes its lines again from there
SAVE_SECONDS = 60.0  # between two saved states
AVERAGED = 4  # steps from one averaging to the next
AVERAGE_WARMUP = 50  # averagings after which the average forgets half as fast as at the start
_NEVER = -1e4  # ln of a probability of 0 that has a gradient


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


@dataclass
class LineState:
    """The training of a line network between two steps.

    Attributes:
        network: the one that is trained.
        averaged: a running average of its weights and statistics.
        optimizer: with its momenta.
        step: how many are done.
        losses: of the steps since the last report.
        seconds: of training so far.
    """

    network: LineNetwork
    averaged: LineNetwork
    optimizer: LineOptimizer
    step: int = 0
    losses: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @classmethod
    def begin(cls, network: LineNetwork, plan: ReaderPlan) -> "LineState":
        """Returns the state before the first step; the network is put into train mode."""
        network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        return cls(network, copy.deepcopy(network).eval(), LineOptimizer(network, plan))

    def save(self, path: Path) -> None:
        """Writes the state to `path`, atomically.

        Raises:
            UserError: if it cannot be written.
        """
        counters = {"step": self.step, "losses": self.losses, "seconds": self.seconds}
        adamw, momenta = self.optimizer.adamw, self.optimizer.momenta
        save_state(path, self._modules(), adamw, counters, momenta)

    def load(self, path: Path) -> None:
        """Takes over what `save` wrote, in place.

        Raises:
            UserError: if the file cannot be read or is of another training.
        """
        with state_errors(path):
            adamw, momenta = self.optimizer.adamw, self.optimizer.momenta
            counters = load_state(path, self._modules(), adamw, momenta)
            found = read_record(counters, _COUNTERS, f"the header of {path}")
            self.losses = [float(loss) for loss in found["losses"]]
            self.step, self.seconds = found["step"], float(found["seconds"])

    def _modules(self) -> dict[str, torch.nn.Module]:
        return {"network": self.network, "averaged": self.averaged}


_COUNTERS = (
    Setting(name="step", type="int", least=0),
    Setting(name="losses", type="list"),
    Setting(name="seconds", type="float", least=0),
)


def fit_lines(
    network: LineNetwork,
    source: Source,
    plan: ReaderPlan,
    report: Callable[[LineProgress], None] | None = None,
    keep: Path | None = None,
    *,
    every: int = 100,
) -> LineNetwork:
    """Trains a line network; returns the averaged weights, in eval mode.

    Args:
        network: where to begin; it is trained in place.
        source: gives the lines of stream k; every process draws from some of its own.
        plan: how.
        report: told now and then how it goes.
        keep: a file where the state is saved about once a minute; where it is there already, the
            training goes on from it, and ends with the weights it would have had unbroken.
        every: steps from one report to the next.

    Raises:
        UserError: a mistake of the source, in whichever process; a process that ended; a state that
            is of another training or cannot be written.
        KeyboardInterrupt: after the state was saved.
    """
    work = _Work(network, source, plan, keep if keep and keep.is_file() else None)
    launched = workers.launched()
    weights = parameter_count(network)
    with (
        seeds_restored(),
        interrupts() as interrupted,
        processes(1 if launched.count > 1 else plan.processes, work, weights) as group,
    ):
        team = group if launched.count == 1 else Launched(launched)
        return work.run(team, _Reports(report, keep, every, interrupted))


def join_lines(network: LineNetwork, source: Source, plan: ReaderPlan, begun: Path | None) -> None:
    """Trains beside the worker that `fit_lines` runs in, where torchrun has started both.

    Args:
        network: as there.
        source: as there.
        plan: as there.
        begun: the state that is gone on from.

    Raises:
        UserError: as there.
    """
    with seeds_restored():
        _Work(network, source, plan, begun).run(Launched(workers.launched()), _Reports())


@dataclass
class _Reports:
    """What process 0 does between two steps: it reports, saves the state, and heeds Ctrl-C."""

    report: Callable[[LineProgress], None] | None = None
    keep: Path | None = None
    every: int = 100
    interrupted: Callable[[], bool] = lambda: False
    saved: float = field(default_factory=time.monotonic)

    def after_step(self, state: LineState, last: bool) -> None:
        """Does what is due after a step."""
        if state.step % self.every == 0 or last:
            loss = float(np.mean(state.losses))
            state.losses.clear()
            if self.report is not None:
                self.report(LineProgress(state.step, loss, state.seconds, state.averaged))
        stop = self.interrupted()
        if self.keep is not None and (stop or time.monotonic() - self.saved > SAVE_SECONDS):
            state.save(self.keep)
            self.saved = time.monotonic()
        if stop:
            raise KeyboardInterrupt


@dataclass(frozen=True)
class _Work:
    """What every process does."""

    network: LineNetwork
    source: Source
    plan: ReaderPlan
    begun: Path | None

    def __call__(self, group: Group) -> None:
        """Trains in another process."""
        self.run(group, _Reports())

    def run(self, group: Group, reports: _Reports) -> LineNetwork:
        """Returns the averaged weights; only the reports of process 0 do anything."""
        state = LineState.begin(self.network, self.plan)
        if self.begun is not None:
            state.load(self.begun)
        elif reports.keep is not None:
            state.save(reports.keep)
        threads = torch.get_num_threads()
        torch.set_num_threads(max(1, threads // group.here))
        try:
            _train(state, group, self.source, self.plan, reports)
        finally:
            torch.set_num_threads(threads)
        return state.averaged


def _train(
    state: LineState, group: Group, source: Source, plan: ReaderPlan, reports: _Reports
) -> None:
    """Takes the steps that are left."""
    steps, began = plan.steps, time.monotonic() - state.seconds
    batches = _batches(group.rank, source, plan, state.step)
    while state.step < steps:
        torch.manual_seed((plan.seed * steps + state.step) * MOST_PROCESSES + group.rank)
        loss = line_loss(state.network, next(batches))
        state.optimizer.clear()
        loss.backward()  # type: ignore[no-untyped-call]
        group.mean(state.optimizer.gradients)
        state.optimizer.step(learning_rate("cosine", plan.lr, state.step, steps))
        if state.step % AVERAGED == 0:
            decay, count = plan.average**AVERAGED, state.step // AVERAGED
            average_in(state.averaged, state.network, decay, count, AVERAGE_WARMUP)
        state.losses.append(loss.item())
        state.step += 1
        state.seconds = time.monotonic() - began
        reports.after_step(state, last=state.step == steps)


def _batches(rank: int, source: Source, plan: ReaderPlan, step: int) -> Iterator[LineBatch]:
    """Gives the batches of a process from a step on: a new stream every `SEGMENT` steps."""
    segment, done = divmod(step, SEGMENT)
    while True:
        lines = source(segment * MOST_PROCESSES + rank)
        batches = in_batches(lines, plan.lines_per_process, plan.seed + segment)
        yield from islice(batches, done, SEGMENT)
        segment, done = segment + 1, 0


def line_loss(network: LineNetwork, batch: LineBatch) -> Tensor:
    """Returns the mean of -ln p(text) / len(text) over a batch, in nats."""
    with torch.autocast("cpu", torch.bfloat16):
        logits: Tensor = network(batch.images.contiguous(memory_format=torch.channels_last))
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
