"""The main path of a training, read from top to bottom.

`fit` tries seeds; `_attempt` runs the epochs of one; `_train_epoch` the batches of an epoch.
"""

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import nn

from holmdel.checkpoint import Header
from holmdel.data.batches import permutation
from holmdel.devices import memory_kept
from holmdel.evaluation import loss_and_accuracy
from holmdel.training.batchnorm import folded
from holmdel.training.calibrate import calibrate, calibration_batches
from holmdel.training.events import WithEvents
from holmdel.training.interrupts import interrupts
from holmdel.training.job import Job, on, seeds_restored
from holmdel.training.optimise import average_in, learning_rate
from holmdel.training.report import Epoch, Progress, Reporter
from holmdel.training.run import Run, RunFolder
from holmdel.training.state import State
from holmdel.training.stepping import TorchSteps, steps_for
from holmdel.training.watch import (
    EARLY,
    WINDOW,
    DeadRun,
    Stopwatch,
    finite,
    refuse_dead,
    refuse_nan,
    refuse_silent,
)

REPORT_SECONDS = 0.2  # between two looks at the losses, which wait for the device
SAVE_SECONDS = 30.0  # between two saved states inside an epoch, at least
SAVE_SHARE = 0.02  # of the time, at most, goes into saving states


@dataclass(frozen=True)
class _Surroundings:
    """Where a training writes, whom it tells, and whether Ctrl-C was pressed."""

    folder: RunFolder
    header: Header
    reporter: Reporter
    interrupted: Callable[[], bool]


def fit(job: Job, header: Header, folder: RunFolder, reporter: Reporter) -> Run:
    """Trains a network and returns the run; continues where the folder's state stands.

    Args:
        job: what to do, from `prepare`.
        header: goes into the model file.
        folder: a run folder that has been created.
        reporter: is told of every epoch.

    Raises:
        UserError: a dead run with no restarts left, a loss that is no number, a file that cannot be
            written.
        KeyboardInterrupt: after the state was saved; Ctrl-C or the reporter stopped it.
    """
    with seeds_restored(), memory_kept(), interrupts() as interrupted:
        if job.settings.tensorboard:
            reporter = WithEvents(reporter, folder.path)
        around = _Surroundings(folder, header, reporter, interrupted)
        reporter.note(job.engine)
        state, test_acc = _first_live_attempt(job, around)
        network = folded(state.result)
        if job.settings.calibrate:
            calibrate(network, calibration_batches(job, state.seed))
    network = _on_cpu(network)
    folder.finish(network, header, state.history, test_acc)
    return Run(
        folder=folder.path,
        settings=dataclasses.replace(job.settings, seed=state.seed),
        history=state.history,
        network=network,
        header=header,
        device=str(job.device),
        test_acc=test_acc,
    )


def _first_live_attempt(job: Job, around: _Surroundings) -> tuple[State, float]:
    """Tries the seeds in turn; returns the end state of the first that lives, and its test_acc."""
    state = job.begin(job.settings.seed)
    if around.folder.state.is_file():
        state.load(around.folder.state)
    while True:
        try:
            return state, _attempt(job, state, around)
        except DeadRun as death:
            if state.seed >= job.settings.seed + job.settings.restarts:
                raise
            around.reporter.note(f"{death}. Starting over with seed {state.seed + 1}")
            state = job.begin(state.seed + 1)
            state.save(around.folder.state)


def _attempt(job: Job, state: State, around: _Surroundings) -> float:
    """Runs the epochs that are left; returns the accuracy on the test split, 0..1."""
    around.reporter.start(f"seed {state.seed}", job.settings.epochs)
    steps, saver = steps_for(job, state), _Saver(around.folder)
    while state.epoch < job.settings.epochs:
        _train_epoch(steps, around, saver)
        _end_epoch(job, state, around)
        saver.save(state)
        around.folder.write_epoch(state.history, state.result, around.header)
        around.reporter.epoch(state.history)
    test_acc = state.history[-1].test_acc
    assert test_acc is not None  # the last epoch always looks at the test split
    return test_acc


