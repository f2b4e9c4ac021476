"""The main path of a training, read from top to bottom.

`fit` prepares; `_attempt` runs the epochs of one seed; `_train_epoch` the batches of one epoch.
"""

import dataclasses
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from holmdel import images
from holmdel.checkpoint import Header
from holmdel.data import Dataset, Split
from holmdel.data.augment import augmentation
from holmdel.data.batches import Batches, batch_seed, hold_out, permutation
from holmdel.evaluation import loss_and_accuracy
from holmdel.networks import build
from holmdel.training.batchnorm import folded, with_batch_norm
from holmdel.training.devices import choose_device, use_bfloat16
from holmdel.training.optimise import average_in, draw_weights, learning_rate
from holmdel.training.report import Epoch, Progress, Reporter
from holmdel.training.run import Run, RunFolder
from holmdel.training.settings import Plan, TrainSettings
from holmdel.training.state import State
from holmdel.training.watch import WINDOW, DeadRun, Stopwatch, finite, refuse_dead, refuse_nan

REPORT_SECONDS = 0.2  # between two looks at the losses, which wait for the device
SAVE_SECONDS = 30.0  # between two saved states inside an epoch, at least
SAVE_SHARE = 0.02  # of the time, at most, goes into saving states

Transform = Callable[[Tensor], Tensor]
Loss = Callable[[Tensor, Tensor, Tensor], Tensor]  # (pictures, logits, labels) -> scalar


@dataclass
class Job:
    """What stays the same from the first batch to the last."""

    settings: TrainSettings
    train: Split
    validation: Split | None
    test: Split
    classes: int
    to_input: Transform
    device: torch.device
    batches: int
    loss: Loss
    folder: RunFolder
    header: Header
    reporter: Reporter

    @property
    def bfloat16(self) -> bool:
        """Whether forward and loss run under bfloat16 autocast."""
        return use_bfloat16(self.settings.precision, self.device)


def fit(
    plan: Plan,
    dataset: Dataset,
    header: Header,
    folder: RunFolder,
    reporter: Reporter,
    loss: Loss | None = None,
) -> Run:
    """Trains a network and returns the run; continues where the folder's state stands.

    Args:
        plan: network, options and settings.
        dataset: train and test splits, uint8 (N, C, H, W).
        header: goes into the model file; its image contract says what the network sees.
        folder: a run folder that has been created.
        reporter: is told of every epoch.
        loss: from (pictures, logits, labels) to a scalar; cross-entropy if None.

    Raises:
        UserError: a dead run with no restarts left, a loss that is no number, a file that cannot be
            written.
        KeyboardInterrupt: after the state was saved.
    """
    job = _prepare(plan, dataset, header, folder, reporter, loss)
    with _seeds_restored(), _interrupts() as interrupted:
        for attempt in range(plan.settings.restarts + 1):
            state = _begin(job, plan, plan.settings.seed + attempt)
            if folder.state.is_file():
                state.load(folder.state)
            try:
                test_acc = _attempt(job, state, interrupted)
                break
            except DeadRun as death:
                if state.seed >= plan.settings.seed + plan.settings.restarts:
                    raise
                folder.state.unlink(missing_ok=True)
                reporter.note(f"{death}. Starting over with seed {state.seed + 1}")
    folder.finish(state.history, test_acc)
    return Run(
        folder=folder.path,
        settings=dataclasses.replace(plan.settings, seed=state.seed),
        history=state.history,
        network=_on(folded(state.result), torch.device("cpu"), torch.contiguous_format),
        header=header,
        device=str(job.device),
        test_acc=test_acc,
    )


