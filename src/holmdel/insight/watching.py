"""A network that runs on a real picture, watched: what each layer took, called and gave."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from holmdel.anatomy.calls import Call, tensors_in
from holmdel.anatomy.kinds import kind_of
from holmdel.evaluation import in_eval_mode

# What gives the numbers it took, in order or not: no step of a computation.
_VIEWS = {
    "view",
    "_unsafe_view",
    "reshape",
    "detach",
    "alias",
    "t",
    "transpose",
    "permute",
    "clone",
}
# The layers of which nothing has to be watched but what they take and give.
_PLAIN = {
    nn.AvgPool2d,
    nn.Conv2d,
    nn.Flatten,
    nn.Linear,
    nn.MaxPool2d,
    nn.ReLU,
    nn.Sigmoid,
    nn.Tanh,
}


@dataclass(frozen=True)
class Step:
    """A call of an operator on one tensor that comes from the picture.

    Attributes:
        call: what was called, without that tensor.
        name: the argument that the tensor was.
        given: the tensor as it was then, (1, ...).
    """

    call: Call
    name: str
    given: Tensor


Steps = Callable[[], tuple[Step, ...] | None]


@dataclass
class Record:
    """What a layer did.

    Attributes:
        module: the leaf module that it is; None for a function that a forward() calls.
        value: what it gave, (1, ...).
        given: what it took, (1, ...); empty where that is not known.
        steps: gives its calls of operators on one tensor each; None where there were others.
    """

    module: nn.Module | None
    value: Tensor
    given: tuple[Tensor, ...]
    steps: Steps


@dataclass
class _Frame:
    """A module that is running, whether it holds no modules, and its calls so far."""

    name: str
    leaf: bool
    given: tuple[Tensor, ...] = ()
    steps: list[Step | None] = field(default_factory=list)

    def known(self) -> tuple[Step, ...] | None:
        """Returns its calls; None where one was on several tensors."""
        known = tuple(step for step in self.steps if step)
        return known if len(known) == len(self.steps) else None


def watch(network: nn.Module, picture: Tensor) -> tuple[dict[str, Record], Tensor]:
    """Returns what each layer did, by the names of the anatomy's rows, and the network's answer.

    The network runs once, in eval mode and without gradients, and is left as it was found.

    Args:
        network: any module that takes pictures (N, C, H, W).
        picture: (1, C, H, W), in the network's dtype and on its device.
    """
    with (
        torch.inference_mode(mode=False),  # in which nothing tells whether a tensor was changed
        torch.no_grad(),
        in_eval_mode(network),
    ):
        picture = picture.clone()
        if _is_row(network):
            return _along(network, picture)
        watcher = _Watcher(network, picture)
        with watcher.hooks(network), watcher:
            answer = network(picture)
    return watcher.records, answer


def _is_row(network: nn.Module) -> bool:
    """Returns whether a network is nothing but layers one after the other, each once."""
    layers = [*network.children()]
    return (
        type(network) is nn.Sequential
        and len(layers) == len(network)
        and all(type(layer) in _PLAIN and not getattr(layer, "inplace", False) for layer in layers)
        and not any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)
    )


def _along(network: nn.Module, picture: Tensor) -> tuple[dict[str, Record], Tensor]:
    """Returns what each layer of a row did: with no watcher beside it, in half the time."""
    records = {}
    for name, layer in network.named_children():
        value = layer(picture)
        records[name] = Record(layer, value, (picture,), partial(_steps_of, layer, picture))
        picture = value
    return records, picture


def _steps_of(layer: nn.Module, given: Tensor) -> tuple[Step, ...] | None:
    """Returns what a layer calls, which is run once more for it; other threads may use it."""
    with torch.inference_mode(mode=False), torch.no_grad():
        given = given.clone()
        watcher = _Watcher(layer, given)
        frame = watcher.enter()
        with watcher:
            layer.forward(given)  # and none of the hooks that others put there
    return frame.known()


class _Watcher(TorchDispatchMode):
    """Sees every operator call, and where each module begins and ends.

    Which calls are layers and how they are named is decided as in `anatomy.trace`.
    """

    def __init__(self, network: nn.Module, picture: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.copying = False  # whether a call is one of the watcher's own
        self.records: dict[str, Record] = {}
        self._frames: list[_Frame] = []
        self._pictures = {id(picture)}
        self._weights = {id(parameter) for parameter in network.parameters()}
        self._alive = [picture]  # so that no id is given twice
        self._copies: dict[int, tuple[int, Tensor]] = {}

    @contextlib.contextmanager
    def hooks(self, network: nn.Module) -> Iterator[None]:
        """Tells this watcher where modules begin and end."""
        handles = []
        for name, module in network.named_modules():
            handles.append(
                module.register_forward_pre_hook(self._opener(name), with_kwargs=True, prepend=True)
            )
            handles.append(module.register_forward_hook(self._close, with_kwargs=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def enter(self) -> _Frame:
        """Returns the frame of a layer that is to run alone."""
        self._frames.append(_Frame("", True))
        return self._frames[-1]

    def follow(self, call: Call, results: list[Tensor]) -> None:
        """Notes what a call made of the picture, and the layer or the part of one that it is."""
        tensors = call.tensors()
        pictures = {id(tensor) for tensor in tensors} & self._pictures
        weighted = any(id(tensor) in self._weights for tensor in tensors)
        made = {id(result) for result in results}
        self._alive += results
        if not pictures:
            if weighted:
                self._weights |= made
            return
        self._pictures |= made
        frame = self._frames[-1] if self._frames else None
        if frame and frame.leaf:
            if call.name not in _VIEWS:
                frame.steps.append(None if frame.steps else self._step(call))
        elif results and (kind := kind_of(call, len(pictures), weighted)):
            step = self._step(call)
            if call.in_place:  # its version is counted up only when the call is over
                self._copies.pop(id(tensors[0]), None)
            name = f"{frame.name}.{kind}" if frame and frame.name else kind
            steps, given = ((step,), (step.given,)) if step else (None, ())
            self._keep(name, Record(None, self._copy(results[0]), given, lambda: steps))

    def _opener(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        """Returns a hook that notes that a module begins to run."""

        def open_(module: nn.Module, args: Any, kwargs: Any) -> None:
            leaf = next(module.children(), None) is None
            given = [t for t in tensors_in([args, kwargs]) if id(t) in self._pictures]
            copies = tuple(self._copy(tensor) for tensor in given) if leaf else ()
            self._frames.append(_Frame(name, leaf, copies))

        return open_

    def _close(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        """Notes a leaf that has run as a layer."""
        frame = self._frames.pop()
        outputs = list(tensors_in(output))
        if not frame.leaf or not outputs or not frame.given:
            return None
        changed = output
        if isinstance(output, Tensor) and any(output is t for t in tensors_in([args, kwargs])):
            in_place = any(step is None or step.call.in_place for step in frame.steps)
            changed = output if in_place else output.detach()
            outputs = [changed]
        self._alive += outputs
        self._pictures |= {id(tensor) for tensor in outputs}
        value = self._copy(outputs[0])
        name = frame.name or type(module).__name__
        self._keep(name, Record(module, value, frame.given, frame.known))
        return changed

    def _step(self, call: Call) -> Step | None:
        """Returns a call with the one tensor that it took; None where there are several."""
        names = [name for name, value in call.arguments.items() if id(value) in self._pictures]
        nested = sum(id(tensor) in self._pictures for tensor in call.tensors())
        if len(names) != 1 or nested != 1:
            return None
        given = call.arguments[names[0]]
        copy: Tensor | None
        if call.in_place:
            version, copy = self._copies.get(id(given), (None, None))
            if copy is None or version != given._version:
                return None
        else:
            copy = self._copy(given)
        rest = {name: value for name, value in call.arguments.items() if name != names[0]}
        return Step(replace(call, arguments=rest), names[0], copy)

    def _copy(self, tensor: Tensor) -> Tensor:
        """Returns a tensor's numbers as they are now, one copy for as long as they stay so."""
        known = self._copies.get(id(tensor))
        if known and known[0] == tensor._version:
            return known[1]
        self.copying = True
        try:
            copy = tensor.clone()
        finally:
            self.copying = False
        self._copies[id(tensor)] = (tensor._version, copy)
        return copy

    def _keep(self, name: str, record: Record) -> None:
        """Adds a record under a name that none has: `conv`, `conv:2`, `conv:3`, ..."""
        free, number = name, 1
        while free in self.records:
            number += 1
            free = f"{name}:{number}"
        self.records[free] = record


def _answer(
    mode: _Watcher, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
) -> Any:
    """Returns what an operator call gives."""
    result = func(*args, **(kwargs or {}))
    if not mode.copying:
        mode.follow(Call.of(func, args, kwargs or {}), [*tensors_in(result)])
    return result


# Put here as in `anatomy.quick`: one that PyTorch finds in a class, it wraps in its compiler's.
_Watcher.__torch_dispatch__ = _answer  # type: ignore[method-assign,assignment]
