"""Work off the event loop: images through networks in batches, the rest in threads."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from holmdel.server.answers import Answer, Batch
from holmdel.server.errors import BUSY, RequestError

if TYPE_CHECKING:
    from holmdel.server.metrics import Metrics
    from holmdel.server.models import Model

Result = TypeVar("Result")


class ThreadPool:
    """Threads for one kind of work, and a limit on how much of it may wait.

    Args:
        what: the name of the work, as the error sentence calls it.
        threads: the number of threads.
        waiting: how many calls may wait for a thread; further ones get an error.
        wait: seconds that a call may be expected to wait for those before it.
    """

    def __init__(self, what: str, threads: int, waiting: int, wait: float = inf) -> None:
        self._what = what
        self._threads = threads
        self._most = threads + waiting
        self._wait = wait
        self._seconds = 0.0  # of a call, as the last ones took
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=what.replace(" ", "-"))
        self._under_way = 0
        self._lock = threading.Lock()

    async def run(self, work: Callable[..., Result], *args: Any, **named: Any) -> Result:
        """Returns the result of a function, called in a thread.

        If the request's time limit ends the wait, a call that has not begun is cancelled; one that
        has begun runs on, and counts as under way, until it ends.

        Raises:
            RequestError: 503 if the queue is full, or too slow.
        """
        with self._lock:
            waiting = self._under_way - self._threads
            if (
                self._under_way >= self._most
                or waiting * self._seconds > self._threads * self._wait
            ):
                raise RequestError(
                    503, f"the queue for {self._what} is full; try again later",
                    retry_after=BUSY,
                )  # fmt: skip
            self._under_way += 1
        future = self._pool.submit(self._timed, partial(work, *args, **named))
        future.add_done_callback(self._end)
        return await asyncio.wrap_future(future)

    def _timed(self, work: Callable[[], Result]) -> Result:
        """Returns the result of a call; notes the seconds that it took."""
        began = time.perf_counter()
        try:
            return work()
        finally:
            took = time.perf_counter() - began
            with self._lock:
                self._seconds = _averaged(self._seconds, took)

    def close(self) -> None:
        """Cancels the calls that have not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _end(self, future: Future[Any]) -> None:
        with self._lock:
            self._under_way -= 1


_NEWEST = 0.2  # the share of the newest in a running average


def _averaged(before: float, newest: float) -> float:
    """Returns a running average after one more; that before the first is 0."""
    return before + (_NEWEST if before else 1.0) * (newest - before)


_FAST = 0.0001  # seconds per image: less than handing it to a thread and back takes
_FAST_BATCH = 16  # images; for so few the native engine starts no threads of its own


@dataclass(eq=False, slots=True)
class _Job:
    """The images of a request that wait for their logits."""

    model: "Model"
    images: Tensor
    future: "asyncio.Future[Answer]"
    since: float = field(default_factory=time.perf_counter)
    outcome: Answer | Exception | None = None
    rows: int = field(init=False)  # the number of images

    def __post_init__(self) -> None:
        self.rows = self.images.shape[0]


