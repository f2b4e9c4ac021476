"""Real sheets, the form and real ink again: scanned worse, turned, cut out, on made pages."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from holmdel.images import decode
from holmdel.reading import read_labelled
from paper_case import Case, root_of
from paper_forms import Comb, draw_comb
from paper_hand import BLACK, BLUE, Paper
from read import audited

Pixels = NDArray[np.uint8]
Worse = Callable[[Pixels], Pixels]
_PAGES = 15
_A_PAGE = 6  # amounts
_NIST_ALSO = ("8389", "675")  # the date; what the field of "625" looks like
_NIST_BOXES = (  # left, top, width and height inside the frames, pixels
    (34, 149, 163, 22), (217, 149, 164, 23), (400, 151, 165, 23), (34, 194, 30, 21),
    (100, 194, 47, 22), (184, 194, 63, 22), (284, 195, 80, 22), (400, 195, 165, 24),
    (33, 238, 47, 22), (117, 239, 63, 22), (217, 239, 80, 23), (334, 240, 164, 23),
    (534, 241, 31, 23), (33, 283, 64, 22), (133, 284, 81, 22), (250, 285, 164, 22),
    (450, 286, 31, 21), (517, 286, 48, 22), (33, 328, 80, 22), (150, 329, 164, 22),
    (350, 330, 30, 22), (417, 331, 47, 21), (500, 331, 65, 22), (33, 373, 164, 23),
    (233, 374, 31, 22), (300, 374, 47, 23), (383, 375, 64, 22), (483, 376, 81, 22),
)  # fmt: skip


def _folder(name: str) -> Path:
    return root_of(os.environ["HOLMDEL_DATA"], name)


@cache
def _sheets() -> dict[str, tuple[str, ...]]:
    """Returns the files of the scanned sheets and what stands on each."""
    with (_folder("forms") / "truth.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {r["file"]: tuple(t for t in (r["UFID"], r["section"]) if t) for r in rows}


def sheets(limit: int | None) -> Iterator[Case]:
    """Gives the scanned sheets with a comb of 8 boxes, and one of 5."""
    for name, truth in list(_sheets().items())[:limit]:
        yield Case("sheets", Path(name).stem, _folder("forms") / name, truth)


def _nist_truth() -> tuple[tuple[str, ...], str]:
    form = json.loads((_folder("photos") / "truth.json").read_text("utf-8"))["nist_form.jpg"]
    return tuple(text for row in form["rows"] for text in row), form["zip_field_by_eye"]


def nist(limit: int | None) -> Iterator[Case]:
    """Gives the filled form."""
    del limit
    fields, code = _nist_truth()
    path = _folder("photos") / "nist_form.jpg"
    yield Case("NIST form", "nist", path, (*fields, code), also=_NIST_ALSO)


def photos(limit: int | None) -> Iterator[Case]:
    """Gives photographs of notes."""
    known = json.loads((_folder("photos") / "truth.json").read_text("utf-8"))
    for name, row in list(known.items())[:limit]:
        if "lines" in row:
            truth = tuple(row["lines"])
            yield Case("photographs", Path(name).stem, _folder("photos") / name, truth)


def fields(limit: int | None) -> Iterator[Case]:
    """Gives the fields of the form cut out: with the frame, at it, and inside it."""
    form = decode(_folder("photos") / "nist_form.jpg", 1)[:, :, 0]
    for group, room in (("with the frame", 7), ("at the frame", 3), ("inside the frame", 0)):
        for scale in (1, 3):
            pairs = zip(_NIST_BOXES, _nist_truth()[0], strict=True)
            for n, ((x, y, w, h), text) in enumerate(list(pairs)[:limit]):
                cut = form[y - room : y + h + room, x - room : x + w + room]
                cut = _scaled(scale)(cut)
                name = f"{group}, x {scale}"
                yield Case(f"{name}, default", f"{n}", cut, (text,), also=_NIST_ALSO)
                told = f"{name}, --lines"
                yield Case(told, f"{n}", cut, (text,), lines=True, also=_NIST_ALSO)


def _scaled(scale: float) -> Worse:
    def change(image: Pixels) -> Pixels:
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        return _pixels(cv2.resize(image, None, fx=scale, fy=scale, interpolation=method))

    return change


def _pixels(values: NDArray[np.generic]) -> Pixels:
    whole: Pixels = np.clip(values, 0, 255).astype(np.uint8)
    return whole


def _turned(degrees: float) -> Worse:
    def change(image: Pixels) -> Pixels:
        height, width = image.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        size, border = (width, height), cv2.BORDER_REPLICATE
        return _pixels(cv2.warpAffine(image, turn, size, flags=cv2.INTER_CUBIC, borderMode=border))

    return change


def _grey(image: Pixels) -> Pixels:
    return _pixels(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))


def _bilevel(image: Pixels) -> Pixels:
    return _pixels(cv2.threshold(_grey(image), 0, 255, cv2.THRESH_OTSU)[1])


def _compressed(image: Pixels) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "jpeg", quality=25)
    return np.asarray(Image.open(file))


def _photographed(image: Pixels) -> Pixels:
    paper = Paper((8, 8), np.random.default_rng(1))
    paper.image = Image.fromarray(image)
    return paper.photographed(light=0.35, tilt=0.02).pixels(4)


WORSE: dict[str, Worse] = {
    "100 dpi": _scaled(0.5),
    "300 dpi": _scaled(1.5),
    "grey": _grey,
    "black and white": _bilevel,
    "JPEG of quality 25": _compressed,
    "turned 1 degree": _turned(1),
    "turned -2.5 degrees": _turned(-2.5),
    "photographed": _photographed,
    "light on dark": lambda image: 255 - image,
    "the upper quarter": lambda image: image[: len(image) // 4],
}


def worse(limit: int | None) -> Iterator[Case]:
    """Gives the scanned sheets and the form in other conditions."""
    for group, change in WORSE.items():
        for name, truth in list(_sheets().items())[:limit]:
            image = decode(_folder("forms") / name, 3)
            yield Case(f"sheets, {group}", Path(name).stem, change(image), truth)
    form = decode(_folder("photos") / "nist_form.jpg", 3)
    texts = (*_nist_truth()[0], _nist_truth()[1])
    larger = {f"form x {scale}": _scaled(scale)(form) for scale in (1.5, 2, 3, 4)}
    double = larger["form x 2"]
    larger |= {f"form x 2, {name}": WORSE[name](double) for name in list(WORSE)[2:9]}
    for group, image in larger.items():
        yield Case(group, "nist", image, texts, also=_NIST_ALSO)


def _ink(grey: Pixels) -> Image.Image:
    """Returns the ink of a cheque alone, as a mask twice as large."""
    paper = cv2.GaussianBlur(cv2.dilate(grey, np.ones((15, 15), np.uint8)), (0, 0), 8)
    share = (1 - grey / np.maximum(paper.astype(np.float32), 1) - 0.3).clip(0, 0.4) / 0.4
    return Image.fromarray(_scaled(2)(_pixels(255 * share)))


def _boxes(paper: Paper, row: int) -> tuple[int, int]:
    """Draws a label and a box and returns where the ink's left and middle are."""
    x, y = 120 + 800 * (row % 2), 160 + 330 * (row // 2)
    paper.words(f"{row + 1}. Amount of claim", (x, y), 30, font="DejaVuSans")
    paper.pen.rectangle((x, y + 60, x + 620, y + 220), outline=(60, 60, 60), width=3)
    return x + 40, y + 140


def _plain(paper: Paper, row: int) -> tuple[int, int]:
    return 200 + int(paper.draw.integers(200)), 130 + 180 * row


def _labelled(paper: Paper, row: int) -> tuple[int, int]:
    """Draws a label and a rule and returns where the ink's left and middle are."""
    y = 130 + 180 * row
    right = paper.words("Total of all payments $", (100, y), 34, font="DejaVuSerif")[2]
    paper.pen.line((right + 20, y + 60, 1500, y + 60), fill=(80, 80, 80), width=2)
    return right + 60, y + 10


def _table(paper: Paper, row: int) -> tuple[int, int]:
    """Draws cells and returns where the ink's left and middle are."""
    y = 80 + 180 * row
    for left, right in ((100, 400), (400, 1000), (1000, 1500)):
        paper.pen.rectangle((left, y, right, y + 180), outline=(90, 90, 90), width=2)
    paper.words(f"Item {row + 1}", (130, y + 70), 34, font="DejaVuSans")
    return 430, y + 90


LAYOUTS = {"plain page": _plain, "boxes": _boxes, "printed labels, rules": _labelled,
           "table": _table}  # fmt: skip


def real_ink(limit: int | None) -> Iterator[Case]:
    """Gives the ink of development cheques on made pages, six amounts a page; audited truth."""
    strings = read_labelled(_folder("cheques"))[3::6]
    known = audited([s.path.name for s in strings], [s.text for s in strings])
    for group, place in LAYOUTS.items():
        for n in range(min(limit or _PAGES, _PAGES)):
            draw = np.random.default_rng([11, n])
            few = slice(n * _A_PAGE, (n + 1) * _A_PAGE)
            paper, chosen = Paper((1700, 1240), draw), strings[few]
            for row, string in enumerate(chosen):
                mask = _ink(decode(string.path, 1)[:, :, 0])
                left, middle = place(paper, row)
                paper.ink(mask, (left, middle - mask.height // 2), (BLACK, BLUE)[n % 2])
            yield Case(f"real ink, {group}", f"{n}", paper.pixels(), tuple(known[few]), "amount")


def mixed(limit: int | None) -> Iterator[Case]:
    """Gives pages with an empty comb, a filled one and one with fewer digits than boxes."""
    for n in range(min(limit or _PAGES, _PAGES)):
        draw = np.random.default_rng([12, n])
        paper, truth = Paper((1700, 1100), draw), []
        for row, filled in enumerate((8, 0, 5)):
            text = "".join(str(d) for d in draw.integers(0, 10, filled))
            paper.words(("Policy", "Renewal", "Branch")[row], (120, 150 + 300 * row), 34)
            draw_comb(paper, Comb(side=60), (120, 210 + 300 * row), text, BLUE)
            truth += [text] if text else []
        yield Case("combs full, empty, partly filled", f"{n}", paper.pixels(), tuple(truth))
