"""A network followed while it runs: each operator call, and where each module begins and ends."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from holmdel.tracing.call import INPUT, Call, tensors_in


class Interceptor(TorchDispatchMode):
    """Sees every operator call that is made within it.

    Args:
        result: returns what a call gives, or None where PyTorch must say; None asks PyTorch always.
    """

    def __init__(self, result: Callable[[Call], Any] | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.result = result
        self.paused = False  # calls are not told while this is set

    def called(self, call: Call, results: list[Tensor]) -> None:
        """Is told of each call, and of the tensors that it gave."""


def _dispatch(
    mode: Interceptor, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
) -> Any:
    """Returns what an operator call gives."""
    kwargs = kwargs or {}
    if mode.paused:
        return func(*args, **kwargs)
    call = Call.of(func, args, kwargs)
    result = mode.result(call) if mode.result else None
    if result is None:
        result = func(*args, **kwargs)
    mode.called(call, [*tensors_in(result)])
    return result


# Assigned here because PyTorch wraps one that it finds in a class, and the wrapper loads the
# compiler: a second and 80 MB.
Interceptor.__torch_dispatch__ = _dispatch  # type: ignore[method-assign,assignment]


class Origin(NamedTuple):
    """Where a tensor comes from.

    Attributes:
        layers: the layers whose outputs it is made of; none if it is made of parameters alone.
        parameters: ids of the parameters that it is made of where it is made of them alone.
    """

    layers: tuple[str, ...] = ()
    parameters: frozenset[int] = frozenset()


_UNKNOWN = Origin()


@dataclass
class Running:
    """A module that is running, or a function that counts as a layer.

    Attributes:
        path: its dotted path in the network.
        kind: its class, or the function's name.
        module: the module; None for a function.
        leaf: whether it holds no modules, so that it is a layer and its calls are parts of it.
        in_place: whether a call inside changed a tensor.
    """

    path: str
    kind: str
    module: nn.Module | None
    leaf: bool
    in_place: bool = False


R = TypeVar("R", bound=Running)


class Tracer(Interceptor, Generic[R]):  # type: ignore[no-untyped-call]
    """Follows a network from its image on, and finds its layers and their names.

    A layer is a module without modules of its own, or an operator call outside of such a module
    that counts as one. A layer that runs again is named `conv:2`, `conv:3`, ...

    Args:
        network: what runs.
        image: what it runs on.
        weights: the id of each parameter and the tensor that the network has in its place.
        kind: returns what kind of layer a call is, or None for none; its arguments are the call,
            how many different tensors it takes that come from the image, and whether it takes
            parameters.
        result: see `Interceptor`.
        others: further images that it runs on.
    """

    def __init__(
        self,
        network: nn.Module,
        image: Tensor,
        weights: Iterable[tuple[int, Tensor]],
        kind: Callable[[Call, int, bool], str | None],
        result: Callable[[Call], Any] | None = None,
        others: Iterable[Tensor] = (),
    ) -> None:
        super().__init__(result)
        self.network = network
        self.running: list[R] = []
        self.used: set[int] = set()  # ids of the parameters that a call took
        self._kind = kind
        self._origins: dict[int, Origin] = {}
        self._alive: list[Tensor] = []  # so that no id is given twice
        self._names: set[str] = set()
        for each in (image, *others):
            self._set(each, Origin((INPUT,)))
        for key, tensor in weights:
            self._set(tensor, Origin(parameters=frozenset([key])))

    def opened(self, path: str, kind: str, module: nn.Module | None, given: list[Tensor]) -> R:
        """Returns the record of a layer or group that begins, given tensors from the image."""
        raise NotImplementedError

    def computed(self, call: Call, given: list[Tensor], results: list[Tensor]) -> None:
        """Is told of each call that takes tensors from the image."""

    def inside(
        self, layer: R, call: Call, given: list[Tensor], weights: set[int], results: list[Tensor]
    ) -> None:
        """Is told of each call that a layer makes, once it has results.

        Args:
            layer: the record of the layer.
            call: what it calls.
            given: the tensors among the arguments that come from the image.
            weights: the ids of those that are made of parameters alone.
            results: what the call gave.
        """
        raise NotImplementedError

    def ended(self, name: str, layer: R, outputs: list[Tensor], inputs: tuple[str, ...]) -> None:
        """Is told of a layer that has run: its name, its outputs, the layers before it."""
        raise NotImplementedError

    def grouped(self, group: R, outputs: list[Tensor]) -> None:
        """Is told of a module that has run and holds layers."""

    @contextlib.contextmanager
    def hooks(self) -> Iterator[None]:
        """Tells this tracer where the network's modules begin and end."""
        handles = []
        for path, module in self.network.named_modules():
            opener = self._opener(path)
            handles.append(module.register_forward_pre_hook(opener, with_kwargs=True))
            handles.append(module.register_forward_hook(self._close, with_kwargs=True))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def called(self, call: Call, results: list[Tensor]) -> None:
        """Notes where the results of a call come from, and the layer that it belongs to or is."""
        given, weights = [], set()
        for tensor in call.tensors():
            layers, parameters = self._origins.get(id(tensor), _UNKNOWN)
            if layers:
                given.append(tensor)
            elif parameters:
                weights.add(id(tensor))
        parameters = self.parameters_of(weights)
        self.used |= parameters
        inputs = self._sources(given)
        origin = Origin(inputs) if given else Origin((), parameters)
        for result in results:
            self._set(result, origin)
        if not given or not results:
            return
        self.computed(call, given, results)
        outer = self.running[-1] if self.running else None
        if outer and outer.leaf:
            outer.in_place |= call.in_place
            self.inside(outer, call, given, weights, results)
        elif kind := self._kind(call, len({id(tensor) for tensor in given}), bool(weights)):
            path = f"{outer.path}.{kind}" if outer and outer.path else kind
            layer = self.opened(path, kind, None, given)
            self.inside(layer, call, given, weights, results)
            self._end(layer, results, inputs)

    def parameters_of(self, tensors: Iterable[int]) -> frozenset[int]:
        """Returns the ids of the parameters that tensors, given by their ids, are made of."""
        return frozenset[int]().union(*[self._origins[key].parameters for key in tensors])

    def _opener(self, path: str) -> Callable[[nn.Module, Any, Any], None]:
        """Returns a hook that notes that a module begins to run."""

        def open_(module: nn.Module, args: Any, kwargs: Any) -> None:
            given = [tensor for tensor in tensors_in([args, kwargs]) if self._sources([tensor])]
            self.running.append(self.opened(path, type(module).__name__, module, given))

        return open_

    def _close(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        """Notes that a module has run: a layer, or a group of them."""
        done = self.running.pop()
        outputs = list(tensors_in(output))
        if not done.leaf:
            if outputs and done.path:
                self.grouped(done, outputs)
            return None
        given = list(tensors_in([args, kwargs]))
        inputs = self._sources(given)
        if not outputs or not inputs:
            return None  # without inputs it works on weights, as a parametrisation does
        if isinstance(output, Tensor) and not done.in_place and any(output is t for t in given):
            output = output.detach()  # so that what else is made of the same tensor is told apart
            outputs = [output]
        self._end(done, outputs, inputs)
        return output

    def _end(self, layer: R, outputs: list[Tensor], inputs: tuple[str, ...]) -> None:
        """Names a layer, and notes that its outputs come from it."""
        name = self.unique(layer.path or layer.kind)
        self.ended(name, layer, outputs, inputs)
        for output in outputs:
            self._set(output, Origin((name,)))

    def unique(self, name: str) -> str:
        """Returns a name that nothing else has: `conv`, `conv:2`, `conv:3`, ..."""
        free, number = name, 1
        while free in self._names:
            number += 1
            free = f"{name}:{number}"
        self._names.add(free)
        return free

    def _sources(self, tensors: Iterable[Tensor]) -> tuple[str, ...]:
        """Returns the layers that tensors come from, each once, in order."""
        origins = [self._origins.get(id(tensor), _UNKNOWN) for tensor in tensors]
        if len(origins) == 1:
            return origins[0].layers
        return tuple(dict.fromkeys(name for origin in origins for name in origin.layers))

    def _set(self, tensor: Tensor, origin: Origin) -> None:
        self._origins[id(tensor)] = origin
        self._alive.append(tensor)


def is_leaf(module: nn.Module | None) -> bool:
    """Returns whether a module, or a function, holds no modules."""
    return module is None or next(module.children(), None) is None
