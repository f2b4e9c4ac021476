"""The layer table of a network: its rows, the sums of its columns, and how it is shown."""

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from holmdel.deprecation import renamed_method
from holmdel.shapes import ReceptiveField

HEADS: tuple[str, ...] = ("name", "kind", "output", "parameters", "connections", "MACs")
HEADS += ("receptive field", "memory")
LOWER_BOUNDS = "? is not known; the totals of connections and MACs are lower bounds"
_BRANCH, _LAST, _PASSING, _CLEAR = "├ ", "└ ", "│ ", "  "
_SHORT = {", stride ": " s", ", padding ": " p", ", dilation ": " d", ", groups ": " g"}
Shape = tuple[int, ...]
Cells = tuple[str, ...]


@dataclass(frozen=True)
class Layer:
    """One layer, as it runs for one image.

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
        inputs: the names of the layers whose outputs it takes; "input" for the image.
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
        field = self.receptive_field and self.receptive_field.to_json()
        lists = {"output": list(self.output), "inputs": list(self.inputs)}
        return vars(self) | lists | {"receptive_field": field}


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
    """A network, layer by layer, for one image.

    Attributes:
        network: its name.
        input: (C, H, W) of the image.
        layers: the layers in the order they run, then parameters that stand in no layer.
        groups: the modules around them.
    """

    network: str
    input: tuple[int, int, int]
    layers: tuple[Layer, ...]
    groups: tuple[Group, ...] = ()

    def __repr__(self) -> str:
        """Returns a line with the totals."""
        sums = self.totals
        least = "" if sums.complete else "at least "
        return (
            f"<Anatomy of {self.network}: input {times(self.input)}, {len(self.layers)} layers, "
            f"{sums.parameters:,} parameters, {least}{sums.macs:,} MACs>"
        )

    def _repr_html_(self) -> str:
        """Returns the table as a notebook shows it."""
        rows = [_html(HEADS, "th"), *map(_html, tree(self)), _html(totals(self), "th")]
        return f"<table>{''.join(rows)}</table>"

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
        """Returns the table in Markdown: a row a layer, the totals last."""
        right = ["---:" if head in HEADS[3:] else "---" for head in HEADS]
        rows = [HEADS, right, *(_cells(layer, layer.name, kind(layer)) for layer in self.layers)]
        lines = ["| " + " | ".join(row) + " |" for row in [*rows, totals(self)]]
        if not self.totals.complete:
            lines += ["", LOWER_BOUNDS + "."]
        return "\n".join(lines) + "\n"

    to_svg = renamed_method("to_svg", "holmdel.draw")


def tree(anatomy: Anatomy) -> Iterator[Cells]:
    """Gives the cells of a row a layer and a group, in order, the names drawn as a tree.

    A group has a name, a kind and an output; its numbers are its layers'.
    """
    root = _Node()
    for layer in anatomy.layers:
        root.at(layer.name).layer = layer
    for group in anatomy.groups:
        root.at(group.name).group = group
    for name, node in root.nodes.items():
        yield from node.rows(name, "")


def totals(anatomy: Anatomy) -> Cells:
    """Returns the cells of the row of totals."""
    sums = anatomy.totals
    numbers = (f"{value:,}" for value in (sums.parameters, sums.connections, sums.macs))
    return ("total", "", "", *numbers, "", memory(sums.activation_bytes))


def kind(layer: Layer) -> str:
    """Returns a layer's kind and what is written beside it: `Conv2d 5x5, padding 2`."""
    return f"{layer.kind} {layer.detail}".strip()


def times(numbers: tuple[int, ...]) -> str:
    """Returns numbers as sizes are written.

    >>> times((6, 28, 28))
    '6x28x28'
    """
    return "x".join(map(str, numbers))


def window(field: ReceptiveField | None) -> str:
    """Returns a receptive field as size/stride/offset, HxW where the two axes differ.

    >>> window(ReceptiveField((14, 14), (2, 2), (-2, -2)))
    '14/2/-2'
    """
    if field is None:
        return "?"
    pairs = (field.size, field.stride, field.offset)
    return "/".join(str(one) if one == two else f"{one}x{two}" for one, two in pairs)


def memory(count: int) -> str:
    """Returns a number of bytes in three digits; 1 KB is 1,000 bytes.

    >>> memory(336), memory(18_816), memory(12_845_056), memory(102_760_448)
    ('336 B', '18.8 KB', '12.8 MB', '103 MB')
    """
    size, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if size < 999.5:
            break
        size, unit = size / 1000, larger
    digits = 0 if unit == "B" or size >= 99.95 else 1
    return f"{size:.{digits}f} {unit}"


@dataclass
class _Node:
    """A layer, a group, or a part of a path that is neither, and what is below it."""

    layer: Layer | None = None
    group: Group | None = None
    nodes: dict[str, "_Node"] = field(default_factory=dict)

    def at(self, path: str) -> "_Node":
        """Returns the node of a dotted path, made where it is not there."""
        node = self
        for part in path.split("."):
            node = node.nodes.setdefault(part, _Node())
        return node

    def rows(self, name: str, below: str) -> Iterator[Cells]:
        """Gives its row and those of the nodes below it.

        Args:
            name: as it is shown, with the tree's lines before it.
            below: the tree's lines before the names of the nodes below.
        """
        if self.layer is not None:
            brief = kind(self.layer)
            for word, letter in _SHORT.items():
                brief = brief.replace(word, letter)
            yield _cells(self.layer, name, brief)
        else:
            known = (self.group.kind, times(self.group.output)) if self.group else ("", "")
            yield (name, *known, "", "", "", "", "")
        for number, (child, node) in enumerate(self.nodes.items(), start=1):
            last = number == len(self.nodes)
            lead, under = (_LAST, _CLEAR) if last else (_BRANCH, _PASSING)
            yield from node.rows(below + lead + child, below + under)


def _cells(layer: Layer, name: str, brief: str) -> Cells:
    counts = (layer.connections, layer.macs)
    return (
        name,
        brief,
        times(layer.output),
        f"{layer.parameters:,}",
        *("?" if count is None else f"{count:,}" for count in counts),
        window(layer.receptive_field) if layer.output else "",
        memory(layer.activation_bytes),
    )


def _html(cells: Cells, tag: str = "td") -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"
