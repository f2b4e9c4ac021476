"""Which pixels the positions of a tensor see, and where in the tensor they lie."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from torch import Tensor

from holmdel.shapes import Pair, ReceptiveField

T = TypeVar("T")
Shape = Sequence[int]


@dataclass(frozen=True)
class Place:
    """Where in a tensor the positions along one axis of the picture lie.

    Attributes:
        dim: the dimension, counted from the end: -1 is the last.
        inner: how many numbers of that dimension belong to one position; above 1 behind a flatten.
    """

    dim: int
    inner: int = 1


@dataclass(frozen=True)
class Seen:
    """What the positions of a tensor see of the picture, along H and W.

    Attributes:
        field: the receptive field of a position.
        count: how many positions there are.
        places: where in the tensor they lie; None for a single one that lies nowhere by itself.
    """

    field: ReceptiveField
    count: Pair
    places: tuple[Place | None, Place | None]

    def alone(self, axis: int, shape: Shape) -> bool:
        """Returns whether the positions have a dimension of the tensor for themselves."""
        place = self.places[axis]
        return place is not None and place.inner == 1 and shape[place.dim] == self.count[axis]

    def at(self, dims: Iterable[int]) -> list[int]:
        """Returns the axes, 0 for H and 1 for W, whose positions lie in one of the dimensions."""
        chosen = set(dims)
        places = enumerate(self.places)
        return [axis for axis, place in places if place is not None and place.dim in chosen]

    def placed(self, axis: int, place: Place | None, count: int | None = None) -> "Seen":
        """Returns this with the positions of one axis elsewhere, or of another number."""
        changed = replace(self, places=put(self.places, axis, place))
        return changed if count is None else replace(changed, count=put(self.count, axis, count))

    def covered(self, axis: int) -> "Seen":
        """Returns this with one position along an axis that sees what all of them saw."""
        kernel = put((1, 1), axis, self.count[axis])
        whole = self.field.through(kernel)
        return replace(self, field=whole, count=put(self.count, axis, 1))

    def moved(self, to: dict[int, int]) -> "Seen | None":
        """Returns this with dimensions renumbered; None if positions' own dimension is gone."""
        seen = self
        for axis, place in enumerate(self.places):
            if place is None:
                continue
            if place.dim in to:
                seen = seen.placed(axis, replace(place, dim=to[place.dim]))
            elif self.count[axis] == 1:
                seen = seen.placed(axis, None)
            else:
                return None
        return seen


def picture(height: int, width: int) -> Seen:
    """Returns what the pixels of a picture (N, C, H, W) see: themselves."""
    return Seen(ReceptiveField(), (height, width), (Place(-2), Place(-1)))


def joined(several: list[Seen]) -> Seen | None:
    """Returns what positions see that are computed from those of several tensors."""
    whole: Seen | None = several[0]
    for other in several[1:]:
        whole = whole and _join(whole, other)
    return whole


def _join(one: Seen, two: Seen) -> Seen | None:
    for axis in (0, 1):
        if one.count[axis] > 1 and two.count[axis] > 1:
            if one.places[axis] != two.places[axis] or one.count[axis] != two.count[axis]:
                return None
        elif one.count[axis] > 1:
            two = _beside(two, one, axis)
        elif two.count[axis] > 1:
            one = _beside(one, two, axis)
    return replace(one, field=one.field.joined(two.field))


def _beside(single: Seen, moving: Seen, axis: int) -> Seen:
    """Returns one position's window as each of many sees it when it moves along with them.

    The last of the many must still hold the window's beginning, the first one its end.
    """
    way = (moving.count[axis] - 1) * moving.field.stride[axis]
    field = ReceptiveField(
        put(single.field.size, axis, single.field.size[axis] + way),
        put(single.field.stride, axis, moving.field.stride[axis]),
        put(single.field.offset, axis, single.field.offset[axis] - way),
    )
    wide = replace(single, field=field)
    return wide.placed(axis, moving.places[axis], moving.count[axis])


def slide(
    seen: Seen, source: Tensor, result: Tensor, windows: dict[int, tuple[int, int, int, int]]
) -> Seen | None:
    """Returns what is seen through kernels that slide along dimensions of a tensor.

    Args:
        seen: what the positions of `source` see.
        source: what they slide over.
        result: what comes out.
        windows: kernel, stride, padding and dilation by dimension.
    """
    for axis in seen.at(windows):
        place = seen.places[axis]
        if place is None or not seen.alone(axis, source.shape):
            if seen.count[axis] > 1:
                return None
            continue
        kernel, stride, padding, dilation = windows[place.dim]
        field = seen.field.through(
            put((1, 1), axis, kernel),
            put((1, 1), axis, stride),
            put((0, 0), axis, padding),
            put((1, 1), axis, dilation),
        )
        seen = replace(seen, field=field, count=put(seen.count, axis, result.shape[place.dim]))
    return seen


def contract(seen: Seen | None, dim: int) -> Seen | None:
    """Returns what is seen by sums over a whole dimension whose place the results take."""
    for axis in seen.at([dim]) if seen else []:
        if seen and seen.count[axis] > 1:
            seen = seen.covered(axis).placed(axis, None)
    return seen


def put(pair: tuple[T, T], axis: int, value: T) -> tuple[T, T]:
    """Returns a pair with one of its values replaced."""
    return (value, pair[1]) if axis == 0 else (pair[0], value)
