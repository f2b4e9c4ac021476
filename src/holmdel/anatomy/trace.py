"""A network followed for one image, on tensors that have a shape and no numbers."""

import contextlib
import copy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from holmdel.anatomy.table import Anatomy, Group, Layer
from holmdel.errors import UserError
from holmdel.evaluation import in_eval_mode
from holmdel.programs.mistakes import misfit
from holmdel.tracing.call import Call
from holmdel.tracing.modules import counts_of_module
from holmdel.tracing.operators import (
    NONE,
    UNKNOWN,
    Counts,
    counts_of,
    detail_of,
    kind_of,
    positions_after,
    result_of,
)
from holmdel.tracing.positions import Positions
from holmdel.tracing.tracer import Interceptor, Running, Tracer, is_leaf

Size = tuple[int, int, int]


@contextlib.contextmanager
def weightless() -> Iterator[None]:
    """Makes what is built within have shapes and no numbers, so that nothing is allocated."""
    with torch.device("meta"), Interceptor(result_of):
        yield


def inspect_module(
    module: nn.Module, input: Size, name: str | None = None, others: Sequence[Size] = ()
) -> Anatomy:
    """Returns the anatomy of a module for one image of (C, H, W).

    Its forward() runs once, in eval mode, on the meta device: nothing is computed, and the module
    is as it was before. Lazy layers are given their sizes in a copy, which runs on zeros.

    Args:
        module: any module that takes images (N, C, H, W).
        input: (C, H, W) of the image.
        name: what to call the network; its class if None.
        others: of further images, where its forward() takes several.

    Raises:
        UserError: if the module cannot run for such images.
    """
    name = name or type(module).__name__
    if isinstance(module, torch.jit.ScriptModule):
        raise UserError(
            f"{name} is a program of TorchScript, in which no layers are left; give the module "
            "that it was made of"
        )
    if any(is_lazy(parameter) for parameter in module.parameters()):
        module = _with_sizes(module, name, (input, *others))
    trace = _Trace(module, input, others)
    try:
        with in_eval_mode(module), trace.hooks():
            trace.run()
    except UserError:
        raise
    except Exception as error:  # a forward() of anyone's raises anything
        cause = None if isinstance(error, _ERRORS) else error  # of their own code: where it is
        raise UserError(_why_not(name, trace, input, error)) from cause
    return Anatomy(name, input, (*trace.layers, *trace.left_over()), tuple(trace.groups.values()))


_ERRORS = (RuntimeError, ValueError, TypeError, IndexError, NotImplementedError)


def _with_sizes(module: nn.Module, name: str, sizes: Sequence[Size]) -> nn.Module:
    """Returns a copy of a module whose lazy layers have seen images of these sizes."""
    module = copy.deepcopy(module)
    try:
        with torch.no_grad(), in_eval_mode(module):
            module(*(torch.zeros(1, *size) for size in sizes))
    except _ERRORS as error:
        raise UserError(
            f"{name} has lazy layers, and does not run for an image of "
            f"{'x'.join(map(str, sizes[0]))}: {_reason(error)}; give an input CxHxW that fits"
        ) from None
    return module


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(". ") or type(error).__name__


def _why_not(name: str, trace: "_Trace", input: Size, error: Exception) -> str:
    """Returns the sentence for a module that does not run, with what to do."""
    size, reason = "x".join(map(str, input)), _reason(error)
    if re.search(r"forward\(\) missing \d+ required positional argument", reason):
        return (
            f"{name} takes several images; give the size of each, such as "
            "inputs=[(1, 28, 28), (1, 28, 28)]"
        )
    if found := re.search(r"forward\(\) takes .* but \d+ (were|was) given", reason):
        return f"{name} takes fewer images than were given: {found[0]}; leave the others out"
    where = trace.running[-1] if trace.running else None
    at = (where and where.path) or name
    if any(word in str(error) for word in _BY_NUMBERS):
        return (
            f"{name} does not run for an image of {size} without numbers: {at} decides by the "
            "numbers in a tensor, and what it does then depends on the image; inspect its parts"
        )
    if where and where.module and len(where.given) == 1:
        found_misfit = misfit(where.path, where.module, where.given[0])
        if found_misfit:
            return f"{name} does not run for an image of {size}: {found_misfit}"
    do = next((do for words, do in _ADVICE if re.search(words, reason)), _TRIED)
    return f"{name} does not run for an image of {size}: {at} says {reason!r}; {do}"


_BY_NUMBERS = (
    *("_local_scalar_dense", "item() cannot be called", "data-dependent", "is_nonzero"),
    "meta device type tensor to numpy",
)
_TRIED = "its forward() is tried on one image (1, C, H, W) in eval mode, and has to run for it"
_ADVICE = (  # words in what PyTorch says, and what helps
    (
        r"not on the expected device|CUDA|cuda",
        "make tensors in forward() where its input is: device=x.device",
    ),
    (r"keyword-only argument", "give it a default: inspect gives images alone"),
    (r"fake impl|quantized", "give the network as it was before it was quantised"),
    (r'required "forward" function|should not be called', "give the module that calls its layers"),
    (r"[Ss]ize|[Ss]hape|channels|dimension|[Kk]ernel|mat1", "give an input CxHxW that fits"),
)


