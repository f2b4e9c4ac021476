"""An anatomy as a table: in Markdown, and as rows that show which layers belong together."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from holmdel.anatomy.layers import Anatomy, Group, Layer
from holmdel.shapes import ReceptiveField

HEADS: tuple[str, ...] = ("name", "kind", "output", "parameters", "connections", "MACs")
HEADS += ("receptive field", "memory")
LOWER_BOUNDS = "? is not known; the totals of connections and MACs are lower bounds"
_BRANCH, _LAST, _PASSING, _CLEAR = "├ ", "└ ", "│ ", "  "
_SHORT = {", stride ": " s", ", padding ": " p", ", dilation ": " d", ", groups ": " g"}


def markdown(anatomy: Anatomy) -> str:
    """Returns a table in Markdown: a row a layer, the totals last."""
    right = ["---:" if head in HEADS[3:] else "---" for head in HEADS]
    rows = [HEADS, right, *(_cells(layer, layer.name, kind(layer)) for layer in anatomy.layers)]
    lines = ["| " + " | ".join(row) + " |" for row in [*rows, totals(anatomy)]]
    if not anatomy.totals.complete:
        lines += ["", LOWER_BOUNDS + "."]
    return "\n".join(lines) + "\n"


def tree(anatomy: Anatomy) -> Iterator[tuple[str, ...]]:
    """Gives the cells of a row a layer and a group, in order, the names drawn as a tree.

    A group has a name, a kind and an output; its numbers are its layers'.
    """
    root = _Node()
    for layer in anatomy.layers:
        root.at(layer.name.split(".")).layer = layer
    for group in anatomy.groups:
        root.at(group.name.split(".")).group = group
    for name, node in root.nodes.items():
        yield from _rows(name, node, "", "")


def totals(anatomy: Anatomy) -> tuple[str, ...]:
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


def window(seen: ReceptiveField | None) -> str:
    """Returns a receptive field as size/stride/offset, HxW where the two axes differ.

    >>> window(ReceptiveField((14, 14), (2, 2), (-2, -2)))
    '14/2/-2'
    """
    if seen is None:
        return "?"
    pairs = (seen.size, seen.stride, seen.offset)
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

    def at(self, path: list[str]) -> "_Node":
        """Returns the node of a path, made where it is not there."""
        node = self
        for part in path:
            node = node.nodes.setdefault(part, _Node())
        return node


def _rows(name: str, node: _Node, lead: str, below: str) -> Iterator[tuple[str, ...]]:
    """Gives the row of a node and those below it.

    Args:
        name: the last part of its path.
        node: the node.
        lead: what is drawn before its name.
        below: what is drawn before the names of the nodes below it.
    """
    if node.layer is not None:
        brief = kind(node.layer)
        for word, letter in _SHORT.items():
            brief = brief.replace(word, letter)
        yield _cells(node.layer, lead + name, brief)
    else:
        known = (node.group.kind, times(node.group.output)) if node.group else ("", "")
        yield (lead + name, *known, "", "", "", "", "")
    children = list(node.nodes.items())
    for number, (child, under) in enumerate(children, start=1):
        last = number == len(children)
        yield from _rows(
            child,
            under,
            below + (_LAST if last else _BRANCH),
            below + (_CLEAR if last else _PASSING),
        )


def _cells(layer: Layer, name: str, brief: str) -> tuple[str, ...]:
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
