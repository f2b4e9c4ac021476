"""How a unit's value comes out of what its layer takes: a sum, a mean, the largest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from holmdel.tracing.call import Axis

Index = tuple[int, ...]


@dataclass(frozen=True)
class Window:
    """A window of maps or of the image; it may hang over the edge."""

    top: int
    left: int
    height: int
    width: int

    def to_json(self) -> dict[str, int]:
        """Returns the window as JSON takes it."""
        return vars(self).copy()


@dataclass(frozen=True)
class Sum:
    """How one unit's value comes out of what its layer takes.

    Attributes:
        operation: `convolution`, `linear`, `average`, `maximum`, `activation` or `other`.
        channels: the maps that it sees; of a vector, the units.
        window: where it looks in those maps; None in a vector, or where that is not known.
        patch: what it sees there, zeros in the padding; None where that is not known.
        kernel: what the patch is multiplied with, of its shape; None where nothing is.
        bias: added to the products; None where there is none.
        function: of an activation, such as `sigmoid`.
        argmax: of a maximum, where it lies in the patch.
    """

    operation: str
    channels: tuple[int, ...] = ()
    window: Window | None = None
    patch: Tensor | None = None
    kernel: Tensor | None = None
    bias: float | None = None
    function: str | None = None
    argmax: tuple[int, ...] | None = None

    @property
    def products(self) -> Tensor | None:
        """The patch times the kernel, of the same shape; None without a kernel."""
        if self.patch is None or self.kernel is None:
            return None
        return self.patch * self.kernel

    def total(self) -> float | None:
        """Returns the sum of the products and the bias, rounded once; None without products."""
        if (products := self.products) is None:
            return None
        terms = [*products.flatten().tolist(), self.bias or 0.0]
        return math.fsum(terms) if all(map(math.isfinite, terms)) else sum(terms)


@dataclass(frozen=True)
class Taps:
    """The positions that a kernel takes its numbers from, along one axis.

    Attributes:
        first: of the first, negative in the padding.
        count: how many.
        apart: from one to the next.
    """

    first: int
    count: int
    apart: int = 1

    @classmethod
    def of(cls, axis: Axis, at: int) -> "Taps":
        """Returns the taps of output `at` of a sliding kernel."""
        return cls(at * axis.stride - axis.padding, axis.kernel, axis.dilation)

    @property
    def length(self) -> int:
        """From the first to the last, both counted."""
        return (self.count - 1) * self.apart + 1

    def within(self, size: int) -> int:
        """Returns how many of them lie in 0..size-1."""
        return sum(0 <= at < size for at in self._all())

    def _all(self) -> range:
        return range(self.first, self.first + self.count * self.apart, self.apart)

    def indices(self, size: int) -> tuple[Tensor, Tensor]:
        """Returns (indices in 0..size-1, whether each lies within)."""
        at = torch.tensor(self._all())
        return at.clamp(0, size - 1), (at >= 0) & (at < size)


def cut(
    maps: Tensor, channels: Sequence[int], rows: Taps, columns: Taps, outside: float = 0.0
) -> Tensor:
    """Returns what a kernel sees: (len(channels), rows.count, columns.count).

    Args:
        maps: (C, H, W).
        channels: which maps.
        rows: where along H.
        columns: where along W.
        outside: what is seen beside the maps.
    """
    row, row_in = rows.indices(maps.shape[1])
    column, column_in = columns.indices(maps.shape[2])
    patch = maps[list(channels)][:, row][:, :, column]
    inside = row_in[:, None] & column_in[None, :]
    return torch.where(inside.to(maps.device), patch, outside)


def window_of(rows: Taps, columns: Taps) -> Window:
    """Returns the window that a kernel spans."""
    return Window(rows.first, columns.first, rows.length, columns.length)


def same_place(channels: Sequence[int], row: int, column: int) -> Sum:
    """Returns what is made of maps at one place, in a way that is no sum."""
    return Sum("other", tuple(channels), Window(row, column, 1, 1))


def weighted(
    operation: str,
    given: Tensor,
    channels: Sequence[int],
    taps: tuple[Taps, Taps],
    kernel: Tensor | float,
    bias: float | None = None,
) -> Sum:
    """Returns the sum of what a kernel sees, times the kernel or one factor for all.

    Args:
        operation: see `Sum`.
        given: (C, H, W), the maps that the kernel slides over.
        channels: which of them it sees.
        taps: where, along H and W.
        kernel: (len(channels), taps along H, taps along W), or a factor.
        bias: what is added.
    """
    patch = cut(given, channels, *taps)
    factors = kernel if isinstance(kernel, Tensor) else torch.full_like(patch, kernel)
    return Sum(operation, tuple(channels), window_of(*taps), patch, factors, bias)


def mean_of(given: Tensor, unit: Index, taps: tuple[Taps, Taps]) -> Sum:
    """Returns the mean of a window of a unit's map."""
    return weighted("average", given, unit[:1], taps, 1 / (taps[0].count * taps[1].count))


def activated(name: str, given: Tensor, unit: Index) -> Sum:
    """Returns how a unit comes out of a function of the same unit of the layer before."""
    if given.ndim != 3:
        return Sum("activation", unit[-1:], patch=given[unit].reshape(1), function=name)
    channel, row, column = unit
    patch = given[channel, row, column].reshape(1, 1, 1)
    return Sum("activation", (channel,), Window(row, column, 1, 1), patch, function=name)
