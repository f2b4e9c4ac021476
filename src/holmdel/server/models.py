"""The models that a server holds, by name."""

import copy
import json
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from holmdel import engine as engines
from holmdel.anatomy import Anatomy, inspect_module, weightless
from holmdel.classifier import Classifier, load, shipped
from holmdel.errors import UserError
from holmdel.images import decode, frame
from holmdel.networks import build
from holmdel.server.refusals import Refusal

_FIRST = "lenet-mnist"  # of those that ship: what people draw are digits


class Model:
    """A classifier that does not change, ready to answer.

    Attributes:
        name: what requests call it.
        classifier: its network, classes and image contract.
        source: where it is from: `shipped`, `folder` or `training`.
        data: the name of the data set that it was trained on, or None where that is not known.
        engine: the line that says what computes.
    """

    def __init__(
        self, name: str, classifier: Classifier, source: str, data: str | None = None
    ) -> None:
        self.name = name
        self.classifier = classifier
        self.source = source
        self.data = data
        self._lock = threading.Lock()  # a chain has memory of its own, for one call at a time

    @property
    def network(self) -> nn.Module:
        """The network, in eval mode."""
        return self.classifier.network

    @property
    def engine(self) -> str:
        """The line that says what computes."""
        return self._selection.line

    @cached_property
    def double(self) -> nn.Module:
        """A copy of the network in float64."""
        return copy.deepcopy(self.network).double().eval()

    @cached_property
    def parameters(self) -> int:
        """How many numbers its weights are."""
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
        """Returns the layers of the network.

        They are those of a network like it, for other threads may use this one meanwhile.

        Args:
            input: (C, H, W) of the picture; what the network was trained to see if None.

        Raises:
            UserError: if the network does not run for such a picture.
        """
        header = self.classifier.header
        with weightless():
            network = build(header.network, **header.options)
        return inspect_module(network, input or header.image.input, header.network)

    def framed(self, content: bytes) -> Tensor:
        """Returns an encoded picture in the stored form, uint8 (1, C, H, W).

        Args:
            content: the bytes of a file.

        Raises:
            UserError: if it cannot be used.
        """
        contract = self.classifier.contract
        return frame(decode(content, contract.stored[0]), contract)[None]

    def logits(self, pictures: Tensor) -> Tensor:
        """Returns float32 (N, classes) of pictures in the stored form.

        The chain is made once, not for every batch: the weights stay as they are.

        Args:
            pictures: uint8 (N, C, H, W).
        """
        with self._lock:
            if self._frozen is None or self.classifier.contract.enlarge == "resize":
                return self.classifier.logits(pictures)
            return self._frozen.logits(pictures)

    def logits_of_input(self, pictures: Tensor) -> Tensor:
        """Returns float32 (N, classes) of pictures as the network sees them.

        Args:
            pictures: float32 (N, C, H, W).
        """
        with self._lock, torch.inference_mode():
            if self._frozen is not None:
                return self._frozen.logits(pictures)
            found: Tensor = self.network(pictures)
        return found.float()


class Models:
    """The models of a server; the first is the default.

    A model is never changed, only replaced, so that who holds one can go on with it.
    """

    def __init__(self) -> None:
        self._models: dict[str, Model] = {}

    def __iter__(self) -> Iterator[Model]:
        """Gives the models in the order they came."""
        return iter(tuple(self._models.values()))

    @property
    def default(self) -> str:
        """The name of the first model."""
        return next(iter(self._models))

    def get(self, name: str | None = None) -> Model:
        """Returns a model, the default for None.

        Raises:
            Refusal: 404 if there is none of that name.
        """
        found = self._models.get(name or self.default)
        if found is None:
            names = ", ".join(model.name for model in self)
            raise Refusal(404, f"there is no model {name!r}; there are {names}")
        return found

    def put(self, model: Model) -> None:
        """Adds a model, or replaces the one of its name."""
        self._models[model.name] = model

    def remove(self, name: str) -> None:
        """Takes a model away, if it is there."""
        self._models.pop(name, None)

    def free_name(self, wanted: str) -> str:
        """Returns the name, with a number behind it where it is taken."""
        name, number = wanted, 1
        while name in self._models:
            number += 1
            name = f"{wanted}-{number}"
        return name


def load_models(wanted: tuple[str, ...]) -> Models:
    """Returns the models of run folders, files or shipped names; all that ship if none is named.

    Raises:
        UserError: for one that cannot be loaded, or if there is none.
    """
    models = Models()
    for name in wanted or sorted(shipped(), key=lambda name: (name != _FIRST, name)):
        classifier = load(name)
        path = Path(name)
        if path.is_dir():
            called, source, data = path.resolve().name, "folder", data_of(path)
        elif path.is_file():
            called, source, data = path.stem, "folder", None
        else:
            called, source, data = name, "shipped", None
        models.put(Model(models.free_name(called), classifier, source, data))
    if not any(True for _ in models):
        raise UserError("no model was given, and none ships with this version; name a run folder")
    return models


def data_of(folder: Path) -> str | None:
    """Returns the name of the data set that a run folder was trained on, if it says."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        name = config["data"]["name"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return str(name)
