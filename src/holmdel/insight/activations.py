"""Every layer's values for one picture, in the order the layers run."""

from dataclasses import dataclass

from torch import Tensor, nn

from holmdel.anatomy import Anatomy, Layer, inspect_module
from holmdel.anatomy.table import INPUT
from holmdel.errors import UserError
from holmdel.insight.turns import alone_with
from holmdel.insight.watching import Steps, watch
from holmdel.shapes import ReceptiveField


@dataclass(frozen=True)
class Activation:
    """One layer's values for one picture.

    Attributes:
        layer: its row in the anatomy.
        value: (C, H, W) or (F,): its output without N, in the network's dtype.
        module: the leaf module that it is; None for the picture and for a function that a forward()
            calls.
        given: what it took, without N; empty where that is not known.
        steps: gives the calls of operators that made `value` of `given`, or None where there were
            others.
    """

    layer: Layer
    value: Tensor
    module: nn.Module | None
    given: tuple[Tensor, ...]
    steps: Steps

    @property
    def name(self) -> str:
        """The layer's name in the anatomy."""
        return self.layer.name


@dataclass(frozen=True)
class Activations:
    """What a network made of one picture.

    Attributes:
        layers: the picture, named "input", and the layers in the order they ran.
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


def activations(network: nn.Module, picture: Tensor, anatomy: Anatomy | None = None) -> Activations:
    """Returns every layer's values for one picture.

    The network runs once, in eval mode and without gradients, and is left as it was found. In-place
    layers change nothing here: each layer's values are kept as it gave them. Threads that look
    through one network by the functions of this package take turns.

    Args:
        network: any module that takes pictures (N, C, H, W) and gives logits (N, classes).
        picture: (C, H, W) as the network sees it, in its dtype and on its device.
        anatomy: the network's for such pictures, so that it need not be made again.

    Raises:
        UserError: if the picture has another number of dimensions, or the network cannot run for
            its size.
    """
    if picture.ndim != 3:
        raise UserError(
            f"a picture was given as {tuple(picture.shape)}; expected (C, H, W), without N"
        )
    channels, height, width = picture.shape
    with alone_with(network):
        anatomy = anatomy or inspect_module(network, (channels, height, width))
        records, answer = watch(network, picture[None])
    rows = [row for row in anatomy.layers if row.name in records]
    layers = [Activation(_picture_row(picture), picture.detach(), None, (), lambda: None)]
    for row in rows:
        record = records[row.name]
        given = tuple(tensor[0] for tensor in record.given)
        layers.append(Activation(row, record.value[0], record.module, given, record.steps))
    return Activations(tuple(layers), answer[0].flatten())


def _picture_row(picture: Tensor) -> Layer:
    return Layer(
        name=INPUT,
        kind="Input",
        detail="",
        output=tuple(picture.shape),
        parameters=0,
        connections=0,
        macs=0,
        receptive_field=ReceptiveField(),
        activation_bytes=picture.numel() * picture.element_size(),
        inputs=(),
    )
