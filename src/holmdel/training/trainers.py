"""Training on one batch: forward, backward and step, on PyTorch or in the native engine."""

import time
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from holmdel import engine
from holmdel.data.augment import names_of
from holmdel.data.dataset import batch_seed
from holmdel.training.shared_layers import Shared, share_layers

if TYPE_CHECKING:
    from holmdel.training.job import Job
    from holmdel.training.state import State


def trainer_for(job: "Job", state: "State") -> "TorchTrainer":
    """Returns the fastest trainer that the job allows; it trains `state` batch by batch."""
    if job.group.count > 1:
        return SharedTrainer(job, state)
    if not job.native:
        return TorchTrainer(job, state)
    return StoredTrainer(job, state) if job.takes_bytes else NativeTrainer(job, state)


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
        state = self.state
        return self.job.draw(state.seed, state.epoch, state.batch, order, self.job.group)

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
        logits = logits.to(job.dtype)
        loss = self._loss(logits, labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        right = (logits.detach().argmax(dim=1) == labels).sum()
        loss, right = self._of_all(loss.detach(), right)
        if job.settings.clip:
            torch.nn.utils.clip_grad_norm_(self.state.network.parameters(), job.settings.clip)
        optimizer.step()
        return loss, right

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns what is descended on."""
        smoothing = self.job.settings.label_smoothing
        return F.cross_entropy(logits, labels, label_smoothing=smoothing)

    def _of_all(self, loss: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Returns loss and number right of the whole batch, whose gradients the weights have."""
        return loss, right


class SharedTrainer(TorchTrainer):
    """Trains on PyTorch with other workers, each of which has a share of every batch."""

    def __init__(self, job: "Job", state: "State") -> None:
        super().__init__(job, state)
        self._shared = Shared(job.group)
        share_layers(state.network, self._shared)

    def draw(self, order: Tensor) -> tuple[Tensor, ...]:
        """Returns this worker's share of the next batch."""
        size = self.job.settings.batch_size
        self._shared.size = min(size, len(order) - self.state.batch * size)
        return super().draw(order)

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Returns this worker's part of the whole batch's loss."""
        smoothing = self.job.settings.label_smoothing
        loss = F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="sum")
        return loss / self._shared.size

    def _of_all(self, loss: Tensor, right: Tensor) -> tuple[Tensor, Tensor]:
        """Adds up the workers' gradients and figures."""
        figures = torch.stack([loss, right.to(self.job.dtype)])
        weights = self.state.network.parameters()
        self.job.group.add([*(w.grad for w in weights if w.grad is not None), figures])
        return figures[0], figures[1]


class NativeTrainer(TorchTrainer):
    """Trains in the native engine, on the images as PyTorch augments and scales them."""

    def __init__(self, job: "Job", state: "State") -> None:
        super().__init__(job, state)
        self._chain = engine.compile(state.network, job.image)
        self._changes = names_of(job.settings.augment)

    def _step(self, *drawn: Tensor) -> tuple[float, int]:
        images, labels = drawn
        return self._train(images, labels, None)

    def _train(self, images: Tensor, labels: Tensor, rows: Tensor | None) -> tuple[float, int]:
        settings, state = self.job.settings, self.state
        return self._chain.train(
            images,
            labels,
            rows,
            state.optimizer,
            label_smoothing=settings.label_smoothing,
            clip=settings.clip,
            seed=batch_seed(state.seed, state.epoch, state.batch + 1),
            augment=self._changes if rows is not None else (),
        )


class StoredTrainer(NativeTrainer):
    """Trains in the native engine from the stored uint8 images, which it augments itself."""

    def draw(self, order: Tensor) -> tuple[Tensor, ...]:
        """Returns the rows (B,) of the next batch."""
        first = self.state.batch * self.job.settings.batch_size
        return (order[first : first + self.job.settings.batch_size],)

    def _step(self, *drawn: Tensor) -> tuple[float, int]:
        return self._train(self.job.train.images, self.job.train.labels, *drawn)


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