@dataclass
class _Running(Running):
    """What is known of a layer so far: its counts, its kernel in words, its parameters."""

    counts: Counts = NONE
    detail: str = ""
    parameters: frozenset[int] = frozenset()
    given: tuple[Tensor, ...] = ()


class _Trace(Tracer[_Running]):  # type: ignore[no-untyped-call]
    """Writes the rows of the layer table while a network runs without numbers."""

    def __init__(self, network: nn.Module, input: Size, others: Sequence[Size] = ()) -> None:
        floats = (p.dtype for p in network.parameters() if p.is_floating_point())
        kind = next(floats, torch.float32)
        images = [torch.empty(1, *size, device="meta", dtype=kind) for size in (input, *others)]
        stand_ins = {id(t): _on_meta(t) for t in (*network.parameters(), *network.buffers())}
        weights = [(id(parameter), stand_ins[id(parameter)]) for parameter in network.parameters()]
        super().__init__(network, images[0], weights, kind_of, result_of, images[1:])
        self.layers: list[Layer] = []
        self.groups: dict[str, Group] = {}
        self._images = tuple(images)
        self._stand_ins = {
            f"{path}.{key}".lstrip("."): stand_ins[id(tensor)]
            for path, part in network.named_modules()
            for key, tensor in (*part._parameters.items(), *part._buffers.items())
            if tensor is not None
        }
        self._sizes = {id(parameter): parameter.numel() for parameter in network.parameters()}
        self._own = {
            path: frozenset(id(parameter) for parameter in part.parameters())
            for path, part in network.named_modules()
        }
        self._counted: set[int] = set()  # ids of the parameters that a row has
        self._positions: dict[int, Positions | None] = {
            id(image): Positions.of_image(*image.shape[2:]) for image in images if image.ndim == 4
        }

    def run(self) -> None:
        """Runs the network on its image."""
        with torch.no_grad(), torch.device("meta"), self:
            # Each module once, by one name: told all names of one that stands twice, PyTorch would
            # not give it its own tensors back.
            torch.func.functional_call(
                self.network, self._stand_ins, self._images, tie_weights=False
            )

    def left_over(self) -> Iterator[Layer]:
        """Gives a row for each parameter that no row has: of modules without a call of their own.

        One that no call took has no connections; of another they are not known.
        """
        for path, parameter in self.network.named_parameters():
            if id(parameter) not in self._counted:
                used = id(parameter) in self.used
                counts = UNKNOWN if used else NONE
                yield Layer(
                    name=self.unique(path),
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

    def opened(
        self, path: str, kind: str, module: nn.Module | None, given: list[Tensor]
    ) -> _Running:
        """Returns the record of a layer or group that begins."""
        own = self._own[path] if module else frozenset[int]()
        leaf = is_leaf(module)
        return _Running(path, kind, module, leaf, parameters=own, given=tuple(given))

    def computed(self, call: Call, given: list[Tensor], results: list[Tensor]) -> None:
        """Follows the positions through a call."""
        sources = [(tensor, self._positions.get(id(tensor))) for tensor in given]
        after = [positions_after(call, sources, result) for result in results]
        self._positions |= {id(r): found for r, found in zip(results, after, strict=True)}

    def inside(
        self,
        layer: _Running,
        call: Call,
        given: list[Tensor],
        weights: set[int],
        results: list[Tensor],
    ) -> None:
        """Adds a call's counts to those of its layer."""
        layer.counts += counts_of(call, weights, results[0])
        layer.detail = layer.detail or detail_of(call)
        if layer.module is None:
            layer.parameters = self.parameters_of(weights)

    def ended(
        self, name: str, layer: _Running, outputs: list[Tensor], inputs: tuple[str, ...]
    ) -> None:
        """Appends a layer."""
        output = outputs[0]
        known = counts_of_module(layer.module, output) if layer.module else None
        counts = Counts(*known) if known else layer.counts
        positions = self._positions.get(id(output))
        fresh = layer.parameters - self._counted
        self._counted |= fresh
        row = Layer(
            name=name,
            kind=layer.kind,
            detail=layer.detail,
            output=tuple(output.shape[1:]),
            parameters=sum(self._sizes[key] for key in fresh),
            connections=counts.connections,
            macs=counts.macs,
            receptive_field=positions.field if positions else None,
            activation_bytes=output.numel() * output.element_size(),
            inputs=inputs,
        )
        self.layers.append(row)

    def grouped(self, group: _Running, outputs: list[Tensor]) -> None:
        """Notes a module that holds layers, once."""
        found = Group(group.path, group.kind, tuple(outputs[0].shape[1:]))
        self.groups.setdefault(group.path, found)


def _on_meta(tensor: Tensor) -> Tensor:
    return torch.empty(tensor.shape, dtype=tensor.dtype, device="meta")
