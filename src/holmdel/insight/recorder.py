"""A network that runs on a real image, recorded: what each layer took, called and gave."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from holmdel.evaluation import in_eval_mode
from holmdel.tracing.call import Call
from holmdel.tracing.operators import kind_of, moves
from holmdel.tracing.tracer import Running, Tracer, is_leaf

# The layers of which nothing has to be recorded but what they take and give.
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


class Applied(NamedTuple):
    """A call on one tensor that comes from the image: a copy as it was then, (1, ...)."""

    call: Call
    given: Tensor


Calls = Callable[[], tuple[Applied, ...] | None]


class Record(NamedTuple):
    """What a layer did.

    Attributes:
        value: what it gave, (1, ...).
        module: the leaf module that it is; None for a function that a forward() calls.
        given: what it took, (1, ...); empty where that is not known.
        calls: gives its calls of operators on one tensor each; None where there were others.
    """

    value: Tensor
    module: nn.Module | None
    given: tuple[Tensor, ...]
    calls: Calls


def record(network: nn.Module, image: Tensor) -> tuple[dict[str, Record], Tensor]:
    """Returns what each layer did, by the names of the anatomy's rows, and the network's answer.

    The network runs once, in eval mode and without gradients, and is left as it was found.

    Args:
        network: any module that takes images (N, C, H, W).
        image: (1, C, H, W), in the network's dtype and on its device.
    """
    with (
        torch.inference_mode(mode=False),  # in which nothing tells whether a tensor was changed
        torch.no_grad(),
        in_eval_mode(network),
    ):
        image = image.clone()
        if _is_row(network):
            return _along(network, image)
        recorder = _Recorder(network, image)
        with recorder.hooks(), recorder:
            answer = network(image)
    return recorder.records, answer


def _is_row(network: nn.Module) -> bool:
    """Returns whether a network is nothing but layers one after the other, each once."""
    layers = [*network.children()]
    return (
        type(network) is nn.Sequential
        and len(layers) == len(network)
        and all(type(layer) in _PLAIN and not getattr(layer, "inplace", False) for layer in layers)
        and not any(layer._forward_hooks or layer._forward_pre_hooks for layer in layers)
    )


def _along(network: nn.Module, image: Tensor) -> tuple[dict[str, Record], Tensor]:
    """Returns what each layer of a row did: with no recorder beside it, in half the time."""
    records = {}
    for name, layer in network.named_children():
        value = layer(image)
        records[name] = Record(value, layer, (image,), partial(_calls_of, layer, image))
        image = value
    return records, image


def _calls_of(layer: nn.Module, given: Tensor) -> tuple[Applied, ...] | None:
    """Returns what a layer calls, which is run once more for it; other threads may use it."""
    with torch.inference_mode(mode=False), torch.no_grad():
        given = given.clone()
        recorder = _Recorder(layer, given)
        recorder.running.append(running := recorder.opened("", "", layer, []))
        with recorder:
            layer.forward(given)  # and none of the hooks that others put there
    return running.known()


@dataclass
class _Running(Running):
    """What is known of a layer so far: copies of what it took, and its calls.

    A call is None where it was not on one tensor from the image alone.
    """

    given: tuple[Tensor, ...] = ()
    calls: list[Applied | None] = field(default_factory=list)

    def known(self) -> tuple[Applied, ...] | None:
        """Returns its calls; None where one was on several tensors."""
        known = tuple(call for call in self.calls if call)
        return known if len(known) == len(self.calls) else None


class _Recorder(Tracer[_Running]):  # type: ignore[no-untyped-call]
    """Keeps the values of every layer while a network runs."""

    def __init__(self, network: nn.Module, image: Tensor) -> None:
        super().__init__(network, image, ((id(p), p) for p in network.parameters()), kind_of)
        self.records: dict[str, Record] = {}
        self._copies: dict[int, tuple[int, Tensor]] = {}

    def opened(
        self, path: str, kind: str, module: nn.Module | None, given: list[Tensor]
    ) -> _Running:
        """Returns the record of a layer or group that begins."""
        running = _Running(path, kind, module, is_leaf(module))
        if module and running.leaf:
            running.given = tuple(self._copy(tensor) for tensor in given)
        return running

    def inside(
        self,
        layer: _Running,
        call: Call,
        given: list[Tensor],
        weights: set[int],
        results: list[Tensor],
    ) -> None:
        """Keeps a call that computes; only a layer's first is looked at more closely."""
        if layer.module and moves(call):
            return
        layer.calls.append(None if layer.calls else self._applied(call, given))
        if layer.module is None and call.in_place:
            self._copies.pop(id(results[0]), None)  # its version is counted up after the call

    def ended(
        self, name: str, layer: _Running, outputs: list[Tensor], inputs: tuple[str, ...]
    ) -> None:
        """Keeps what a layer gave."""
        given = layer.given
        if layer.module is None and (calls := layer.known()):
            given = (calls[0].given,)
        self.records[name] = Record(self._copy(outputs[0]), layer.module, given, layer.known)

    def _applied(self, call: Call, tensors: list[Tensor]) -> Applied | None:
        """Returns a call with a copy of the one tensor that it took; None where there are more."""
        given = tensors[0]
        names = [name for name, value in call.arguments.items() if value is given]
        if len(tensors) > 1 or not names:
            return None
        if call.in_place:
            version, copy = self._copies.get(id(given), (None, None))
            if copy is None or version != given._version:
                return None
        else:
            copy = self._copy(given)
        return Applied(replace(call, arguments=call.arguments | {names[0]: copy}), copy)

    def _copy(self, tensor: Tensor) -> Tensor:
        """Returns a tensor's numbers as they are now, one copy for as long as they stay so."""
        known = self._copies.get(id(tensor))
        if known and known[0] == tensor._version:
            return known[1]
        self.paused = True
        try:
            copy = tensor.clone()
        finally:
            self.paused = False
        self._copies[id(tensor)] = (tensor._version, copy)
        return copy
