"""One unit explained: what it sees, what that is multiplied with, what comes out."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from holmdel.anatomy.table import Layer
from holmdel.errors import UserError
from holmdel.insight.activations import Activation, Activations
from holmdel.insight.scaling import plain
from holmdel.tracing.call import INPUT
from holmdel.tracing.modules import unit_of_module
from holmdel.tracing.operators import unit_of
from holmdel.tracing.sums import Index, Sum, Window, same_place


@dataclass(frozen=True)
class Unit:
    """One number of a layer's output, and where it comes from.

    Attributes:
        layer: the layer's row in the anatomy.
        index: (channel, row, column), or (unit,) of a vector.
        value: what the network computed.
        before: the name of the layer that it sees; None where there is not one alone. A dense layer
            behind a flattening sees the maps that were flattened.
        shape: of that layer's output.
        sum: how `value` comes out of it.
        field: the pixels of the image that it depends on; None where that is not known.
    """

    layer: Layer
    index: Index
    value: float
    before: str | None
    shape: tuple[int, ...]
    sum: Sum
    field: Window | None

    @property
    def total(self) -> float:
        """The sum of the products and the bias; for what is no sum, the value itself."""
        total = self.sum.total()
        return self.value if total is None else total

    def to_json(self) -> dict[str, Any]:
        """Returns the unit as JSON takes it; a number that is none is null."""
        parts = self.sum
        return {
            "layer": self.layer.name,
            "kind": self.layer.kind,
            "unit": list(self.index),
            "value": plain(self.value),
            "operation": parts.operation,
            "function": parts.function,
            "before": {
                "layer": self.before,
                "shape": list(self.shape),
                "window": parts.window and parts.window.to_json(),
                "channels": list(parts.channels),
            },
            "field": self.field and self.field.to_json(),
            "patch": plain(parts.patch),
            "kernel": plain(parts.kernel),
            "products": plain(parts.products),
            "argmax": None if parts.argmax is None else list(parts.argmax),
            "bias": plain(parts.bias),
            "sum": plain(self.total),
        }


def explain(seen: Activations, layer: str, unit: tuple[int, ...]) -> Unit:
    """Returns where the value of one unit comes from.

    Args:
        seen: what the network made of an image; see `activations`.
        layer: the name of a layer, as in the anatomy.
        unit: (channel, row, column), or (unit,) of a vector, each counted from 0.

    Raises:
        UserError: if there is no such layer or unit, or the layer is the image.
    """
    activation = seen[layer]
    if layer == INPUT:
        raise UserError("layer was given as 'input'; the image's pixels come out of no layer")
    activation.expect(unit)
    before, shape, found = _placed(seen, activation, unit)
    return Unit(
        layer=activation.layer,
        index=unit,
        value=float(activation.value[unit]),
        before=before,
        shape=shape,
        sum=found,
        field=_field(seen, activation, unit),
    )


def explains(activation: Activation) -> bool:
    """Returns whether `explain` can show how this layer's units come out of its input."""
    if not activation.value.numel():
        return False
    found, _ = _sum(activation, (0,) * activation.value.ndim)
    return found.operation != "other"


def _sum(activation: Activation, unit: Index) -> tuple[Sum, Tensor | None]:
    """Returns how a unit comes out, and the tensor that it comes out of."""
    given = activation.given[0] if len(activation.given) == 1 else None
    if activation.module is not None and given is not None:
        found = unit_of_module(activation.module, given, unit)
        if found:
            return found, given
    calls = activation.calls()
    if calls is not None and len(calls) == 1:
        call, taken = calls[0]
        found = unit_of(call, taken, activation.value, unit)
        if found:
            return found, taken[0]
    if given is None or given.shape != activation.value.shape:
        return Sum("other"), given
    if len(unit) != 3:
        return Sum("other", unit[-1:]), given
    return same_place(unit[:1], unit[1], unit[2]), given


