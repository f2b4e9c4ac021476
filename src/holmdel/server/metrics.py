"""What a server counts, as Prometheus reads it."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_PICTURES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The counters of one server.

    What a request can choose is never a label: routes stand for paths.

    Attributes:
        requests: answers by route and status; those of 400 and above are the errors.
        seconds: from a request's head to its answer's last byte, by route.
        batches: pictures a batch that went through a network.
        waiting: pictures that wait for a network.
        predictions: pictures by model and the class that was named.
        lines: strings of digits by status, `read` or `reject`.
        refusals: requests that were refused, by status.
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
            "holmdel_batch_pictures", "Pictures that went through a network together.",
            buckets=_PICTURES, registry=registry,
        )  # fmt: skip
        self.waiting = Gauge(
            "holmdel_queue_pictures", "Pictures that wait for a network.", registry=registry
        )
        self.predictions = Counter(
            "holmdel_predictions", "Pictures by model and the class named.", ["model", "label"],
            registry=registry,
        )  # fmt: skip
        self.lines = Counter(
            "holmdel_lines", "Strings of digits by status.", ["status"], registry=registry
        )
        self.refusals = Counter(
            "holmdel_refusals", "Requests refused, by status.", ["status"], registry=registry
        )
        # Looking a label up takes longer than counting.
        self._answered: dict[tuple[str, int], tuple[Counter, Histogram, Counter | None]] = {}
        self._named: dict[tuple[str, str], Callable[[], None]] = {}

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Counts an answer."""
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
        """Counts a picture by the class that a model named."""
        count = self._named.get((model, label))
        if count is None:
            count = self._named[model, label] = self.predictions.labels(model, label).inc
        count()

    def text(self) -> bytes:
        """Returns all of them in Prometheus' text format."""
        return generate_latest(self._registry)
