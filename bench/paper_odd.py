"""Made pages that nobody plans for: circled, crossed out, units, folds, bleed-through, notes."""

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from paper_hand import BLUE, PENCIL, PENS, RED, Hand, Paper, Rgb, number
from paper_pages import Draw, Made


def _pen(draw: Draw) -> Rgb:
    return PENS[int(draw.integers(len(PENS)))]


def _written(paper: Paper, count: int, at: tuple[int, int], height: int = 54) -> tuple[str, int]:
    """Writes a number; returns it and its width."""
    text = number(paper.draw, count)
    mask = Hand(paper.draw).line(text, height)
    paper.ink(mask, at, _pen(paper.draw))
    return text, mask.width


def circled(draw: Draw) -> Made:
    """A number with a ring around it, in the same pen."""
    paper = Paper((1000, 700), draw)
    text, width = _written(paper, 3, (350, 300))
    ring = (350 - 60, 300 - 50, 350 + width + 60, 300 + 130)
    paper.pen.ellipse(ring, outline=(35, 35, 40), width=4)
    return paper, (text,)


def crossed_out(draw: Draw) -> Made:
    """A number struck out, its correction below; the first may be rejected, not accepted."""
    paper = Paper((1000, 700), draw)
    _, width = _written(paper, 5, (300, 200))
    for away in (-8, 8):
        ends = (290, 235 + away, 310 + width, 240 - away)
        paper.pen.line(ends, fill=(35, 35, 40), width=5)
    text, _ = _written(paper, 5, (300, 380))
    return paper, (text,)


def unit(draw: Draw) -> Made:
    """A number before a printed unit, behind a printed label, in one box."""
    paper, texts = Paper((1200, 700), draw), []
    for row, (label, what) in enumerate((("Weight", "kg"), ("Height", "cm"), ("Price", "EUR"))):
        y = 100 + 190 * row
        paper.pen.rectangle((120, y, 900, y + 110), outline=(70, 70, 70), width=3)
        paper.words(label, (140, y + 10), 24, font="DejaVuSans")
        paper.words(what, (800, y + 40), 38, font="DejaVuSans")
        texts.append(_written(paper, int(draw.integers(2, 5)), (320, y + 28))[0])
    return paper, tuple(texts)


def underscores(draw: Draw) -> Made:
    """A digit above each of some short rules."""
    paper, hand, texts = Paper((1200, 700), draw), Hand(draw), []
    for row in range(3):
        y, text = 150 + 190 * row, number(draw, 6)
        paper.words("No.", (100, y - 30), 34, font="DejaVuSans")
        for place, char in enumerate(text):
            x = 220 + 75 * place
            paper.pen.line((x, y + 8, x + 52, y + 8), fill=(50, 50, 50), width=3)
            paper.middle(hand.digit(char, 50), (x + 26, y - 24), BLUE)
        texts.append(text)
    return paper, tuple(texts)


def date_boxes(draw: Draw) -> Made:
    """Boxes of a date with printed dashes between them: the digits are one field."""
    paper, hand = Paper((1200, 500), draw), Hand(draw)
    text, x, places = number(draw, 8), 150, []
    paper.words("Date of birth", (150, 130), 30, font="DejaVuSans")
    for place, _ in enumerate(text):
        paper.pen.rectangle((x, 180, x + 56, 240), outline=(60, 60, 60), width=2)
        places.append(x + 28)
        x += 56
        if place in (1, 3):
            paper.words("–", (x + 10, 185), 40, font="DejaVuSans")
            x += 46
    for char, middle in zip(text, places, strict=True):
        paper.middle(hand.digit(char, 40), (middle, 210), BLUE)
    return paper, (text,)


def ledger(draw: Draw) -> Made:
    """A page of a ledger: close light rules, red and blue columns, a pencil."""
    paper, hand, texts = Paper((1200, 1200), draw, (242, 238, 222)), Hand(draw), []
    for y in range(60, 1200, 60):
        paper.pen.line((0, y, 1200, y), fill=(160, 190, 180), width=2)
    for x in (200, 210, 600, 900, 905):
        paper.pen.line((x, 0, x, 1200), fill=(205, 120, 120), width=2)
    for row in range(8):
        for x in (260, 640):
            text = number(draw, int(draw.integers(3, 6)))
            mask = hand.line(text, 42)
            paper.ink(mask, (x, 120 * row + 116 - mask.height), PENCIL)
            texts.append(text)
    return paper, tuple(texts)


