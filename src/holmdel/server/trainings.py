"""The trainings of a server: start, pause, resume, stop, keep, delete."""

import threading
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING

from torch import nn

from holmdel.networks import NETWORKS
from holmdel.server.errors import RequestError
from holmdel.server.live_training import Training
from holmdel.server.own_models import copied, own_layers
from holmdel.server.training_form import checked
from holmdel.server.training_state import State, Value
from holmdel.server.training_steps import Stride

if TYPE_CHECKING:
    from holmdel.server.models import Models
    from holmdel.server.settings import ServerSettings

REMEMBERED = 8  # trainings, running ones included; then the oldest that ended is deleted
RETRY_SECONDS = 10  # after which a client that got a 429 may try again


class Trainings:
    """The trainings of a server: those that run, and those that ended lately.

    PyTorch has one random number generator for all threads, so where several trainings run at
    once, the same seed need not give the same weights.

    Args:
        settings: say how many may run at once, and where kept ones go.
        models: get the networks while they train.
    """

    def __init__(self, settings: "ServerSettings", models: "Models") -> None:
        self._settings = settings
        self._models = models
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._known: dict[str, Training] = {}
        self._leaving: list[Training] = []
        self._closed = False

    def states(self) -> list[State]:
        """Returns the states of all trainings, the oldest first."""
        return [training.state for training in tuple(self._known.values())]

    def get(self, id: str) -> Training:
        """Returns a training.

        Raises:
            RequestError: 404 if there is none.
        """
        found = self._known.get(id)
        if found is None:
            raise RequestError(404, f"there is no training {id!r}; it may have been deleted")
        return found

    def start(
        self, network: str, data: str, settings: Mapping[str, Value], layers: str | None = None
    ) -> Training:
        """Returns a training that has begun.

        Args:
            network: a name in `networks.NETWORKS`, or of a model whose network is the user's own.
            data: a data set's name; the set is downloaded if need be.
            settings: of `offered_settings()`, and options of the network.
            layers: of the user's own network, as `programs.layers.parse` takes them.

        Raises:
            UserError: for a mistake in any of these.
            RequestError: 429 if as many run as may run at once, 503 after `close`, 403 where
                several processes serve.
        """
        if self._settings.workers > 1:
            raise RequestError(
                403,
                f"this server has {self._settings.workers} processes, which know nothing of each "
                "other's trainings; start one with --workers 1",
            )
        module = self._own(network, layers)
        chosen = checked(module or network, data, settings)
        with self._lock:
            if self._closed:
                raise RequestError(503, "the server is stopping; try again later")
            self._leaving = [training for training in self._leaving if training.alive]
            running = sum(training.alive for training in self._known.values())
            if running + len(self._leaving) >= self._settings.trainings:
                raise RequestError(
                    429,
                    f"{self._settings.trainings} trainings may run at once, and as many do; "
                    "stop one, or wait until one ends",
                    retry_after=RETRY_SECONDS,
                )
            ended = [id for id, training in self._known.items() if not training.alive]
            for id in ended[: max(0, len(self._known) + 1 - REMEMBERED)]:
                self._known.pop(id).forget()
            id = str(next(self._numbers))
            training = Training(id, network, data, dict(settings), chosen, self._models, module)
            self._known[id] = training
            return training

    def _own(self, network: str, layers: str | None) -> nn.Module | None:
        """Returns the user's own network that is meant, new; None for one of ours."""
        if layers is not None:
            return own_layers(layers, None)
        if network in NETWORKS:
            return None
        found = next((model for model in self._models if model.name == network), None)
        if found is None or found.classifier.header.program is None:
            return None
        return copied(found.classifier)

    def pause(self, id: str) -> State:
        """Pauses a training after the current batch; returns its state."""
        training = self.get(id)
        training.hold()
        return training.state

    def resume(self, id: str) -> State:
        """Continues a paused training; returns its state."""
        training = self.get(id)
        training.release()
        return training.state

    def step(self, id: str, stride: Stride) -> State:
        """Goes on for one batch or to the end of the epoch, then pauses; returns its state."""
        training = self.get(id)
        training.step(stride)
        return training.state

    def back(self, id: str) -> State:
        """Goes back to where the last step began; returns its state."""
        training = self.get(id)
        training.back()
        return training.state

    def stop(self, id: str) -> State:
        """Stops a training after the current batch; returns its state."""
        training = self.get(id)
        training.stop()
        training.join()
        return training.state

    def keep(self, id: str) -> State:
        """Keeps a training that has ended, as `Training.keep` does; returns its state."""
        return self.get(id).keep(self._settings.runs)

    def forget(self, id: str) -> None:
        """Stops a training and deletes it with its model and files; what was kept stays.

        Raises:
            RequestError: 404 if there is none.
        """
        with self._lock:
            training = self.get(id)
            del self._known[id]
            self._leaving.append(training)
        training.forget()
        training.join()

    def close(self) -> None:
        """Stops all trainings and removes their files; no further one can start."""
        with self._lock:
            self._closed = True
            leaving = [*self._known.values(), *self._leaving]
            self._known.clear()
        for training in leaving:
            training.forget()
        for training in leaving:
            training.join()
