"""The graph of a classifier from the stored image to probabilities, and of a line network."""

import numpy as np
import torch
from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.export.builder import Builder
from holmdel.export.graph import IMAGES, LOGITS, PROBABILITIES, Graph, Node
from holmdel.export.operators import translate
from holmdel.export.steps import Followed, Value, follow
from holmdel.images.contract import ImageContract, resizing

_FIRST = "input"  # the layer that what comes before the network belongs to


def classifier_graph(network: nn.Module, contract: ImageContract, kind: str = "uint8") -> Graph:
    """Returns a classifier as a graph: images (N, C, H, W) to logits and probabilities (N, K).

    Args:
        network: gives logits (N, K) of the contract's input.
        contract: what comes before the network.
        kind: `uint8`: the images as stored, what comes before the network being part of the graph;
            `float32`: the network's own input.

    Raises:
        UserError: for a network that cannot be exported; it names the layer.
    """
    one, two = torch.zeros(1, *contract.input), torch.zeros(2, *contract.input)
    followed = follow(network, one, two)
    if len(followed.answer.shape) != 2 or followed.answer.shape[0] is not None:
        raise UserError(
            f"the network answers with a tensor {followed.answer.shape}; only one that answers "
            "with logits (N, classes) can be exported as a classifier"
        )
    stored = contract.stored if kind == "uint8" else contract.input
    graph = Graph(IMAGES, kind, shapes={IMAGES: (None, *stored)})
    first = _prepared(graph, contract) if kind == "uint8" else IMAGES
    return _completed(graph, followed, first)


def line_graph(network: nn.Module) -> Graph:
    """Returns a line network as a graph: lines (N, 1, 32, W) to logits and probabilities (N, K, T).

    Raises:
        UserError: for a network that cannot be exported; it names the layer.
    """
    followed = follow(network, torch.zeros(1, 1, 32, 64), torch.zeros(2, 1, 32, 96))
    graph = Graph(IMAGES, shapes={IMAGES: (None, 1, 32, None)})
    return _completed(graph, followed, IMAGES)


def _completed(graph: Graph, followed: Followed, first: str) -> Graph:
    """Returns a graph with the network behind its beginning, and the softmax behind that."""
    build = Builder(graph, {IMAGES: first})
    for step in followed.steps:
        translate(build, step)
    graph.layers = {layer: build.names[value] for layer, value in followed.layers.items()}
    _end(build, followed.answer)
    return graph


def _prepared(graph: Graph, contract: ImageContract) -> str:
    """Adds what `images.to_input` does; returns the name of the network's input."""
    channels, height, width = contract.input
    name = graph.add("Cast", [IMAGES], (None, *contract.stored), _FIRST, _FIRST, to=1)
    whole = (None, channels, height, width)
    if contract.enlarge == "pad":
        sides = [(a - b) // 2 for a, b in zip(contract.input, contract.stored, strict=True)][1:]
        ends = [
            a - b - side
            for a, b, side in zip(contract.input[1:], contract.stored[1:], sides, strict=True)
        ]
        pads = graph.constant(np.array([0, 0, *sides, 0, 0, *ends], np.int64), f"{_FIRST}.pads")
        fill = graph.constant(np.float32(0), f"{_FIRST}.fill")
        name = graph.add("Pad", [name, pads, fill], whole, _FIRST, _FIRST, mode="constant")
    factor = np.float32(1 / (255 * contract.std))
    if contract.enlarge == "resize":
        rows, columns = (
            _matrix(a, b) for a, b in zip(contract.stored[1:], contract.input[1:], strict=True)
        )
        across = graph.constant(columns.T.numpy(), f"{_FIRST}.columns")
        half = (None, channels, contract.stored[1], width)
        name = graph.add("MatMul", [name, across], half, _FIRST, _FIRST)
        down = graph.constant((rows * float(factor)).numpy(), f"{_FIRST}.rows")
        name = graph.add("MatMul", [down, name], whole, _FIRST, _FIRST)
    else:
        factors = graph.constant(factor, f"{_FIRST}.factor")
        name = graph.add("Mul", [name, factors], whole, _FIRST, _FIRST)
    if contract.mean:
        mean = graph.constant(np.float32(contract.mean / contract.std), f"{_FIRST}.mean")
        name = graph.add("Sub", [name, mean], whole, _FIRST, _FIRST)
    return name


def _matrix(size: int, wanted: int) -> Tensor:
    return resizing(size, wanted, torch.device("cpu"))


def _end(build: Builder, answer: Value) -> None:
    """Names the answer `logits`, and adds its probabilities."""
    graph, name = build.graph, build.name(answer)
    graph.put(Node("Identity", (name,), LOGITS, LOGITS, {}), answer.shape)
    graph.put(Node("Softmax", (LOGITS,), PROBABILITIES, PROBABILITIES, {"axis": 1}), answer.shape)
    graph.outputs = (LOGITS, PROBABILITIES)
