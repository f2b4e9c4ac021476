"""Made pages: rows and columns of numbers, pads, squared paper, print beside, documents."""

from collections.abc import Callable, Iterator

import numpy as np

from paper_case import Case
from paper_forms import Comb, draw_comb
from paper_hand import BLUE, PENCIL, PENS, Hand, Paper, number

_EACH = 20
Made = tuple[Paper, tuple[str, ...]]
Draw = np.random.Generator


def _pen(draw: Draw) -> tuple[int, int, int]:
    return PENS[int(draw.integers(len(PENS)))]


def wide_gaps(draw: Draw) -> Made:
    """Three numbers, each with gaps of about a digit inside."""
    paper, hand, texts = Paper((1240, 900), draw), Hand(draw), []
    for row in range(3):
        parts = [number(draw, int(k)) for k in draw.integers(2, 5, 3)]
        paper.ink(hand.line(" ".join(parts), 48), (120, 120 + 230 * row), _pen(draw))
        texts.append("".join(parts))
    return paper, tuple(texts)


def spaced(draw: Draw) -> Made:
    """Digits a digit's height apart."""
    paper, hand, text = Paper((1240, 500), draw), Hand(draw), number(draw, 7)
    paper.ink(hand.line(text, 50, gap=1.0), (100, 200), _pen(draw))
    return paper, (text,)


def columns(draw: Draw) -> Made:
    """Three columns of five numbers."""
    paper, hand, texts = Paper((1240, 900), draw), Hand(draw), []
    for row in range(5):
        for column in range(3):
            text = number(draw, int(draw.integers(2, 6)))
            at = 100 + 390 * column + int(draw.integers(-6, 7)), 90 + 150 * row
            paper.ink(hand.line(text, 44), at)
            texts.append(text)
    return paper, tuple(texts)


def rows(draw: Draw) -> Made:
    """A plain page with six numbers one below the other."""
    paper, hand, texts = Paper((1000, 1100), draw), Hand(draw), []
    for row in range(6):
        text = number(draw, int(draw.integers(4, 11)))
        paper.ink(hand.line(text, 46), (110 + int(draw.integers(60)), 90 + 160 * row), _pen(draw))
        texts.append(text)
    return paper, tuple(texts)


def _ruled(paper: Paper, step: int, colour: tuple[int, int, int], width: int = 2) -> None:
    for y in range(step, paper.image.height, step):
        paper.pen.line((0, y, paper.image.width, y), fill=colour, width=width)


def pad(draw: Draw) -> Made:
    """Short numbers on a ruled pad, photographed."""
    paper, hand, texts = Paper((1000, 1300), draw, (238, 236, 228)), Hand(draw), []
    _ruled(paper, 80, (150, 175, 205))
    paper.pen.line((140, 0, 140, 1300), fill=(215, 130, 130), width=2)
    for row in range(7):
        text = number(draw, int(draw.integers(1, 4)))
        mask = hand.line(text, 50)
        paper.ink(mask, (200 + int(draw.integers(300)), 160 * row + 160 - mask.height), _pen(draw))
        texts.append(text)
    return paper.photographed(), tuple(texts)


def grey_pad(draw: Draw) -> Made:
    """Longer numbers with a pencil on a pad of grey rules."""
    paper, hand, texts = Paper((1000, 1300), draw, (240, 240, 238)), Hand(draw), []
    _ruled(paper, 70, (170, 170, 170))
    for row in range(6):
        text = number(draw, int(draw.integers(3, 8)))
        mask = hand.line(text, 48)
        paper.ink(mask, (150, 140 * row + 216 - mask.height), PENCIL)
        texts.append(text)
    return paper.photographed(light=0.15), tuple(texts)


def squared(draw: Draw) -> Made:
    """A digit a square on squared paper."""
    paper, hand, texts = Paper((1100, 900), draw, (244, 244, 240)), Hand(draw), []
    step = 44
    _ruled(paper, step, (175, 190, 215), 1)
    for x in range(0, 1100, step):
        paper.pen.line((x, 0, x, 900), fill=(175, 190, 215), width=1)
    for row in range(5):
        text = number(draw, int(draw.integers(3, 8)))
        for place, char in enumerate(text):
            at = (3.5 + place) * step, (3.5 + 3 * row) * step
            paper.middle(hand.digit(char, 38), at, BLUE)
        texts.append(text)
    return paper, tuple(texts)


def beside_print(draw: Draw) -> Made:
    """Numbers on dotted lines behind printed labels."""
    paper, hand, texts = Paper((1300, 900), draw), Hand(draw), []
    labels = ("Account No.", "Telephone:", "Postal code", "Amount $", "Meter reading 2")
    for row, label in enumerate(labels):
        y = 120 + 140 * row
        right = paper.words(label, (90, y), 34, font="DejaVuSans")[2]
        text = number(draw, int(draw.integers(4, 10)))
        mask = hand.line(text, 46)
        for x in range(right + 15, 1150, 8):
            paper.pen.point((x, y + 42), fill=(60, 60, 60))
            paper.pen.point((x + 1, y + 42), fill=(60, 60, 60))
        paper.ink(mask, (right + 40, y + 40 - mask.height), _pen(draw))
        texts.append(text)
    return paper, tuple(texts)


