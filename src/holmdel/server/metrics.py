"""The server's metrics, for Prometheus."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_IMAGES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


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
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "holmdel_requests", "Answers by route and status.", ["route", "status"],
            registry=registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "holmdel_request_seconds", "Seconds a request took, by route.", ["route"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.batches = Histogram(
            "holmdel_batch_pictures", "Images that went through a network together.",
            buckets=_IMAGES, registry=registry,
        )  # fmt: skip
        self.waiting = Gauge(
            "holmdel_queue_pictures", "Images that wait for a network.", registry=registry
        )
        self.predictions = Counter(
            "holmdel_predictions", "Images by model and the class named.", ["model", "label"],
            registry=registry,
        )  # fmt: skip
        self.lines = Counter(
            "holmdel_lines", "Strings of digits by status.", ["status"], registry=registry
        )
        self.refusals = Counter(
            "holmdel_refusals", "Requests refused, by status.", ["status"], registry=registry
        )
        # Looking a label up takes longer than counting, so each is looked up once.
        self._answered: dict[tuple[str, int], tuple[Counter, Histogram, Counter | None]] = {}
        self._named: dict[tuple[str, str], Callable[[], None]] = {}

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

    def text(self) -> bytes:
        """Returns all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
