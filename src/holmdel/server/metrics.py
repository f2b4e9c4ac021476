"""The server's metrics, for Prometheus; of several processes together, where there are several."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

SHARED = "PROMETHEUS_MULTIPROC_DIR"  # names the folder in which processes put their figures

_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1)
_IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_MODEL = ["model", "version"]
# Triton's names of what is counted by model and version: the counter here, its kind, a factor.
_TRITON = {
    "nv_inference_request_success": ("holmdel_inference_events_total", "success", 1.0),
    "nv_inference_request_failure": ("holmdel_inference_events_total", "fail", 1.0),
    "nv_inference_request_duration_us": ("holmdel_inference_seconds_total", "success", 1e6),
    "nv_inference_queue_duration_us": ("holmdel_inference_seconds_total", "queue", 1e6),
    "nv_inference_compute_input_duration_us": (
        "holmdel_inference_seconds_total", "compute_input", 1e6,
    ),
    "nv_inference_compute_infer_duration_us": (
        "holmdel_inference_seconds_total", "compute_infer", 1e6,
    ),
    "nv_inference_compute_output_duration_us": (
        "holmdel_inference_seconds_total", "compute_output", 1e6,
    ),
}  # fmt: skip


class Metrics:
    """The metrics of one server.

    A label is never a value that a request can choose freely: it is the route, not the path.

    Attributes:
        requests: answers by route and status; errors are those from 400.
        seconds: from a request's headers to the last byte of its answer, by route.
        batches: images per batch.
        waiting: images that wait for a network.
        predictions: classified images by model and class.
        lines: strings of digits by status, `read` or `reject`.
        refusals: requests that got an error, by status.
        events: what happened to a model's requests, as `statistics.py` names it, and for how long.
        executions: batches by model and number of images, and for how long.
        last: when a model was last asked, in milliseconds since 1970.
    """

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = self._counter("requests", "Answers by route and status.", "route", "status")
        self.seconds = Histogram(
            "holmdel_request_seconds", "Seconds a request took, by route.", ["route"],
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self.batches = Histogram(
            "holmdel_batch_pictures", "Images that went through a network together.",
            buckets=_IMAGES, registry=self._registry,
        )  # fmt: skip
        self.waiting = Gauge(
            "holmdel_queue_pictures", "Images that wait for a network.",
            multiprocess_mode="livesum", registry=self._registry,
        )  # fmt: skip
        self.predictions = self._counter(
            "predictions", "Images by model and the class named.", "model", "label"
        )
        self.lines = self._counter("lines", "Strings of digits by status.", "status")
        self.refusals = self._counter("refusals", "Requests refused, by status.", "status")
        self.events = (
            self._counter("inference_events", "Requests by what happened.", *_MODEL, "kind"),
            self._counter("inference_seconds", "Seconds by what happened.", *_MODEL, "kind"),
        )
        self.executions = (
            self._counter("executions", "Batches by their images.", *_MODEL, "images"),
            self._counter("execution_seconds", "Seconds in networks.", *_MODEL, "images"),
        )
        self.last = Gauge(
            "holmdel_last_inference_milliseconds", "When a model was last asked, since 1970.",
            _MODEL, multiprocess_mode="max", registry=self._registry,
        )  # fmt: skip
        # Looking a label up takes longer than counting, so each is looked up once.
        self._answered: dict[tuple[str, int], tuple[Counter, Histogram, Counter | None]] = {}
        self._named: dict[tuple[str, str], Callable[[], None]] = {}

    def _counter(self, name: str, said: str, *labels: str) -> Counter:
        return Counter(f"holmdel_{name}", said, labels, registry=self._registry)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Counts an answer and its duration."""
        known = self._answered.get((route, status))
        if known is None:
            refused = self.refusals.labels(status) if status >= 400 else None
            known = self.requests.labels(route, status), self.seconds.labels(route), refused
            self._answered[route, status] = known
        answers, times, refused = known
        answers.inc()
        times.observe(seconds)
        if refused is not None:
            refused.inc()

    def named(self, model: str, label: str) -> None:
        """Counts a classified image."""
        count = self._named.get((model, label))
        if count is None:
            count = self._named[model, label] = self.predictions.labels(model, label).inc
        count()

    def text(self, accept: str) -> tuple[bytes, str]:
        """Returns all metrics in Prometheus' text format or as OpenMetrics, and its content type.

        Args:
            accept: the request's header of that name.
        """
        encode, kind = choose_encoder(accept)
        families = [*self._collected()]
        return encode(_Collected([*families, *_triton(families)])), kind

    def of_models(self, *names: str) -> list[dict[tuple[str, str], dict[str, float]]]:
        """Returns each counter's figures by model and version, and by its third label.

        Args:
            names: such as `holmdel_executions_total`.
        """
        families = [*self._collected()]
        return [_by_model(families, name) for name in names]

    def _collected(self) -> Iterable[Metric]:
        if os.environ.get(SHARED):
            found: Iterable[Metric] = MultiProcessCollector(None).collect()
            return found
        return self._registry.collect()


class _Collected:
    """What is written down as one registry."""

    def __init__(self, families: list[Metric]) -> None:
        self.collect = lambda: families


def _by_model(families: Iterable[Metric], name: str) -> dict[tuple[str, str], dict[str, float]]:
    found: defaultdict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for family in families:
        for sample in family.samples:
            if sample.name == name:
                labels: dict[str, Any] = dict(sample.labels)
                model = labels.pop("model"), labels.pop("version")
                found[model]["".join(labels.values())] = sample.value
    return found


def _triton(families: list[Metric]) -> Iterable[Metric]:
    """Yields what Triton's dashboards look for."""
    for name, (counter, kind, factor) in _TRITON.items():
        yield _family(
            name,
            {
                model: kinds.get(kind, 0) * factor
                for model, kinds in _by_model(families, counter).items()
            },
        )
    sizes = _by_model(families, "holmdel_executions_total")
    images = {
        model: sum(int(size) * count for size, count in found.items())
        for model, found in sizes.items()
    }
    yield _family("nv_inference_count", images)
    batches = {model: sum(found.values()) for model, found in sizes.items()}
    yield _family("nv_inference_exec_count", batches)


def _family(name: str, figures: dict[tuple[str, str], float]) -> Metric:
    family = Metric(name, "As Triton counts it.", "unknown")  # a counter's name would get _total
    for (model, version), value in figures.items():
        family.add_sample(name, {"model": model, "version": version}, value)
    return family
