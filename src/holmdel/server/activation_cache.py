"""Activations of the last few images, so that a look at one unit does not run a network again."""

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from torch import Tensor

from holmdel.anatomy import Anatomy
from holmdel.errors import UserError
from holmdel.images import to_input
from holmdel.insight import Activations, activations, explains
from holmdel.server.errors import image_error

if TYPE_CHECKING:
    from holmdel.server.models import Model, Models

IMAGES = 8  # whose activations are kept
BYTES = 64_000_000  # of their values; the newest is kept however large it is
ARCHITECTURES = 32  # whose layer tables are kept


class Architecture(NamedTuple):
    """A layer table, and the names of the layers whose units can be explained."""

    anatomy: Anatomy
    explained: frozenset[str]


@dataclass(frozen=True)
class ImageActivations:
    """The activations of every layer for an image, computed in float64.

    Attributes:
        model: whose network computed them.
        stored: the image in the stored form, uint8 (1, C, H, W).
        input: the image as the network sees it, float32 (1, C, H, W).
        layers: the activations.
        architecture: of the network.
        found: what is on the image: `one`, `several` or `nothing`.
    """

    model: "Model"
    stored: Tensor
    input: Tensor
    layers: Activations
    architecture: Architecture
    found: str


class ActivationCache:
    """The activations of the last images that a server's models were asked about.

    Args:
        models: what belongs to a model that is no longer among them is dropped.
    """

    def __init__(self, models: "Models") -> None:
        self._models = models
        self._known: OrderedDict[tuple[Model, bytes], ImageActivations] = OrderedDict()
        self._architectures: OrderedDict[str, Architecture] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, model: "Model", content: bytes) -> ImageActivations:
        """Returns a model's activations for an encoded image.

        Args:
            model: whose network computes them.
            content: the bytes of a file.

        Raises:
            RequestError: 422 if the image cannot be used.
        """
        key = model, hashlib.blake2b(content).digest()
        with self._lock:
            if known := self._known.get(key):
                self._known.move_to_end(key)
                return known
        found = self._compute(model, content)
        with self._lock:
            self._known[key] = found
            self._drop()
        return found

    def _compute(self, model: "Model", content: bytes) -> ImageActivations:
        try:
            stored, found = model.framed(content)
        except UserError as error:
            raise image_error(error) from None
        given = to_input(stored, model.classifier.contract)
        name = _architecture(model)
        known = self._architectures.get(name)
        anatomy = known.anatomy if known else model.anatomy()
        layers = activations(model.double, given[0].double(), anatomy)
        if known is None:
            named = (layer.name for layer in layers.layers if explains(layer))
            known = Architecture(anatomy, frozenset(named))
            with self._lock:
                self._architectures[name] = known
                while len(self._architectures) > ARCHITECTURES:
                    self._architectures.popitem(last=False)
        return ImageActivations(model, stored, given, layers, known, found)

    def _drop(self) -> None:
        """Drops what belongs to removed models, and the oldest where there is too much."""
        here = set(self._models)
        for key in [key for key in self._known if key[0] not in here]:
            del self._known[key]
        while len(self._known) > IMAGES or (len(self._known) > 1 and self._size() > BYTES):
            self._known.popitem(last=False)

    def _size(self) -> int:
        return sum(found.layers.size for found in self._known.values())


def _architecture(model: "Model") -> str:
    """Returns a text that is the same for networks with the same layers and input."""
    header = model.classifier.header
    said = [header.network, header.options, header.image.input, header.program]
    return json.dumps(said, sort_keys=True)
