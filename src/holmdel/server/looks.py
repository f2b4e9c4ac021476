"""What models saw in the last few pictures, so that pointing at a unit runs no network again."""

import hashlib
import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from holmdel.anatomy import Anatomy
from holmdel.errors import UserError
from holmdel.images import to_input
from holmdel.insight import Activations, activations, explains
from holmdel.server.models import Model, Models
from holmdel.server.uploads import unusable

PICTURES = 8  # looks that are kept
BYTES = 64_000_000  # of their values; the last look is kept however large it is
PLANS = 32  # architectures whose anatomy is kept


class Plan(NamedTuple):
    """An architecture's anatomy, and the layers whose units can be explained."""

    anatomy: Anatomy
    explained: frozenset[str]


@dataclass(frozen=True)
class Look:
    """What a model saw in a picture, computed in float64.

    Attributes:
        model: whose network looked.
        stored: the picture in the stored form, uint8 (1, C, H, W).
        input: the picture as the network sees it, float32 (1, C, H, W).
        seen: every layer's values.
        plan: of the network.
    """

    model: Model
    stored: Tensor
    input: Tensor
    seen: Activations
    plan: Plan


class Looks:
    """The last looks of a server's models.

    Args:
        models: a look of a model that is no longer among them is forgotten.
    """

    def __init__(self, models: Models) -> None:
        self._models = models
        self._looks: OrderedDict[tuple[Model, bytes], Look] = OrderedDict()
        self._plans: OrderedDict[str, Plan] = OrderedDict()
        self._lock = threading.Lock()

    def at(self, model: Model, content: bytes) -> Look:
        """Returns what a model sees in an encoded picture.

        Args:
            model: which.
            content: the bytes of a file.

        Raises:
            Refusal: 422 if the picture cannot be used.
        """
        key = model, hashlib.blake2b(content).digest()
        with self._lock:
            if known := self._looks.get(key):
                self._looks.move_to_end(key)
                return known
        look = self._look(model, content)
        with self._lock:
            self._looks[key] = look
            self._forget()
        return look

    def _look(self, model: Model, content: bytes) -> Look:
        try:
            stored = model.framed(content)
        except UserError as error:
            raise unusable(error) from None
        given = to_input(stored, model.classifier.contract)
        name = _architecture(model)
        plan = self._plans.get(name)
        anatomy = plan.anatomy if plan else model.anatomy()
        seen = activations(model.double, given[0].double(), anatomy)
        if plan is None:
            named = (layer.name for layer in seen.layers if explains(layer))
            plan = Plan(anatomy, frozenset(named))
            with self._lock:
                self._plans[name] = plan
                while len(self._plans) > PLANS:
                    self._plans.popitem(last=False)
        return Look(model, stored, given, seen, plan)

    def _forget(self) -> None:
        """Drops looks of models that are gone, and the oldest where there are too many."""
        here = set(self._models)
        for key in [key for key in self._looks if key[0] not in here]:
            del self._looks[key]
        while len(self._looks) > PICTURES or (len(self._looks) > 1 and self._size() > BYTES):
            self._looks.popitem(last=False)

    def _size(self) -> int:
        return sum(look.seen.size for look in self._looks.values())


def _architecture(model: Model) -> str:
    """Returns a text that is the same for networks of the same layers."""
    header = model.classifier.header
    return json.dumps([header.network, header.options, header.image.input], sort_keys=True)