def _prepare(
    plan: Plan,
    dataset: Dataset,
    header: Header,
    folder: RunFolder,
    reporter: Reporter,
    loss: Loss | None,
) -> Job:
    settings = plan.settings
    device = choose_device(settings.device)
    train, validation = dataset.train.take(settings.limit), None
    if settings.validation:
        train, validation = hold_out(train, settings.validation, settings.seed)
    smoothing = settings.label_smoothing

    def cross_entropy(pictures: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels, label_smoothing=smoothing)

    full, rest = divmod(len(train), settings.batch_size)
    enough = rest > (1 if settings.batch_norm else 0)  # a batch norm needs two examples
    return Job(
        settings=settings,
        train=train.to(str(device)),
        validation=validation.to(str(device)) if validation else None,
        test=dataset.test.take(settings.limit).to(str(device)),
        classes=len(dataset.classes),
        to_input=lambda pictures: images.to_input(pictures, header.image),
        device=device,
        batches=full + enough,
        loss=loss or cross_entropy,
        folder=folder,
        header=header,
        reporter=reporter,
    )


def _begin(job: Job, plan: Plan, seed: int) -> State:
    """Returns the state before the first batch, with weights drawn by the seed."""
    _seed(seed, job.device)
    network = build(plan.network, **plan.options)
    draw_weights(network, job.settings.init)
    if job.settings.batch_norm:
        network = with_batch_norm(network)
    network = _on(network, job.device, torch.channels_last)
    return State.begin(network, job.settings, seed, job.batches)


def _attempt(job: Job, state: State, interrupted: Callable[[], bool]) -> float:
    """Runs the epochs that are left; returns the accuracy on the test split."""
    job.reporter.start(f"seed {state.seed}", job.settings.epochs)
    saver = _Saver(job.folder)
    while state.epoch < job.settings.epochs:
        _train_epoch(job, state, saver, interrupted)
        _end_epoch(job, state)
        saver.save(state)
        job.folder.write_epoch(state.history, state.result, job.header)
        job.reporter.epoch(state.history)
    test_acc = state.history[-1].test_acc
    assert test_acc is not None  # the last epoch always looks at the test split
    return test_acc


def _train_epoch(job: Job, state: State, saver: "_Saver", interrupted: Callable[[], bool]) -> None:
    """Trains on the batches of the epoch that are left."""
    settings, size = job.settings, job.settings.batch_size
    watch, began, shown = Stopwatch(job.device), time.perf_counter(), time.perf_counter()
    before = state.train_seconds, state.wall_seconds
    augment = augmentation(settings.augment)
    order = permutation(len(job.train), state.seed, state.epoch).to(job.device)
    looked = state.batch
    state.network.train()
    while state.batch < job.batches:
        index = order[state.batch * size : (state.batch + 1) * size]
        _seed(batch_seed(state.seed, state.epoch, state.batch + 1), job.device)
        pictures = job.to_input(augment(_gather(job.train.images, index)))
        labels = job.train.labels[index]
        watch.start()
        _step(job, state, pictures, labels)
        watch.stop()
        state.batch += 1
        now = time.perf_counter()
        last = state.batch == job.batches
        stop = interrupted()
        if last or stop or now - shown > REPORT_SECONDS or state.batch % WINDOW == 0:
            state.train_seconds = before[0] + watch.seconds()
            state.wall_seconds = before[1] + now - began
            _look(job, state, looked)
            looked, shown = state.batch, now
        if stop or (not last and saver.due()):
            saver.save(state)
        if stop:
            raise KeyboardInterrupt


def _step(job: Job, state: State, pictures: Tensor, labels: Tensor) -> None:
    """Forward, backward and a step of the optimizer; notes the loss and the number right."""
    step = state.epoch * job.batches + state.batch
    rate = learning_rate(job.settings, step / (job.settings.epochs * job.batches))
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    with torch.autocast(job.device.type, torch.bfloat16, enabled=job.bfloat16):
        logits = state.network(pictures)
    logits = logits.float()
    loss = job.loss(pictures, logits, labels)
    state.optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    state.optimizer.step()
    if state.average is not None:
        average_in(state.average, state.network, job.settings.average, step)
    with torch.no_grad():
        state.losses[state.batch] = loss.detach()
        state.correct[state.batch] = (logits.argmax(dim=1) == labels).sum()


