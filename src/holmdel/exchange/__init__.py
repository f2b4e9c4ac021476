"""Weights from elsewhere: files of other frameworks into the networks here."""

from typing import Any

from holmdel.exchange.candidates import combinations, open_options
from holmdel.exchange.fitting import Converted, fit, fits, told_of
from holmdel.exchange.folder import write_folder
from holmdel.exchange.formats import read_weights
from holmdel.exchange.listing import listing, the_only_fit
from holmdel.exchange.weights import Weights

__all__ = [
    "Converted",
    "Weights",
    "combinations",
    "convert",
    "fits",
    "listing",
    "open_options",
    "read_weights",
    "the_only_fit",
    "write_folder",
]


def convert(weights: Weights, network: str, **options: Any) -> Converted:
    """Returns the network `network` with the weights of a file.

    Options that are not given are what the file tells of them: a Keras archive its activation and
    pooling, a file of MXNet that AlexNet has no padding, as the book's MXNet listing has none.

    Args:
        weights: as `read_weights` gives them.
        network: a name in `networks.NETWORKS`.
        options: options of the network; those left out follow from the shapes where they can.

    Raises:
        UserError: as `fit`.
    """
    return fit(weights, network, told_of(weights, network) | options)
