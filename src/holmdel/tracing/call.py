"""One call of a PyTorch operator inside a network, its arguments by name."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor
from torch._ops import OpOverload

INPUT = "input"  # what the image is called among the layers


class Axis(NamedTuple):
    """A sliding kernel along one axis: its size, stride, padding and dilation."""

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1


@dataclass(frozen=True)
class Call:
    """A call of a PyTorch operator.

    Attributes:
        operator: what is called.
        name: its name without overload, and without the underscore of what works in place.
        in_place: whether it changes its first argument.
        arguments: its arguments by the names of PyTorch's schema, defaults filled in.
    """

    operator: OpOverload[..., Any]
    name: str
    in_place: bool
    arguments: dict[str, Any]

    @classmethod
    def of(cls, operator: OpOverload[..., Any], args: tuple[Any, ...], kwargs: Any) -> "Call":
        """Returns the call of an operator with these arguments."""
        schema = operator._schema
        arguments = {a.name: a.default_value for a in schema.arguments if a.has_default_value()}
        arguments |= {a.name: value for a, value in zip(schema.arguments, args, strict=False)}
        name = operator.overloadpacket.__name__
        in_place = name.endswith("_") and not name.endswith("__")
        name = name.removesuffix("_") if in_place else name
        return cls(operator, name, in_place, arguments | kwargs)

    def tensors(self) -> list[Tensor]:
        """Returns the tensors among its arguments, in order."""
        return list(tensors_in(list(self.arguments.values())))

    def numbers(self, argument: str, count: int) -> tuple[int, ...]:
        """Returns an argument such as a stride as `count` numbers: 2 and [2] mean (2, 2)."""
        value = self.arguments[argument]
        values = list(value) if isinstance(value, list | tuple) else [value]
        return tuple(values * count if len(values) == 1 else values)

    def axes(self, kernel: Sequence[int]) -> list[Axis]:
        """Returns how a kernel of these sizes slides along each axis."""
        count = len(kernel)
        stride = self.numbers("stride", count) or kernel
        padding = self.numbers("padding", count)
        dilation = self.numbers("dilation", count) if "dilation" in self.arguments else [1] * count
        return [Axis(*row) for row in zip(kernel, stride, padding, dilation, strict=True)]


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Gives the tensors in a value, which may be nested in lists, tuples and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from tensors_in(item)
    elif isinstance(value, dict):
        yield from tensors_in(list(value.values()))
