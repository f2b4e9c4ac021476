"""Which pixels the positions of a tensor see, and where in the tensor they lie."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from torch import Tensor

from holmdel.shapes import Pair, ReceptiveField
from holmdel.tracing.call import Axis

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Where in a tensor the positions along one axis of the image lie.

    Attributes:
        dim: the dimension, counted from the end: -1 is the last.
        inner: how many numbers of that dimension belong to one position; above 1 behind a flatten.
    """

    dim: int
    inner: int = 1


@dataclass(frozen=True)
class Positions:
    """The positions of a tensor along H and W, and what they see of the image.

    Attributes:
        field: the receptive field of a position.
        count: how many positions there are.
        places: where in the tensor they lie; None for a single one that lies nowhere by itself.
    """

    field: ReceptiveField
    count: Pair
    places: tuple[Place | None, Place | None]

    @classmethod
    def of_image(cls, height: int, width: int) -> "Positions":
        """Returns the pixels of an image (N, C, H, W), each of which sees itself."""
        return cls(ReceptiveField(), (height, width), (Place(-2), Place(-1)))

    def fill(self, axis: int, shape: Sequence[int]) -> bool:
        """Returns whether the positions have a dimension of the tensor for themselves."""
        place = self.places[axis]
        return place is not None and place.inner == 1 and shape[place.dim] == self.count[axis]

    def at(self, dims: Iterable[int]) -> list[int]:
        """Returns the axes, 0 for H and 1 for W, whose positions lie in one of the dimensions."""
        chosen = set(dims)
        places = enumerate(self.places)
        return [axis for axis, place in places if place is not None and place.dim in chosen]

    def several(self, dims: Iterable[int]) -> list[int]:
        """Returns the axes with more than one position, lying in one of the dimensions."""
        return [axis for axis in self.at(dims) if self.count[axis] > 1]

    def placed(self, axis: int, place: Place | None, count: int | None = None) -> "Positions":
        """Returns this with the positions of one axis in another place, or of another number."""
        changed = replace(self, places=put(self.places, axis, place))
        return changed if count is None else replace(changed, count=put(self.count, axis, count))

    def covered(self, axis: int) -> "Positions":
        """Returns this with one position along an axis that sees what all of them saw."""
        whole = self.field.through(put((1, 1), axis, self.count[axis]))
        return replace(self, field=whole, count=put(self.count, axis, 1))

    def moved(self, to: dict[int, int]) -> "Positions | None":
        """Returns this with dimensions renumbered; None if the positions' own dimension is gone."""
        found = self
        for axis, place in enumerate(self.places):
            if place is None:
                continue
            if place.dim in to:
                found = found.placed(axis, replace(place, dim=to[place.dim]))
            elif self.count[axis] == 1:
                found = found.placed(axis, None)
            else:
                return None
        return found

    def without(self, gone: set[int], ndim: int) -> "Positions | None":
        """Returns this where some of `ndim` dimensions, counted from the end, are gone."""
        left = [dim for dim in range(-ndim, 0) if dim not in gone]
        return self.moved({dim: new - len(left) for new, dim in enumerate(left)})

    def slid(self, source: Tensor, result: Tensor, kernels: dict[int, Axis]) -> "Positions | None":
        """Returns the positions of kernels that slide over these.

        Args:
            source: what the kernels slide over.
            result: what comes out.
            kernels: how they slide, by dimension.
        """
        found = self
        for axis in self.at(kernels):
            place = self.places[axis]
            if place is None or not self.fill(axis, source.shape):
                if self.count[axis] > 1:
                    return None
                continue
            kernel = kernels[place.dim]
            pairs = (put((one, one), axis, n) for one, n in zip((1, 1, 0, 1), kernel, strict=True))
            size = put(found.count, axis, result.shape[place.dim])
            found = replace(found, field=found.field.through(*pairs), count=size)
        return found

    def contracted(self, dim: int) -> "Positions":
        """Returns the positions of sums over a whole dimension, whose place the results take."""
        found = self
        for axis in self.several([dim]):
            found = found.covered(axis).placed(axis, None)
        return found


def joined(several: list[Positions]) -> Positions | None:
    """Returns the positions of what is computed from several tensors, place by place."""
    whole: Positions | None = several[0]
    for other in several[1:]:
        whole = whole and _join(whole, other)
    return whole


def _join(one: Positions, two: Positions) -> Positions | None:
    for axis in (0, 1):
        if one.count[axis] > 1 and two.count[axis] > 1:
            if one.places[axis] != two.places[axis] or one.count[axis] != two.count[axis]:
                return None
        elif one.count[axis] > 1:
            two = _beside(two, one, axis)
        elif two.count[axis] > 1:
            one = _beside(one, two, axis)
    return replace(one, field=one.field.joined(two.field))


def _beside(single: Positions, moving: Positions, axis: int) -> Positions:
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


def from_end(dim: int, ndim: int) -> int:
    """Returns a dimension counted from the end, as -1."""
    return dim - ndim if dim >= 0 else dim


def put(pair: tuple[T, T], axis: int, value: T) -> tuple[T, T]:
    """Returns a pair with one of its values replaced."""
    return (value, pair[1]) if axis == 0 else (pair[0], value)
