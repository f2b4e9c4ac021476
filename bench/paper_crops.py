"""Small crops: one digit, low strips, light ink, dates, amounts; and paper without digits."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from paper_case import Case
from paper_hand import PENS, Hand, Paper, Rgb, number

_EACH = 20
_FONT_SIZES = (16, 24, 32, 48, 80)
_WORDS = ("Illinois", "Solo", "total", "Boss", "zoologist", "Lloyd", "Ziegel", "Isobel Gibson",
          "Please sign here", "fifty five and no cents", "Herbert Hoover", "lb sq Zz")  # fmt: skip
_PRINT = (
    "The quick brown fox jumps over 13 lazy dogs, 4,572 times.",
    "INVOICE 2024-00817   Customer no. 55120",
    "Tel. +49 30 901820   Fax +49 30 9018 2244",
    "0123456789",
    "Total  $ 1,250.00",
    "31/12/2019",
)


def _dark(mask: Image.Image, sides: tuple[int, int, int, int], draw: np.random.Generator,
          ground: Rgb = (245, 245, 245), pen: Rgb = (35, 35, 35)) -> Paper:  # fmt: skip
    """Returns ink with so much paper at its left, top, right and bottom."""
    left, top, right, bottom = sides
    paper = Paper((mask.width + left + right, mask.height + top + bottom), draw, ground)
    paper.ink(mask, (left, top), pen)
    return paper


def crops(limit: int | None) -> Iterator[Case]:
    """Gives crops of one digit and of a few."""
    for n in range(min(limit or _EACH, _EACH)):
        draw = np.random.default_rng([1, n])
        hand = Hand(draw)
        digit = str(n % 10)
        small, large = hand.digit(digit, 60), hand.digit(digit, 150)
        one = {"one digit, tight": _dark(small, (6, 4, 6, 4), draw)}
        square = Paper((280, 280), draw)
        square.middle(large, (140, 140))
        one["one digit, 280 x 280"] = square
        one["one digit on A4"] = page = Paper((1240, 1754), draw)
        page.ink(small, (300 + 20 * n, 400 + 30 * n))
        boxed = Paper((120, 120), draw)
        boxed.pen.rectangle((10, 10, 109, 109), outline=(60, 60, 60), width=3)
        boxed.middle(small, (60, 60))
        one["one digit in a box"] = boxed
        for group, paper in one.items():
            for pattern in ("digits", "digits:1"):
                name = f"{group}, {pattern}"
                yield Case(name, f"{n}", paper.pixels(), (digit,), pattern)
        text = number(draw, 2)
        two = _dark(hand.line(text, 60), (10, 8, 10, 8), draw)
        yield Case("two digits, tight", f"{n}", two.pixels(), (text,))


def strips(limit: int | None) -> Iterator[Case]:
    """Gives small digits in low strips, and long strips with little on them."""
    for n in range(min(limit or _EACH, _EACH)):
        draw = np.random.default_rng([2, n])
        hand, text = Hand(draw), number(draw, 6)
        mask = hand.line(text, 26)
        for high in (50, 75, 100, 120, 121, 150, 200):
            room = high - mask.height
            paper = _dark(mask, (30, room // 2, 30, room - room // 2), draw)
            yield Case(f"26 px in {high}", f"{n}", paper.pixels(), (text,))
        mask = hand.line(text, 40)
        long = _dark(mask, (40 + 30 * n, 12, 1500 - 30 * n, 12), draw)
        yield Case("40 px in a strip of 1,700 x 70", f"{n}", long.pixels(), (text,))
        text = number(draw, 3)
        upright = _dark(hand.line(text, 40), (12, 30 * n, 12, 900 - 30 * n), draw)
        yield Case("three digits, 40 px, strip upright", f"{n}", upright.pixels(), (text,))


def light(limit: int | None) -> Iterator[Case]:
    """Gives light ink on dark paper, and pages with both."""
    tones = {"on 10": (10, 240), "blackboard": (70, 230), "blueprint": (60, 200)}
    for n in range(min(limit or _EACH, _EACH)):
        draw = np.random.default_rng([3, n])
        hand, text = Hand(draw), number(draw, 6)
        mask = hand.line(text, 60)
        for group, (ground, pen) in tones.items():
            dark = (30, 50, 110) if group == "blueprint" else (ground,) * 3
            page = Paper((1000, 700), draw, dark)
            page.ink(mask, (250, 300), (pen,) * 3)
            yield Case(f"light {group}, page", f"{n}", page.pixels(), (text,))
            strip = _dark(mask, (24, 16, 24, 16), draw, dark, (pen,) * 3)
            yield Case(f"light {group}, strip", f"{n}", strip.pixels(), (text,))
        page = Paper((1000, 700), draw)
        page.pen.rectangle((200, 250, 300 + mask.width, 450), fill=(25, 25, 30))
        page.ink(mask, (250, 300), (240, 240, 240))
        other = number(draw, 5)
        page.ink(hand.line(other, 60), (240, 530))
        both = page.pixels()
        yield Case("a dark box on a light page", f"{n}", both, (text, other))
        yield Case("a light box on a dark page", f"{n}", 255 - both, (text, other))


def dates(limit: int | None) -> Iterator[Case]:
    """Gives dates and amounts whose marks count."""
    for n in range(min(limit or _EACH, _EACH)):
        draw = np.random.default_rng([4, n])
        hand = Hand(draw)
        day, month, year = (int(draw.integers(*r)) for r in ((1, 29), (1, 13), (1950, 2030)))
        for mark in "/.-":
            text = f"{day:02}{mark}{month:02}{mark}{year}"
            pixels = _dark(hand.line(text, 48), (24, 10, 24, 10), draw).pixels()
            yield Case(f"date with {mark}, `date`", f"{n}", pixels, (text,), "date", raw=True)
            bare = text.replace(mark, "")
            yield Case(f"date with {mark}, `digits`", f"{n}", pixels, (bare,))
        whole, cents = int(draw.integers(1, 900)), f"{int(draw.integers(100)):02}"
        for text in (f"{whole}.{cents}", f"0.{number(draw, 4)}", f"{whole}.{number(draw, 4)}",
                     f"{whole}.{number(draw, 3)},{cents}", f".{cents}", f"{whole}"):  # fmt: skip
            form = "".join("9" if c.isdigit() else c for c in text.replace(f"{whole}", "9", 1))
            pixels = _dark(hand.line(text, 48), (24, 10, 24, 10), draw).pixels()
            yield Case(f"amount {form}", f"{n}", pixels, (text,), "amount", raw=True)


def blank(limit: int | None) -> Iterator[Case]:
    """Gives paper without ink."""
    for n in range(min(limit or 10, 10)):
        draw = np.random.default_rng([5, n])
        for size in ((200, 200), (600, 60), (1000, 1400)):
            for tone in (255, 128, 0):
                flat = np.full(size[::-1], tone, np.uint8)
                yield Case(f"flat {tone}", f"{size[0]}", flat, ())
                yield Case(f"flat {tone}, --lines", f"{size[0]}", flat, (), lines=True)
            noise = draw.integers(0, 256, size[::-1]).astype(np.uint8)
            yield Case("noise", f"{n}", noise, ())
            yield Case("noise, --lines", f"{n}", noise, (), lines=True)
            grain = Paper(size, draw).photographed(light=0.5).pixels(12)
            yield Case("grain", f"{n}", grain, ())
            yield Case("grain, --lines", f"{n}", grain, (), lines=True)


def printed(limit: int | None) -> Iterator[Case]:
    """Gives pages with print alone."""
    for n in range(min(limit or _EACH, _EACH)):
        draw = np.random.default_rng([6, n])
        size = _FONT_SIZES[n % len(_FONT_SIZES)]
        page = Paper((1700, 1200), draw)
        y = 60
        for words in _PRINT:
            bottom = page.words(words, (100, y), size)[3]
            y = bottom + size
        yield Case(f"print alone, {size} px", f"{n}", page.pixels(), ())


def letters(limit: int | None) -> Iterator[Case]:
    """Gives pages of words in handwriting fonts."""
    folder = Path(os.environ["HOLMDEL_DATA"], "fonts")
    for n, path in enumerate(sorted(folder.glob("*/*.woff2"))[:limit]):
        draw = np.random.default_rng([7, n])
        face = ImageFont.truetype(str(path), 60)
        page = Paper((1200, 800), draw)
        chosen = [str(word) for word in draw.choice(_WORDS, 4, replace=False)]
        for row, word in enumerate(chosen):
            page.pen.text((120, 90 + 160 * row), word, fill=PENS[n % 2], font=face)
        yield Case("words by hand, page", path.stem, page.pixels(), ())
        box = page.pen.textbbox((0, 0), chosen[0], font=face)
        strip = Image.new("L", (int(box[2]) + 30, int(box[3]) + 24), 246)
        ImageDraw.Draw(strip).text((15, 8), chosen[0], fill=40, font=face)
        yield Case("one word by hand, crop", path.stem, np.asarray(strip), ())


def predict(limit: int | None) -> Iterator[Case]:
    """Gives digits for `predict`: off centre, on rules, none, two."""
    for n in range(min(limit or 100, 100)):
        draw = np.random.default_rng([8, n])
        hand, digit = Hand(draw), str(n % 10)
        for box, away in ((20, 4), (14, 6)):
            mask = hand.digit(digit, box)
            for wide in (28, 29):
                dark = Image.new("L", (wide, 28), 0)
                x, y = (int(v) for v in draw.integers(-away, away + 1, 2))
                dark.paste(255, ((28 - mask.width) // 2 + x, (28 - mask.height) // 2 + y), mask)
                group = f"box of {box} px in {wide} x 28"
                yield Case(group, f"{n}", np.asarray(dark), (digit,), digit=True)
        for group, tone, step in (("light rules", 150, 50), ("black rules", 30, 90)):
            paper = Paper((300, 300), draw)
            for at in range(int(draw.integers(10, step)), 300, step):
                paper.pen.line((0, at, 300, at), fill=(tone,) * 3, width=2)
            paper.middle(hand.digit(digit, 120), (150, 150))
            yield Case(group, f"{n}", paper.pixels(), (digit,), digit=True)
        if n < _EACH:
            paper = Paper((300, 300), draw)
            yield Case("blank", f"{n}", paper.pixels(n % 5), (), digit=True)
            noise = draw.integers(0, 256, (120, 120)).astype(np.uint8)
            yield Case("noise", f"{n}", noise, (), digit=True)
            paper.middle(hand.digit(digit, 90), (80, 150))
            paper.middle(hand.digit(str(n % 7), 90), (220, 150))
            yield Case("two digits", f"{n}", paper.pixels(), (), digit=True)
