"""The operator table: for each PyTorch operator its name, sizes, MACs, receptive field and units.

MACs are weights x output positions, connections (weights + bias) x output positions. A transposed
convolution has its weights at every *input* position. What is not in the table goes to PyTorch,
which knows the shape of every result; its answers on the meta device load its compiler and sympy,
a second and 80 MB.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tag, Tensor

from holmdel.tracing import dense, reshapes, windowed
from holmdel.tracing.call import Call
from holmdel.tracing.positions import Positions, joined
from holmdel.tracing.sums import Index, Sum

Sources = list[tuple[Tensor, Positions]]


@dataclass(frozen=True)
class Counts:
    """Connections and MACs of a layer; None where they are not known."""

    connections: int | None
    macs: int | None

    def __add__(self, other: "Counts") -> "Counts":
        """Returns the sums; None where one part is not known."""
        if None in (self.connections, self.macs, other.connections, other.macs):
            return UNKNOWN
        return Counts(self.connections + other.connections, self.macs + other.macs)  # type: ignore[operator]


NONE = Counts(0, 0)
UNKNOWN = Counts(None, None)


class Operator(NamedTuple):
    """What is known of an operator; None is what holds for an operator that is not in the table.

    Attributes:
        kind: the name of the layer that it is where a forward() calls it, or what gives the name;
            None: it is a layer only with parameters.
        join: its name where it takes several tensors that come from the image.
        detail: gives its kernel in words.
        result: gives what a call gives, on the meta device, or None; None: PyTorch is asked.
        macs: gives the MACs, and whether there is a bias, from a call, the names of its arguments
            that are parameters, and its result; None: not known with parameters.
        positions: gives the positions behind it, of one tensor.
        merge: gives them, of any number of tensors; None: place by place if PyTorch says so.
        unit: gives how one number comes out of the one tensor that comes from the image.
        moves: whether it gives the numbers that it takes, so that nothing is computed.
    """

    kind: str | Callable[[Call], str] | None = None
    join: str | None = None
    detail: Callable[[Call], str] | None = None
    result: Callable[[Call], Any] | None = None
    macs: Callable[[Call, set[str], Tensor], tuple[int, bool]] | None = None
    positions: Callable[[Positions, Call, Tensor, Tensor], Positions | None] | None = None
    merge: Callable[[Sources, Call, Tensor], Positions | None] | None = None
    unit: Callable[[Call, Tensor, Tensor, Index], Sum | None] | None = None
    moves: bool = False


def _pointwise(sources: Sources, call: Call, result: Tensor) -> Positions | None:
    """Joins positions place by place; a normalisation's statistics are no window."""
    return joined([positions for _, positions in sources])


def _activation(kind: str) -> Operator:
    return Operator(kind, result=dense.pointwise_result, merge=_pointwise, unit=dense.function_unit)


def _norm(kind: str, result: Callable[[Call], Any] | None = dense.norm_result) -> Operator:
    return Operator(kind, result=result, macs=dense.norm_macs, merge=_pointwise)


def _join(kind: str, macs: Callable[..., tuple[int, bool]]) -> Operator:
    return Operator(join=kind, result=dense.pointwise_result, macs=macs)


_AVERAGE = Operator(
    "avg_pool2d",
    detail=windowed.pool_detail,
    result=windowed.pool_result,
    positions=windowed.pool_positions,
    unit=windowed.average_unit,
)
_MAXIMUM = _AVERAGE._replace(kind="max_pool2d", unit=windowed.maximum_unit)
_LINEAR = Operator(
    "linear",
    result=dense.product_result,
    macs=dense.linear_macs,
    positions=dense.product_positions,
    unit=dense.linear_unit,
)
_MEAN = Operator(result=dense.mean_result, positions=dense.mean_positions)
_SOFTMAX = Operator("softmax", result=dense.same_result, positions=dense.softmax_positions)
_VIEW = Operator(positions=reshapes.view, moves=True)
_TRANSPOSE = Operator(positions=reshapes.transpose, moves=True)
_PAD = Operator(positions=reshapes.pad)
_SAME = Operator(merge=_pointwise)
_FUNCTION = Operator(result=dense.pointwise_result)
_ACTIVATIONS = (
    *("relu", "sigmoid", "tanh", "gelu", "silu", "hardtanh", "leaky_relu", "elu", "hardswish"),
    *("hardsigmoid", "softplus", "mish"),
)
_FUNCTIONS = ("neg", "square", "sqrt", "rsqrt", "exp", "reciprocal", "pow", "clamp", "clamp_min")

