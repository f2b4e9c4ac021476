"""Where everything of a drawing stands: rows of series and branches, and the legend."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from holmdel.anatomy.table import Anatomy, Layer
from holmdel.drawing.blocks import Block, Part, Series, fold, parts, shared_notes
from holmdel.drawing.branches import place
from holmdel.drawing.primitives import (
    Box,
    Primitive,
    Stroke,
    Swatch,
    Text,
    extent,
    lowered,
    text_width,
)
from holmdel.drawing.row import CAPTION, Diagram, Row
from holmdel.drawing.scale import Scale, scale_for
from holmdel.errors import UserError

WIDEST = 1560.0  # of a row
MARGIN = 24.0
GUTTER = 34.0  # between rows, where the line back runs
# Of the largest map: the first that fits a slide after the smallest, or else the smallest.
HEIGHTS = (80.0, 170.0, 150.0, 130.0, 115.0, 100.0, 90.0)
SLIDE, LOW = 9 / 16, 500.0  # a drawing fits if it is no taller than this part of its width, or LOW


@dataclass(frozen=True)
class Layout:
    """A drawing before it is written.

    Attributes:
        blocks: what the figures stand for.
        items: everything, at its place.
        scale: of the figures.
        box: left, top, width and height of all.
    """

    blocks: Sequence[Block]
    items: Sequence[Primitive]
    scale: Scale
    box: Box

    @property
    def fits(self) -> bool:
        """Whether it has the shape of a slide."""
        return self.box[3] <= max(LOW, SLIDE * self.box[2])


def arrange(anatomy: Anatomy) -> Layout:
    """Returns the drawing of an anatomy.

    Raises:
        UserError: where there is no layer to draw.
    """
    blocks, loose = fold(anatomy)
    if len(blocks) == 1:
        raise UserError(
            f"{anatomy.network} has no layer to draw; expected at least one convolution, pooling "
            "or dense layer that its forward() runs"
        )
    shared = shared_notes(blocks)
    smallest, *larger = (
        partial(_laid, blocks, loose, shared, parts(blocks), height) for height in HEIGHTS
    )
    layout = smallest()
    if not layout.fits:
        return layout
    return next((tried for tried in (lay() for lay in larger) if tried.fits), layout)


def _laid(
    blocks: Sequence[Block],
    loose: Sequence[Layer],
    shared: dict[str, str],
    found: Sequence[Part],
    height: float,
) -> Layout:
    """Returns the drawing whose largest map has a given height."""
    drawn = [block.output for block in blocks if block.family != "join"]
    diagram = Diagram(blocks, scale_for(drawn, height), _short(blocks, found))
    items = _stacked(_rows(diagram, found))
    items += _legend(blocks, shared, loose, _box(items))
    left, top, right, bottom = _box(items)
    box = (left - MARGIN, top - MARGIN, right - left + 2 * MARGIN, bottom - top + 2 * MARGIN)
    return Layout(blocks, items, diagram.scale, box)


def _short(blocks: Sequence[Block], found: Sequence[Part]) -> frozenset[int]:
    """Returns the blocks that stand beside one of the same prefix, which a bracket then says."""
    running = [at for part in found if isinstance(part, Series) for at in part.members]
    short: set[int] = set()
    for one, two in pairwise(running):
        if two == one + 1 and blocks[one].prefix == blocks[two].prefix != "":
            short |= {one, two}
    return frozenset(short)


def _rows(diagram: Diagram, found: Sequence[Part]) -> list[Row]:
    """Returns as few rows as fit, of about the same length."""
    clusters = _clusters(diagram, found)
    rows = _filled(diagram, clusters, WIDEST)
    low, high = 0.0, WIDEST
    for _ in range(7 if len(rows) > 1 else 0):
        middle = (low + high) / 2
        tried = _filled(diagram, clusters, middle)
        if len(tried) == len(rows):
            rows, high = tried, middle
        else:
            low = middle
    for row in rows:
        row.finish()
    return rows


def _clusters(diagram: Diagram, found: Sequence[Part]) -> list[list[Part]]:
    """Returns the parts, those below one bracket together unless they need half a row."""
    clusters: list[list[Part]] = []
    for part in found:
        last = clusters[-1][-1] if clusters else None
        together = isinstance(part, Series) and isinstance(last, Series) and _prefix(diagram, part)
        if together and together == _prefix(diagram, last):
            clusters[-1].append(part)
        else:
            clusters.append([part])
    kept: list[list[Part]] = []
    for cluster in clusters:
        fits = _placed(Row(diagram), cluster).right <= WIDEST / 2
        kept += [cluster] if fits else [[part] for part in cluster]
    return kept


def _prefix(diagram: Diagram, part: Part | None) -> str:
    return diagram.blocks[part.members[0]].prefix if isinstance(part, Series) else ""


def _filled(diagram: Diagram, clusters: Sequence[Sequence[Part]], limit: float) -> list[Row]:
    """Returns rows, each as full as the limit lets it be."""
    rows = [Row(diagram)]
    for cluster in clusters:
        tried = _placed(rows[-1].copy(), cluster)
        if max(tried.right, tried.said) > limit and rows[-1].figures:
            rows.append(_placed(Row(diagram), cluster))
        else:
            rows[-1] = tried
    return rows


def _placed(row: Row, cluster: Sequence[Part]) -> Row:
    """Returns the row with a cluster placed in it."""
    for part in cluster:
        if isinstance(part, Series):
            row.series(part)
        else:
            place(row, part)
    return row


def _stacked(rows: Sequence[Row]) -> list[Primitive]:
    """Returns the items of rows one below the other, joined by lines from end to begin."""
    items: list[Primitive] = []
    below = 0.0
    last: tuple[float, float, float] | None = None
    for row in rows:
        top = min(extent(item)[1] for item in row.items)
        axis = below - top + (GUTTER if items else 0)
        if last:
            x, y, said = last
            turn, back = max(x + 18, said + 6), below + GUTTER / 2  # it runs beside what is written
            points = ((x, y), (turn, y), (turn, back), (0.0, back), (0.0, axis))
            items.append(Stroke(points, "line"))
        items += [lowered(item, axis) for item in row.items]
        below = _box(items)[3]
        final = list(row.figures.values())[-1]
        last = (final.right, axis, row.said)
    return items


def _box(items: Sequence[Primitive]) -> Box:
    """Returns left, top, right and bottom of items together."""
    lefts, tops, rights, bottoms = zip(*map(extent, items), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _legend(
    blocks: Sequence[Block],
    shared: dict[str, str],
    loose: Sequence[Layer],
    box: Box,
) -> list[Primitive]:
    """Returns the colours and what they mean, and the parameters that stand in no layer."""
    present = {block.family for block in blocks}
    if any(block.normalised for block in blocks):
        present.add("normalisation")
    items: list[Primitive] = []
    x, y = box[0], box[3] + 26
    for family in ("convolution", "pooling", "normalisation", "dense", "other"):
        if family in present:
            text = family + (f", then {shared[family]}" if family in shared else "")
            items += [Swatch(x, y, family), Text(x + 18, y + 10, text, CAPTION, "plain", "start")]
            x += 18 + text_width(text, CAPTION) + 22
    if loose:
        text = "in no layer: " + ", ".join(layer.name for layer in loose)
        items.append(Text(box[0], y + 34, text, CAPTION, "quiet", "start"))
    return items
