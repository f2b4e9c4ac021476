"""Paths side by side, as in an Inception block, placed into a row of a drawing."""

from typing import NamedTuple

from holmdel.drawing.blocks import Branches
from holmdel.drawing.primitives import Figure, Frame, Stroke, Text, text_width
from holmdel.drawing.row import NAME, SIZE, SMALL, SPACE, Diagram, Row
from holmdel.drawing.scale import size_text

LINE = SMALL + 1.5


class _Grid(NamedTuple):
    """Where the blocks of paths stand.

    Attributes:
        prefix: what their names share.
        split: x where the paths part.
        columns: x and width of each; a path ends in the last.
        join: the figure that they lead to.
    """

    prefix: str
    split: float
    columns: list[tuple[float, float]]
    join: Figure


def common_prefix(names: list[str]) -> str:
    """Returns the dotted path that all names share.

    >>> common_prefix(["mixed.path1.conv", "mixed.path2.conv"])
    'mixed'
    """
    shared: list[str] = []
    for parts in zip(*(name.split(".")[:-1] for name in names), strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared)


def place(row: Row, branches: Branches) -> None:
    """Places the paths of branches and their join behind what stands in the row."""
    diagram = row.diagram
    prefix = common_prefix([diagram.blocks[at].name for path in branches.paths for at in path])
    split = max(row.right, row.said) + 26
    columns, x = [], split
    for lead, width in _columns(diagram, branches, prefix):
        columns.append((x + lead, width))
        x += lead + width
    axes, top, bottom = _axes(diagram, branches)
    join = diagram.figure(branches.join, x + 24)
    if diagram.blocks[branches.join].family == "join" and not join.sign:  # a bar across all paths
        join = Figure(branches.join, join.x, (axes[0] + axes[-1]) / 2, 9, axes[-1] - axes[0] + 24)
    grid = _Grid(prefix, split, columns, join)
    right = join.x + join.width + 7
    row.items.insert(0, Frame(split - 7, top, right - split + 7, bottom - top))
    for path, y in zip(branches.paths, axes, strict=True):
        _path(row, branches, path, y, grid)
    row.figures[branches.join] = join
    middle = (split + right - 7) / 2
    row.items += [join, Text(middle, bottom + NAME + 3, prefix, NAME, "strong")]
    row.names.append([])
    row.right = right
    row.said = max(right, middle + text_width(prefix, NAME) / 2)
    _label(row, branches.join, join, top)


def _label(row: Row, at: int, join: Figure, top: float) -> None:
    """Writes the size above the join, and below it its notes and its name where it has one."""
    block = row.diagram.blocks[at]
    if row.diagram.resizes(at):
        text = size_text(block.output)
        x = join.x + join.width + 7 - text_width(text, SIZE) / 2
        row.items.append(Text(x, top - 5, text, SIZE))
    lines = [row.diagram.name(at)] * (block.family != "join") + block.notes
    for line, text in enumerate(lines, start=1):
        y = join.y + join.height / 2 + line * LINE
        x = join.x + join.width + 3 - text_width(text, SMALL) / 2
        row.items.append(Text(x, y, text, SMALL, "quiet"))


def _relative(diagram: Diagram, at: int, prefix: str) -> str:
    name = diagram.blocks[at].name
    return name[len(prefix) + 1 :] if prefix else name


def _columns(diagram: Diagram, branches: Branches, prefix: str) -> list[tuple[float, float]]:
    """Returns, for each column, the room for the captions before it and its width."""
    count = max(len(path) for path in branches.paths)
    columns = [(30.0, 0.0)] * count
    for path in branches.paths:
        for column, at in enumerate(path, start=count - len(path)):
            block = diagram.blocks[at]
            lead = max((text_width(line, SMALL) for line in block.detail), default=0) + 16
            texts = [size_text(block.output), _relative(diagram, at, prefix), *block.notes]
            width = max(text_width(text, SMALL) for text in texts) + SPACE
            width = max(width, diagram.figure(at, 0).width)
            columns[column] = (max(columns[column][0], lead), max(columns[column][1], width))
    return columns


def _axes(diagram: Diagram, branches: Branches) -> tuple[list[float], float, float]:
    """Returns the y of each path, and the upper and lower end of all."""
    above, below = [], []
    for path in branches.paths:
        up, down = 12.0, 6.0
        for at in path:
            half = diagram.figure(at, 0).height / 2
            block = diagram.blocks[at]
            up = max(up, half + 4 + LINE, LINE + 4 if block.detail else 0)
            lines = 1 + len(block.notes)
            down = max(down, LINE * (len(block.detail) - 1) + 5, half + 2 + lines * LINE)
        above.append(up + 2)
        below.append(down + 2)
    total = sum(above) + sum(below)
    axes, y = [], -total / 2
    for up, down in zip(above, below, strict=True):
        axes.append(y + up)
        y += up + down
    return axes, -total / 2 - 2, total / 2 + 4


def _path(row: Row, branches: Branches, path: tuple[int, ...], y: float, grid: _Grid) -> None:
    """Draws one path, from the split to the join."""
    join = grid.join
    start = row.figures.get(branches.start)
    begin = start.right if start else row.right
    points = [(begin, 0.0), (grid.split, 0.0), (grid.split, y)]
    source = branches.start
    last = grid.columns[len(grid.columns) - len(path) :]
    for at, (left, width) in zip(path, last, strict=True):
        figure = row.diagram.figure(at, left, y)
        figure = row.diagram.figure(at, left + (width - figure.width) / 2, y)
        row.items.append(Stroke((*points, (figure.left, y)), "arrow", (source, at)))
        row.say(row.diagram.blocks[at].detail, left - 3 - _lead(row, at) / 2, y, (1, 1), SMALL)
        _name(row, at, figure, _relative(row.diagram, at, grid.prefix))
        points, source = [(figure.right, y)], at
    if join.sign or abs(y) > join.height / 2:
        points += [(join.x - 12, y), (join.x - 12, 0.0)]
        y = 0.0
    row.items.append(Stroke((*points, (join.left, y)), "arrow", (source, branches.join)))


def _lead(row: Row, at: int) -> float:
    return max((text_width(line, SMALL) for line in row.diagram.blocks[at].detail), default=0)


def _name(row: Row, at: int, figure: Figure, name: str) -> None:
    """Puts a block of a path, its size above and its name and notes below."""
    block = row.diagram.blocks[at]
    up = figure.height / 2 + 4
    row.items += [figure, Text(figure.middle, figure.y - up, size_text(block.output), SMALL)]
    low = figure.height / 2 + 2
    for line, text in enumerate((name, *block.notes), start=1):
        tone = "plain" if line == 1 else "quiet"
        row.items.append(Text(figure.middle, figure.y + low + line * LINE - 2, text, SMALL, tone))
