"""What an anatomy holds: a layer a row, the groups around them, the sums of the columns."""

from dataclasses import dataclass
from typing import Any

from holmdel.shapes import ReceptiveField

INPUT = "input"  # what `Layer.inputs` calls the picture
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One layer, as it runs for one picture.

    Attributes:
        name: its dotted path in the network, such as `inception3a.path2.conv`; a layer that runs
            again has `:2` behind it.
        kind: its class, such as `Conv2d`, or the function that a forward() calls, such as `cat`.
        detail: what is written beside the kind: `5x5, stride 2, padding 2`, or "".
        output: the shape of its output, without N; () for parameters that stand in no layer.
        parameters: numbers in its nn.Parameters; 0 where they were counted in a row above.
        connections: (weights + bias) x output positions; None where it is not known.
        macs: weights x output positions, no bias; None where it is not known.
        receptive_field: the pixels that one output position sees; None where it is not known.
        activation_bytes: memory of its output, batch 1, in the network's dtype.
        inputs: the names of the layers whose outputs it takes; "input" for the picture.
    """

    name: str
    kind: str
    detail: str
    output: Shape
    parameters: int
    connections: int | None
    macs: int | None
    receptive_field: ReceptiveField | None
    activation_bytes: int
    inputs: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns the layer as JSON takes it."""
        field = self.receptive_field
        return {
            "name": self.name,
            "kind": self.kind,
            "detail": self.detail,
            "output": list(self.output),
            "parameters": self.parameters,
            "connections": self.connections,
            "macs": self.macs,
            "receptive_field": field and field.to_json(),
            "activation_bytes": self.activation_bytes,
            "inputs": list(self.inputs),
        }


@dataclass(frozen=True)
class Group:
    """A module that holds layers, such as an Inception block; its numbers are its layers'.

    Attributes:
        name: its dotted path in the network, such as `inception3a.path2`.
        kind: its class, such as `Inception`.
        output: the shape of its output, without N.
    """

    name: str
    kind: str
    output: Shape


@dataclass(frozen=True)
class Totals:
    """The sums of the columns.

    Attributes:
        parameters: all of them.
        connections: of the layers whose connections are known.
        macs: of the layers whose MACs are known.
        activation_bytes: of all outputs together, batch 1.
        complete: whether every layer is known; else connections and MACs are lower bounds.
    """

    parameters: int
    connections: int
    macs: int
    activation_bytes: int
    complete: bool


@dataclass(frozen=True)
class Anatomy:
    """A network, layer by layer, for one picture.

    Attributes:
        network: its name.
        input: (C, H, W) of the picture.
        layers: the layers in the order they run, then parameters that stand in no layer.
        groups: the modules around them.
    """

    network: str
    input: tuple[int, int, int]
    layers: tuple[Layer, ...]
    groups: tuple[Group, ...] = ()

    @property
    def totals(self) -> Totals:
        """The sums of the columns."""
        connections = [layer.connections for layer in self.layers]
        macs = [layer.macs for layer in self.layers]
        return Totals(
            parameters=sum(layer.parameters for layer in self.layers),
            connections=sum(c for c in connections if c is not None),
            macs=sum(m for m in macs if m is not None),
            activation_bytes=sum(layer.activation_bytes for layer in self.layers),
            complete=None not in connections and None not in macs,
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the anatomy as JSON takes it: network, input, layers, totals."""
        return {
            "network": self.network,
            "input": list(self.input),
            "layers": [layer.to_json() for layer in self.layers],
            "totals": vars(self.totals),
        }

    def to_markdown(self) -> str:
        """Returns the table in Markdown, a row a layer, the totals last."""
        from holmdel.anatomy.table import markdown  # which imports this module

        return markdown(self)

    def to_svg(self) -> str:
        """Returns a drawing of the network, as papers draw LeNet, as the text of an SVG file."""
        from holmdel.anatomy.drawing import draw  # which imports this module

        return draw(self)
