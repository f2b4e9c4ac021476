"""One operator on its way into C."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from holmdel.errors import UserError
from holmdel.export.c.loops import Shape, literal, place
from holmdel.export.graph import Array, Graph, Node


@dataclass
class Work:
    """One operator on its way into C.

    Attributes:
        node: the operator.
        graph: where it is from.
        sizes: the shape of every value, without N.
        arrays: constants of the C file by name, which grow.
        factors: of operators with int8 weights, by what they give: a number for each output.
    """

    node: Node
    graph: Graph
    sizes: Mapping[str, Shape]
    arrays: dict[str, Array]
    factors: Mapping[str, Array] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The type of its weights in C."""
        weight = self.constant(1)
        return "int8_t" if weight is not None and weight.dtype == np.int8 else "float"

    def times_factor(self, index: str) -> str:
        """Returns what a sum is multiplied by at the end; nothing where weights are float32."""
        factor = self.factors.get(self.node.output)
        return "" if factor is None else f" * {self.weights('factor', factor)}[{index}]"

    @property
    def output(self) -> Shape:
        """The shape of what it gives."""
        return self.sizes[self.node.output]

    def size(self, at: int = 0) -> Shape:
        """Returns the shape of an input, whether value or constant."""
        name = self.node.inputs[at]
        if name in self.sizes:
            return self.sizes[name]
        shape = self.graph.constants[name].shape
        rank = len(self.graph.shapes[self.node.output])
        return shape[1:] if len(shape) == rank else shape

    def constant(self, at: int) -> Array | None:
        """Returns an input that is a constant; None where it is a value or not there."""
        inputs = self.node.inputs
        return self.graph.constants.get(inputs[at]) if at < len(inputs) else None

    def weights(self, suffix: str, numbers: Array) -> str:
        """Adds an array to the file; returns its name."""
        name = f"{identifier(self.node.output)}_{suffix}"
        self.arrays[name] = numbers
        return name

    def operand(self, at: int) -> str:
        """Returns an input in the loops over the output: a number, or a place in an array."""
        numbers = self.constant(at)
        if numbers is None:
            name = "xy"[values_of(self.node, self.sizes).index(self.node.inputs[at])]
            return f"{name}[{place(self.size(at), self.output)}]"
        if numbers.size == 1:
            return literal(float(numbers.reshape(())))
        array = self.weights("weight" if at else "first", numbers)
        return f"{array}[{place(self.size(at), self.output)}]"


def identifier(name: str) -> str:
    """Returns a name of C for a value."""
    text = "".join(c if c.isalnum() and c.isascii() else "_" for c in name)
    return f"layer_{text}" if text[:1].isdigit() else text


def values_of(node: Node, sizes: Mapping[str, Shape]) -> list[str]:
    """Returns the values that an operator takes, each once."""
    return [name for name in dict.fromkeys(node.inputs) if name in sizes]


def only_onnx(work: Work, what: str) -> UserError:
    """Returns the error for what C files do not have; it names the layer."""
    return UserError(f"the layer {work.node.layer} {what}, which C files do not have; ONNX has it")
