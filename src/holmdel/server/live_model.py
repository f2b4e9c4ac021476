"""The network of a training as a model of the server, while it learns."""

import threading
import time
from typing import TYPE_CHECKING

import torch

from holmdel.classifier import Classifier
from holmdel.training.callbacks import Snapshot

if TYPE_CHECKING:
    from holmdel.server.models import Models

LOOK_SECONDS = 0.2  # between two copies of the weights, at least
LOOK_SHARE = 0.1  # of the time may go into copying weights


class LiveModel:
    """A model whose weights change, until it is removed.

    Args:
        name: of the model.
        data: the name of the data set that it learns.
        models: get it.

    Attributes:
        classifier: the network as it was put last; None as long as there is none.
    """

    def __init__(self, name: str, data: str, models: "Models") -> None:
        self.classifier: Classifier | None = None
        self._name, self._data, self._models = name, data, models
        self._lock = threading.Lock()
        self._removed = False
        self._due = 0.0

    @property
    def due(self) -> bool:
        """Whether it is time to show the network anew."""
        return time.perf_counter() >= self._due

    def show(self, snapshot: Snapshot) -> bool:
        """Puts the network as it is now, unless a weight is not finite; returns whether it did."""
        began = time.perf_counter()
        network, header = snapshot()
        finite = all(bool(torch.isfinite(weight).all()) for weight in network.parameters())
        if finite:
            self.put(Classifier(network, header))
        now = time.perf_counter()
        self._due = now + max(LOOK_SECONDS, (now - began) / LOOK_SHARE)
        return finite

    def put(self, classifier: Classifier) -> None:
        """Puts a network in the place of the one that was there."""
        with self._lock:
            self.classifier = classifier
            if not self._removed:
                self._models.put(self._name, classifier, "training", self._data)

    def remove(self) -> None:
        """Removes the model; none comes back."""
        with self._lock:
            self._removed = True
            self._models.remove(self._name)
