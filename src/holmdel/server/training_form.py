"""The form of a training over HTTP: settings and options that a request may give, their limits."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from holmdel import samples
from holmdel.errors import UserError
from holmdel.inspection import inspect
from holmdel.networks import network_options
from holmdel.schema import Setting
from holmdel.server.training_state import Value
from holmdel.settings import OPTIONS, TRAINING
from holmdel.training.settings import Plan, plan

STEP_BYTES = 4 << 30  # that the outputs of all layers may take in a step


@dataclass(frozen=True)
class FormField:
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


def setting_fields() -> list[FormField]:
    """Returns the settings of a training that a request may give; the defaults are LeNet's."""
    return [_field(one) for one in TRAINING.values() if one.request is not None]


def offered_options(network: str) -> list[str]:
    """Returns the options of a network that a request may give; the others follow from the data.

    Raises:
        UserError: for an unknown network.
    """
    return [name for name in network_options(network) if not OPTIONS[name].from_data]


def checked(network: str | nn.Module, data: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """Returns settings and options of a request as `train` takes them, None left out.

    Raises:
        UserError: for an unknown network or data set, a setting that a request may not give, a
            value outside its range, or a batch that would need too much memory.
    """
    sets = [found.name for found in samples.named_sets()]
    if data not in sets:
        raise UserError(f"the data set was given as {data!r}; choose from {', '.join(sets)}")
    options = [] if isinstance(network, nn.Module) else offered_options(network)
    known = {name: OPTIONS[name] for name in options}
    known |= {name: one for name, one in TRAINING.items() if one.request is not None}
    chosen = {}
    for name, value in given.items():
        if name not in known:
            raise UserError(f"there is no setting {name!r} here; choose from {', '.join(known)}")
        if value is not None:
            chosen[name] = known[name].for_requests().read(value)
    if not isinstance(network, nn.Module):
        _check_memory(plan(network, data, chosen))
    return chosen


def _field(setting: Setting) -> FormField:
    asked = setting.for_requests()
    bounded = asked.most < math.inf
    return FormField(
        name=asked.name,
        type=asked.type,
        default=asked.default,
        help=asked.help,
        choices=asked.choices or None,
        least=asked.least if bounded else None,
        most=asked.most if bounded else None,
    )


def _check_memory(work: Plan) -> None:
    """Raises a UserError for batches whose outputs would fill the memory."""
    example = inspect(work.network, **work.options).totals.activation_bytes
    size: Any = work.settings.batch_size
    if size * example > STEP_BYTES:
        raise UserError(
            f"batch_size is {size}, with which a step of {work.network} takes "
            f"{size * example / 2**30:.1f} GiB for its outputs; a training here may take "
            f"{STEP_BYTES >> 30} GiB; give batch_size {STEP_BYTES // example} at most"
        )
