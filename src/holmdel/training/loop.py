"""The training loop, read from top to bottom.

`fit` tries seeds; `_attempt` runs the epochs of one; `_train_epoch` the batches of an epoch.
"""

import dataclasses
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

from holmdel.checkpoint import Header, save_model
from holmdel.devices import memory_kept
from holmdel.training.beside import draw_curves
from holmdel.training.callbacks import (
    Callback,
    Callbacks,
    Snapshot,
    Stopped,
    TensorBoard,
    interrupts,
)
from holmdel.training.checks import check
from holmdel.training.divergence import EARLY, WINDOW, DeadRun
from holmdel.training.ending import at_chance, stalled, with_threshold
from holmdel.training.folder import RunFolder
from holmdel.training.folding import calibrate
from holmdel.training.history import Epoch
from holmdel.training.job import Job, on, seeds_restored
from holmdel.training.optimise import average_in, learning_rate, without_compiler
from holmdel.training.run import Run, began_as, classifier_card
from holmdel.training.saver import Saver
from holmdel.training.state import State
from holmdel.training.trainers import Stopwatch, TorchTrainer, trainer_for

REPORT_SECONDS = 0.2  # between two checks of the losses, which wait for the device


@dataclass(frozen=True)
class _Surroundings:
    """Where a training writes, what it tells, and whether Ctrl-C was pressed."""

    folder: RunFolder
    header: Header
    callbacks: Callback
    interrupted: Callable[[], bool]


def fit(job: Job, header: Header, folder: RunFolder, callbacks: Callback) -> Run:
    """Trains a network and returns the run; continues where the folder's state stands.

    Args:
        job: what to do, from `train.prepare`.
        header: goes into the model file.
        folder: a run folder that has been created.
        callbacks: told of every epoch.

    Raises:
        UserError: a dead run with no restarts left, a loss that is no number, a file that cannot be
            written.
        Stopped: after the state was saved; a callback stopped it.
        KeyboardInterrupt: after the state was saved; Ctrl-C stopped it.
    """
    with without_compiler(), seeds_restored(), memory_kept(), interrupts() as interrupted:
        if job.settings.tensorboard and job.group.first:
            callbacks = Callbacks([callbacks, TensorBoard(folder.path)])
        around = _Surroundings(folder, header, callbacks, interrupted)
        callbacks.note(job.engine)
        state, test_acc = _first_live_attempt(job, around)
        network = on(job.result(state), job.device, torch.contiguous_format)
        _calibrate(job, state, network, callbacks)
        header = with_threshold(job, network, header, callbacks)
    if line := at_chance(job, state, test_acc):
        callbacks.warn(line)
    network = _on_cpu(network)
    if job.group.first:
        folder.write_metrics([epoch.to_json() for epoch in state.history])
        save_model(folder.model, network, header)
        folder.write_curves(lambda: draw_curves(state.history), always=True)
        folder.finish(classifier_card(began_as(folder), state.history, test_acc))
    return Run(
        folder=folder.path,
        data=job.group.told(began_as(folder)["data"]["name"] if job.group.first else None),
        settings=dataclasses.replace(job.settings, seed=state.seed),
        history=state.history,
        network=network,
        header=header,
        device=str(job.device),
        test_acc=test_acc,
    )


def _calibrate(job: Job, state: State, network: nn.Module, callbacks: Callback) -> None:
    """Calibrates the network that is kept, if the settings say so and its last layer allows it."""
    if not job.settings.calibrate:
        return
    made = job.plan.made
    layer = made.last_layer if made else None
    if made and layer is None:
        callbacks.note(f"{made.own.name} does not end in a layer of weights: not calibrated")
        return
    kind = next(network.parameters()).dtype  # float32, in whatever precision it was trained
    batches = job.calibration_batches(state.seed)
    calibrate(network, ((images.to(kind), labels) for images, labels in batches), layer)


def _first_live_attempt(job: Job, around: _Surroundings) -> tuple[State, float]:
    """Tries the seeds in turn; returns the end state of the first that lives, and its test_acc."""
    state = job.begin(job.settings.seed)
    _take_up(job, state, around.folder.state)
    while True:
        try:
            return state, _attempt(job, state, around)
        except DeadRun as death:
            if state.seed >= job.settings.seed + job.settings.restarts:
                raise
            around.callbacks.note(f"{death}. Starting over with seed {state.seed + 1}")
            state = job.begin(state.seed + 1)
            if job.group.first:
                state.save(around.folder.state)


def _take_up(job: Job, state: State, path: Path) -> None:
    """Goes on from the saved state, if there is one: every worker from that of worker 0."""
    if job.group.count == 1:
        if path.is_file():
            state.load(path)
        return
    saved = job.group.told(path.read_bytes() if job.group.first and path.is_file() else None)
    if saved is not None:
        with tempfile.NamedTemporaryFile(suffix=path.suffix) as file:
            file.write(saved)
            file.flush()
            state.load(Path(file.name))


