"""The models of a server, by name and version."""

import copy
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from holmdel import engine as engines
from holmdel.anatomy import Anatomy, inspect_module, weightless
from holmdel.classifier import Classifier
from holmdel.images import DocumentPage, decode_page
from holmdel.images.framing import Framed, framed
from holmdel.server.errors import RequestError
from holmdel.server.statistics import ModelStatistics
from holmdel.shapes import parameter_count

if TYPE_CHECKING:
    from holmdel.server.metrics import Metrics

MODEL_VERSION = "1"  # of a model that has no versions


class Model:
    """A classifier that no longer changes, with what the routes ask of it.

    Attributes:
        name: what requests call it.
        classifier: its network, classes and image contract.
        source: where it comes from: `shipped`, `folder` or `training`.
        data: the name or folder of the data set that it was trained on; None if unknown.
        engine: a line that says what computes, such as `native engine, avx2, 2 threads`.
        statistics: counts what it does.
        version: a whole number from 1.
    """

    def __init__(
        self,
        name: str,
        classifier: Classifier,
        statistics: ModelStatistics,
        source: str,
        data: str | None = None,
        version: str = MODEL_VERSION,
    ) -> None:
        self.name = name
        self.classifier = classifier
        self.source = source
        self.data = data
        self.version = version
        self.statistics = statistics
        self._lock = threading.Lock()  # the native engine's buffers serve one call at a time

    @property
    def network(self) -> nn.Module:
        """The network, in eval mode."""
        return self.classifier.network

    @property
    def data_name(self) -> str | None:
        """The name of the data set that it was trained on; of a folder its last part."""
        return None if self.data is None else Path(self.data).name

    @property
    def engine(self) -> str:
        """A line that says what computes."""
        return self._selection.line

    @cached_property
    def double(self) -> nn.Module:
        """A copy of the network in float64."""
        return copy.deepcopy(self.network).double().eval()

    @cached_property
    def parameters(self) -> int:
        """The number of its parameters."""
        return parameter_count(self.network)

    @cached_property
    def _selection(self) -> engines.Selection:
        return engines.select(self.network, self.classifier.contract)

    @cached_property
    def _frozen(self) -> engines.Chain | None:
        if self._selection.chain is None:
            return None
        return engines.compile(self.network, self.classifier.contract, frozen=True)

    def anatomy(self, input: tuple[int, int, int] | None = None) -> Anatomy:
        """Returns the layer table of the network.

        It is taken from a copy without weights, as other threads may use the network meanwhile.

        Args:
            input: (C, H, W) of the image; the size that the network was trained on if None.

        Raises:
            UserError: if the network cannot take an image of this size.
        """
        header = self.classifier.header
        with weightless():
            network = header.build()
        return inspect_module(network, input or header.image.input, header.network)

    def framed(self, content: bytes | DocumentPage) -> Framed:
        """Returns an encoded image in the stored form, uint8 (1, C, H, W), and what is on it.

        Args:
            content: the bytes of a file, or a page of them.

        Raises:
            UserError: if it cannot be used.
        """
        contract = self.classifier.contract
        image, found = framed(decode_page(content, contract.stored[0]).squared(), contract)
        return Framed(image[None], found)

    def logits(self, images: Tensor) -> Tensor:
        """Returns the logits of images in the stored form, float32 (N, classes).

        The native engine's copy of the weights is made once, as they do not change.

        Args:
            images: uint8 (N, C, H, W).
        """
        with self._lock:
            if self._frozen is None or self.classifier.contract.enlarge == "resize":
                return self.classifier.logits(images)
            return self._frozen.logits(images)

    def warm(self) -> None:
        """Does once what is slow the first time, so that no request has to wait for it."""
        self.logits(torch.zeros(1, *self.classifier.contract.stored, dtype=torch.uint8))

    def logits_of_input(self, images: Tensor) -> Tensor:
        """Returns the logits of images as the network sees them, float32 (N, classes).

        Those of an image with NaN or infinity are NaN.

        Args:
            images: float32 (N, C, H, W).
        """
        usable = images.isfinite().flatten(1).all(dim=1)
        if bool(usable.all()):
            return self._logits_of_finite(images)
        logits = torch.full((len(images), len(self.classifier.classes)), torch.nan)
        if bool(usable.any()):
            logits[usable] = self._logits_of_finite(images[usable])
        return logits

    def _logits_of_finite(self, images: Tensor) -> Tensor:
        with self._lock, torch.inference_mode():
            if self._frozen is not None:
                return self._frozen.logits(images)
            found: Tensor = self.network(images)
        return found.float()


class Models:
    """The models of a server by name and version; the first name is the default.

    A model is never changed, only replaced, so that a request may go on with the one it has.

    Args:
        metrics: count what each does.
    """

    def __init__(self, metrics: "Metrics") -> None:
        self._metrics = metrics
        self._models: dict[str, dict[str, Model]] = {}  # of each name the oldest version first

    def __iter__(self) -> Iterator[Model]:
        """Yields the newest version of each name, in the order in which names were added."""
        return (_newest(versions) for versions in tuple(self._models.values()))

    @property
    def default(self) -> str:
        """The name of the first model; empty where there is none."""
        return next(iter(tuple(self._models)), "")

    def each(self, name: str | None = None) -> list[Model]:
        """Returns the versions of a model, or of all, the oldest of a name first."""
        names = tuple(self._models) if name is None else (self.get(name).name,)
        return [model for name in names for model in self._models.get(name, {}).values()]

    def get(self, name: str | None = None, version: str | None = None) -> Model:
        """Returns a model, the default for None, and its newest version where none is named.

        Raises:
            RequestError: 404 if there is no model of that name, or none of that version.
        """
        versions = self._models.get(name or self.default)
        if not versions:
            names = ", ".join(self._models) or "none, as no model is loaded"
            raise RequestError(404, f"there is no model {name or ''!r}; choose from {names}")
        if not version:
            return _newest(versions)
        if version not in versions:
            known = ", ".join(versions)
            raise RequestError(
                404, f"the model {name!r} has no version {version!r}; it has {known}"
            )
        return versions[version]

    def made(
        self,
        name: str,
        classifier: Classifier,
        source: str,
        data: str | None = None,
        version: str = MODEL_VERSION,
    ) -> Model:
        """Returns a model that is not among these yet; arguments as of `Model`."""
        statistics = ModelStatistics(self._metrics, name, version)
        return Model(name, classifier, statistics, source, data, version)

    def put(self, name: str, classifier: Classifier, source: str, data: str | None = None) -> Model:
        """Returns a new model, which replaces those of this name; arguments as of `Model`."""
        model = self.made(name, classifier, source, data)
        self.replace(name, [model])
        return model

    def replace(self, name: str, models: list[Model]) -> None:
        """Puts models in place of all versions of a name, which keeps its place."""
        ordered = sorted(models, key=lambda model: int(model.version))
        self._models[name] = {model.version: model for model in ordered}

    def remove(self, name: str) -> None:
        """Removes a model, if there is one of this name."""
        self._models.pop(name, None)

    def free_name(self, wanted: str) -> str:
        """Returns the name, with a number appended if it is taken."""
        name, number = wanted, 1
        while name in self._models:
            number += 1
            name = f"{wanted}-{number}"
        return name


def _newest(versions: dict[str, Model]) -> Model:
    return next(reversed(versions.values()))
