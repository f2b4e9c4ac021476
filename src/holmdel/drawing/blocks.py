"""The blocks of a drawing: a layer with what papers draw as one with it; how blocks connect."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from holmdel.anatomy.table import Anatomy, Layer, Shape
from holmdel.tracing.call import INPUT

# The first pattern found in the lower-case kind says the family.
FAMILIES = {
    "normalisation": r"norm",
    "dropout": r"drop",
    "reshape": r"flatten|^view|reshape|identity|permute|^(trans|un|sq)|contiguous|pad(\dd)?$",
    "pooling": r"pool|subsampl|^a?(mean|max)$",
    "activation": r"relu|elu$|silu|tanh|sigmoid|softmax|softplus|softsign|swish|mish|shrink",
    "join": r"^(cat|concat\w*|add|sub|mul|div|stack|bmm|matmul)_?$",
    "convolution": r"conv",
    "dense": r"linear|radial|dense",
}
FOLDED = ("normalisation", "dropout", "reshape", "activation")  # drawn with the layer before
PLAIN = {  # what the colour and the caption say
    "convolution": r"conv[123]d$",
    "dense": r"^linear$",
    "pooling": r"^(adaptive_?)?(avg|max)_?pool\dd$|^a?(mean|max)$",
}
WORDS = {"max": "max", "avg": "average", "mean": "average"}  # of poolings
MANY = 5  # blocks of a family that share a note have it said once, in the legend


@dataclass
class Block:
    """What is drawn as one: a layer and the layers folded into it.

    Attributes:
        name: of the layer, "" for the layout.
        family: `input`, `convolution`, `pooling`, `dense`, `normalisation`, `join` or `other`.
        kind: the layer's class or function.
        output: the shape of its output, without N.
        detail: kernel, stride and padding, to be written at the connection.
        inputs: the positions of the blocks whose outputs it takes.
        notes: what else is to be written below: an unusual kind, its activation, dropout.
        folded: the layers folded into it.
        layer: the layer, None for the layout.
    """

    name: str
    family: str
    kind: str
    output: Shape
    detail: tuple[str, ...] = ()
    inputs: tuple[int, ...] = ()
    notes: list[str] = field(default_factory=list)
    folded: list[Layer] = field(default_factory=list)
    layer: Layer | None = None

    @property
    def prefix(self) -> str:
        """What stands before the last dot of the name."""
        return self.name.rpartition(".")[0]

    @property
    def normalised(self) -> bool:
        """Whether a normalisation is folded into it."""
        return any(family_of(layer.kind) == "normalisation" for layer in self.folded)


@dataclass(frozen=True)
class Series:
    """Blocks one after the other, and the connections that skip some of them.

    Attributes:
        members: positions of the blocks.
        skips: pairs of positions (from, to); the first may stand before the series.
    """

    members: tuple[int, ...]
    skips: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Branches:
    """Paths side by side that start at one block and end in one.

    Attributes:
        start: position of the block before.
        paths: positions of the blocks of each path.
        join: position of the block that takes them all.
        skips: whether the join takes the start's output as well.
    """

    start: int
    paths: tuple[tuple[int, ...], ...]
    join: int
    skips: bool


Part = Series | Branches


def family_of(kind: str) -> str:
    """Returns the family of a kind of layer.

    >>> family_of("BatchNorm2d"), family_of("max_pool2d"), family_of("Mystery")
    ('normalisation', 'pooling', 'other')
    """
    for family, pattern in FAMILIES.items():
        if re.search(pattern, kind.lower()):
            return family
    return "other"


def fold(anatomy: Anatomy) -> tuple[list[Block], list[Layer]]:
    """Returns the blocks, the layout first, and the layers that take and give nothing."""
    takers = Counter(name for layer in anatomy.layers for name in set(layer.inputs))
    blocks = [Block("", "input", INPUT, anatomy.input)]
    where = {INPUT: 0}
    loose: list[Layer] = []
    for layer in anatomy.layers:
        known = [name for name in layer.inputs if name in where]
        inputs = tuple(sorted({where[name] for name in known}))
        family = family_of(layer.kind)
        if not known and not takers[layer.name]:
            loose.append(layer)
        elif (
            len(inputs) == 1 and family in FOLDED and (family == "reshape" or takers[known[0]] == 1)
        ):
            where[layer.name] = inputs[0]
            _fold_into(blocks[inputs[0]], layer, family)
        else:
            where[layer.name] = len(blocks)
            blocks.append(_block(layer, family, inputs))
    return blocks, loose


def _block(layer: Layer, family: str, inputs: tuple[int, ...]) -> Block:
    drawn = "other" if family in FOLDED and family != "normalisation" else family
    kind = layer.kind.lower()
    detail = layer.detail.split(", ") if layer.detail else []
    word = next((word for key, word in WORDS.items() if key in kind), "")
    if family == "pooling" and word:
        detail[:1] = [f"{word} {''.join(detail[:1])}".strip()]
    plain = family == "join" or re.search(PLAIN.get(family, "^$"), kind)
    notes = [] if plain else [layer.kind]
    return Block(
        layer.name, drawn, layer.kind, layer.output, tuple(detail), inputs, notes, layer=layer
    )


def _fold_into(block: Block, layer: Layer, family: str) -> None:
    block.folded.append(layer)
    if family == "reshape":
        if "pad" in layer.kind.lower() and len(layer.output) == 3:
            block.notes.append("padded to {1}x{2}".format(*layer.output))
    else:
        block.notes.append(re.sub(r"(?<=norm)\dd$", "", layer.kind, flags=re.IGNORECASE))


def shared_notes(blocks: Sequence[Block]) -> dict[str, str]:
    """Returns the note of each family whose blocks all have the same; it is taken from them."""
    found = {}
    for family in ("convolution", "dense"):
        members = [block for block in blocks if block.family == family]
        notes = {", ".join(block.notes) for block in members}
        if len(members) >= MANY and len(notes) == 1 and "" not in notes:
            found[family] = notes.pop()
            for block in members:
                block.notes.clear()
    return found


def parts(blocks: Sequence[Block]) -> list[Part]:
    """Returns the network as series and branches, in order, by the connections alone.

    A block that no connection jumps over is one that every path goes through. Between two such
    blocks lie paths side by side, or else a series with connections that skip.
    """
    edges = [(source, at) for at, block in enumerate(blocks) for source in block.inputs]
    spanned: set[int] = set()
    for source, at in edges:
        spanned.update(range(source + 1, at))
    gates = [at for at in range(len(blocks)) if at not in spanned]
    found: list[Part] = [Series((gates[0],))]
    for start, end in pairwise(gates):
        found.append(_between(start, end, edges))
    if gates[-1] != len(blocks) - 1:  # several ends
        found.append(_between(gates[-1], len(blocks) - 1, edges))
    return found


def _between(start: int, end: int, edges: Sequence[tuple[int, int]]) -> Part:
    """Returns what stands behind gate `start`, up to gate `end`."""
    inside = [edge for edge in edges if start <= edge[0] and edge[1] <= end]
    paths = list(_chains(range(start + 1, end), inside))
    if len(paths) > 1 and all(_is_path(path, inside, start, end) for path in paths):
        return Branches(start, tuple(paths), end, (start, end) in inside)
    return Series(
        tuple(range(start + 1, end + 1)),
        tuple((source, at) for source, at in inside if at - source > 1),
    )


def _chains(members: Sequence[int], edges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, ...]]:
    """Yields the connected pieces of some blocks, each in order."""
    left = list(members)
    while left:
        piece = {left[0]}
        grown = True
        while grown:
            near = {x for edge in edges for x in edge if piece & set(edge)} & set(members)
            grown = not near <= piece
            piece |= near
        yield tuple(sorted(piece))
        left = [at for at in left if at not in piece]


def _is_path(path: tuple[int, ...], edges: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Returns whether the blocks hang in a row between start and end, and on nothing else."""
    touched = {edge for edge in edges if set(edge) & set(path)}
    return touched == set(pairwise((start, *path, end)))