def _look(job: Job, state: State, looked: int) -> None:
    """Checks the losses since the last look, and reports."""
    settings = job.settings
    losses = state.losses[: state.batch].cpu()
    rate = state.optimizer.param_groups[0]["lr"]
    refuse_nan(losses[looked:], looked, state.epoch, rate)
    done = state.epoch * job.batches + state.batch
    trained = min(state.batch * settings.batch_size, len(job.train))
    window = min(WINDOW, state.batch)
    if settings.dead_after and done >= settings.dead_after and state.batch % WINDOW == 0:
        correct = float(state.correct[state.batch - window : state.batch].sum())
        accuracy = correct / (window * settings.batch_size)
        refuse_dead(losses[-window:], accuracy, job.classes, done)
    left = job.batches * settings.epochs - done
    past = sum(epoch.seconds for epoch in state.history) + state.wall_seconds
    job.reporter.batch(
        Progress(
            epoch=state.epoch + 1,
            epochs=settings.epochs,
            batch=state.batch,
            batches=job.batches,
            loss=finite(float(losses.mean())),
            accuracy=float(state.correct[: state.batch].sum()) / trained,
            examples_per_sec=trained / state.train_seconds,
            seconds_left=past / done * left,
        )
    )


def _end_epoch(job: Job, state: State) -> None:
    """Evaluates, adds the epoch to the history, and turns to the next."""
    began = time.perf_counter()
    settings, result = job.settings, state.result
    val_acc = test_loss = test_acc = None
    if job.validation is not None:
        _, val_acc = loss_and_accuracy(result, Batches(job.validation, job.to_input))
        if val_acc > state.best_accuracy:
            state.best_accuracy = val_acc
            job.folder.write_best(result, job.header)
    if job.validation is None or state.epoch + 1 == settings.epochs:
        test_loss, test_acc = loss_and_accuracy(result, Batches(job.test, job.to_input))
    count = min(job.batches * settings.batch_size, len(job.train))
    sizes = torch.full((job.batches,), float(settings.batch_size), device=job.device)
    sizes[-1] = count - (job.batches - 1) * settings.batch_size
    seconds = state.wall_seconds + time.perf_counter() - began
    state.history.append(
        Epoch(
            epoch=state.epoch + 1,
            loss=float((state.losses * sizes).sum()) / count,
            train_acc=float(state.correct.sum()) / count,
            test_acc=test_acc,
            test_loss=test_loss,
            val_acc=val_acc,
            lr=state.optimizer.param_groups[0]["lr"],
            examples_per_sec=count / state.train_seconds,
            wall_examples_per_sec=count / seconds,
            seconds=seconds,
        )
    )
    state.epoch, state.batch = state.epoch + 1, 0
    state.train_seconds = state.wall_seconds = 0.0


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


def _on(network: nn.Module, device: torch.device, layout: torch.memory_format) -> nn.Module:
    """Returns the network, moved in place to a device and a memory layout."""
    return network.to(device, memory_format=layout)  # type: ignore[call-overload,no-any-return]


def _gather(pictures: Tensor, index: Tensor) -> Tensor:
    """Returns float pictures (B, C, H, W) out of uint8 (N, C, H, W)."""
    rows = pictures.flatten(1).index_select(0, index)
    return rows.float().view(len(index), *pictures.shape[1:])


def _seed(seed: int, device: torch.device) -> None:
    """Seeds the default generator of the CPU and of the device."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


@contextmanager
def _seeds_restored() -> Iterator[None]:
    """Leaves the caller's random numbers as they were."""
    state = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(state)


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Turns the first Ctrl-C into a flag, so that no step is left half done; the second one stops.

    Outside the main thread signals are not ours to handle; there the flag stays down.
    """
    asked = False

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    try:
        old = signal.signal(signal.SIGINT, ask)
    except ValueError:  # not the main thread
        yield lambda: False
        return
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, old)