def _train_epoch(steps: TorchSteps, around: _Surroundings, saver: "_Saver") -> None:
    """Trains on the batches of the epoch that are left."""
    job, state = steps.job, steps.state
    look = partial(_network_now, state, around.header)
    order = permutation(len(job.train), state.seed, state.epoch).to(job.device)
    watch, began = Stopwatch(job.device), time.perf_counter()
    before = state.train_seconds, state.wall_seconds
    looked, shown = state.batch, began
    state.network.train()
    while state.batch < job.batches:
        drawn = steps.draw(order)
        watch.start()
        step = state.epoch * job.batches + state.batch
        rate = learning_rate(job.settings, step / (job.settings.epochs * job.batches))
        steps.learn(drawn, rate)
        if state.average is not None:
            average_in(state.average, state.network, job.settings.average, step)
        watch.stop()
        state.batch += 1
        asked = time.perf_counter()
        stop = not around.reporter.go_on(look) or around.interrupted()
        now = time.perf_counter()
        began += now - asked
        last = state.batch == job.batches
        early = step < WINDOW and state.batch % EARLY == 0
        if last or stop or early or now - shown > REPORT_SECONDS or state.batch % WINDOW == 0:
            state.train_seconds = before[0] + watch.seconds()
            state.wall_seconds = before[1] + now - began
            _look(job, state, looked, around.reporter)
            looked, shown = state.batch, now
        if stop or (not last and saver.due()):
            saver.save(state)
        if stop:
            raise KeyboardInterrupt


def _network_now(state: State, header: Header) -> tuple[nn.Module, Header]:
    """Returns a copy of the network as it would be saved, and its header."""
    return _on_cpu(folded(state.result)), header


def _on_cpu(network: nn.Module) -> nn.Module:
    """Returns the network, moved in place to where it is kept."""
    return on(network, torch.device("cpu"), torch.contiguous_format)


def _look(job: Job, state: State, looked: int, reporter: Reporter) -> None:
    """Checks the losses since the last look, and reports."""
    settings = job.settings
    losses = state.losses[: state.batch].cpu()
    refuse_nan(losses[looked:], looked, state.epoch, state.optimizer.param_groups[0]["lr"])
    done = state.epoch * job.batches + state.batch
    trained = min(state.batch * settings.batch_size, len(job.train))
    window = min(WINDOW, job.batches)
    if settings.dead_after and state.batch >= EARLY and state.batch % EARLY == 0:
        refuse_silent(state.network, losses[-EARLY:], job.classes, done)
    if settings.dead_after and done >= settings.dead_after and state.batch % window == 0:
        right = float(state.correct[state.batch - window : state.batch].sum())
        accuracy = right / min(window * settings.batch_size, trained)
        refuse_dead(losses[-window:], accuracy, job.classes, done)
    past = sum(epoch.seconds for epoch in state.history) + state.wall_seconds
    reporter.batch(
        Progress(
            epoch=state.epoch + 1,
            epochs=settings.epochs,
            batch=state.batch,
            batches=job.batches,
            loss=finite(float(losses.mean())),
            accuracy=float(state.correct[: state.batch].sum()) / trained,
            examples_per_sec=trained / state.train_seconds,
            seconds_left=past / done * (job.batches * settings.epochs - done),
        )
    )


def _end_epoch(job: Job, state: State, around: _Surroundings) -> None:
    """Evaluates, adds the epoch to the history, and turns to the next."""
    began = time.perf_counter()
    val_acc = test_loss = test_acc = None
    if job.validation is not None:
        _, val_acc = loss_and_accuracy(*job.ask(state.result, job.validation))
        if val_acc > state.best_accuracy:
            state.best_accuracy = val_acc
            around.folder.write_best(state.result, around.header)
    if job.validation is None or state.epoch + 1 == job.settings.epochs:
        test_loss, test_acc = loss_and_accuracy(*job.ask(state.result, job.test))
    seconds = state.wall_seconds + time.perf_counter() - began
    state.history.append(
        Epoch(
            epoch=state.epoch + 1,
            loss=_mean_loss(job, state),
            train_acc=float(state.correct.sum()) / job.examples,
            test_acc=test_acc,
            test_loss=test_loss,
            val_acc=val_acc,
            lr=state.optimizer.param_groups[0]["lr"],
            examples_per_sec=job.examples / state.train_seconds,
            wall_examples_per_sec=job.examples / seconds,
            seconds=seconds,
        )
    )
    state.epoch, state.batch = state.epoch + 1, 0
    state.train_seconds = state.wall_seconds = 0.0


def _mean_loss(job: Job, state: State) -> float:
    """Returns the epoch's mean loss over examples: its last batch may be a small one."""
    sizes = torch.full_like(state.losses, job.settings.batch_size)
    sizes[-1] = job.examples - (job.batches - 1) * job.settings.batch_size
    return float((state.losses * sizes).sum()) / job.examples


class _Saver:
    """Saves the state, not so often that it costs more than its share."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._saved = time.perf_counter()
        self._cost = 0.0

    def due(self) -> bool:
        pause = max(SAVE_SECONDS, self._cost / SAVE_SHARE)
        return time.perf_counter() - self._saved > pause

    def save(self, state: State) -> None:
        began = time.perf_counter()
        state.save(self._folder.state)
        self._saved = time.perf_counter()
        self._cost = self._saved - began