OPERATORS: dict[str, Operator] = {
    "convolution": Operator(
        windowed.conv_kind,
        detail=windowed.conv_detail,
        result=windowed.conv_result,
        macs=windowed.conv_macs,
        positions=windowed.conv_positions,
        unit=windowed.conv_unit,
    ),
    "avg_pool2d": _AVERAGE,
    "avg_pool3d": _AVERAGE._replace(kind="avg_pool3d", detail=None, unit=None),
    "max_pool2d_with_indices": _MAXIMUM,
    "max_pool3d_with_indices": _MAXIMUM._replace(kind="max_pool3d", detail=None, unit=None),
    "_adaptive_avg_pool2d": Operator(
        "adaptive_avg_pool2d",
        result=windowed.adaptive_result,
        positions=windowed.adaptive_positions,
        unit=windowed.adaptive_average_unit,
    ),
    "adaptive_max_pool2d": Operator(
        "adaptive_max_pool2d",
        positions=windowed.adaptive_positions,
        unit=windowed.adaptive_maximum_unit,
    ),
    "addmm": _LINEAR,
    "mm": _LINEAR._replace(join="matmul", macs=dense.product_macs),
    "bmm": Operator(join="matmul", macs=dense.product_macs, positions=dense.product_positions),
    "native_batch_norm": _norm("batch_norm", dense.batch_norm_result),
    "_native_batch_norm_legit_no_training": _norm("batch_norm", None),
    "cudnn_batch_norm": _norm("batch_norm", None),
    "native_group_norm": _norm("group_norm"),
    "native_layer_norm": _norm("layer_norm"),
    "mean": _MEAN._replace(kind="mean", unit=dense.mean_unit),
    "sum": _MEAN,
    "amax": Operator("amax", positions=dense.mean_positions),
    **dict.fromkeys(("amin", "max", "min"), Operator(positions=dense.mean_positions)),
    "_softmax": _SOFTMAX,
    "_log_softmax": _SOFTMAX._replace(kind="log_softmax"),
    **{name: _activation(name) for name in _ACTIVATIONS},
    "_prelu_kernel": _activation("prelu")._replace(macs=dense.factor_macs, unit=None),
    "add": _join("add", dense.bias_macs),
    "sub": _join("sub", dense.bias_macs),
    "mul": _join("mul", dense.factor_macs),
    "div": _join("div", dense.factor_macs),
    **dict.fromkeys(_FUNCTIONS, _FUNCTION),
    "cat": Operator("cat", result=dense.cat_result, macs=dense.no_macs, merge=reshapes.concatenate),
    "stack": Operator(join="stack", macs=dense.no_macs),
    "index": Operator(result=dense.index_result),
    "index_put": Operator(result=dense.same_result),
    "clone": Operator(result=dense.same_result, merge=_pointwise, moves=True),
    **dict.fromkeys(("detach", "alias"), _SAME._replace(moves=True)),
    **dict.fromkeys(("_to_copy", "lift_fresh", "expand", "native_dropout"), _SAME),
    **dict.fromkeys(("view", "_unsafe_view", "reshape"), _VIEW),
    "permute": Operator(positions=reshapes.permute, moves=True),
    **dict.fromkeys(("transpose", "t"), _TRANSPOSE),
    "squeeze": Operator(positions=reshapes.squeeze),
    "unsqueeze": Operator(positions=reshapes.unsqueeze),
    "slice": Operator(positions=reshapes.slice_),
    "select": Operator(positions=reshapes.select),
    **dict.fromkeys(("split", "split_with_sizes"), Operator(positions=reshapes.split)),
    "constant_pad_nd": _PAD._replace(detail=reshapes.pad_detail),
    **dict.fromkeys(("reflection_pad2d", "replication_pad2d"), _PAD),
}
_OTHER = Operator()


def kind_of(call: Call, images: int, weighted: bool) -> str | None:
    """Returns the kind of the layer that a call is; None where it is none, as a reshape.

    Args:
        call: what was called.
        images: how many different tensors among its arguments come from the image.
        weighted: whether there are parameters among its arguments.
    """
    known = OPERATORS.get(call.name, _OTHER)
    if images > 1 and known.join:
        return known.join
    kind = known.kind(call) if callable(known.kind) else known.kind
    return kind or (call.name if weighted else None)


def detail_of(call: Call) -> str:
    """Returns what a call's kernel is like: `5x5, stride 2, padding 2`; "" without a kernel."""
    detail = OPERATORS.get(call.name, _OTHER).detail
    return detail(call) if detail else ""


def result_of(call: Call) -> Any:
    """Returns what a call gives, on the meta device; None where PyTorch must say."""
    result = OPERATORS.get(call.name, _OTHER).result
    on_meta = result and all(tensor.device.type == "meta" for tensor in call.tensors())
    return result(call) if result and on_meta else None


def counts_of(call: Call, weights: Collection[int], result: Tensor) -> Counts:
    """Returns the connections and MACs of a call.

    Args:
        call: what was called with the image, or what was made of it.
        weights: the ids of the tensors among its arguments that are made of parameters alone.
        result: what it gave.
    """
    count = OPERATORS.get(call.name, _OTHER).macs
    if count is None:
        return UNKNOWN if any(id(tensor) in weights for tensor in call.tensors()) else NONE
    names = {name for name, value in call.arguments.items() if id(value) in weights}
    macs, bias = count(call, names, result)
    return Counts(macs + bias * result.numel(), macs)


def positions_after(
    call: Call, sources: list[tuple[Tensor, Positions | None]], result: Tensor
) -> Positions | None:
    """Returns the positions of a call's result; None where they are not known.

    Args:
        call: what was called.
        sources: the tensors among its arguments that come from the image.
        result: what it gave.
    """
    before = [(tensor, positions) for tensor, positions in sources if positions is not None]
    if len(before) < len(sources):
        return None
    known = OPERATORS.get(call.name, _OTHER)
    if Tag.pointwise in call.operator.tags:
        return _pointwise(before, call, result)
    if known.merge:
        return known.merge(before, call, result)
    (source, positions), *others = before
    if known.positions and not others:
        return known.positions(positions, call, source, result)
    whole = _pointwise(before, call, result)
    return whole if whole and whole.count == (1, 1) else None


def unit_of(call: Call, given: Tensor, value: Tensor, unit: Index) -> Sum | None:
    """Returns how a unit comes out of one call; None where that is not known.

    Args:
        call: the call.
        given: the one tensor among its arguments that comes from the image, (1, ...).
        value: (C, H, W) or (F,), what it gave.
        unit: which of its numbers.
    """
    known = OPERATORS.get(call.name, _OTHER).unit
    return known(call, given, value, unit) if known else None


def moves(call: Call) -> bool:
    """Returns whether a call gives the numbers that it takes, in order or not."""
    return OPERATORS.get(call.name, _OTHER).moves
