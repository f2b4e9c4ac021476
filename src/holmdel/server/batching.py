"""Pictures of many requests, put through a network together."""

import asyncio
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from holmdel.server.metrics import Metrics
from holmdel.server.models import Model
from holmdel.server.refusals import Refusal

BUSY = 1  # seconds after which who was refused may try again


class Answer(NamedTuple):
    """What a network was given, (N, C, H, W), and its logits, float32 (N, classes)."""

    pictures: Tensor
    logits: Tensor


@dataclass(eq=False)
class _Job:
    """A request's pictures on their way: an encoded picture, or a batch as for `ask`."""

    model: Model
    given: bytes | Tensor
    future: "asyncio.Future[Answer]"
    rows: int
    rows_given: Tensor = field(init=False)
    outcome: Answer | Exception | None = None


class Batcher:
    """A thread that takes what has come meanwhile, and puts it through the networks together.

    While it computes, the next batch gathers; nothing waits for a batch to fill.

    Args:
        batch: the most pictures that go through together.
        queue: how many pictures may wait; what comes then is refused.
        metrics: is told of batches and of the queue.
    """

    def __init__(self, batch: int, queue: int, metrics: Metrics) -> None:
        self._batch = batch
        self._queue = queue
        self._metrics = metrics
        self._jobs: deque[_Job] = deque()
        self._rows = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()
        metrics.waiting.set_function(lambda: self._rows)

    async def ask(self, model: Model, pictures: bytes | Tensor) -> Answer:
        """Returns what a model says.

        Args:
            model: whose network is asked.
            pictures: the bytes of one small picture file; or pictures (N, C, H, W), uint8 in the
                stored form or float32 as the network sees them.

        Raises:
            Refusal: 503 if too many wait.
            UserError: for a picture that cannot be used.
        """
        rows = 1 if isinstance(pictures, bytes) else len(pictures)
        job = _Job(model, pictures, asyncio.get_running_loop().create_future(), rows)
        with self._changed:
            if self._rows >= self._queue or self._closed:
                raise Refusal(
                    503, f"{self._rows} pictures wait already; try again later", retry_after=BUSY
                )
            self._jobs.append(job)
            self._rows += rows
            self._changed.notify()
        return await job.future

    def close(self) -> None:
        """Ends the thread when what waits is done."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while jobs := self._take():
            for model in {id(job.model): job.model for job in jobs}.values():
                _answer(model, [job for job in jobs if job.model is model])
            self._metrics.batches.observe(sum(job.rows for job in jobs))
            for loop in {job.future.get_loop() for job in jobs}:
                own = [job for job in jobs if job.future.get_loop() is loop]
                loop.call_soon_threadsafe(_deliver, own)

    def _take(self) -> list[_Job]:
        """Returns the next batch, waiting for one; nothing at the end."""
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._jobs or self._closed)
                taken: list[_Job] = []
                rows = 0
                while self._jobs and (not taken or rows + self._jobs[0].rows <= self._batch):
                    job = self._jobs.popleft()
                    self._rows -= job.rows
                    if not job.future.done():  # its request may have run out of time
                        taken.append(job)
                        rows += job.rows
                if taken or self._closed:
                    return taken


def _answer(model: Model, jobs: list[_Job]) -> None:
    """Gives each job its outcome."""
    ready = [job for job in jobs if _prepare(job)]
    for dtype in (torch.uint8, torch.float32):
        group = [job for job in ready if job.rows_given.dtype is dtype]
        if not group:
            continue
        ask = model.logits if dtype is torch.uint8 else model.logits_of_input
        try:
            logits = ask(torch.cat([job.rows_given for job in group]))
        except Exception as error:  # each of those who wait must be told
            for job in group:
                job.outcome = error
            continue
        for job, rows in zip(group, torch.split(logits, [job.rows for job in group]), strict=True):
            job.outcome = Answer(job.rows_given, rows)


def _prepare(job: _Job) -> bool:
    """Brings an encoded picture into the stored form; returns whether there is something to ask."""
    if isinstance(job.given, Tensor):
        job.rows_given = job.given
        return True
    try:
        job.rows_given = job.model.framed(job.given)
    except Exception as error:  # as above
        job.outcome = error
        return False
    return True


def _deliver(jobs: Iterable[_Job]) -> None:
    """Hands outcomes to those who wait; runs in their event loop."""
    for job in jobs:
        if job.future.done():
            continue
        if isinstance(job.outcome, Answer):
            job.future.set_result(job.outcome)
        else:
            assert job.outcome is not None
            job.future.set_exception(job.outcome)
