"""Arithmetic written as operators of ONNX: values that are added, compared and sorted by a file.

    with sheet() as written:
        x = given("x", np.float32)
        y = where(x > 0.5, x * 2, 0)

writes a comparison, a product and a choice. Numbers beside values become constants of their type.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike
from onnx import NodeProto, TensorProto, helper, numpy_helper

Number: TypeAlias = "Expr | float | int | bool"
_PREFIX = "framing"


class Sheet:
    """Operators in the order in which they run.

    Attributes:
        nodes: they.
        constants: numbers that they take, of the outermost sheet.
        names: how many values there are.
    """

    def __init__(self, outer: "Sheet | None" = None) -> None:
        self.nodes: list[NodeProto] = []
        self.top: Sheet = self if outer is None else outer.top
        self.constants: dict[tuple[str, tuple[int, ...], bytes], TensorProto] = {}
        self.names = 0

    def name(self) -> str:
        """Returns a name that no other value has."""
        self.top.names += 1
        return f"{_PREFIX}/{self.top.names}"

    def constant(self, array: np.ndarray[Any, Any]) -> str:
        """Returns the name of a constant."""
        kept = self.top.constants
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in kept:
            kept[key] = numpy_helper.from_array(array, self.name())
        return str(kept[key].name)


_SHEET: ContextVar[Sheet] = ContextVar("sheet")


@contextmanager
def sheet(outer: Sheet | None = None) -> Iterator[Sheet]:
    """Gives a sheet on which all that follows is written."""
    written = Sheet(outer)
    token = _SHEET.set(written)
    try:
        yield written
    finally:
        _SHEET.reset(token)


class Expr:
    """A value of a file: a tensor, or a number, which is a tensor without dimensions."""

    def __init__(self, name: str, dtype: DTypeLike) -> None:
        self.name = name
        self.dtype = np.dtype(dtype)

    def __add__(self, other: Number) -> "Expr":
        return two("Add", self, other)

    def __radd__(self, other: Number) -> "Expr":
        return two("Add", other, self)

    def __sub__(self, other: Number) -> "Expr":
        return two("Sub", self, other)

    def __rsub__(self, other: Number) -> "Expr":
        return two("Sub", other, self)

    def __mul__(self, other: Number) -> "Expr":
        return two("Mul", self, other)

    def __rmul__(self, other: Number) -> "Expr":
        return two("Mul", other, self)

    def __truediv__(self, other: Number) -> "Expr":
        return two("Div", self, other)

    def __rtruediv__(self, other: Number) -> "Expr":
        return two("Div", other, self)

    def __floordiv__(self, other: Number) -> "Expr":
        """Whole numbers that are not negative, of which ONNX's division leaves the rest away."""
        return two("Div", self, other)

    def __mod__(self, other: Number) -> "Expr":
        return two("Mod", self, other)

    def __neg__(self) -> "Expr":
        return op("Neg", self)

    def __gt__(self, other: Number) -> "Expr":
        return two("Greater", self, other, np.bool_)

    def __ge__(self, other: Number) -> "Expr":
        return two("GreaterOrEqual", self, other, np.bool_)

    def __lt__(self, other: Number) -> "Expr":
        return two("Less", self, other, np.bool_)

    def __le__(self, other: Number) -> "Expr":
        return two("LessOrEqual", self, other, np.bool_)

    def __and__(self, other: "Expr") -> "Expr":
        return op("And", self, other)

    def __or__(self, other: "Expr") -> "Expr":
        return op("Or", self, other)

    def __invert__(self) -> "Expr":
        return op("Not", self)

    def __getitem__(self, at: "int | Expr") -> "Expr":
        """Returns a part along the first dimension; of a list of places several."""
        places = at if isinstance(at, Expr) else number(at, np.int64)
        return op("Gather", self, places, axis=0)

    def to(self, dtype: DTypeLike) -> "Expr":
        """Returns the numbers as another type."""
        wanted = np.dtype(dtype)
        if wanted == self.dtype:
            return self
        return op("Cast", self, dtype=wanted, to=helper.np_dtype_to_tensor_dtype(wanted))


