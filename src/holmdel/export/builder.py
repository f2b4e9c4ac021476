"""What the operators' translations share: names, constants, an operator added for a step."""

from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.export.graph import Graph, Shape
from holmdel.export.steps import Step, Value


def refuse(step: Step, what: str) -> UserError:
    """Returns the error for a step that no file can hold."""
    return UserError(f"the layer {step.layer} {what}, which cannot be exported")


class Builder:
    """A graph that grows step by step.

    Attributes:
        graph: what there is of it.
        names: the graph's name of every value of the steps.
    """

    def __init__(self, graph: Graph, names: dict[str, str]) -> None:
        self.graph = graph
        self.names = names

    def name(self, value: Any) -> str:
        """Returns the graph's name of a value."""
        if value.name not in self.names:
            raise UserError(f"{value.name} is used in a way that cannot be exported")
        return self.names[value.name]

    def taken(self, value: Any, step: Step, name: str) -> str:
        """Returns the graph's name of a value, or of a constant made of a tensor or number."""
        if isinstance(value, Value):
            return self.name(value)
        return self.constant(value, step, name)

    def constant(self, value: Any, step: Step, name: str) -> str:
        """Adds a constant that a step needs; returns its name."""
        numbers = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
        array = np.asarray(numbers)
        if array.dtype.kind == "f" or not isinstance(value, Tensor | np.ndarray):
            array = array.astype(np.float32)
        if array.dtype != np.float32:
            raise refuse(step, f"takes a tensor of {array.dtype}")
        return self.graph.constant(array, f"{step.layer}.{name}")

    def add(
        self,
        operator: str,
        inputs: list[str],
        step: Step,
        attributes: dict[str, Any] | None = None,
        shape: Shape | None = None,
    ) -> str:
        """Adds an operator; its result has the shape of the step's first output if none is said."""
        shape = step.outputs[0].shape if shape is None else shape
        return self.graph.add(
            operator, inputs, shape, step.layer, layer=step.layer, **(attributes or {})
        )

    def with_number(
        self, operator: str, name: str, number: float, step: Step, shape: Shape | None = None
    ) -> str:
        """Adds an operator of a value and a number."""
        return self.add(operator, [name, self.constant(number, step, "number")], step, shape=shape)

    def pad(
        self,
        name: str,
        shape: Shape,
        starts: list[int],
        ends: list[int],
        value: float,
        step: Step,
        mode: str = "constant",
    ) -> str:
        """Adds padding of the last dimensions; `shape` is the result's."""
        rest = [0] * (len(shape) - len(starts))
        pads = self.graph.constant(
            np.array([*rest, *starts, *rest, *ends], np.int64), f"{step.layer}.pads"
        )
        inputs = [name, pads, self.constant(value, step, "fill")]
        return self.add("Pad", inputs, step, {"mode": mode}, shape)

    def means(self, size: int, wanted: int, step: Step) -> str:
        """Adds the matrix (wanted, size) of an adaptive pooling's means; returns its name."""
        eye = torch.eye(size)[None]
        return self.constant(
            torch.nn.functional.adaptive_avg_pool1d(eye, wanted)[0].T, step, "rows"
        )

    def reshape(self, name: str, shape: Shape, step: Step) -> str:
        """Adds a reshape; N stays what it was, and one more dimension may vary."""
        target = [(0 if at == 0 else -1) if n is None else n for at, n in enumerate(shape)]
        if target.count(-1) > 1:
            raise refuse(step, "reshapes what varies in two dimensions")
        where = self.graph.constant(np.array(target, np.int64), f"{step.layer}.shape")
        return self.add("Reshape", [name, where], step, shape=shape)


ROOT_HALF = sqrt(0.5)