def table(draw: Draw) -> Made:
    """A table with printed heads on grey, a number a cell."""
    paper, hand, texts = Paper((1300, 900), draw), Hand(draw), []
    wide, high = 270, 100
    paper.pen.rectangle((80, 80, 80 + 4 * wide, 80 + high), fill=(205, 205, 205))
    for column, head in enumerate(("Item", "Quantity", "Price", "Total")):
        paper.words(head, (100 + wide * column, 112), 32, font="DejaVuSans-Bold")
    for row in range(7):
        y = 80 + high * row
        paper.pen.line((80, y, 80 + 4 * wide, y), fill=(40, 40, 40), width=2)
    for column in range(5):
        x = 80 + wide * column
        paper.pen.line((x, 80, x, 80 + high * 6), fill=(40, 40, 40), width=2)
    for row in range(1, 6):
        paper.words(f"Article {chr(64 + row)}", (100, 112 + high * row), 28, font="DejaVuSans")
        for column in range(1, 4):
            text = number(draw, int(draw.integers(1, 5)))
            mask = hand.line(text, 44)
            middle = 80 + wide * (column + 0.5), 80 + high * (row + 0.5)
            paper.middle(mask, middle, _pen(draw))
            texts.append(text)
    return paper, tuple(texts)


def envelope(draw: Draw) -> Made:
    """A postal code below a printed address, with a stamp."""
    paper, hand = Paper((1400, 800), draw, (240, 232, 214)), Hand(draw)
    for row, words in enumerate(("Bell Laboratories", "101 Crawfords Corner Road", "Holmdel NJ")):
        paper.words(words, (500, 360 + 70 * row), 40)
    paper.pen.rectangle((1180, 50, 1330, 230), fill=(190, 80, 80), outline=(90, 20, 20), width=4)
    paper.words("55 c", (1205, 110), 40, colour=(250, 240, 230))
    for ring in range(3):
        box = (1020 + 14 * ring, 60 + 14 * ring, 1220 - 14 * ring, 260 - 14 * ring)
        paper.pen.ellipse(box, outline=(60, 60, 70), width=3)
    text = number(draw, 5)
    paper.ink(hand.line(text, 56), (500, 600), _pen(draw))
    return paper.photographed(light=0.1, tilt=0.005), (text,)


def receipt(draw: Draw) -> Made:
    """A receipt with a printed list and a handwritten sum."""
    paper, hand = Paper((620, 1300), draw, (244, 244, 246)), Hand(draw)
    for row in range(12):
        words = f"{'Item':<6}{row:02}   2 x 1.{10 + row}    {2.2 + row / 50:.2f}"
        paper.words(words, (50, 60 + 52 * row), 26, (70, 70, 75), "DejaVuSansMono")
    paper.words("Table / server no.", (50, 760), 28, (70, 70, 75), "DejaVuSansMono")
    text = number(draw, 4)
    paper.ink(hand.line(text, 54), (200, 860), BLUE)
    paper.words("Thank you! 0049 30 123456", (50, 1150), 26, (70, 70, 75), "DejaVuSansMono")
    return paper, (text,)


def cheque(draw: Draw) -> Made:
    """A cheque with an amount in a box, a signature and the bank's printed line."""
    paper, hand = Paper((1500, 680), draw, (226, 234, 226)), Hand(draw)
    for y in range(0, 680, 9):
        paper.pen.line((0, y, 1500, y + 60), fill=(214, 226, 216), width=1)
    paper.words("FIRST NATIONAL BANK", (60, 40), 40)
    paper.words("PAY TO THE ORDER OF", (60, 220), 22)
    paper.pen.line((330, 250, 1040, 250), fill=(60, 60, 60), width=2)
    paper.words("$", (1070, 200), 44)
    paper.pen.rectangle((1120, 190, 1440, 265), outline=(60, 60, 60), width=3)
    text = number(draw, int(draw.integers(3, 6)))
    paper.middle(hand.line(text, 44), (1280, 228), _pen(draw))
    paper.words("DOLLARS", (1290, 330), 24)
    _signature(paper, (900, 480), _pen(draw))
    paper.words("⑆021000021⑆  123456789⑈ 0101", (120, 610), 34, font="DejaVuSansMono")
    return paper, (text,)


