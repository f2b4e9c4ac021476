"""What the routes of a server share: settings, models, batcher, trainings, thread pools."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import Request

from holmdel.errors import UserError, quoted

if TYPE_CHECKING:  # data alone: the application makes them, so that no route depends on how
    from holmdel.reading import Reader
    from holmdel.server.activation_cache import ActivationCache
    from holmdel.server.batching import Batcher, ThreadPool
    from holmdel.server.gate import Gate
    from holmdel.server.metrics import Metrics
    from holmdel.server.models import Models
    from holmdel.server.repository import Repository
    from holmdel.server.settings import ServerSettings
    from holmdel.server.trainings import Trainings

Result = TypeVar("Result")

READERS = 32  # readers in memory, one per pattern and settings


@dataclass(eq=False)
class Services:
    """What the routes of one server share.

    Attributes:
        settings: what the server was started with.
        models: by name and version.
        repository: loads them.
        gate: what every request passes.
        metrics: the counters.
        batcher: runs images through the models in batches.
        activations: of the images that were looked at last.
        trainings: those that run, and those that ended lately.
        pages: the thread that reads pages: a page takes seconds and would block other work.
        work: the threads for all other work that would block the event loop.
    """

    settings: "ServerSettings"
    models: "Models"
    repository: "Repository"
    gate: "Gate"
    metrics: "Metrics"
    batcher: "Batcher"
    activations: "ActivationCache"
    trainings: "Trainings"
    pages: "ThreadPool"
    work: "ThreadPool"

    @property
    def draining(self) -> asyncio.Event:
        """Set when the server is to stop: streams end, new requests get an error."""
        return self.gate.draining

    async def run(self, function: Callable[..., Result], *args: Any, **named: Any) -> Result:
        """Returns the result of a function, called in a thread so that other requests go on.

        Raises:
            RequestError: 503 if the queue is full.
        """
        return await self.work.run(function, *args, **named)

    def close(self) -> None:
        """Stops the trainings and the threads."""
        self.trainings.close()
        self.pages.close()
        self.work.close()
        self.batcher.close()


@lru_cache(maxsize=READERS)
def reader(pattern: str, lines: bool, max_error: float) -> "Reader":
    """Returns the shipped reader for a pattern.

    Raises:
        UserError: as `Reader` does.
    """
    from holmdel.reading import Reader  # loads slowly, and not every server reads

    if pattern.startswith("list:"):
        raise UserError(
            f"pattern {quoted(pattern)} names a file of the server, which requests cannot read; "
            "expected a pattern without a list"
        )
    return Reader(pattern=pattern, lines=lines, max_error=max_error)


def services(request: Request) -> Services:
    """Returns the services of the server that got a request."""
    found: Services = request.app.state.services
    return found
