"""What a server counts, as Prometheus reads it."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_PICTURES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics:
    """The counters of one server.

    Attributes:
        requests: answers by route and status; those of 400 and above are the errors.
        seconds: from a request's first byte to its answer's last, by route.
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

    def text(self) -> bytes:
        """Returns all of them in Prometheus' text format."""
        return generate_latest(self._registry)
