"""What each PyTorch operator does to receptive fields."""

from collections.abc import Callable
from dataclasses import replace
from math import prod

from torch import Tag, Tensor

from holmdel.anatomy.calls import Call
from holmdel.anatomy.kinds import ACTIVATIONS
from holmdel.anatomy.windows import Place, Seen, Shape, contract, joined, put, slide


def followed(call: Call, sources: list[tuple[Tensor, Seen | None]], result: Tensor) -> Seen | None:
    """Returns what the positions of a call's result see; None where that is not known.

    Args:
        call: what was called.
        sources: the tensors among its arguments that come from the picture.
        result: what it gave.
    """
    known = [(tensor, seen) for tensor, seen in sources if seen is not None]
    if len(known) < len(sources):
        return None
    if Tag.pointwise in call.operator.tags or call.name in _POINTWISE:
        return joined([seen for _, seen in known])
    if call.name == "cat":
        return _cat(known, call, result)
    (source, seen), *others = known
    if not others and call.name in _RULES:
        return _RULES[call.name](seen, call, source, result)
    whole = joined([seen for _, seen in known])
    return whole if whole and whole.count == (1, 1) else None


def _convolution(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    spatial = source.ndim - 2
    kernel = call.arguments["weight"].shape[2:]
    stride, padding, dilation = (
        call.numbers(name, spatial) for name in ("stride", "padding", "dilation")
    )
    if call.arguments["transposed"]:
        if any(step > 1 for step in stride):
            return None  # windows begin at no multiple of a whole stride
        padding = tuple(d * (k - 1) - p for k, p, d in zip(kernel, padding, dilation, strict=True))
    rows = zip(range(-spatial, 0), kernel, stride, padding, dilation, strict=True)
    return contract(
        slide(seen, source, result, {dim: (k, s, p, d) for dim, k, s, p, d in rows}),
        -spatial - 1,
    )


def _pool(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    spatial = 3 if "3d" in call.name else 2
    kernel = call.numbers("kernel_size", spatial)
    stride = call.numbers("stride", spatial) or kernel
    padding = call.numbers("padding", spatial)
    dilation = call.numbers("dilation", spatial) if "dilation" in call.arguments else (1,) * spatial
    rows = zip(range(-spatial, 0), kernel, stride, padding, dilation, strict=True)
    return slide(seen, source, result, {dim: (k, s, p, d) for dim, k, s, p, d in rows})


def _adaptive(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    windows = {}
    for dim in (-2, -1):
        size, wanted = source.shape[dim], result.shape[dim]
        if size % wanted:
            return None  # windows of several sizes
        windows[dim] = (size // wanted, size // wanted, 0, 1)
    return slide(seen, source, result, windows)


def _reduced(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    given = call.arguments.get("dim")
    given = [given] if isinstance(given, int) else given
    dims = {_from_end(dim, source.ndim) for dim in given or range(source.ndim)}
    keep = result.ndim == source.ndim
    for axis in seen.at(dims):
        place = seen.places[axis]
        seen = seen.covered(axis).placed(axis, place if keep else None)
    if keep:
        return seen
    left = [dim for dim in range(-source.ndim, 0) if dim not in dims]
    return seen.moved({dim: new - len(left) for new, dim in enumerate(left)})


def _softmax(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    axes = seen.at([_from_end(call.arguments["dim"], source.ndim)])
    return None if any(seen.count[axis] > 1 for axis in axes) else seen


def _product(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    first = call.arguments["mat1"] if "mat1" in call.arguments else call.arguments["self"]
    return contract(seen, -1 if first is source else -2)


def _view(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    """Follows positions into a tensor of another shape that holds the same numbers in order."""
    new = seen
    for axis, place in enumerate(seen.places):
        if place is None:
            continue
        if seen.count[axis] == 1:
            keeps = result.ndim == source.ndim and result.shape[place.dim] == 1
            new = new.placed(axis, place if keeps else None)
            continue
        step = place.inner * prod(source.shape[source.ndim + place.dim + 1 :])
        found = _holding(step, seen.count[axis], result.shape)
        if found is None:
            return None
        new = new.placed(axis, found)
    return new


def _holding(step: int, count: int, shape: Shape) -> Place | None:
    """Returns the dimension that holds `count` positions which lie `step` numbers apart."""
    behind = 1
    for dim in range(-1, -len(shape) - 1, -1):
        if step % behind == 0 and step * count <= behind * shape[dim]:
            return Place(dim, step // behind)
        behind *= shape[dim]
    return None


def _permute(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    dims = [_from_end(dim, source.ndim) for dim in call.arguments["dims"]]
    return seen.moved({old: new - source.ndim for new, old in enumerate(dims)})


def _transpose(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    swapped = (call.arguments.get("dim0", 0), call.arguments.get("dim1", 1))
    one, two = (_from_end(dim, source.ndim) for dim in swapped)
    return seen.moved({dim: dim for dim in range(-source.ndim, 0)} | {one: two, two: one})


def _squeeze(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    given = call.arguments.get("dim", range(source.ndim))
    given = [given] if isinstance(given, int) else given
    asked = {_from_end(dim, source.ndim) for dim in given}
    left = [d for d in range(-source.ndim, 0) if d not in asked or source.shape[d] != 1]
    return seen.moved({dim: new - len(left) for new, dim in enumerate(left)})


def _unsqueeze(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    new = _from_end(call.arguments["dim"], result.ndim)
    return seen.moved({d: d if d > new else d - 1 for d in range(-source.ndim, 0)})


def _slice(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    dim = _from_end(call.arguments["dim"], source.ndim)
    start = call.arguments["start"] or 0
    start = max(0, start + source.shape[dim] if start < 0 else start)
    step = call.arguments["step"]
    return slide(seen, source, result, {dim: (1, step, -start, 1)})


def _select(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    dim = _from_end(call.arguments["dim"], source.ndim)
    index = call.arguments["index"] % source.shape[dim]
    for axis in seen.at([dim]):
        if seen.count[axis] > 1 and not seen.alone(axis, source.shape):
            return None
        field = seen.field.through((1, 1), padding=put((0, 0), axis, -index))
        seen = replace(seen, field=field).placed(axis, None, count=1)
    return seen.moved({d: d + (d < dim) for d in range(-source.ndim, 0) if d != dim})


def _split(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    dim = _from_end(call.arguments["dim"], source.ndim)
    return None if any(seen.count[axis] > 1 for axis in seen.at([dim])) else seen


def _pad(seen: Seen, call: Call, source: Tensor, result: Tensor) -> Seen | None:
    before = call.arguments["pad" if "pad" in call.arguments else "padding"][::2]
    windows = {-1 - at: (1, 1, left, 1) for at, left in enumerate(before)}
    return slide(seen, source, result, windows)


def _cat(known: list[tuple[Tensor, Seen]], call: Call, result: Tensor) -> Seen | None:
    dim = _from_end(call.arguments["dim"], result.ndim)
    for source, seen in known:
        if any(seen.count[axis] > 1 and seen.alone(axis, source.shape) for axis in seen.at([dim])):
            return None  # two pictures side by side
    return joined([seen for _, seen in known])


def _from_end(dim: int, ndim: int) -> int:
    return dim - ndim if dim >= 0 else dim


Rule = Callable[[Seen, Call, Tensor, Tensor], Seen | None]
_RULES: dict[str, Rule] = {
    "convolution": _convolution,
    **dict.fromkeys(("max_pool2d_with_indices", "avg_pool2d"), _pool),
    **dict.fromkeys(("max_pool3d_with_indices", "avg_pool3d"), _pool),
    **dict.fromkeys(("_adaptive_avg_pool2d", "adaptive_max_pool2d"), _adaptive),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "max", "min"), _reduced),
    **dict.fromkeys(("mm", "addmm", "bmm"), _product),
    **dict.fromkeys(("view", "_unsafe_view", "reshape"), _view),
    "permute": _permute,
    **dict.fromkeys(("transpose", "t"), _transpose),
    "squeeze": _squeeze,
    "unsqueeze": _unsqueeze,
    "slice": _slice,
    "select": _select,
    **dict.fromkeys(("split", "split_with_sizes"), _split),
    **dict.fromkeys(("constant_pad_nd", "reflection_pad2d", "replication_pad2d"), _pad),
    **dict.fromkeys(("_softmax", "_log_softmax"), _softmax),
}
# What works at each position by itself though PyTorch does not call it pointwise. Normalisations
# count as such: their statistics are no window.
_POINTWISE = {
    *("clone", "_to_copy", "detach", "alias", "lift_fresh", "contiguous", "expand", "view_as"),
    *("native_batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"),
    *("native_group_norm", "native_layer_norm", "_prelu_kernel", "native_dropout"),
    *ACTIVATIONS,
}
