"""Training on one batch: forward, backward and step, on PyTorch or in the native engine."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from holmdel import engine

if TYPE_CHECKING:
    from holmdel.training.job import Job
    from holmdel.training.state import State


def trainer_for(job: "Job", state: "State") -> "TorchTrainer":
    """Returns the fastest trainer that the job allows; it trains `state` batch by batch."""
    if not job.native:
        return TorchTrainer(job, state)
    settings = job.settings
    plain = settings.optimizer == "sgd" and settings.augment == "none" and not settings.clip
    return FusedTrainer(job, state) if plain and job.takes_bytes else NativeTrainer(job, state)


class TorchTrainer:
    """Trains on PyTorch.

    Args:
        job: gives the batches, the label smoothing, the precision and the largest gradient.
        state: the training between two batches, which `learn` changes.
    """

    def __init__(self, job: "Job", state: "State") -> None:
        self.job = job
        self.state = state

    def draw(self, order: Tensor) -> tuple[Tensor, ...]:
        """Returns the state's next batch as `learn` takes it.

        Args:
            order: the epoch's permutation of the training examples.
        """
        return self.job.draw(self.state.seed, self.state.epoch, self.state.batch, order)

    def learn(self, drawn: tuple[Tensor, ...], rate: float) -> None:
        """Trains on a batch, and notes its loss and how many it got right in the state.

        Args:
            drawn: from `draw`.
            rate: the learning rate.
        """
        for group in self.state.optimizer.param_groups:
            group["lr"] = rate
        loss, correct = self._step(*drawn)
        with torch.no_grad():
            self.state.losses[self.state.batch] = loss
            self.state.correct[self.state.batch] = correct

    def _step(self, *drawn: Tensor) -> tuple[Tensor | float, Tensor | int]:
        """Returns loss and number right of a batch, after a step of the optimizer."""
        images, labels = drawn
        job, optimizer = self.job, self.state.optimizer
        with torch.autocast(job.device.type, torch.bfloat16, enabled=job.bfloat16):
            logits = self.state.network(images)
        logits = logits.float()
        loss = F.cross_entropy(logits, labels, label_smoothing=job.settings.label_smoothing)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._clip()
        optimizer.step()
        return loss.detach(), (logits.detach().argmax(dim=1) == labels).sum()

    def _clip(self) -> None:
        if self.job.settings.clip:
            torch.nn.utils.clip_grad_norm_(self.state.network.parameters(), self.job.settings.clip)


class NativeTrainer(TorchTrainer):
    """Trains with the native engine's gradients; PyTorch's optimizer takes the step."""

    def __init__(self, job: "Job", state: "State") -> None:
        super().__init__(job, state)
        self._chain = engine.compile(state.network, job.image)

    def _step(self, *drawn: Tensor) -> tuple[float, int]:
        images, labels = drawn
        smoothing = self.job.settings.label_smoothing
        found = self._chain.step(images, labels, label_smoothing=smoothing)
        with _one_thread():
            self._clip()
            self.state.optimizer.step()
        return found


class FusedTrainer(NativeTrainer):
    """Trains from the stored uint8 images, gradients and SGD step in one native call."""

    def __init__(self, job: "Job", state: "State") -> None:
        super().__init__(job, state)
        self._images, self._labels = job.train.images.contiguous(), job.train.labels

    def draw(self, order: Tensor) -> tuple[Tensor, ...]:
        """Returns the rows (B,) of the next batch: nothing about it is random but its order."""
        first = self.state.batch * self.job.settings.batch_size
        return (order[first : first + self.job.settings.batch_size],)

    def _step(self, *drawn: Tensor) -> tuple[float, int]:
        (rows,), optimizer = drawn, self.state.optimizer
        assert isinstance(optimizer, torch.optim.SGD)
        smoothing = self.job.settings.label_smoothing
        return self._chain.train(
            self._images, self._labels, rows, optimizer, label_smoothing=smoothing
        )


class Stopwatch:
    """Adds up the time spent between `start` and `stop`, on CUDA by the device's own clock."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._seconds = 0.0
        self._began = 0.0
        self._events: list[tuple[torch.cuda.Event, torch.cuda.Event]] = []

    def start(self) -> None:
        """Begins a stretch."""
        if self._device.type == "cuda":
            self._events.append((_event(), _event()))
            self._events[-1][0].record()
        else:
            self._began = time.perf_counter()

    def stop(self) -> None:
        """Ends a stretch."""
        if self._device.type == "cuda":
            self._events[-1][1].record()
            return
        if self._device.type == "mps":
            torch.mps.synchronize()
        self._seconds += time.perf_counter() - self._began

    def seconds(self) -> float:
        """Returns the time of all stretches so far, waiting for the device where it must."""
        if self._events:
            torch.cuda.synchronize(self._device)
            self._seconds += sum(a.elapsed_time(b) for a, b in self._events) / 1000
            self._events.clear()
        return self._seconds


def _event() -> torch.cuda.Event:
    return torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keeps PyTorch to one thread.

    The others would spin for milliseconds after an operation, on the cores that the engine's next
    batch needs.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
