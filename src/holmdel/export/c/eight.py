"""Weights of 8 bits for C files: whole numbers, and a factor for each output.

Values stay float32, so that nothing has to be calibrated; a file is a quarter as large.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from holmdel.export.graph import Array, Graph, Node

MOST = 127


def of_eight_bits(graph: Graph) -> tuple[Graph, Mapping[str, Array]]:
    """Returns a graph whose convolutions and dense layers have int8 weights, and their factors.

    A layer gives the sum over its whole numbers, begun with the bias over the factor, times that
    factor. Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference" (2018),
    section 3.1.1: symmetric, for each output a factor of its own.

    Args:
        graph: with weights of float32.
    """
    nodes: list[Node] = []
    constants, factors = dict(graph.constants), {}
    for node in graph.nodes:
        weight = constants.get(node.inputs[1]) if node.operator in ("Conv", "Gemm") else None
        if weight is None:
            nodes.append(node)
            continue
        factor = _factors(weight)
        each = factor.reshape(-1, *[1] * (weight.ndim - 1))
        names = [node.inputs[0], f"{node.output}.eight", *node.inputs[2:]]
        constants[names[1]] = np.rint(weight / each).clip(-MOST, MOST).astype(np.int8)
        if len(names) > 2:
            names[2] = f"{node.output}.over"
            constants[names[2]] = (constants[node.inputs[2]] / factor).astype(np.float32)
        factors[node.output] = factor
        nodes.append(replace(node, inputs=tuple(names)))
    return replace(graph, nodes=nodes, constants=constants), factors


def _factors(weight: Array) -> Array:
    """Returns what 1 stands for, for each output; 1 where all weights are 0."""
    largest = np.abs(weight.reshape(len(weight), -1)).max(axis=1)
    return np.where(largest > 0, largest / MOST, 1).astype(np.float32)