def folded(draw: Draw) -> Made:
    """A sheet with the shade of folds and a ring of coffee."""
    paper, hand, texts = Paper((1240, 900), draw), Hand(draw), []
    for y in (300, 600):
        for away in range(12):
            tone = 236 - 8 * (12 - away) // 3
            paper.pen.line((0, y + away, 1240, y + away), fill=(tone, tone, tone), width=1)
    paper.pen.ellipse((700, 120, 1050, 470), outline=(196, 160, 120), width=14)
    for row in range(3):
        text = number(draw, 7)
        paper.ink(hand.line(text, 52), (180, 120 + 300 * row), _pen(draw))
        texts.append(text)
    return paper, tuple(texts)


def shown_through(draw: Draw) -> Made:
    """Print of the other side shows through, mirrored."""
    back = Paper((1240, 900), draw)
    for row in range(9):
        words = "Terms and conditions of 2019, section 4, pages 11 to 38"
        back.words(words, (60, 60 + 90 * row), 38, (215, 214, 212), "DejaVuSans")
    paper = Paper((1240, 900), draw)
    mirrored = np.asarray(back.image)[:, ::-1]
    paper.image.paste(Image.fromarray(cv2.GaussianBlur(mirrored, (0, 0), 2).astype("u1")))
    texts = [_written(paper, 6, (200, 140 + 250 * row))[0] for row in range(3)]
    return paper, tuple(texts)


def scanner_border(draw: Draw) -> Made:
    """A small sheet on the black lid of a scanner, a little turned."""
    paper = Paper((900, 600), draw)
    texts = [_written(paper, 6, (150, 120 + 180 * row))[0] for row in range(2)]
    whole = Image.new("RGB", (1300, 1000), (14, 14, 16))
    turned = paper.image.convert("RGBA").rotate(2, Image.Resampling.BICUBIC, expand=True)
    whole.paste(turned, (180, 190), turned)
    paper.image = whole
    return paper, tuple(texts)


def note(draw: Draw) -> Made:
    """A yellow note with a number on a printed page."""
    paper = Paper((1240, 1100), draw)
    for row in range(14):
        paper.words("Lorem ipsum dolor sit amet, consectetur", (80, 60 + 70 * row), 36,
                    font="DejaVuSerif")  # fmt: skip
    paper.pen.rectangle((520, 380, 980, 780), fill=(250, 232, 120))
    text, _ = _written(paper, 5, (620, 540))
    return paper, (text,)


def label(draw: Draw) -> Made:
    """A white label on brown card, with a bar code below the number."""
    paper = Paper((1100, 800), draw, (172, 132, 88))
    paper.pen.rectangle((180, 180, 920, 620), fill=(246, 246, 244), outline=(120, 90, 60))
    text, _ = _written(paper, 6, (280, 260), 60)
    x = 260
    while x < 840:
        wide = int(draw.integers(2, 8))
        paper.pen.rectangle((x, 440, x + wide, 560), fill=(15, 15, 15))
        x += wide + int(draw.integers(3, 9))
    return paper, (text,)


def marked_red(draw: Draw) -> Made:
    """Points in red ink beside printed questions."""
    paper, hand, texts = Paper((1240, 1000), draw), Hand(draw), []
    for row in range(5):
        y = 100 + 170 * row
        words = f"{row + 1}. What is the sum of 12 and {30 + row}?"
        paper.words(words, (100, y), 34, font="DejaVuSerif")
        text = number(draw, 2)
        paper.ink(hand.line(text, 54), (1000, y - 10), RED)
        texts.append(text)
    return paper, tuple(texts)


def slanted(draw: Draw) -> Made:
    """Numbers that climb five degrees, another that falls."""
    paper, hand, texts = Paper((1240, 900), draw), Hand(draw), []
    for row, degrees in enumerate((5, 0, -4)):
        text = number(draw, 8)
        mask = hand.line(text, 50).rotate(degrees, Image.Resampling.BICUBIC, expand=True)
        paper.ink(mask, (180, 130 + 240 * row), _pen(draw))
        texts.append(text)
    return paper, tuple(texts)


ODD: dict[str, Callable[[Draw], Made]] = {
    "circled": circled,
    "crossed out, corrected below": crossed_out,
    "label and unit in the box": unit,
    "a rule a digit": underscores,
    "date boxes with printed dashes": date_boxes,
    "ledger, pencil": ledger,
    "folds, coffee": folded,
    "print shows through": shown_through,
    "scanner's black border": scanner_border,
    "yellow note on a printed page": note,
    "label on card, bar code": label,
    "red points beside printed questions": marked_red,
    "slanted rows": slanted,
}
