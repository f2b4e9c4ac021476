"""Where each value of a graph lies in the one piece of memory that a C file has."""

from dataclasses import dataclass
from math import prod

from holmdel.errors import UserError
from holmdel.export.graph import IMAGES, Graph, Node

# What changes nothing in memory; and what may write over what it reads.
MOVES = ("Reshape", "Identity")
IN_PLACE = (
    *("Relu", "Sigmoid", "Tanh", "HardSwish", "HardSigmoid", "Softplus", "LeakyRelu", "Elu"),
    *("Neg", "Exp", "Log", "Sqrt", "Abs", "Reciprocal", "Erf"),
)


@dataclass(frozen=True)
class Arena:
    """The plan of the memory.

    Attributes:
        offsets: of each value, in numbers from the beginning.
        size: in numbers.
    """

    offsets: dict[str, int]
    size: int


def sizes_of(graph: Graph) -> dict[str, tuple[int, ...]]:
    """Returns the shape of every value of one image, without N.

    Raises:
        UserError: for one that varies otherwise than by N.
    """
    found = {}
    for name, shape in graph.shapes.items():
        sides = tuple(side for side in shape[1:] if side is not None)
        if len(sides) < len(shape) - 1 or shape[0] is not None:
            raise UserError(
                f"{name} has a size that varies with the image; C files hold fixed sizes alone"
            )
        found[name] = sides
    return found


def plan(graph: Graph) -> Arena:
    """Returns a place for every value, so that values that are needed together lie apart."""
    sizes = {name: prod(shape) for name, shape in sizes_of(graph).items()}
    home = _homes(graph)
    last: dict[str, int] = {}
    for at, node in enumerate(graph.nodes):
        for name in (*node.inputs, node.output):
            if name in home:
                last[home[name]] = at
    offsets: dict[str, int] = {}
    alive: list[str] = []
    for at, node in enumerate(graph.nodes):
        place = home[node.output]
        if place not in offsets:
            alive = [name for name in alive if last[name] >= at]
            offsets[place] = _free([(offsets[n], sizes[n]) for n in alive], sizes[place])
            alive.append(place)
    top = max(offsets[place] + sizes[place] for place in offsets)
    return Arena({name: offsets[place] for name, place in home.items()}, top)


def _homes(graph: Graph) -> dict[str, str]:
    """Returns the value whose place each value has."""
    readers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    home: dict[str, str] = {}
    for node in graph.nodes:
        first = node.inputs[0]
        shared = node.operator in MOVES or (node.operator in IN_PLACE and len(readers[first]) == 1)
        moved = [reader for reader in readers.get(first, []) if reader.operator in MOVES]
        if node.operator in IN_PLACE and moved:
            shared = False
        keeps = shared and first in home and first != IMAGES
        home[node.output] = home[first] if keeps else node.output
    return home


def _free(taken: list[tuple[int, int]], size: int) -> int:
    """Returns the first place of `size` numbers that overlaps none that is taken."""
    at = 0
    for offset, length in sorted(taken):
        if offset - at >= size:
            break
        at = max(at, offset + length)
    return at