class Batcher:
    """Runs the images of many requests through the networks in batches.

    A thread takes all images that wait, up to `batch`; while it computes, the next batch gathers,
    so no request waits for a batch to fill. A network that is faster than the way to the thread
    and back runs in the event loop, on what arrived in one iteration of it. Images whose request
    no longer waits, because its time limit is over, are dropped.

    Args:
        batch: the largest batch.
        queue: how many images may wait; further ones get an error.
        metrics: counts batches and the queue.
        wait: seconds that images may be expected to wait for the thread.
    """

    def __init__(self, batch: int, queue: int, metrics: "Metrics", wait: float = inf) -> None:
        self._batch = batch
        self._queue = queue
        self._metrics = metrics
        self._wait = wait
        self._seconds = 0.0  # of the thread for an image, as in the last batches
        self._jobs: deque[_Job] = deque()
        self._rows = 0  # images that wait for the thread
        self._near: list[_Job] = []  # jobs of this iteration of the event loop
        self._near_rows = 0
        self._costs: WeakKeyDictionary[Model, float] = WeakKeyDictionary()  # seconds per image
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()
        metrics.waiting.set_function(lambda: self.waiting)

    @property
    def waiting(self) -> int:
        """The number of images that wait."""
        return self._rows + self._near_rows

    async def ask(self, model: "Model", images: Tensor) -> Answer:
        """Returns a model's logits for images.

        Args:
            model: whose network computes them.
            images: (N, C, H, W), uint8 in the stored form or float32 as the network sees them.

        Raises:
            RequestError: 503 if too many images wait.
            UserError: for an image that cannot be used.
        """
        loop = asyncio.get_running_loop()
        job = _Job(model, images, loop.create_future())
        if self._costs.get(model, 1.0) < _FAST and job.rows <= _FAST_BATCH:
            self._expect_room(self._near_rows, job)
            if not self._near or self._near[0].future.get_loop() is not loop:
                self._near, self._near_rows = [], 0
                loop.call_soon(self._answer_near)
            self._near.append(job)
            self._near_rows += job.rows
        else:
            with self._changed:
                self._expect_room(self._rows, job, self._rows * self._seconds)
                self._jobs.append(job)
                self._rows += job.rows
                self._changed.notify()
        return await job.future

    def _expect_room(self, waiting: int, job: _Job, seconds: float = 0.0) -> None:
        # A request that is larger than the queue may pass when nothing else waits.
        full = waiting and (waiting + job.rows > self._queue or seconds > self._wait)
        if self._closed or full:
            raise RequestError(
                503,
                "the queue of images is full; try again later",
                retry_after=BUSY,
            )

    def _answer_near(self) -> None:
        """Answers what arrived in this iteration of the event loop."""
        jobs, self._near, self._near_rows = deque(self._near), [], 0
        while taken := _next(jobs, min(self._batch, _FAST_BATCH)):
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
        """Stops the thread after what waits is done."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while jobs := self._take():
            began = time.perf_counter()
            warm = all(job.model in self._costs for job in jobs)
            for own in _by_model(jobs):
                self._answer(own)
                for loop in {job.future.get_loop() for job in own}:
                    _hand_over(loop, [job for job in own if job.future.get_loop() is loop])
            if warm:  # what a network does the first time takes long and says nothing of the next
                took = (time.perf_counter() - began) / sum(job.rows for job in jobs)
                self._seconds = _averaged(self._seconds, took)

    def _take(self) -> list[_Job]:
        """Returns the next batch, once there is one; an empty one after `close`."""
        with self._changed:
            while True:
                while not self._jobs and not self._closed:
                    self._changed.wait()
                taken = _next(self._jobs, self._batch)
                self._rows = sum(job.rows for job in self._jobs)
                if taken or self._closed:
                    return taken


def _next(jobs: deque[_Job], most: int) -> list[_Job]:
    """Takes jobs of at most `most` images from the left, or one job; drops cancelled ones."""
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
    """Runs the images of one model's jobs through its network."""
    model = jobs[0].model
    for dtype in (torch.uint8, torch.float32):
        group = [job for job in jobs if job.images.dtype is dtype]
        if not group:
            continue
        ask = model.logits if dtype is torch.uint8 else model.logits_of_input
        images = [job.images for job in group]
        began = time.perf_counter()
        try:
            logits = ask(torch.cat(images) if images[1:] else images[0]).numpy()
        except Exception as error:  # each request that waits must get it
            for job in group:
                job.outcome = error
            continue
        took = time.perf_counter() - began
        model.statistics.executed(len(logits), took, [began - job.since for job in group])
        batch, first = Batch(logits, model.classifier.header), 0
        for job in group:
            job.outcome = Answer(batch, first, job.rows)
            first += job.rows


def _hand_over(loop: asyncio.AbstractEventLoop, jobs: list[_Job]) -> None:
    """Delivers outcomes in the event loop of the requests, if it still runs."""
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
