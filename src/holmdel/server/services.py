"""What the routes share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import Request

from holmdel.server.batching import Batcher
from holmdel.server.lanes import Lane
from holmdel.server.metrics import Metrics
from holmdel.server.models import Models
from holmdel.server.settings import ServerSettings
from holmdel.server.trainings import Trainings

if TYPE_CHECKING:
    from holmdel.reading import Reader

Result = TypeVar("Result")

READERS = 32  # patterns and settings whose readers are kept
THREADS = 2  # of work that would hold up other requests; more would only take turns


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
        pages: a thread of their own for pages to be read: seconds each, they would hold up the
            rest.
    """

    settings: ServerSettings
    models: Models
    metrics: Metrics
    batcher: Batcher
    trainings: Trainings
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    pages: Lane = field(init=False)

    def __post_init__(self) -> None:
        """Makes the threads."""
        self.pages = Lane("a page to be read", 1, self.settings.pages)
        self._work = Lane("a thread", THREADS, self.settings.queue)

    async def run(self, work: Callable[..., Result], *args: Any, **named: Any) -> Result:
        """Returns what a function gives, run in a thread so that other requests go on.

        Raises:
            Refusal: 503 if too much waits already.
        """
        return await self._work.run(work, *args, **named)

    def close(self) -> None:
        """Ends what runs."""
        self.trainings.close()
        self.pages.close()
        self._work.close()
        self.batcher.close()


@lru_cache(maxsize=READERS)
def reader(pattern: str, lines: bool, max_error: float) -> "Reader":
    """Returns the reader that ships, for a pattern.

    Raises:
        UserError: as `Reader`.
    """
    from holmdel.reading import Reader  # which needs a while to load, and not every server reads

    return Reader(pattern=pattern, lines=lines, max_error=max_error)


def services(request: Request) -> Services:
    """Returns what the routes share."""
    found: Services = request.app.state.services
    return found
