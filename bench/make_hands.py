"""Writes src/holmdel/reader_training/synthesis/hands.npz: outlines of handwriting fonts.

The fonts are those of `fonts/` in the data root: a folder each with a WOFF2 file and its licence,
and `index.tsv` with family, licence, package and attribution. Each glyph is drawn large, its
contours are followed and simplified, and kept as whole numbers. Beside the file goes
`hands.LICENSE.md` with every family, its licence and copyright. The same files come out every time.
"""

import csv
import os
from pathlib import Path

import cv2
import numpy as np
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FILE = Path(__file__).parents[1] / "src" / "holmdel" / "reader_training" / "synthesis" / "hands.npz"
DIGITS, MARKS = "0123456789", ".,-=$€£/:"
LETTERS = "ACEFHKMNPRUVWXadefkmnruvwx*#%&+"  # nobody takes them for digits
SIZE = 400  # of the font, in pixels
UNITS = 200  # of a digit's usual height
PRECISION = 1.2  # units that a simplified outline may leave the true one
# Old-style figures of several heights, hairlines, decoration, or print.
LEFT_OUT = {
    "bad-script",
    "comic-neue",
    "corinthia",
    "herr-von-muellerhoff",
    "league-script",
    "pinyon-script",
    "tangerine",
}

Contours = list[NDArray[np.int32]]


def glyph(font: ImageFont.FreeTypeFont, character: str) -> Contours:
    """Returns the contours of a character, y from the base line down, in pixels."""
    canvas = Image.new("L", (3 * SIZE, 3 * SIZE))
    ImageDraw.Draw(canvas).text((SIZE, 2 * SIZE), character, 255, font, "ls")
    ink = (np.asarray(canvas) > 127).astype(np.uint8)
    found, _ = cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    base = np.array((0, 2 * SIZE), np.int32)
    return [contour[:, 0].astype(np.int32) - base for contour in found if len(contour) > 12]


def hand(path: Path) -> dict[str, Contours]:
    """Returns the contours of every character that a font has, x from 0, in units."""
    font = ImageFont.truetype(str(path), SIZE)
    known = TTFont(path).getBestCmap()
    glyphs = {c: glyph(font, c) for c in DIGITS + MARKS + LETTERS if ord(c) in known}
    tall = np.median([np.ptp(np.concatenate(glyphs[digit])[:, 1]) for digit in DIGITS])
    hand = {}
    for character, contours in glyphs.items():
        if not contours:
            continue
        scale = UNITS / float(tall)
        left = min(contour[:, 0].min() for contour in contours)
        hand[character] = [
            np.round((_simple(contour, PRECISION / scale) - (left, 0)) * scale).astype(np.int32)
            for contour in contours
        ]
    return hand


def _simple(contour: NDArray[np.int32], epsilon: float) -> NDArray[np.int32]:
    return cv2.approxPolyDP(contour, epsilon, closed=True)[:, 0].astype(np.int32)


def pen(contours: Contours) -> float:
    """Returns how wide the strokes are in units: twice the area over the length of the outline."""
    area = sum(cv2.contourArea(contour, oriented=True) for contour in contours)
    length = sum(cv2.arcLength(contour, closed=True) for contour in contours)
    return 2 * abs(area) / max(length, 1)


def main() -> None:
    """Writes the outlines and who made the fonts."""
    root = Path(os.environ["HOLMDEL_DATA"]) / "fonts"
    with (root / "index.tsv").open(encoding="utf-8") as file:
        fonts = list(csv.DictReader(file, delimiter="\t"))
    fonts = [font for font in fonts if font["folder"] not in LEFT_OUT]
    characters, sizes, points, pens = [], [], [], []
    for font in fonts:
        own = hand(next((root / font["folder"]).glob("*.woff2")))
        pens.append(np.median([pen(own[digit]) for digit in DIGITS]))
        characters.append("".join(own))
        for contours in own.values():
            sizes.append(",".join(str(len(contour)) for contour in contours))
            points += contours
    moves = np.diff(np.concatenate(points), axis=0, prepend=np.zeros((1, 2), np.int32))
    np.savez_compressed(
        FILE,
        characters=np.array(characters),
        sizes=np.array(" ".join(sizes)),
        moves=moves.astype(np.int16).T,
        pens=np.array(pens, np.float32),
    )
    FILE.with_suffix(".LICENSE.md").write_text(_licence(fonts, root), encoding="utf-8")
    print(f"{FILE.name}: {len(fonts)} hands, {len(moves):,} points, {FILE.stat().st_size:,} bytes")


def _licence(fonts: list[dict[str, str]], root: Path) -> str:
    """Returns whose the fonts are, and the text of each licence once."""
    rows: list[str] = []
    texts: dict[str, str] = {}
    for font in fonts:
        text = (root / font["folder"] / "LICENSE").read_text(encoding="utf-8")
        name, attribution = font["licence"], font["attribution"].replace("|", "/")
        rows.append(f"| {font['family']} | {name} | {attribution} |")
        texts.setdefault(name, text[max(text.find(_BEGINS.get(name, text)), 0) :].strip())
    licences = [f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in sorted(texts.items())]
    return _HEAD + "\n".join(rows) + "\n" + "".join(licences)


_BEGINS = {"OFL-1.1": "SIL OPEN FONT LICENSE Version 1.1"}
_HEAD = """# Licences of hands.npz

`hands.npz` holds simplified outlines of digits, marks and some letters of the handwriting fonts
below, from which `holmdel train reader` draws lines of handwriting. It is no font, and is not named
after any. The outlines of each family are under the licence named beside it. The images drawn from
them, and a network that learned from those, are not bound by it: the Open Font License says so of
documents made with a font. The fonts were taken from the packages `@fontsource/FAMILY`;
`bench/make_hands.py` in Holmdel's repository writes both files.

| family | licence | copyright |
| --- | --- | --- |
"""

if __name__ == "__main__":
    main()
