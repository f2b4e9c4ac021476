"""A network as a graph of operators: what every exported file is written from.

The operators are ONNX's, of operator set 17, and mean what its specification says
(https://onnx.ai/onnx/operators). A dimension of a shape that is not known until an image comes,
such as N, is None.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int | None, ...]
Array = NDArray[Any]
IMAGES, LOGITS, PROBABILITIES = "images", "logits", "probabilities"


@dataclass(frozen=True)
class Node:
    """An operator that runs.

    Attributes:
        operator: its name in ONNX.
        inputs: names of values and constants, in ONNX's order.
        output: the name of the value that it gives.
        layer: the layer of the network that it belongs to.
        attributes: as ONNX names them.
    """

    operator: str
    inputs: tuple[str, ...]
    output: str
    layer: str
    attributes: dict[str, Any]


@dataclass
class Graph:
    """A network as operators, in the order in which they run.

    Attributes:
        input: the name of the value that the images are.
        kind: their type, `uint8` or `float32`.
        nodes: the operators.
        constants: weights and other numbers by name.
        shapes: of every value, constants left out.
        layers: for each layer, by its name in the anatomy, the value that it gives.
        outputs: the names of what is answered.
    """

    input: str
    kind: str = "float32"
    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Array] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    layers: dict[str, str] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()

    def add(
        self,
        operator: str,
        inputs: list[str],
        shape: Shape,
        name: str,
        layer: str = "",
        **attributes: Any,
    ) -> str:
        """Adds an operator; returns the name of what it gives, which is unique.

        Args:
            operator: its name in ONNX.
            inputs: names of values and constants.
            shape: of what it gives.
            name: what to call that.
            layer: the layer that it belongs to.
            attributes: as ONNX names them.
        """
        node = Node(operator, tuple(inputs), self.unique(name), layer, attributes)
        return self.put(node, shape)

    def put(self, node: Node, shape: Shape) -> str:
        """Adds an operator whose output has its name; returns that."""
        self.nodes.append(node)
        self.shapes[node.output] = shape
        return node.output

    def constant(self, numbers: Any, name: str) -> str:
        """Adds a constant, an array or what makes one; returns its name, which is unique."""
        array = np.array(numbers, order="C")
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        name = self.unique(name)
        self.constants[name] = array
        return name

    def unique(self, name: str) -> str:
        """Returns a name that nothing else has: `conv`, `conv:2`, ..."""
        free, number = name, 1
        while free in self.shapes or free in self.constants or free in (LOGITS, PROBABILITIES):
            number += 1
            free = f"{name}:{number}"
        return free
