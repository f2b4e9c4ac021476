"""A network followed operator by operator, for two numbers of images at once.

What differs between the two runs is what depends on the images' number or, along a line, width;
everything else is fixed in an exported file.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.evaluation import in_eval_mode
from holmdel.export.graph import Shape
from holmdel.tracing.call import Call
from holmdel.tracing.operators import kind_of
from holmdel.tracing.tracer import Running, Tracer, is_leaf

_RANDOM = ("native_dropout", "bernoulli", "rand", "randn", "rand_like", "randn_like")


class Value(NamedTuple):
    """A tensor that comes from the images: its name, and its shape, None where it varies."""

    name: str
    shape: Shape


@dataclass(frozen=True)
class Step:
    """A call of an operator of PyTorch.

    Attributes:
        operator: its name, as in `tracing.operators`.
        arguments: by name: Values, Tensors that are constant, plain numbers.
        outputs: what it gives.
        layer: the layer that it belongs to.
    """

    operator: str
    arguments: dict[str, Any]
    outputs: tuple[Value, ...]
    layer: str


@dataclass(frozen=True)
class Followed:
    """A network's steps from the images to its answer.

    Attributes:
        steps: in the order in which they run.
        layers: for each layer, by its name in the anatomy, the name of the value that it gives.
        answer: the name of the value that the network gives.
        given: what each layer gave in the first of the two runs, by the layer's name.
    """

    steps: list[Step]
    layers: dict[str, str]
    answer: Value
    given: dict[str, Tensor]


def follow(network: nn.Module, images: Tensor, others: Tensor) -> Followed:
    """Returns what a network does, in eval mode, with two batches that differ in size.

    Raises:
        UserError: if it does not do the same with both, which names the layer.
    """
    _refuse_numbers(network)
    one, two = _record(network, images), _record(network, others)
    if [s.operator for s in one.steps] != [s.operator for s in two.steps]:
        raise UserError(
            "the network takes other steps for other numbers of images; only one that always "
            "takes the same can be exported"
        )
    steps = [_merged(a, b) for a, b in zip(one.steps, two.steps, strict=True)]
    answer = _merge(one.answer, two.answer, "the answer")
    return Followed(steps, one.layers, answer, one.given)


def _refuse_numbers(network: nn.Module) -> None:
    """Raises a UserError for weights that are not float32, or not finite."""
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point() and tensor.dtype != torch.float32:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise UserError(
                f"{name} is {kind}; only float32 can be exported: call network.float() before"
            )
        if not tensor.isfinite().all():
            raise UserError(
                f"{name} has numbers that are not finite; train the network again before it is "
                "exported"
            )


def _record(network: nn.Module, images: Tensor) -> Followed:
    """Returns what a network does with images, all sizes as they are."""
    with torch.inference_mode(mode=False), torch.no_grad(), in_eval_mode(network):
        images = images.clone()
        recorder = _Recorder(network, images)
        with recorder.hooks(), recorder:
            answer = network(images)
    if not isinstance(answer, Tensor) or not recorder.knows(answer):
        raise UserError(
            f"the network answers with {type(answer).__name__}; only a tensor that is made of "
            "the images can be exported"
        )
    return Followed(recorder.steps, recorder.layers, recorder.value(answer), recorder.given)


class _Recorder(Tracer[Running]):  # type: ignore[no-untyped-call]
    """Keeps every call that takes a tensor from the images."""

    def __init__(self, network: nn.Module, images: Tensor) -> None:
        weights = [*network.parameters(), *network.buffers()]
        super().__init__(network, images, ((id(w), w) for w in weights), kind_of)
        self.steps: list[Step] = []
        self.layers: dict[str, str] = {}
        self.given: dict[str, Tensor] = {}
        self._taken: set[str] = set()
        self._values: dict[int, Value] = {}
        self._name(images, "images")

    def knows(self, tensor: Tensor) -> bool:
        """Returns whether a tensor comes from the images."""
        return id(tensor) in self._values

    def value(self, tensor: Tensor) -> Value:
        """Returns the value that a tensor is."""
        return self._values[id(tensor)]

    def opened(
        self, path: str, kind: str, module: nn.Module | None, given: list[Tensor]
    ) -> Running:
        """Returns the record of a layer or group that begins."""
        return Running(path, kind, module, is_leaf(module))

    def called(self, call: Call, results: list[Tensor]) -> None:
        """Refuses what makes a plain number of the images, and what is drawn at random."""
        if call.name in _RANDOM:
            raise UserError(
                f"{self._layer(call)} draws random numbers ({call.name}) though the network is in "
                "eval mode; use the module nn.Dropout, or pass training=self.training"
            )
        if not results and any(map(self.knows, call.tensors())):
            raise UserError(
                f"{self._layer(call)} makes plain numbers of the images ({call.name}), so what it "
                "does depends on them; use operators of tensors there"
            )
        super().called(call, results)

    def computed(self, call: Call, given: list[Tensor], results: list[Tensor]) -> None:
        """Keeps a call."""
        layer = self._layer(call)
        arguments = {key: self._argument(value) for key, value in call.arguments.items()}
        outputs = tuple(self._name(result, layer) for result in results)
        self.steps.append(Step(call.name, arguments, outputs, layer))

    def inside(self, *_: Any) -> None:
        """Nothing more is asked of a layer's calls."""

    def ended(
        self, name: str, layer: Running, outputs: list[Tensor], inputs: tuple[str, ...]
    ) -> None:
        """Keeps which value a layer gives, and a copy of it."""
        if self.knows(outputs[0]):
            self.layers[name] = self.value(outputs[0]).name
            self.paused = True
            self.given[name] = outputs[0].clone()
            self.paused = False

    def _layer(self, call: Call) -> str:
        path = self.running[-1].path if self.running else ""
        leaf = bool(self.running) and self.running[-1].leaf
        return path if leaf and path else f"{path}.{call.name}".lstrip(".")

    def _argument(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return self.value(value) if self.knows(value) else value.detach()
        if isinstance(value, list | tuple):
            return [self._argument(item) for item in value]
        return value

    def _name(self, tensor: Tensor, name: str) -> Value:
        free, number = name, 1
        while free in self._taken:
            number += 1
            free = f"{name}:{number}"
        self._taken.add(free)
        self._values[id(tensor)] = Value(free, tuple(tensor.shape))
        return self._values[id(tensor)]


class Varies:
    """Stands for a number that another batch has otherwise."""


def _merged(one: Step, two: Step) -> Step:
    arguments = {key: _merge(v, two.arguments[key], one.layer) for key, v in one.arguments.items()}
    outputs = tuple(_merge(a, b, one.layer) for a, b in zip(one.outputs, two.outputs, strict=True))
    return Step(one.operator, arguments, outputs, one.layer)


def _merge(one: Any, two: Any, layer: str) -> Any:
    """Returns what two runs have in common."""
    if isinstance(one, Value) and isinstance(two, Value):
        pairs = zip(one.shape, two.shape, strict=True)
        return Value(one.name, tuple(a if a == b else None for a, b in pairs))
    if isinstance(one, Tensor) and isinstance(two, Tensor):
        if one.shape != two.shape or not (one is two or torch.equal(one, two)):
            raise UserError(
                f"{layer} makes a tensor that depends on the number of images; only fixed ones can "
                "be exported"
            )
        return one
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        return [_merge(a, b, layer) for a, b in zip(one, two, strict=True)]
    return one if one == two else Varies()


def varies(value: Any) -> bool:
    """Returns whether an argument, which may be a list, is another for another batch."""
    if isinstance(value, list):
        return any(map(varies, value))
    return isinstance(value, Varies)
