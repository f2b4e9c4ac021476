"""What the routes share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, TypeVar

import anyio
import anyio.to_thread
from fastapi import Request

from holmdel.reading import Reader
from holmdel.server.batching import BUSY, Batcher
from holmdel.server.metrics import Metrics
from holmdel.server.models import Models
from holmdel.server.refusals import Refusal
from holmdel.server.settings import ServerSettings
from holmdel.server.trainings import Trainings

Result = TypeVar("Result")

READERS = 32  # patterns and settings whose readers are kept
THREADS = 4  # of work that would hold up other requests


@dataclass(eq=False)
class Services:
    """What the routes of one server share.

    Attributes:
        settings: what it was started with.
        models: by name.
        batcher: puts pictures through them.
        metrics: what is counted.
        trainings: those that run, and those that did.
        draining: set when the server is to stop: streams end, new requests are refused.
    """

    settings: ServerSettings
    models: Models
    metrics: Metrics
    batcher: Batcher
    trainings: Trainings
    draining: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Makes what runs in threads bounded."""
        self._threads = anyio.CapacityLimiter(THREADS)
        self._waiting = 0

    async def run(self, work: Callable[..., Result], *args: Any, **named: Any) -> Result:
        """Returns what a function gives, run in a thread so that other requests go on.

        If the request runs out of time, it is answered at once, and the thread ends when it will.

        Raises:
            Refusal: 503 if too many wait already.
        """
        if self._waiting >= self.settings.queue:
            raise Refusal(503, "too much work waits already; try again later", retry_after=BUSY)
        self._waiting += 1
        try:
            return await anyio.to_thread.run_sync(
                partial(work, *args, **named), limiter=self._threads, abandon_on_cancel=True
            )
        finally:
            self._waiting -= 1


@lru_cache(maxsize=READERS)
def reader(pattern: str, lines: bool, max_error: float) -> Reader:
    """Returns the reader that ships, for a pattern.

    Raises:
        UserError: as `Reader`.
    """
    return Reader(pattern=pattern, lines=lines, max_error=max_error)


def services(request: Request) -> Services:
    """Returns what the routes share."""
    found: Services = request.app.state.services
    return found
