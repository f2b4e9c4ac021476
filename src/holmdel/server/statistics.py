"""What a model has done since the server started: counts and nanoseconds.

As docs/protocol/extension_statistics.md of github.com/triton-inference-server/server defines them.
"""

import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prometheus_client import Counter

    from holmdel.server.metrics import Metrics

_KINDS = (
    "success",
    "fail",
    "queue",
    "compute_input",
    "compute_infer",
    "compute_output",
    "cache_hit",  # no answer is kept
)


class ModelStatistics:
    """Counts what one model does: requests, batches, images, and the time they took.

    Args:
        metrics: that count.
        name, version: of the model.
    """

    def __init__(self, metrics: "Metrics", name: str, version: str) -> None:
        labels = name, version
        # Looking a label up takes longer than counting, so each is looked up once.
        self._kinds = {
            kind: [one.labels(*labels, kind) for one in metrics.events] for kind in _KINDS
        }
        self._last = metrics.last.labels(*labels)
        self._executions = metrics.executions
        self._sizes: dict[int, list[Counter]] = {}
        self._labels = labels

    def executed(self, images: int, seconds: float, waits: Collection[float]) -> None:
        """Counts a batch that went through the network.

        Args:
            images: of the batch.
            seconds: that the network took.
            waits: seconds, for each request in it, before it began.
        """
        counters = self._sizes.get(images)
        if counters is None:
            counters = [one.labels(*self._labels, images) for one in self._executions]
            self._sizes[images] = counters
        _add(counters, 1, seconds)
        _add(self._kinds["queue"], len(waits), sum(waits))
        _add(self._kinds["compute_infer"], len(waits), seconds * len(waits))

    def request(self) -> "_Timed":
        """Counts the request that is answered inside as a success, or as a failure if it raises."""
        self._last.set(time.time_ns() // 1_000_000)
        return _Timed(self._kinds["success"], self._kinds["fail"])

    def step(self, kind: str) -> "_Timed":
        """Counts what is done inside as `compute_input` or `compute_output`."""
        return _Timed(self._kinds[kind], None)


class _Timed:
    """Counts what is done inside `with`, and the seconds; a generator would take twice as long.

    Args:
        done: counts what ended well.
        failed: counts what raised; None for nothing.
    """

    __slots__ = ("_began", "_done", "_failed")

    def __init__(self, done: "list[Counter]", failed: "list[Counter] | None") -> None:
        self._done, self._failed = done, failed
        self._began = time.perf_counter()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        counters = self._done if kind is None else self._failed
        if counters is not None:
            _add(counters, 1, time.perf_counter() - self._began)


def _add(counters: "list[Counter]", count: int, seconds: float) -> None:
    number, took = counters
    number.inc(count)
    took.inc(seconds)


def statistics(metrics: "Metrics", models: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Returns what the protocol says of models, given by their names and versions."""
    counted = "inference_events", "inference_seconds", "executions", "execution_seconds"
    counts, seconds, batches, took, last = metrics.of_models(
        *(f"holmdel_{name}_total" for name in counted), "holmdel_last_inference_milliseconds"
    )
    return [
        {
            "name": model[0],
            "version": model[1],
            "last_inference": int(last[model].get("", 0)),
            "inference_count": sum(int(size) * int(n) for size, n in batches[model].items()),
            "execution_count": int(sum(batches[model].values())),
            "inference_stats": {
                kind: _duration(counts[model].get(kind, 0), seconds[model].get(kind, 0))
                for kind in _KINDS
            },
            "batch_stats": [
                _batch(int(size), _duration(batches[model][size], took[model].get(size, 0)))
                for size in sorted(batches[model], key=int)
            ],
        }
        for model in models
    ]


def _duration(count: float, seconds: float) -> dict[str, int]:
    return {"count": int(count), "ns": round(seconds * 1e9)}


def _batch(images: int, took: dict[str, int]) -> dict[str, Any]:
    """Returns what the protocol says of batches of a size; a batch is not copied to a device."""
    copied = {"count": took["count"], "ns": 0}
    return {
        "batch_size": images,
        "compute_input": copied,
        "compute_infer": took,
        "compute_output": copied,
    }