def _placed(
    seen: Activations, activation: Activation, unit: Index
) -> tuple[str | None, tuple[int, ...], Sum]:
    """Returns the layer before, its shape, and how a unit comes out of it.

    Where the layer takes another tensor than that layer's output, as behind a padding that a
    forward() calls, the window is not known.
    """
    if activation.layer.kind == "cat":
        return _joined(seen, activation, unit)
    found, taken = _sum(activation, unit)
    source = _before(seen, activation)
    if source is None or taken is None:
        return None, () if taken is None else tuple(taken.shape), replace(found, window=None)
    if found.operation == "linear":
        while isinstance(source.module, nn.Flatten) and (further := _before(seen, source)):
            source = further
    shape = tuple(source.value.shape)
    same = _same_numbers(taken, source.value)
    if same and found.operation == "linear" and len(shape) == 3:
        return source.name, shape, _over_maps(found, shape)
    if not same or taken.shape != source.value.shape:
        return source.name, tuple(taken.shape), replace(found, window=None)
    return source.name, shape, found


def _before(seen: Activations, activation: Activation) -> Activation | None:
    """Returns the one layer before; None where there are several, or none."""
    names = activation.layer.inputs
    return seen.get(names[0]) if len(names) == 1 else None


def _same_numbers(one: Tensor, two: Tensor) -> bool:
    """Returns whether two tensors hold the same numbers in the same order."""
    if one.numel() != two.numel():
        return False
    if one.data_ptr() == two.data_ptr() and one.stride() == two.stride():
        return True  # the same tensor: large ones are not gone through
    return torch.allclose(one.flatten(), two.flatten(), rtol=0, atol=0, equal_nan=True)


def _over_maps(found: Sum, shape: tuple[int, ...]) -> Sum:
    """Returns a sum over a vector as one over the maps that were flattened."""
    if found.patch is None or found.kernel is None:
        return found
    return replace(
        found,
        channels=tuple(range(shape[0])),
        window=Window(0, 0, shape[1], shape[2]),
        patch=found.patch.reshape(shape),
        kernel=found.kernel.reshape(shape),
    )


def _joined(
    seen: Activations, activation: Activation, unit: Index
) -> tuple[str | None, tuple[int, ...], Sum]:
    """Returns the layer of several laid behind one another that holds a unit's map."""
    sources = [seen[name].value for name in activation.layer.inputs if seen.get(name)]
    behind = 0
    if len(unit) == 3 and all(source.ndim == 3 for source in sources):
        for name, source in zip(activation.layer.inputs, sources, strict=False):
            channel = unit[0] - behind
            behind += len(source)
            if 0 <= channel < len(source) and _is_part(source, activation.value, behind):
                return name, tuple(source.shape), same_place([channel], unit[1], unit[2])
    return None, (), Sum("other")


def _is_part(source: Tensor, whole: Tensor, end: int) -> bool:
    """Returns whether maps are those of `whole` that end before map `end`."""
    part = whole[end - len(source) : end]
    return part.shape == source.shape and _same_numbers(part, source)


def _field(seen: Activations, activation: Activation, unit: Index) -> Window | None:
    """Returns the pixels of the image that a unit depends on; None where that is not known."""
    field = activation.layer.receptive_field
    position = _position(seen, activation, unit)
    if field is None or position is None:
        return None
    top, left = (
        offset + at * stride
        for offset, at, stride in zip(field.offset, position, field.stride, strict=True)
    )
    return Window(top, left, *field.size)


def _position(seen: Activations, activation: Activation, unit: Index) -> tuple[int, ...] | None:
    """Returns row and column of a unit; of one in a vector, those of the maps it was made of."""
    if len(unit) != 1:
        return unit[1:] if len(unit) == 3 else None
    before, _, found = _placed(seen, activation, unit)
    if found.operation in ("activation", "other") and before is not None:
        if found.window:
            return found.window.top, found.window.left
        source = seen[before]
        if source.value.numel() == activation.value.numel():
            place = torch.unravel_index(torch.tensor(unit[0]), source.value.shape)
            return _position(seen, source, tuple(map(int, place)))
    return 0, 0