def _attempt(job: Job, state: State, around: _Surroundings) -> float:
    """Runs the epochs that are left; returns the accuracy on the test split, 0..1."""
    around.callbacks.start(f"seed {state.seed}", job.settings.epochs)
    trainer, saver = trainer_for(job, state), Saver(around.folder, job.group.first)
    while state.epoch < job.settings.epochs and not stalled(job, state):
        _train_epoch(trainer, around, saver)
        _end_epoch(job, state, around)
        last = state.epoch == job.settings.epochs or stalled(job, state)
        if last or saver.old():
            saver.save(state)
            if job.group.first:
                _write_epoch(job, state, around)
        _tell_epoch(job, state, around, saver)
    if state.epoch < job.settings.epochs:
        around.callbacks.note(
            f"stopped early: val acc has not risen for {job.settings.patience} epochs; "
            "best.safetensors holds the best"
        )
    return state.history[-1].final_acc


def _tell_epoch(job: Job, state: State, around: _Surroundings, saver: Saver) -> None:
    """Tells of an epoch; what a callback of one worker stops, all stop."""
    stopped: Stopped | None = None
    try:
        around.callbacks.epoch(state.history)
    except Stopped as stop:
        stopped = stop
    if job.group.any(stopped is not None):
        saver.save(state)
        raise stopped or Stopped


def _train_epoch(trainer: TorchTrainer, around: _Surroundings, saver: "Saver") -> None:
    """Trains on the batches of the epoch that are left."""
    job, state = trainer.job, trainer.state
    snapshot = partial(_snapshot, job, state, around.header)
    order = job.order(state.seed, state.epoch)
    watch, began = Stopwatch(job.device), time.perf_counter()
    before = state.train_seconds, state.wall_seconds
    checked, shown = state.batch, began
    settings = job.settings
    state.network.train()
    while state.batch < job.batches:
        drawn = trainer.draw(order)
        watch.start()
        step = state.epoch * job.batches + state.batch
        rate = learning_rate(
            settings.schedule, settings.lr, step, settings.epochs * job.batches, settings.warmup
        )
        trainer.learn(drawn, rate)
        if state.average is not None:
            average_in(state.average, state.network, settings.average, step + 1)
        watch.stop()
        state.batch += 1
        asked = time.perf_counter()
        stop = _stop(job, around, snapshot)
        now = time.perf_counter()
        began += now - asked
        last = state.batch == job.batches
        early = step < WINDOW and state.batch % EARLY == 0
        due = job.group.any(now - shown > REPORT_SECONDS)  # all check at once, or none
        if last or stop or early or due or state.batch % WINDOW == 0:
            state.train_seconds = before[0] + watch.seconds()
            state.wall_seconds = before[1] + now - began
            check(job, state, checked, around.callbacks)
            checked, shown = state.batch, now
        if stop or (not last and saver.due()):
            saver.save(state)
        if stop:
            raise stop


def _stop(
    job: Job, around: _Surroundings, snapshot: Snapshot
) -> Stopped | KeyboardInterrupt | None:
    """Returns what ends the training now, if a callback or Ctrl-C of any worker does."""
    stop: Stopped | KeyboardInterrupt | None = None
    try:
        around.callbacks.between_batches(snapshot)
        stop = KeyboardInterrupt() if around.interrupted() else None
    except Stopped as stopped:
        stop = stopped
    return (stop or KeyboardInterrupt()) if job.group.any(stop is not None) else None


def _snapshot(job: Job, state: State, header: Header) -> tuple[nn.Module, Header]:
    """Returns a copy of the network as it would be saved, and its header."""
    return _on_cpu(job.result(state)), header


def _on_cpu(network: nn.Module) -> nn.Module:
    """Returns the network, moved in place to where it is kept."""
    return on(network, torch.device("cpu"), torch.contiguous_format)


def _end_epoch(job: Job, state: State, around: _Surroundings) -> None:
    """Evaluates, adds the epoch to the history, and turns to the next."""
    began = time.perf_counter()
    val_acc = test_loss = test_acc = None
    if job.validation is not None:
        _, val_acc = job.measure(state.result, job.validation)
        if val_acc > state.best_accuracy:
            state.best_accuracy = val_acc
            if job.group.first:
                _keep_best(job, state, around)
    last = state.epoch + 1 == job.settings.epochs or stalled(job, state, val_acc)
    if len(job.test) and (job.validation is None or last):
        test_loss, test_acc = job.measure(state.result, job.test)
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


def _keep_best(job: Job, state: State, around: _Surroundings) -> None:
    """Keeps the network of the best validation accuracy so far."""
    save_model(around.folder.path / "best.safetensors", job.result(state), around.header)


def _write_epoch(job: Job, state: State, around: _Surroundings) -> None:
    """Writes what an epoch changes: metrics, model, and the curves if they are due."""
    around.folder.write_metrics([epoch.to_json() for epoch in state.history])
    save_model(around.folder.model, job.result(state), around.header)
    around.folder.write_curves(lambda: draw_curves(state.history))


def _mean_loss(job: Job, state: State) -> float:
    """Returns the epoch's mean loss over examples: its last batch may be a small one."""
    sizes = torch.full_like(state.losses, job.settings.batch_size)
    sizes[-1] = job.examples - (job.batches - 1) * job.settings.batch_size
    return float((state.losses * sizes).sum()) / job.examples
