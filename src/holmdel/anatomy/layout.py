"""Where everything of a drawing stands: rows of runs and forks, and the legend."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from holmdel.anatomy.blocks import Block, Fork, Run, fold, parts, shared_notes
from holmdel.anatomy.layers import Anatomy, Layer
from holmdel.anatomy.marks import Line, Mark, Swatch, Text, extent, lowered
from holmdel.anatomy.paths import place
from holmdel.anatomy.row import CAPTION, Plan, Row
from holmdel.anatomy.scale import Scale, scale_for, text_width
from holmdel.errors import UserError

WIDEST = 1560.0  # of a row
MARGIN = 24.0
GUTTER = 34.0  # between rows, where the line back runs
# Of the largest map: the first that fits a slide after the smallest, or else the smallest.
HEIGHTS = (80.0, 170.0, 150.0, 130.0, 115.0, 100.0, 90.0)
SLIDE, LOW = 9 / 16, 500.0  # a drawing fits if it is no taller than this part of its width, or LOW


@dataclass(frozen=True)
class Picture:
    """A drawing before it is written.

    Attributes:
        blocks: what the figures stand for.
        marks: everything, at its place.
        scale: of the figures.
        box: left, top, width and height of all.
    """

    blocks: Sequence[Block]
    marks: Sequence[Mark]
    scale: Scale
    box: tuple[float, float, float, float]

    @property
    def fits(self) -> bool:
        """Whether it has the shape of a slide."""
        return self.box[3] <= max(LOW, SLIDE * self.box[2])


def arrange(anatomy: Anatomy) -> Picture:
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
    picture = smallest()
    if not picture.fits:
        return picture
    return next((tried for tried in (lay() for lay in larger) if tried.fits), picture)


def _laid(
    blocks: Sequence[Block],
    loose: Sequence[Layer],
    shared: dict[str, str],
    found: Sequence[Run | Fork],
    height: float,
) -> Picture:
    """Returns the drawing whose largest map has a given height."""
    drawn = [block.output for block in blocks if block.family != "join"]
    plan = Plan(blocks, scale_for(drawn, height), _short(blocks, found))
    marks = _stacked(_rows(plan, found))
    marks += _legend(blocks, shared, loose, _box(marks))
    left, top, right, bottom = _box(marks)
    box = (left - MARGIN, top - MARGIN, right - left + 2 * MARGIN, bottom - top + 2 * MARGIN)
    return Picture(blocks, marks, plan.scale, box)


def _short(blocks: Sequence[Block], found: Sequence[Run | Fork]) -> frozenset[int]:
    """Returns the blocks that stand beside one of the same prefix, which a bracket then says."""
    running = [at for part in found if isinstance(part, Run) for at in part.members]
    short: set[int] = set()
    for one, two in pairwise(running):
        if two == one + 1 and blocks[one].prefix == blocks[two].prefix != "":
            short |= {one, two}
    return frozenset(short)


def _rows(plan: Plan, found: Sequence[Run | Fork]) -> list[Row]:
    """Returns as few rows as fit, of about the same length."""
    clusters = _clusters(plan, found)
    rows = _filled(plan, clusters, WIDEST)
    low, high = 0.0, WIDEST
    for _ in range(7 if len(rows) > 1 else 0):
        middle = (low + high) / 2
        tried = _filled(plan, clusters, middle)
        if len(tried) == len(rows):
            rows, high = tried, middle
        else:
            low = middle
    for row in rows:
        row.finish()
    return rows


def _clusters(plan: Plan, found: Sequence[Run | Fork]) -> list[list[Run | Fork]]:
    """Returns the parts, those below one bracket together unless they need half a row."""
    clusters: list[list[Run | Fork]] = []
    for part in found:
        last = clusters[-1][-1] if clusters else None
        together = isinstance(part, Run) and isinstance(last, Run) and _prefix(plan, part)
        if together and together == _prefix(plan, last):
            clusters[-1].append(part)
        else:
            clusters.append([part])
    kept: list[list[Run | Fork]] = []
    for cluster in clusters:
        fits = _placed(Row(plan), cluster).right <= WIDEST / 2
        kept += [cluster] if fits else [[part] for part in cluster]
    return kept


def _prefix(plan: Plan, part: Run | Fork | None) -> str:
    return plan.blocks[part.members[0]].prefix if isinstance(part, Run) else ""


def _filled(plan: Plan, clusters: Sequence[Sequence[Run | Fork]], limit: float) -> list[Row]:
    """Returns rows, each as full as the limit lets it be."""
    rows = [Row(plan)]
    for cluster in clusters:
        tried = _placed(rows[-1].copy(), cluster)
        if max(tried.right, tried.said) > limit and rows[-1].figures:
            rows.append(_placed(Row(plan), cluster))
        else:
            rows[-1] = tried
    return rows


def _placed(row: Row, cluster: Sequence[Run | Fork]) -> Row:
    """Returns the row with a cluster placed in it."""
    for part in cluster:
        if isinstance(part, Run):
            row.run(part)
        else:
            place(row, part)
    return row


def _stacked(rows: Sequence[Row]) -> list[Mark]:
    """Returns the marks of rows one below the other, joined by lines from end to begin."""
    marks: list[Mark] = []
    below = 0.0
    last: tuple[float, float] | None = None
    for row in rows:
        top = min(extent(mark)[1] for mark in row.marks)
        axis = below - top + (GUTTER if marks else 0)
        if last:
            x, y = last
            turn, back = x + 18, below + GUTTER / 2
            points = ((x, y), (turn, y), (turn, back), (0.0, back), (0.0, axis))
            marks.append(Line(points, "line"))
        marks += [lowered(mark, axis) for mark in row.marks]
        below = _box(marks)[3]
        final = list(row.figures.values())[-1]
        last = (final.right, axis)
    return marks


def _box(marks: Sequence[Mark]) -> tuple[float, float, float, float]:
    """Returns left, top, right and bottom of marks together."""
    lefts, tops, rights, bottoms = zip(*map(extent, marks), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _legend(
    blocks: Sequence[Block],
    shared: dict[str, str],
    loose: Sequence[Layer],
    box: tuple[float, float, float, float],
) -> list[Mark]:
    """Returns the colours and what they mean, and the parameters that stand in no layer."""
    present = {block.family for block in blocks}
    if any(block.normalised for block in blocks):
        present.add("normalisation")
    marks: list[Mark] = []
    x, y = box[0], box[3] + 26
    for family in ("convolution", "pooling", "normalisation", "dense", "other"):
        if family in present:
            text = family + (f", then {shared[family]}" if family in shared else "")
            marks += [Swatch(x, y, family), Text(x + 18, y + 10, text, CAPTION, "plain", "start")]
            x += 18 + text_width(text, CAPTION) + 22
    if loose:
        text = "in no layer: " + ", ".join(layer.name for layer in loose)
        marks.append(Text(box[0], y + 34, text, CAPTION, "quiet", "start"))
    return marks
