"""What a network computes of an image: every layer's values, and its kernels."""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from holmdel.anatomy import Anatomy, Layer, inspect_module
from holmdel.deprecation import renamed_parameters
from holmdel.errors import UserError
from holmdel.evaluation import Answer
from holmdel.insight.recorder import Calls, record
from holmdel.networks.lenet_papers import TableConv2d
from holmdel.shapes import ReceptiveField
from holmdel.tracing.call import INPUT

_locks: WeakKeyDictionary[nn.Module, threading.Lock] = WeakKeyDictionary()
_guard = threading.Lock()


@dataclass(frozen=True)
class Activation:
    """One layer's values for one image.

    Attributes:
        layer: its row in the anatomy.
        value: (C, H, W) or (F,): its output without N, in the network's dtype.
        module: the leaf module that it is; None for the image and for a function that a forward()
            calls.
        given: what it took, without N; empty where that is not known.
        calls: gives the calls of operators that made `value` of `given`, or None where there were
            others.
    """

    layer: Layer
    value: Tensor
    module: nn.Module | None
    given: tuple[Tensor, ...]
    calls: Calls

    @property
    def name(self) -> str:
        """The layer's name in the anatomy."""
        return self.layer.name

    def expect(self, unit: tuple[int, ...]) -> None:
        """Raises a UserError where the layer has no such unit."""
        shape = tuple(self.value.shape)
        fits = len(unit) == len(shape)
        if not fits or not all(0 <= at < size for at, size in zip(unit, shape, strict=True)):
            raise UserError(
                f"unit was given as {','.join(map(str, unit))}; {self.name} has "
                f"{'x'.join(map(str, shape))} units; expected {len(shape)} numbers counted from 0"
            )


@dataclass(frozen=True)
class Activations:
    """What a network made of one image.

    Attributes:
        layers: the image, named "input", and the layers in the order they ran.
        logits: (classes,), what the network says.
    """

    layers: tuple[Activation, ...]
    logits: Tensor

    def __getitem__(self, name: str) -> Activation:
        """Returns a layer's activation by its name; a UserError where there is none."""
        found = self.get(name)
        if found is None:
            names = ", ".join(activation.name for activation in self.layers)
            raise UserError(f"there is no layer {name!r}; choose from {names}")
        return found

    def get(self, name: str) -> Activation | None:
        """Returns a layer's activation by its name, or None."""
        return next((layer for layer in self.layers if layer.name == name), None)

    @property
    def probabilities(self) -> Tensor:
        """The softmax of the logits, (classes,)."""
        return self.logits.softmax(dim=0)

    @property
    def size(self) -> int:
        """The bytes of all values together."""
        return sum(layer.value.numel() * layer.value.element_size() for layer in self.layers)


@renamed_parameters(picture="image")
def activations(network: nn.Module, image: Tensor, anatomy: Anatomy | None = None) -> Activations:
    """Returns every layer's values for one image.

    The network runs once, in eval mode and without gradients, and is left as it was found. In-place
    layers change nothing here: each layer's values are kept as it gave them. Threads that look
    through one network by the functions of this package take turns.

    Args:
        network: any module that takes images (N, C, H, W) and gives logits (N, classes).
        image: (C, H, W) as the network sees it, in its dtype and on its device.
        anatomy: the network's for such images, so that it need not be made again.

    Raises:
        UserError: if the image has another number of dimensions, or the network cannot run for
            its size.
    """
    if image.ndim != 3:
        raise UserError(
            f"an image was given as {tuple(image.shape)}; expected (C, H, W), without N"
        )
    channels, height, width = image.shape
    with alone_with(network):
        anatomy = anatomy or inspect_module(network, (channels, height, width))
        records, answer = record(network, image[None])
    layers = [Activation(_input_row(image), image.detach(), None, (), lambda: None)]
    for row in anatomy.layers:
        if found := records.get(row.name):
            given = tuple(tensor[0] for tensor in found.given)
            layers.append(Activation(row, found.value[0], found.module, given, found.calls))
    return Activations(tuple(layers), answer[0].flatten())


def _input_row(image: Tensor) -> Layer:
    return Layer(
        name=INPUT,
        kind="Input",
        detail="",
        output=tuple(image.shape),
        parameters=0,
        connections=0,
        macs=0,
        receptive_field=ReceptiveField(),
        activation_bytes=image.numel() * image.element_size(),
        inputs=(),
    )


@contextlib.contextmanager
def alone_with(network: Answer) -> Iterator[None]:
    """Waits until no other thread looks through a network, for hooks and modes belong to a module.

    A function has neither, and waits for nobody.
    """
    if not isinstance(network, nn.Module):
        yield
        return
    with _guard:
        lock = _locks.setdefault(network, threading.Lock())
    with lock:
        yield


def has_kernels(module: nn.Module | None) -> bool:
    """Returns whether a module is a convolution whose kernels `kernels` gives."""
    return isinstance(module, nn.Conv2d | TableConv2d)


def kernels(network: nn.Module, layer: str) -> Tensor:
    """Returns the kernels of a convolution: (O, I, K, K), I the maps that each of the O sees.

    Where a convolution sees some of the maps before by a table, kernels that it lacks are zeros.

    Args:
        network: any module.
        layer: the name of its layer, such as `inception3a.path2.conv`.

    Raises:
        UserError: if there is no such layer, or it is no convolution in two dimensions.
    """
    modules = dict(network.named_modules())
    module = modules.get(layer.partition(":")[0])
    if isinstance(module, TableConv2d):
        whole = module.weight.new_zeros(*module.shape, *module.weight.shape[1:])
        return whole.index_put((module.rows, module.columns), module.weight).detach()
    if isinstance(module, nn.Conv2d):
        return module.weight.detach()
    known = [name for name, part in modules.items() if has_kernels(part)]
    raise UserError(
        f"{layer!r} was given as a layer with kernels; those of this network are "
        f"{', '.join(known) or 'none'}"
    )