def given(name: str, dtype: DTypeLike) -> Expr:
    """Returns a value that the file is given."""
    return Expr(name, dtype)


def op(
    operator: str, *inputs: "Expr | None", dtype: DTypeLike | None = None, **attributes: Any
) -> Expr:
    """Writes an operator of one result, which has the type of its first input if none is said."""
    return ops(operator, inputs, (dtype,), **attributes)[0]


def ops(
    operator: str,
    inputs: Sequence[Expr | None],
    dtypes: Sequence[DTypeLike | None],
    **attributes: Any,
) -> list[Expr]:
    """Writes an operator of several results."""
    on = _SHEET.get()
    first = next(one for one in inputs if one is not None)
    results = [Expr(on.name(), first.dtype if kind is None else kind) for kind in dtypes]
    names = ["" if one is None else one.name for one in inputs]
    outputs = [one.name for one in results]
    on.nodes.append(helper.make_node(operator, names, outputs, outputs[0] + ".node", **attributes))
    return results


def named(value: Expr, name: str) -> Expr:
    """Gives a value a name of its own."""
    node = helper.make_node("Identity", [value.name], [name], f"{name}.node")
    _SHEET.get().nodes.append(node)
    return Expr(name, value.dtype)


def number(value: Any, dtype: DTypeLike) -> Expr:
    """Returns a constant: a number, or an array."""
    array = np.asarray(value, dtype)
    return Expr(_SHEET.get().constant(array), array.dtype)


def alike(one: Number, other: Number) -> list[Expr]:
    """Returns two values, of which one may be a number, which gets the type of the other."""
    kind = next(side.dtype for side in (one, other) if isinstance(side, Expr))
    return [side if isinstance(side, Expr) else number(side, kind) for side in (one, other)]


def two(operator: str, one: Number, other: Number, dtype: DTypeLike | None = None) -> Expr:
    """Writes an operator of two values, of which one may be a number."""
    return op(operator, *alike(one, other), dtype=dtype)


def when(
    test: Expr, then: Callable[[], Sequence[Expr]], otherwise: Callable[[], Sequence[Expr]]
) -> list[Expr]:
    """Returns what one of two gives; the other is not computed."""
    branches, kinds = {}, []
    for key, write in (("then_branch", then), ("else_branch", otherwise)):
        with sheet(_SHEET.get()) as inner:
            results = [op("Identity", one) for one in write()]
        kinds = [one.dtype for one in results]
        branches[key] = helper.make_graph(inner.nodes, key, [], [_told(one) for one in results])
    return ops("If", (test,), kinds, **branches)


def repeated(
    count: Expr | None,
    begin: Sequence[Expr],
    step: Callable[..., tuple[Expr | None, Sequence[Expr]]],
) -> list[Expr]:
    """Returns what values become by a step that is repeated.

    Args:
        count: how often; None for as often as the step asks for.
        begin: the values before.
        step: takes the number of the step from 0, and the values; gives whether to go on, None
            for yes, and the values behind it.
    """
    with sheet(_SHEET.get()) as inner:
        at, going = Expr(inner.name(), np.int64), Expr(inner.name(), np.bool_)
        taken = [Expr(inner.name(), one.dtype) for one in begin]
        further, results = step(at, *taken)
        further = op("Identity", going if further is None else further)
        results = [op("Identity", one) for one in results]
    body = helper.make_graph(
        inner.nodes,
        "body",
        [_told(at, []), _told(going, []), *map(_told, taken)],
        [_told(further, []), *map(_told, results)],
    )
    start = number(True, np.bool_)
    kinds = [one.dtype for one in begin]
    return ops("Loop", (count, start, *begin), kinds, body=body)


def _told(value: Expr, shape: list[int] | None = None) -> Any:
    kind = helper.np_dtype_to_tensor_dtype(value.dtype)
    return helper.make_tensor_value_info(value.name, kind, shape)
