"""A network followed for one picture, on tensors that have a shape and no numbers."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from holmdel.anatomy.calls import Call, tensors_in
from holmdel.anatomy.counts import NONE, UNKNOWN, Counts, counts_of_call, counts_of_module
from holmdel.anatomy.kinds import detail_of, kind_of
from holmdel.anatomy.quick import Weightless
from holmdel.anatomy.rules import followed
from holmdel.anatomy.table import INPUT, Anatomy, Group, Layer
from holmdel.anatomy.windows import Seen, picture
from holmdel.errors import UserError
from holmdel.evaluation import in_eval_mode

Size = tuple[int, int, int]


def inspect_module(module: nn.Module, input: Size, name: str | None = None) -> Anatomy:
    """Returns the anatomy of a module for one picture of (C, H, W).

    Its forward() runs once, in eval mode, on the meta device: nothing is computed, and the module
    is as it was before.

    Args:
        module: any module that takes pictures (N, C, H, W).
        input: (C, H, W) of the picture.
        name: what to call the network; its class if None.

    Raises:
        UserError: if the module cannot run for such a picture, or has lazy parameters.
    """
    name = name or type(module).__name__
    for key, parameter in module.named_parameters():
        if is_lazy(parameter):
            raise UserError(
                f"{name} has the lazy parameter {key!r}, which has no shape yet; run a picture "
                "through the network first"
            )
    trace = _Trace(module, input)
    try:
        with in_eval_mode(module), trace.hooks():
            trace.run()
    except (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError) as error:
        size = "x".join(map(str, input))
        reason = str(error).strip().partition("\n")[0].rstrip(". ") or type(error).__name__
        raise UserError(
            f"{name} does not run for a picture of {size}: {trace.where() or name} says "
            f"{reason!r}; give an input CxHxW that fits"
        ) from None
    return Anatomy(name, input, (*trace.layers, *trace.left_over()), tuple(trace.groups))


@dataclass(frozen=True)
class _Trail:
    """Where a tensor comes from.

    Attributes:
        layers: the layers whose outputs it is made of; none if it is made of parameters alone.
        parameters: ids of the parameters that it is made of where it is made of them alone.
        seen: what its positions see of the picture; None if that is not known.
    """

    layers: tuple[str, ...] = ()
    parameters: frozenset[int] = frozenset()
    seen: Seen | None = None


@dataclass
class _Frame:
    """A module that is running.

    Attributes:
        name: its path.
        leaf: whether it holds no modules, so that its calls are its own affair.
        counts: of the calls so far.
        detail: of its calls' kernel.
        in_place: whether a call changed a tensor.
    """

    name: str
    leaf: bool
    counts: Counts = NONE
    detail: str = ""
    in_place: bool = False


class _Trace(Weightless):  # type: ignore[no-untyped-call]
    """Sees every operator call, and where each module begins and ends."""

    def __init__(self, module: nn.Module, input: Size) -> None:
        super().__init__()
        self.module = module
        self.layers: list[Layer] = []
        self.groups: list[Group] = []
        self._frames: list[_Frame] = []
        self._trails: dict[int, _Trail] = {}
        self._alive: list[Tensor] = []  # so that no id is given twice
        self._names: set[str] = set()
        self._counted: set[int] = set()  # ids of the parameters that a row has
        self._used: set[int] = set()  # ids of those that a call took
        self._sizes = {id(parameter): parameter.numel() for parameter in module.parameters()}
        self._owners = {
            name: frozenset(id(parameter) for parameter in part.parameters())
            for name, part in module.named_modules()
        }
        stand_ins = {id(t): _on_meta(t) for t in (*module.parameters(), *module.buffers())}
        self._stand_ins = {
            f"{name}.{key}".lstrip("."): stand_ins[id(tensor)]
            for name, part in module.named_modules()
            for key, tensor in (*part._parameters.items(), *part._buffers.items())
            if tensor is not None
        }
        for key in self._sizes:
            self._set(stand_ins[key], _Trail(parameters=frozenset([key])))
        floats = (p.dtype for p in module.parameters() if p.is_floating_point())
        self._picture = torch.empty(1, *input, device="meta", dtype=next(floats, torch.float32))
        self._set(self._picture, _Trail((INPUT,), seen=picture(*input[1:])))

    def run(self) -> None:
        """Runs the module on its picture."""
        with torch.no_grad(), torch.device("meta"), self:
            # Each module once, by one name: told all names of one that stands twice, PyTorch would
            # not give it its own tensors back.
            torch.func.functional_call(
                self.module, self._stand_ins, (self._picture,), tie_weights=False
            )

    def where(self) -> str:
        """Returns the path of the module that is running."""
        return self._frames[-1].name if self._frames else ""

    @contextlib.contextmanager
    def hooks(self) -> Iterator[None]:
        """Tells this trace where modules begin and end."""
        handles = []
        for name, module in self.module.named_modules():
            frame = _opener(self._frames, name, module)
            handles.append(module.register_forward_pre_hook(frame))
            handles.append(module.register_forward_hook(self._close, with_kwargs=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def left_over(self) -> Iterator[Layer]:
        """Gives a row for each parameter that no row has: of modules without a call of their own.

        One that no call took has no connections; of another they are not known.
        """
        for name, parameter in self.module.named_parameters():
            if id(parameter) not in self._counted:
                used = id(parameter) in self._used
                counts = UNKNOWN if used else NONE
                row = Layer(
                    name=self._unique(name),
                    kind="Parameter",
                    detail="" if used else "not used",
                    output=(),
                    parameters=parameter.numel(),
                    connections=counts.connections,
                    macs=counts.macs,
                    receptive_field=None,
                    activation_bytes=0,
                    inputs=(),
                )
                yield row

    def follow(self, call: Call, results: list[Tensor]) -> None:
        """Notes where the results of a call come from, and the layer that it is."""
        sources = [(t, self._trails[id(t)]) for t in call.tensors() if id(t) in self._trails]
        pictures = [(tensor, trail) for tensor, trail in sources if trail.layers]
        weights = {id(tensor) for tensor, trail in sources if trail.parameters}
        parameters = frozenset().union(*(trail.parameters for _, trail in sources))
        self._used |= parameters
        if not pictures:
            for result in results:
                self._set(result, _Trail(parameters=parameters))
            return
        layers = _names(trail for _, trail in pictures)
        seen = [followed(call, [(t, trail.seen) for t, trail in pictures], r) for r in results]
        for result, window in zip(results, seen, strict=True):
            self._set(result, _Trail(layers, seen=window))
        if not results:
            return
        counts = counts_of_call(call, weights, results[0])
        frame = self._frames[-1] if self._frames else None
        if frame and frame.leaf:
            frame.counts += counts
            frame.detail = frame.detail or detail_of(call)
            frame.in_place |= call.in_place
            return
        kind = kind_of(call, len({id(tensor) for tensor, _ in pictures}), bool(weights))
        if kind:
            name = f"{frame.name}.{kind}" if frame and frame.name else kind
            self._add(name, kind, detail_of(call), results, counts, parameters, layers)

    def _close(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        """Notes a module that has run: a leaf as a layer, another as a group."""
        frame = self._frames.pop()
        outputs = list(tensors_in(output))
        kind = type(module).__name__
        if not outputs:
            return None
        if not frame.leaf:
            if frame.name and frame.name not in {group.name for group in self.groups}:
                self.groups.append(Group(frame.name, kind, tuple(outputs[0].shape[1:])))
            return None
        given = list(tensors_in([args, kwargs]))
        layers = _names(self._trails.get(id(t), _Trail()) for t in given)
        if not layers:
            return None  # it works on weights, as a parametrisation does
        changed = output
        if isinstance(output, Tensor) and not frame.in_place and any(output is t for t in given):
            changed = output.detach()  # so that what else is made of the same tensor is told apart
            outputs = [changed]
        counts = counts_of_module(module, outputs[0]) or frame.counts
        own = self._owners.get(frame.name, frozenset())
        self._add(frame.name or kind, kind, frame.detail, outputs, counts, own, layers)
        return changed

    def _add(
        self,
        name: str,
        kind: str,
        detail: str,
        outputs: list[Tensor],
        counts: Counts,
        parameters: frozenset[int],
        inputs: tuple[str, ...],
    ) -> None:
        """Appends a layer, and says of its outputs that they are its."""
        name = self._unique(name)
        trails = [self._trails.get(id(output), _Trail()) for output in outputs]
        seen = trails[0].seen
        fresh = parameters - self._counted
        self._counted |= fresh
        layer = Layer(
            name=name,
            kind=kind,
            detail=detail,
            output=tuple(outputs[0].shape[1:]),
            parameters=sum(self._sizes[key] for key in fresh),
            connections=counts.connections,
            macs=counts.macs,
            receptive_field=None if seen is None else seen.field,
            activation_bytes=outputs[0].numel() * outputs[0].element_size(),
            inputs=inputs,
        )
        self.layers.append(layer)
        for output, trail in zip(outputs, trails, strict=True):
            self._set(output, _Trail((name,), seen=trail.seen))

    def _set(self, tensor: Tensor, trail: _Trail) -> None:
        self._trails[id(tensor)] = trail
        self._alive.append(tensor)

    def _unique(self, name: str) -> str:
        """Returns a name that no row has: `conv`, `conv:2`, `conv:3`, ..."""
        free, number = name, 1
        while free in self._names:
            number += 1
            free = f"{name}:{number}"
        self._names.add(free)
        return free


def _opener(frames: list[_Frame], name: str, module: nn.Module) -> Any:
    """Returns a hook that notes that a module begins to run."""
    leaf = next(module.children(), None) is None
    return lambda *_: frames.append(_Frame(name, leaf))


def _names(trails: Iterable[_Trail]) -> tuple[str, ...]:
    """Returns the layers of several trails, each once, in order."""
    return tuple(dict.fromkeys(name for trail in trails for name in trail.layers))


def _on_meta(tensor: Tensor) -> Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
