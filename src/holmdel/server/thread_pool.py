"""A thread pool with a bounded queue, for work that would block the event loop."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from holmdel.server.errors import BUSY, RequestError

Result = TypeVar("Result")


class ThreadPool:
    """Threads for one kind of work, and a limit on how much of it may wait.

    Args:
        what: the name of the work, as the error sentence calls it.
        threads: the number of threads.
        waiting: how many calls may wait for a thread; further ones get an error.
    """

    def __init__(self, what: str, threads: int, waiting: int) -> None:
        self._what = what
        self._most = threads + waiting
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=what.replace(" ", "-"))
        self._under_way = 0
        self._lock = threading.Lock()

    async def run(self, work: Callable[..., Result], *args: Any, **named: Any) -> Result:
        """Returns the result of a function, called in a thread.

        If the request's time limit ends the wait, a call that has not begun is cancelled; one that
        has begun runs on, and counts as under way, until it ends.

        Raises:
            RequestError: 503 if the queue is full.
        """
        with self._lock:
            if self._under_way >= self._most:
                raise RequestError(
                    503, f"the queue for {self._what} is full; try again later",
                    retry_after=BUSY,
                )  # fmt: skip
            self._under_way += 1
        future = self._pool.submit(partial(work, *args, **named))
        future.add_done_callback(self._end)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Cancels the calls that have not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _end(self, future: Future[Any]) -> None:
        with self._lock:
            self._under_way -= 1
