"""What a file of weights leaves open of a network: activation and pooling have no shapes."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from holmdel.exchange.fitting import told_of
from holmdel.exchange.weights import Weights
from holmdel.networks import network_options
from holmdel.settings import OPTIONS

OPEN = ("activation", "pooling")


def open_options(
    weights: Weights, network: str, given: Mapping[str, Any]
) -> dict[str, tuple[str, ...]]:
    """Returns the options of a network that neither file nor user says, with their choices.

    Args:
        weights: what the file holds.
        network: a name in `networks.NETWORKS`.
        given: options that are known.
    """
    known = network_options(network)
    said = {**told_of(weights, network), **given}
    return {name: OPTIONS[name].choices for name in OPEN if name in known and name not in said}


def combinations(choices: Mapping[str, tuple[str, ...]]) -> list[dict[str, str]]:
    """Returns every combination of choices.

    >>> combinations({"pooling": ("avg", "max")})
    [{'pooling': 'avg'}, {'pooling': 'max'}]
    """
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]
