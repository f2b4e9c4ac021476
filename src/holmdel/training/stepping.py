"""One batch of a training, on PyTorch or in the native engine."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor

from holmdel import engine
from holmdel.training.job import Job
from holmdel.training.state import State


def steps_for(job: Job, state: State) -> "TorchSteps":
    """Returns what trains `state` batch by batch: the fastest that the job allows."""
    if not job.native:
        return TorchSteps(job, state)
    settings = job.settings
    plain = settings.optimizer == "sgd" and settings.augment == "none" and not settings.clip
    return FusedSteps(job, state) if plain and job.takes_bytes else NativeSteps(job, state)


class TorchSteps:
    """Batches on PyTorch.

    Args:
        job: gives the batches, the label smoothing, the precision and the largest gradient.
        state: the training between two batches, which `learn` changes.
    """

    def __init__(self, job: Job, state: State) -> None:
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
        pictures, labels = drawn
        job, optimizer = self.job, self.state.optimizer
        with torch.autocast(job.device.type, torch.bfloat16, enabled=job.bfloat16):
            logits = self.state.network(pictures)
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


class NativeSteps(TorchSteps):
    """Batches whose gradients the native engine finds; PyTorch's optimizer takes the step."""

    def __init__(self, job: Job, state: State) -> None:
        super().__init__(job, state)
        self._chain = engine.compile(state.network, job.image)

    def _step(self, *drawn: Tensor) -> tuple[float, int]:
        pictures, labels = drawn
        smoothing = self.job.settings.label_smoothing
        found = self._chain.step(pictures, labels, label_smoothing=smoothing)
        with _one_thread():
            self._clip()
            self.state.optimizer.step()
        return found


class FusedSteps(NativeSteps):
    """Batches out of the uint8 pictures where they lie, gradients and SGD in one call."""

    def __init__(self, job: Job, state: State) -> None:
        super().__init__(job, state)
        self._pictures, self._labels = job.train.images.contiguous(), job.train.labels

    def draw(self, order: Tensor) -> tuple[Tensor, ...]:
        """Returns the rows (B,) of the next batch: nothing about it is random but its order."""
        first = self.state.batch * self.job.settings.batch_size
        return (order[first : first + self.job.settings.batch_size],)

    def _step(self, *drawn: Tensor) -> tuple[float, int]:
        (rows,), optimizer = drawn, self.state.optimizer
        assert isinstance(optimizer, torch.optim.SGD)
        smoothing = self.job.settings.label_smoothing
        return self._chain.train(
            self._pictures, self._labels, rows, optimizer, label_smoothing=smoothing
        )


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
