"""Networks of the user's own as models of a server: looked into as they are, trained or not."""

import copy

import torch
from torch import nn

from holmdel.checkpoint import Header
from holmdel.classifier import Classifier
from holmdel.errors import UserError
from holmdel.images import ImageContract
from holmdel.programs.exported import export
from holmdel.programs.layers import parse, sequential
from holmdel.programs.own import Given, Own
from holmdel.shapes import parse_size
from holmdel.training.own import FIRST, own_network, size_of

_CLASSES = 10  # of a class or function that makes a network for any number


def own_classifier(given: Given) -> Classifier:
    """Returns a network of one's own as a classifier, its classes called 0, 1, ...

    Args:
        given: a module, a class, a function, or `FILE.py:NAME`; that file is run.

    Raises:
        UserError: if it cannot be made, runs for none of the usual sizes, or cannot be kept.
    """
    found = own_network(given)
    if found is None:
        raise UserError(f"{given!r} was given; expected FILE.py:NAME, a network in a file")
    size = size_of(found, None, FIRST)
    count = _classes(found, size)
    network = found.build(count, size)
    exported = export(network, size)
    framing = "digit" if size[0] == 1 else "fit"
    contract = ImageContract(stored=size, input=size, framing=framing)
    classes = tuple(map(str, range(count)))
    header = Header(
        network=found.name, options={}, classes=classes, image=contract, program=exported.program
    )
    return Classifier(exported.network(network), header)


def _classes(found: Own, size: tuple[int, int, int]) -> int:
    """Returns how many logits a module gives; a class or function is asked for ten."""
    if found.module is None:
        return _CLASSES
    with torch.no_grad():
        logits = copy.deepcopy(found.module).eval()(torch.zeros(1, *size))
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2:
        raise UserError(f"{found.name} gives no row of logits for an image; expected (N, classes)")
    return logits.shape[1]


def own_layers(text: str, input: str | None) -> nn.Sequential:
    """Returns the network of layers that are written down, for images of a size such as 1x28x28."""
    channels, height, width = parse_size(input or f"1x{FIRST}x{FIRST}")
    return sequential(parse(text), (channels, height, width))


def copied(classifier: Classifier) -> nn.Module:
    """Returns a module that a training may change."""
    network: nn.Module = copy.deepcopy(classifier.network)
    return network.train()
