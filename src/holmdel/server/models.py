"""The models of a server, by name."""

import copy
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from holmdel import engine as engines
from holmdel.anatomy import Anatomy, inspect_module, weightless
from holmdel.checkpoint import trained_on
from holmdel.classifier import Classifier, load, shipped
from holmdel.errors import UserError
from holmdel.images import DocumentPage, decode_page
from holmdel.images.framing import Framed, framed
from holmdel.server.errors import RequestError
from holmdel.server.protocol.schemas import MODEL_VERSION
from holmdel.server.statistics import ModelStatistics

_FIRST = "lenet-mnist"  # the default of the shipped ones: what people draw is digits


class Model:
    """A classifier that no longer changes, with what the routes ask of it.

    Attributes:
        name: what requests call it.
        classifier: its network, classes and image contract.
        source: where it comes from: `shipped`, `folder` or `training`.
        data: the name or folder of the data set that it was trained on; None if unknown.
        engine: a line that says what computes, such as `native engine, avx2, 2 threads`.
        statistics: what it has done; those of the model that it replaces, if it does.
    """

    def __init__(
        self,
        name: str,
        classifier: Classifier,
        source: str,
        data: str | None = None,
        statistics: ModelStatistics | None = None,
    ) -> None:
        self.name = name
        self.classifier = classifier
        self.source = source
        self.data = data
        self.statistics = statistics or ModelStatistics()
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
        return sum(parameter.numel() for parameter in self.network.parameters())

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
    """The models of a server; the first is the default.

    A model is never changed, only replaced, so that a request may go on with the one it has.
    """

    def __init__(self) -> None:
        self._models: dict[str, Model] = {}

    def __iter__(self) -> Iterator[Model]:
        """Yields the models in the order in which they were added."""
        return iter(tuple(self._models.values()))

    @property
    def default(self) -> str:
        """The name of the first model."""
        return next(iter(self._models))

    def get(self, name: str | None = None) -> Model:
        """Returns a model, the default for None.

        Raises:
            RequestError: 404 if there is no model of that name.
        """
        found = self._models.get(name or self.default)
        if found is None:
            names = ", ".join(model.name for model in self)
            raise RequestError(404, f"there is no model {name!r}; choose from {names}")
        return found

    def of_version(self, name: str, version: str) -> Model:
        """Returns a model by its name and version.

        Raises:
            RequestError: 404 if there is none.
        """
        found = self.get(name)
        if version != MODEL_VERSION:
            raise RequestError(
                404, f"the model {name!r} has no version {version!r}; its only version is 1"
            )
        return found

    def put(self, name: str, classifier: Classifier, source: str, data: str | None = None) -> Model:
        """Returns a new model, which replaces the one of this name; arguments as of `Model`."""
        before = self._models.get(name)
        statistics = before.statistics if before else None
        self._models[name] = model = Model(name, classifier, source, data, statistics)
        return model

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


def load_models(wanted: tuple[str, ...]) -> Models:
    """Returns the models of run folders, files or shipped names; all shipped ones if none is given.

    Raises:
        UserError: if one cannot be loaded, or there is none.
    """
    models = Models()
    for name in wanted or sorted(shipped(), key=lambda name: (name != _FIRST, name)):
        classifier = load(name)
        path = Path(name)
        if path.is_dir():
            called, source, data = path.resolve().name, "folder", trained_on(path)
        elif path.is_file():
            called, source, data = path.stem, "folder", None
        else:
            called, source, data = name, "shipped", None
        models.put(models.free_name(called), classifier, source, data)
    if not any(True for _ in models):
        raise UserError("no model was given, and none ships with this version; give a run folder")
    return models
