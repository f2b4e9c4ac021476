"""What a model has done since the server started: counts and nanoseconds.

As docs/protocol/extension_statistics.md of github.com/triton-inference-server/server defines them.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

_KINDS = (
    "success",
    "fail",
    "queue",
    "compute_input",
    "compute_infer",
    "compute_output",
    "cache_hit",  # no answer is kept
)


class Duration:
    """How often something happened, and how long it took in all."""

    __slots__ = ("count", "ns")

    def __init__(self) -> None:
        self.count = 0
        self.ns = 0

    def add(self, nanoseconds: int) -> None:
        """Counts one more."""
        self.count += 1
        self.ns += nanoseconds

    def to_json(self) -> dict[str, int]:
        """Returns what the protocol says of it."""
        return {"count": self.count, "ns": self.ns}


class ModelStatistics:
    """What one model has done: requests, batches, images, and the time they took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # batches end in a thread, requests in the event loop
        self._kinds = {kind: Duration() for kind in _KINDS}
        self._batches: defaultdict[int, Duration] = defaultdict(Duration)
        self._images = 0
        self._last = 0  # milliseconds since 1970

    def executed(self, images: int, nanoseconds: int, waits: Iterable[int]) -> None:
        """Counts a batch that went through the network.

        Args:
            images: of the batch.
            nanoseconds: that the network took.
            waits: nanoseconds, for each request in it, before it began.
        """
        with self._lock:
            self._images += images
            self._batches[images].add(nanoseconds)
            for wait in waits:
                self._kinds["queue"].add(wait)
                self._kinds["compute_infer"].add(nanoseconds)

    @contextmanager
    def request(self) -> Iterator[None]:
        """Counts the request that is answered inside as a success, or as a failure if it raises."""
        kind, began = "fail", time.perf_counter_ns()
        self._last = time.time_ns() // 1_000_000
        try:
            yield
            kind = "success"
        finally:
            self._add(kind, began)

    @contextmanager
    def step(self, kind: str) -> Iterator[None]:
        """Counts what is done inside as `compute_input` or `compute_output`."""
        began = time.perf_counter_ns()
        yield
        self._add(kind, began)

    def _add(self, kind: str, began: int) -> None:
        with self._lock:
            self._kinds[kind].add(time.perf_counter_ns() - began)

    def to_json(self) -> dict[str, Any]:
        """Returns all but the model's name and version."""
        with self._lock:
            batches = sorted(self._batches.items())
            return {
                "last_inference": self._last,
                "inference_count": self._images,
                "execution_count": sum(batch.count for _, batch in batches),
                "inference_stats": {kind: took.to_json() for kind, took in self._kinds.items()},
                "batch_stats": [_batch(images, took) for images, took in batches],
            }


def _batch(images: int, took: Duration) -> dict[str, Any]:
    """Returns what the protocol says of batches of a size; a batch is not copied to a device."""
    copied = {"count": took.count, "ns": 0}
    return {
        "batch_size": images,
        "compute_input": copied,
        "compute_infer": took.to_json(),
        "compute_output": copied,
    }
