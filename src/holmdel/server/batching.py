"""Pictures of many requests, put through a network together."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from holmdel.server.metrics import Metrics
from holmdel.server.models import Model
from holmdel.server.refusals import Refusal

BUSY = 1  # seconds after which who was refused may try again
_QUICK = 0.0001  # seconds a picture: less than it takes to hand it to a thread and back
_QUICK_BATCH = 16  # pictures for which a chain starts no threads of its own


class Answer(NamedTuple):
    """What a network was given, (N, C, H, W), and its logits, float32 (N, classes)."""

    pictures: Tensor
    logits: Tensor


@dataclass(eq=False, slots=True)
class _Job:
    """A request's pictures on their way."""

    model: Model
    pictures: Tensor
    future: "asyncio.Future[Answer]"
    outcome: Answer | Exception | None = None

    @property
    def rows(self) -> int:
        """How many pictures there are."""
        return self.pictures.shape[0]


class Batcher:
    """Puts what has come meanwhile through the networks together.

    A thread does so; while it computes, the next batch gathers, and nothing waits for a batch to
    fill. A network that is found to be quicker than the way to the thread and back is asked in the
    event loop, with what came in one turn of it. What a request no longer waits for, because its
    time is up, is dropped.

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
        self._rows = 0  # of pictures that wait for the thread
        self._near: list[_Job] = []  # those of this turn of the event loop
        self._near_rows = 0
        self._costs: WeakKeyDictionary[Model, float] = WeakKeyDictionary()  # seconds a picture
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()
        metrics.waiting.set_function(lambda: self._rows + self._near_rows)

    async def ask(self, model: Model, pictures: Tensor) -> Answer:
        """Returns what a model says.

        Args:
            model: whose network is asked.
            pictures: (N, C, H, W), uint8 in the stored form or float32 as the network sees them.

        Raises:
            Refusal: 503 if too many wait.
            UserError: for a picture that cannot be used.
        """
        loop = asyncio.get_running_loop()
        job = _Job(model, pictures, loop.create_future())
        if self._costs.get(model, 1.0) < _QUICK and job.rows <= _QUICK_BATCH:
            self._expect_room(self._near_rows, job)
            if not self._near or self._near[0].future.get_loop() is not loop:
                self._near, self._near_rows = [], 0
                loop.call_soon(self._answer_near)
            self._near.append(job)
            self._near_rows += job.rows
        else:
            with self._changed:
                self._expect_room(self._rows, job)
                self._jobs.append(job)
                self._rows += job.rows
                self._changed.notify()
        return await job.future

    def _expect_room(self, waiting: int, job: _Job) -> None:
        # What is larger than the queue may go through when nothing else waits.
        if self._closed or (waiting and waiting + job.rows > self._queue):
            raise Refusal(
                503, f"{waiting} pictures wait already; try again later", retry_after=BUSY
            )

    def _answer_near(self) -> None:
        """Answers what came in this turn of the event loop."""
        jobs, self._near, self._near_rows = deque(self._near), [], 0
        while taken := _next(jobs, min(self._batch, _QUICK_BATCH)):
            for own in _by_model(taken):
                self._answer(own)
                _deliver(own)

    def _answer(self, jobs: list[_Job]) -> None:
        """Gives each job of one model its outcome."""
        rows = sum(job.rows for job in jobs)
        began = time.perf_counter()
        _ask(jobs)
        cost = (time.perf_counter() - began) / rows
        model = jobs[0].model
        if cost < self._costs.get(model, 1.0):
            self._costs[model] = cost
        self._metrics.batches.observe(rows)

    def close(self) -> None:
        """Ends the thread when what waits is done."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while jobs := self._take():
            for own in _by_model(jobs):
                self._answer(own)
                for loop in {job.future.get_loop() for job in own}:
                    _hand_over(loop, [job for job in own if job.future.get_loop() is loop])

    def _take(self) -> list[_Job]:
        """Returns the next batch, waiting for one; nothing at the end."""
        with self._changed:
            while True:
                while not self._jobs and not self._closed:
                    self._changed.wait()
                taken = _next(self._jobs, self._batch)
                self._rows = sum(job.rows for job in self._jobs)
                if taken or self._closed:
                    return taken


def _next(jobs: deque[_Job], most: int) -> list[_Job]:
    """Takes jobs of so many pictures at most from the left, or one; those given up are dropped."""
    taken: list[_Job] = []
    rows = 0
    while jobs and (not taken or rows + jobs[0].rows <= most):
        job = jobs.popleft()
        if not job.future.done():
            taken.append(job)
            rows += job.rows
    return taken


def _by_model(jobs: list[_Job]) -> Iterator[list[_Job]]:
    for model in dict.fromkeys(job.model for job in jobs):
        yield [job for job in jobs if job.model is model]


def _ask(jobs: list[_Job]) -> None:
    """Puts the pictures of one model's jobs through its network."""
    model = jobs[0].model
    for dtype in (torch.uint8, torch.float32):
        group = [job for job in jobs if job.pictures.dtype is dtype]
        if not group:
            continue
        ask = model.logits if dtype is torch.uint8 else model.logits_of_input
        pictures = [job.pictures for job in group]
        try:
            # As NumPy's, logits are parted without giving way to other threads each time.
            logits = ask(torch.cat(pictures) if pictures[1:] else pictures[0]).numpy()
        except Exception as error:  # each of those who wait must be told
            for job in group:
                job.outcome = error
            continue
        first = 0
        for job in group:
            rows = torch.from_numpy(logits[first : first + job.rows])
            job.outcome = Answer(job.pictures, rows)
            first += job.rows


def _hand_over(loop: asyncio.AbstractEventLoop, jobs: list[_Job]) -> None:
    """Has outcomes delivered in the event loop of those who wait, if that still runs."""
    try:
        loop.call_soon_threadsafe(_deliver, jobs)
    except RuntimeError:
        if not loop.is_closed():
            raise


def _deliver(jobs: Iterable[_Job]) -> None:
    """Hands outcomes to those who wait."""
    for job in jobs:
        if job.future.done():
            continue
        if isinstance(job.outcome, Answer):
            job.future.set_result(job.outcome)
        else:
            assert job.outcome is not None
            job.future.set_exception(job.outcome)
