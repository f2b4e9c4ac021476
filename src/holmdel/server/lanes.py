"""Work that would hold up other requests, in threads, and a bound on how much of it there is."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from holmdel.server.batching import BUSY
from holmdel.server.refusals import Refusal

Result = TypeVar("Result")


class Lane:
    """A few threads for one kind of work.

    Args:
        what: the work, as a refusal calls it.
        threads: how many.
        waiting: how much may wait for a thread; what comes then is refused.
    """

    def __init__(self, what: str, threads: int, waiting: int) -> None:
        self._what = what
        self._most = threads + waiting
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=what.replace(" ", "-"))
        self._under_way = 0
        self._lock = threading.Lock()

    async def run(self, work: Callable[..., Result], *args: Any, **named: Any) -> Result:
        """Returns what a function gives.

        If the request runs out of time it is answered at once. What had not begun is dropped; what
        had goes on, and counts, until it ends.

        Raises:
            Refusal: 503 if too much waits already.
        """
        with self._lock:
            if self._under_way >= self._most:
                raise Refusal(
                    503, f"too much waits for {self._what} already; try again later",
                    retry_after=BUSY,
                )  # fmt: skip
            self._under_way += 1
        future = self._pool.submit(partial(work, *args, **named))
        future.add_done_callback(self._end)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Drops what has not begun."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _end(self, future: Future[Any]) -> None:
        with self._lock:
            self._under_way -= 1
