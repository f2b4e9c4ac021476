"""Combs, made with MNIST's test digits."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from paper_case import Case
from paper_hand import PENS, Hand, Paper, Rgb, number

_COMBS = 20  # of a kind
_PAGES = 4  # of a kind, of 300 dots an inch
_PROSE = (
    "In the figure below a cube of edge length L = 0.500 m and mass m",
    "is suspended by a rope in an open tank of liquid of density 1025",
    "Please print clearly and stay within the boxes provided.",
    "Form 1040-EZ (Rev. 12/2019)   Page 3 of 14",
    "Total amount due: $ 1,250.00     Date of birth",
)


@dataclass(frozen=True)
class Comb:
    """How a comb is drawn.

    Attributes:
        cells: how many boxes.
        side: of a box in pixels.
        wide: pixels of a wall.
        grey: of the walls, or their colour.
        gap: pixels between boxes.
        fill: the digits' height in boxes.
        astray: how far digits are from the middle, in boxes.
        broken: the share of a wall that is missing.
        ticks: whether there is a rule with ticks alone, no top.
        skew: degrees that the sheet is turned.
        dotted: whether the walls are dots.
    """

    cells: int = 8
    side: int = 50
    wide: int = 2
    grey: int | Rgb = 60
    gap: int = 0
    fill: float = 0.65
    astray: float = 0.1
    broken: float = 0.0
    ticks: bool = False
    skew: float = 0.0
    dotted: bool = False


KINDS: dict[str, Comb] = {
    "black 2 px": Comb(grey=20),
    "grey 60, 1 px": Comb(wide=1, cells=6),
    "grey 120, 2 px": Comb(grey=120, cells=7),
    "grey 160, 2 px": Comb(grey=160),
    "grey 200, 3 px": Comb(grey=200, wide=3, cells=9),
    "4 px": Comb(wide=4, cells=6),
    "small cells, 30 px": Comb(side=30, wide=1),
    "large cells, 90 px": Comb(side=90, wide=3, cells=6),
    "digits touch walls": Comb(fill=0.95, astray=0.12),
    "digits cross walls": Comb(fill=1.05, astray=0.25),
    "broken walls": Comb(broken=0.25),
    "turned 1.5 degrees": Comb(skew=1.5),
    "turned -3 degrees": Comb(skew=-3.0, cells=6),
    "boxes apart": Comb(gap=10, cells=6),
    "boxes far apart": Comb(gap=30, cells=6),
    "ticks on a rule": Comb(ticks=True),
    "red boxes": Comb(grey=(225, 110, 100)),
    "dotted walls": Comb(dotted=True, grey=40),
}


def draw_comb(paper: Paper, comb: Comb, at: tuple[int, int], text: str, pen: Rgb) -> None:
    """Draws a comb whose left and top are `at`, with digits in its boxes; spaces leave boxes."""
    colour = comb.grey if isinstance(comb.grey, tuple) else (comb.grey,) * 3
    hand, draw = Hand(paper.draw), paper.draw
    x, y, side = *at, comb.side
    for cell in range(comb.cells):
        left = x + cell * (side + comb.gap)
        right, bottom = left + side, y + side
        walls = [(left, y, left, bottom), (right, y, right, bottom), (left, bottom, right, bottom)]
        if comb.ticks:
            walls = [(w[0], y + side * 2 // 3, w[2], w[3]) for w in walls[:2]] + walls[2:]
        else:
            walls.append((left, y, right, y))
        for wall in walls:
            _wall(paper, comb, wall, colour)
    for cell, char in enumerate(text):
        if char != " ":
            height = round(side * comb.fill * draw.uniform(0.85, 1.1))
            away = draw.uniform(-comb.astray, comb.astray, 2) * side
            middle = x + cell * (side + comb.gap) + side / 2 + away[0], y + side / 2 + away[1]
            paper.middle(hand.digit(char, height), middle, pen)


def _wall(paper: Paper, comb: Comb, wall: tuple[int, int, int, int], colour: Rgb) -> None:
    x0, y0, x1, y1 = wall
    if comb.dotted:
        count = max(x1 - x0, y1 - y0) // 5
        for n in range(count + 1):
            x, y = x0 + (x1 - x0) * n // count, y0 + (y1 - y0) * n // count
            paper.pen.rectangle((x, y, x + comb.wide - 1, y + comb.wide - 1), fill=colour)
        return
    paper.pen.line(wall, fill=colour, width=comb.wide)
    if paper.draw.random() < 2 * comb.broken:
        share = paper.draw.uniform(0.1, 0.9 - comb.broken)
        ends = [(x0 + (x1 - x0) * s, y0 + (y1 - y0) * s) for s in (share, share + comb.broken)]
        paper.pen.line([*ends[0], *ends[1]], fill=(247, 246, 243), width=comb.wide + 2)


FINE: dict[str, Comb] = {
    "5 mm": Comb(side=59, wide=3, grey=40, fill=0.75, astray=0.12),
    "5 mm, on the walls": Comb(side=59, wide=3, grey=40, fill=0.9, astray=0.14),
    "4 mm, on the walls": Comb(side=46, wide=2, grey=40, fill=0.9, astray=0.14, cells=10),
    "4 mm, thick walls": Comb(side=46, wide=5, grey=90, fill=0.85, astray=0.12, cells=10),
    "3.5 mm": Comb(side=41, wide=2, grey=110, fill=0.85, astray=0.12, cells=12),
}


def comb_page(comb: Comb, draw: np.random.Generator, text: str) -> Paper:
    """Returns a page of 200 dots an inch, half high, with print and the comb."""
    paper = Paper((1700, 1000), draw)
    pen = PENS[int(draw.integers(len(PENS)))]
    paper.words("Identification number:", (150, 200 - 40), 28)
    draw_comb(paper, comb, (150 + int(draw.integers(0, 300)), 215), text, pen)
    for row, words in enumerate(_PROSE):
        paper.words(words, (150, 480 + 60 * row), 30, font="DejaVuSans")
    return paper


def _turned(paper: Paper, degrees: float) -> Paper:
    if degrees:
        paper.image = paper.image.rotate(
            degrees, resample=Image.Resampling.BICUBIC, fillcolor=(247, 246, 243)
        )
    return paper


def _crop(comb: Comb, draw: np.random.Generator, text: str, room: int) -> Paper:
    """Returns the comb alone with so much paper around it; below 0 its frame is cut into."""
    wide = comb.cells * (comb.side + comb.gap) - comb.gap
    far = 40 + math.ceil(abs(math.sin(math.radians(comb.skew))) * wide)
    paper = Paper((wide + 2 * far, comb.side + 2 * far), draw)
    draw_comb(paper, comb, (far, far), text, PENS[int(draw.integers(len(PENS)))])
    _turned(paper, comb.skew)
    cut = max(far - room, 0) if not comb.skew else 10
    paper.image = paper.image.crop((cut, cut, paper.image.width - cut, paper.image.height - cut))
    return paper


def combs(limit: int | None) -> Iterator[Case]:
    """Gives combs of every kind on a page, as a crop, cut at the frame, and cut inside it."""
    for order, (kind, comb) in enumerate(KINDS.items()):
        rooms = {"page": None, "crop": 12, "at the frame": 0, "inside the frame": -comb.wide}
        plain = not comb.skew and comb.fill + comb.astray < 1
        for where, room in rooms.items() if plain else list(rooms.items())[:2]:
            for n in range(min(limit or _COMBS, _COMBS)):
                draw = np.random.default_rng([n, order])
                text = number(draw, comb.cells)
                if room is None:
                    paper = _turned(comb_page(comb, draw, text), comb.skew)
                else:
                    paper = _crop(comb, draw, text, room)
                yield Case(f"{kind}, {where}", f"{n}", paper.pixels(), (text,))


def fine(limit: int | None) -> Iterator[Case]:
    """Gives pages of 300 dots an inch with ten combs each, every second one in many pens."""
    for order, (kind, comb) in enumerate(FINE.items()):
        for n in range(min(limit or _PAGES, _PAGES)):
            draw = np.random.default_rng([77, order, n])
            paper, truth = Paper((2480, 1750), draw), []
            for row in range(10):
                truth.append(number(draw, comb.cells))
                paper.words(f"{row + 1}. Account reference", (150, 90 + 165 * row), 30)
                pen = PENS[row % len(PENS)] if n % 2 else PENS[0]
                draw_comb(paper, comb, (900, 80 + 165 * row), truth[-1], pen)
            yield Case(f"300 dpi, {kind}", f"{n}", paper.pixels(), tuple(truth))


def empty(limit: int | None) -> Iterator[Case]:
    """Gives combs without ink."""
    for order, comb in enumerate(KINDS.values()):
        for n in range(min(limit or 3, 3)):
            draw = np.random.default_rng([n, order])
            page = _turned(comb_page(comb, draw, ""), comb.skew)
            yield Case("empty comb, page", f"{order}-{n}", page.pixels(), ())
            crop = _crop(comb, draw, "", 12)
            yield Case("empty comb, crop", f"{order}-{n}", crop.pixels(), ())