def _signature(paper: Paper, at: tuple[int, int], pen: tuple[int, int, int]) -> None:
    """Writes loops that are no digits."""
    turns = np.linspace(0, 9 * np.pi, 400)
    sway = paper.draw.uniform(0.7, 1.4, 3)
    x = at[0] + 12 * turns + 28 * sway[0] * np.sin(turns * sway[1])
    y = at[1] + 34 * np.cos(turns) * np.sin(turns * 0.31 * sway[2] + 1)
    points = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    paper.pen.line(points, fill=pen, width=4, joint="curve")


def signed(draw: Draw) -> Made:
    """A number beside a signature, hole punches at the side and a staple."""
    paper, hand = Paper((1240, 1754), draw), Hand(draw)
    for y in (460, 1290):
        paper.pen.ellipse((30, y, 92, y + 62), fill=(60, 58, 56))
    paper.pen.line((60, 60, 130, 95), fill=(120, 120, 125), width=5)
    text = number(draw, 8)
    paper.ink(hand.line(text, 50), (250, 420), _pen(draw))
    _signature(paper, (420, 1300), _pen(draw))
    paper.words("Signature", (420, 1380), 24)
    return paper, (text,)


def stamped(draw: Draw) -> Made:
    """A red stamp over a number."""
    paper, hand = Paper((1000, 600), draw), Hand(draw)
    text = number(draw, 7)
    mask = hand.line(text, 60)
    paper.pen.rectangle((330, 180, 800, 330), outline=(215, 90, 90), width=5)
    paper.words("RECEIVED", (350, 205), 84, (225, 110, 110), "DejaVuSans-Bold")
    paper.ink(mask, (300, 230), (30, 30, 40))
    return paper, (text,)


def dropout(draw: Draw) -> Made:
    """A red form: shaded boxes, red print, black pen."""
    paper, red = Paper((1300, 800), draw, (252, 246, 244)), (236, 150, 140)
    texts = []
    for row, label in enumerate(("Member number", "Date of birth (ddmmyyyy)", "Claim")):
        y = 120 + 220 * row
        paper.words(label, (100, y - 40), 28, red, "DejaVuSans")
        paper.pen.rectangle((100, y, 100 + 8 * 60, y + 60), fill=(253, 226, 220))
        text = number(draw, 8)
        draw_comb(paper, Comb(side=60, grey=red, wide=2), (100, y), text, (40, 40, 45))
        texts.append(text)
    return paper, tuple(texts)


def dark_table(draw: Draw) -> Made:
    """A number below a printed word in white on a dark bar."""
    paper, hand = Paper((1100, 600), draw), Hand(draw)
    paper.pen.rectangle((80, 100, 1020, 180), fill=(50, 60, 80))
    paper.words("METER READING 2023", (110, 115), 40, (250, 250, 250), "DejaVuSans-Bold")
    paper.pen.rectangle((80, 180, 1020, 330), outline=(50, 60, 80), width=4)
    text = number(draw, 6)
    paper.ink(hand.line(text, 60), (200, 210), _pen(draw))
    return paper, (text,)


def filled_form(draw: Draw) -> Made:
    """A form of twelve boxes with one number each, photographed."""
    paper, hand, texts = Paper((1300, 1500), draw), Hand(draw), []
    for row in range(6):
        for column in range(2):
            x, y = 90 + 600 * column, 120 + 220 * row
            paper.words(
                f"{row * 2 + column + 1}. Field {'ab'[column]}", (x, y), 28, font="DejaVuSans"
            )
            paper.pen.rectangle((x, y + 45, x + 500, y + 130), outline=(70, 70, 70), width=3)
            text = number(draw, int(draw.integers(2, 8)))
            paper.ink(hand.line(text, 46), (x + 40, y + 52), _pen(draw))
            texts.append(text)
    return paper.photographed(light=0.2), tuple(texts)


LINES: dict[str, Callable[[Draw], Made]] = {
    "rows on a plain page": rows,
    "gaps of a digit inside numbers": wide_gaps,
    "digits a height apart": spaced,
    "three columns": columns,
    "short numbers on a ruled pad, photo": pad,
    "pencil on grey rules, photo": grey_pad,
    "a digit a square": squared,
    "behind printed labels, dotted rules": beside_print,
}
DOCUMENTS: dict[str, Callable[[Draw], Made]] = {
    "table with cells": table,
    "envelope": envelope,
    "receipt": receipt,
    "cheque": cheque,
    "signature, punches, staple": signed,
    "red stamp over the number": stamped,
    "red drop-out form": dropout,
    "dark bar with white print": dark_table,
    "twelve boxes, photo": filled_form,
}


def pages(kinds: dict[str, Callable[[Draw], Made]], limit: int | None) -> Iterator[Case]:
    """Gives made pages of kinds."""
    for order, (group, make) in enumerate(kinds.items()):
        for n in range(min(limit or _EACH, _EACH)):
            paper, truth = make(np.random.default_rng([order, n]))
            yield Case(group, f"{n}", paper.pixels(), truth)
