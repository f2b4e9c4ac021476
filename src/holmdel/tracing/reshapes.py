"""What moves numbers in a tensor: where the positions of an image lie behind it."""

from dataclasses import replace
from math import prod

from torch import Tensor

from holmdel.tracing.call import Axis, Call
from holmdel.tracing.positions import Place, Positions, from_end, joined, put


def view(before: Positions, call: Call, source: Tensor, result: Tensor) -> Positions | None:
    """Follows positions into a tensor of another shape that holds the same numbers in order."""
    found = before
    for axis, place in enumerate(before.places):
        if place is None:
            continue
        if before.count[axis] == 1:
            keeps = result.ndim == source.ndim and result.shape[place.dim] == 1
            found = found.placed(axis, place if keeps else None)
            continue
        step = place.inner * prod(source.shape[source.ndim + place.dim + 1 :])
        holder = _holding(step, before.count[axis], result)
        if holder is None:
            return None
        found = found.placed(axis, holder)
    return found


def _holding(step: int, count: int, result: Tensor) -> Place | None:
    """Returns the dimension that holds `count` positions which lie `step` numbers apart."""
    behind = 1
    for dim in range(-1, -result.ndim - 1, -1):
        if step % behind == 0 and step * count <= behind * result.shape[dim]:
            return Place(dim, step // behind)
        behind *= result.shape[dim]
    return None


def permute(before: Positions, call: Call, source: Tensor, result: Tensor) -> Positions | None:
    """Follows dimensions to their new order."""
    dims = [from_end(dim, source.ndim) for dim in call.arguments["dims"]]
    return before.moved({old: new - source.ndim for new, old in enumerate(dims)})


def transpose(before: Positions, call: Call, source: Tensor, result: Tensor) -> Positions | None:
    """Swaps two dimensions; those of a matrix where none are given."""
    swapped = (call.arguments.get("dim0", 0), call.arguments.get("dim1", 1))
    one, two = (from_end(dim, source.ndim) for dim in swapped)
    return before.moved({dim: dim for dim in range(-source.ndim, 0)} | {one: two, two: one})


def squeeze(before: Positions, call: Call, source: Tensor, result: Tensor) -> Positions | None:
    """Drops dimensions of one number."""
    given = call.arguments.get("dim", range(source.ndim))
    given = [given] if isinstance(given, int) else given
    asked = {from_end(dim, source.ndim) for dim in given}
    return before.without({dim for dim in asked if source.shape[dim] == 1}, source.ndim)


def unsqueeze(before: Positions, call: Call, source: Tensor, result: Tensor) -> Positions | None:
    """Makes room for a new dimension."""
    new = from_end(call.arguments["dim"], result.ndim)
    return before.moved({d: d if d > new else d - 1 for d in range(-source.ndim, 0)})


def slice_(before: Positions, call: Call, source: Tensor, result: Tensor) -> Positions | None:
    """Takes every n-th position from a first one on, as a kernel of 1 with a stride does."""
    dim = from_end(call.arguments["dim"], source.ndim)
    start = call.arguments["start"] or 0
    start = max(0, start + source.shape[dim] if start < 0 else start)
    return before.slid(source, result, {dim: Axis(1, call.arguments["step"], -start)})


def select(before: Positions, call: Call, source: Tensor, result: Tensor) -> Positions | None:
    """Takes one index of a dimension, which is gone."""
    dim = from_end(call.arguments["dim"], source.ndim)
    index = call.arguments["index"] % source.shape[dim]
    for axis in before.at([dim]):
        if before.count[axis] > 1 and not before.fill(axis, source.shape):
            return None
        field = before.field.through((1, 1), padding=put((0, 0), axis, -index))
        before = replace(before, field=field).placed(axis, None, count=1)
    return before.without({dim}, source.ndim)


def split(before: Positions, call: Call, source: Tensor, result: Tensor) -> Positions | None:
    """Splits maps; positions that are split are not followed."""
    dim = from_end(call.arguments["dim"], source.ndim)
    return None if before.several([dim]) else before


def pad(before: Positions, call: Call, source: Tensor, result: Tensor) -> Positions | None:
    """Moves the first position outwards by the padding before it."""
    starts = call.arguments["pad" if "pad" in call.arguments else "padding"][::2]
    return before.slid(source, result, {-1 - at: Axis(1, 1, n) for at, n in enumerate(starts)})


def pad_detail(call: Call) -> str:
    """Returns a padding in words: `padding 2`, or left, right, top, bottom where they differ."""
    sides = call.arguments["pad"]
    if len(sides) != 4:
        return ""  # of dimensions that are no height and width
    return f"padding {sides[0] if len(set(sides)) == 1 else '/'.join(map(str, sides))}"


def concatenate(
    several: list[tuple[Tensor, Positions]], call: Call, result: Tensor
) -> Positions | None:
    """Joins what maps behind one another see; images side by side are not followed."""
    dim = from_end(call.arguments["dim"], result.ndim)
    for source, before in several:
        if any(before.fill(axis, source.shape) for axis in before.several([dim])):
            return None
    return joined([before for _, before in several])
