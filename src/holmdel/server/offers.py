"""What a training over HTTP may be given, and the bounds of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from holmdel import samples, training
from holmdel.errors import UserError
from holmdel.inspection import inspect
from holmdel.networks import OPTION_CHOICES, network_options
from holmdel.texts import coerce
from holmdel.training.settings import kind_of

Value: TypeAlias = bool | int | float | str | None

STEP_BYTES = 4 << 30  # that the outputs of all layers may take in a step

# The others are a matter of the machine or of the file system, and not of who sends a request.
_NAMES = (
    "recipe", "epochs", "batch_size", "lr", "seed", "limit", "optimizer", "momentum",
    "weight_decay", "clip", "schedule", "warmup", "init", "label_smoothing", "augment",
    "normalise", "batch_norm", "restarts",
)  # fmt: skip
_MOST = {
    "epochs": 1000,
    "batch_size": 10_000,
    "lr": 1000,
    "seed": 2**31 - 1,
    "limit": 1_000_000,
    "weight_decay": 10,
    "clip": 1_000_000,
    "restarts": 20,
}
_CHOICES = {
    "recipe": training.RECIPES,
    "augment": ("none", "flip", "shift", "flip+shift", "affine", "elastic", "affine+elastic"),
}
_FROM_DATA = ("classes", "channels", "size")  # options that follow from the data set
_OPTION_BOUNDS = {"width": (0.05, 1), "padding": (0, 8)}


@dataclass(frozen=True)
class Offer:
    """A setting or option that a request may give.

    Attributes:
        name: what a request calls it.
        type: `bool`, `int`, `float` or `str`.
        default: without a recipe; None for none.
        help: a line on what it does.
        choices: the texts it may be; None for any.
        least, most: the range of a number; None for other types.
    """

    name: str
    type: str
    default: Value
    help: str
    choices: tuple[str, ...] | None
    least: float | None
    most: float | None


def offered_settings() -> list[Offer]:
    """Returns the settings of a training that a request may give; the defaults are LeNet's."""
    found = []
    for name in _NAMES:
        field = training.SETTINGS[name]
        about, default = field.metadata, getattr(training.TrainSettings, name)
        choices = _CHOICES.get(name, about["choices"])
        most = _MOST.get(name, about["most"])
        bounded = most < math.inf
        found.append(
            Offer(
                name=name,
                type=kind_of(field.type).removesuffix(" | None"),
                default=default,
                help=about["help"],
                choices=choices or None,
                least=about["least"] if bounded else None,
                most=most if bounded else None,
            )
        )
    return found


def offered_options(network: str) -> list[str]:
    """Returns the options of a network that a request may give; the others follow from the data.

    Raises:
        UserError: for an unknown network.
    """
    return [name for name in network_options(network) if name not in _FROM_DATA]


def _offer_of(option: str, default: Any) -> Offer:
    least, most = _OPTION_BOUNDS.get(option, (None, None))
    choices = OPTION_CHOICES.get(option)
    return Offer(option, type(default).__name__, default, "", choices, least, most)


def checked(network: str, data: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """Returns settings and options of a request as `verbs.train` takes them, None left out.

    Raises:
        UserError: for an unknown network or data set, a setting that is not offered, a value
            outside its range, or a batch that would need too much memory.
    """
    sets = [found.name for found in samples.named_sets()]
    if data not in sets:
        raise UserError(f"the data set was given as {data!r}; choose from {', '.join(sets)}")
    known = network_options(network)
    offers = {name: _offer_of(name, known[name]) for name in offered_options(network)}
    offers |= {offer.name: offer for offer in offered_settings()}
    chosen = {}
    for name, value in given.items():
        if name not in offers:
            raise UserError(f"there is no setting {name!r} here; choose from {', '.join(offers)}")
        if value is not None:
            chosen[name] = _checked(offers[name], value)
    work = training.plan(network, data, chosen)
    _weigh(work)
    return chosen


def _checked(offer: Offer, given: Value) -> Value:
    """Returns a value as its offer's type and in its range."""
    value: Value = coerce(offer.name, given, offer.type)
    if offer.choices and value not in offer.choices:
        raise UserError(
            f"{offer.name} was given as {value!r}; choose from {', '.join(offer.choices)}"
        )
    if offer.least is not None and offer.most is not None:
        assert isinstance(value, int | float)
        if not offer.least <= value <= offer.most:
            raise UserError(
                f"{offer.name} was given as {value!r}; expected a number from {offer.least:g} to "
                f"{offer.most:,}"
            )
    return value


def _weigh(work: training.Plan) -> None:
    """Raises a UserError for batches whose outputs would fill the memory."""
    example = inspect(work.network, **work.options).totals.activation_bytes
    size: Any = work.settings.batch_size
    if size * example > STEP_BYTES:
        raise UserError(
            f"batch_size is {size}, with which a step of {work.network} takes "
            f"{size * example / 2**30:.1f} GiB for its outputs; a training here may take "
            f"{STEP_BYTES >> 30} GiB; give batch_size {STEP_BYTES // example} at most"
        )
