"""Boxes, combs and rules: found, and taken away from the ink; combs read cell by cell."""

from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

import holmdel
from holmdel import data
from holmdel.checkpoint import load_line_model
from holmdel.reading.cells import read_cells
from holmdel.reading.comb_crops import cut_comb
from holmdel.reading.image import even_light, sheet, working
from holmdel.reading.layout import find_layout
from holmdel.reading.line import LineReader
from holmdel.reading.patterns import parse_pattern

DIGITS = data.load("digits").test


def written(char, height):
    """Returns a handwritten digit as a mask, `height` pixels high."""
    rows = np.flatnonzero(DIGITS.labels.numpy() == int(char))
    mask = DIGITS.images[int(rows[3]), 0].numpy()
    ys, xs = np.nonzero(mask > 40)
    mask = mask[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
    size = (max(3, round(mask.shape[1] * height / mask.shape[0])), height)
    return Image.fromarray(cv2.resize(mask, size, interpolation=cv2.INTER_CUBIC))


class Paper:
    """A page to draw on."""

    def __init__(self, width=900, height=300):
        self.image = Image.new("L", (width, height), 246)
        self.pen = ImageDraw.Draw(self.image)

    def comb(self, x, y, cells=6, side=50, wide=2, grey=60, gap=0):
        for cell in range(cells):
            left = x + cell * (side + gap)
            self.pen.rectangle((left, y, left + side, y + side), outline=grey, width=wide)
        return self

    def write(self, text, x, y, pitch=50, height=32, ink=30):
        for place, char in enumerate(text):
            mask = written(char, height) if char != " " else None
            if mask:
                at = (round(x + place * pitch - mask.width / 2), round(y - height / 2))
                self.image.paste(ink, at, mask)
        return self

    def pixels(self, turned=0.0):
        turned_by = self.image.rotate(turned, resample=Image.Resampling.BICUBIC, fillcolor=246)
        return np.asarray(turned_by) + np.random.default_rng(1).integers(
            0, 4, self.image.size[::-1]
        )


def laid_out(pixels):
    """Returns the page, its sheet, layout and scale."""
    page = np.asarray(pixels, np.uint8)
    small, scale = working(page)
    flat = sheet(even_light(small), scale, 0)
    return page, flat, find_layout(flat.ink, flat.light), scale


def cells_of(pixels):
    return [len(box.cells) for box in laid_out(pixels)[2].boxes]


def broken(paper):
    paper.comb(100, 100).write("407319", 125, 125)
    for x in (160, 290):
        paper.pen.line((x, 100, x + 14, 100), fill=246, width=5)
    paper.pen.line((200, 110, 200, 124), fill=246, width=5)
    paper.pen.line((300, 130, 300, 142), fill=246, width=5)
    return paper.pixels()


COMBS = {
    "plain": lambda p: p.comb(100, 100).write("407319", 125, 125).pixels(),
    "one pixel": lambda p: p.comb(100, 100, wide=1).write("407319", 125, 125).pixels(),
    "thick": lambda p: p.comb(100, 100, wide=3).write("407319", 125, 125).pixels(),
    "grey 180": lambda p: p.comb(100, 100, grey=180).write("407319", 125, 125).pixels(),
    "empty": lambda p: p.comb(100, 100).pixels(),
    "broken": broken,
    "skewed": lambda p: p.comb(100, 100).write("407319", 125, 125).pixels(2.5),
    "digits cross walls": lambda p: p.comb(100, 100).write("407319", 112, 118, height=46).pixels(),
    "apart": lambda p: p.comb(100, 100, gap=12).write("407319", 125, 125, pitch=62).pixels(),
    "far apart": lambda p: p.comb(100, 100, gap=30).write("407319", 125, 125, pitch=80).pixels(),
}


@pytest.mark.parametrize("kind", COMBS)
def test_a_comb_has_its_cells(kind):
    assert cells_of(COMBS[kind](Paper())) == [6]


@pytest.mark.parametrize("cut", [1, 3])
def test_a_comb_whose_frame_is_at_the_border_or_cut_away_has_its_cells(cut):
    pixels = Paper().comb(100, 100, wide=2).write("407319", 125, 125).pixels()
    assert cells_of(pixels[99 + cut : 152 - cut, 99 + cut : 402 - cut]) == [6]


def test_one_box_around_a_line_is_one_field_and_all_of_it_goes():
    paper = Paper(500, 200).write("407319", 100, 100, height=50)
    paper.pen.rectangle((60, 50, 400, 150), outline=0, width=4)
    layout = laid_out(paper.pixels())[2]
    assert [len(box.cells) for box in layout.boxes] == [1]
    bare = laid_out(Paper(500, 200).write("407319", 100, 100, height=50).pixels())[1]
    assert (layout.ink & ~cv2.dilate(bare.ink, np.ones((5, 5), np.uint8))).sum() == 0
    assert (layout.ink > 0).sum() > 0.95 * (bare.ink > 0).sum()


def test_a_table_is_rows_of_wide_cells():
    paper = Paper(900, 400)
    for y in (60, 130, 200, 270):
        paper.pen.line((80, y, 680, y), fill=40, width=2)
    for x in (80, 330, 680):
        paper.pen.line((x, 60, x, 270), fill=40, width=2)
    assert cells_of(paper.pixels()) == [1] * 6


def test_boxes_of_a_row_that_is_not_quite_level_are_boxes():
    """Their lines are taken for one that is bent, though each of them is straight."""
    paper = Paper(900, 200)
    for x, y in ((60, 80), (330, 82), (600, 80)):
        paper.pen.rectangle((x, y, x + 230, y + 44), outline=30, width=2)
    assert cells_of(paper.pixels()) == [1, 1, 1]


def test_ticks_on_a_rule_are_a_comb():
    paper = Paper().write("407319", 125, 120)
    paper.pen.line((100, 150, 400, 150), fill=60, width=2)
    for x in range(100, 401, 50):
        paper.pen.line((x, 134, x, 150), fill=60, width=2)
    assert cells_of(paper.pixels()) == [6]


def rules_left(draw, beside=lambda paper: None):
    """Returns the pixels of ink left of rules, and the part of a number on them that stays."""
    plain, lined = (Paper(700, 400).write("407319", 150, 200, height=60, pitch=70) for _ in "ab")
    draw(lined)
    beside(plain)
    beside(lined)
    bare, clean = laid_out(plain.pixels())[1].ink, laid_out(lined.pixels())[2]
    assert clean.boxes == ()
    near = cv2.dilate(bare, np.ones((7, 7), np.uint8)) > 0
    return int((clean.ink[~near] > 0).sum()), float((clean.ink[bare > 0] > 0).mean())


def ruled(paper):
    for y in range(50, 400, 60):
        paper.pen.line((0, y, 700, y), fill=150, width=2)


def squared(paper):
    ruled(paper)
    for x in range(30, 700, 60):
        paper.pen.line((x, 0, x, 400), fill=150, width=2)


def printed(paper):
    for y in (97, 283):
        paper.pen.line((40, y, 660, y), fill=90, width=2)


RULES = {
    "left": lambda p: p.pen.line((60, 90, 60, 330), fill=0, width=4),
    "underline": lambda p: p.pen.line((110, 240, 600, 240), fill=40, width=3),
    "ruled": ruled,
    "squared": squared,
    "dotted": lambda p: [p.pen.ellipse((x, 245, x + 3, 248), fill=40) for x in range(90, 640, 9)],
}


@pytest.mark.parametrize("kind", RULES)
def test_rules_go_and_the_number_stays(kind):
    left, stays = rules_left(RULES[kind])
    assert left <= 40
    assert stays > 0.85


def test_squares_go_where_a_printed_rule_stands_among_them():
    """As where a cut-out lies on squared paper: its own rules stand off the grid."""
    left, stays = rules_left(squared, printed)
    assert left <= 40
    assert stays > 0.85


@pytest.mark.parametrize("text", ["1111", "11771", "000", "8", "0", "4747"])
@pytest.mark.parametrize("height", [24, 60])
def test_nothing_is_taken_from_writing_alone(text, height):
    pixels = Paper(420, 130).write(text, 70, 65, height=height, pitch=height + 10).pixels()
    _, flat, layout, _ = laid_out(pixels)
    assert layout.boxes == ()
    assert np.array_equal(layout.ink, flat.ink)


@pytest.fixture(scope="module")
def reader():
    path = Path(str(resources.files("holmdel") / "weights" / "reader.safetensors"))
    return LineReader(load_line_model(path)[0])


def read(pixels, reader, pattern="digits"):
    page, flat, layout, scale = laid_out(pixels)
    combs = [cut_comb(page, flat, layout, box, scale)[0] for box in layout.boxes]
    return read_cells(combs, reader, parse_pattern(pattern))


@pytest.mark.parametrize("kind", ["plain", "grey 180", "broken", "skewed", "apart"])
def test_a_comb_is_read_cell_by_cell(kind, reader):
    [said] = read(COMBS[kind](Paper()), reader)
    assert said.answer.text == "407319"
    assert said.answer.score > 0.3
    assert said.empty == (False,) * 6


def test_strokes_on_the_walls_of_a_comb_of_300_dpi_stay(reader):
    comb = Paper(2480, 1754).comb(900, 400, side=46, wide=3, grey=40)
    [said] = read(comb.write("407319", 930, 423, pitch=46, height=42).pixels(), reader)
    assert said.answer.text == "407319"


@pytest.mark.parametrize("x", [901, 904])
def test_a_thin_wall_that_two_columns_of_pixels_share_is_one(x):
    comb = Paper(2480, 1754).comb(x, 401, cells=10, side=46, grey=20)
    _, _, layout, _ = laid_out(comb.pixels())
    assert [len(box.cells) for box in layout.boxes] == [10]


def test_what_a_black_wall_has_of_a_pens_colour_goes(reader):
    paper = Paper(1240, 800)
    for place, word in enumerate(["Section", "and", "number", "of", "the", "form"]):
        paper.pen.text((100 + 130 * place, 60), word, fill=20, font_size=32)
    blank = np.asarray(paper.comb(300, 200).image)
    grey = np.asarray(paper.write("704914", 325, 225, ink=30).image)
    green = np.where(grey < blank, 90 + grey * 0.6, blank)
    page = np.dstack([grey, green, grey]).astype(np.uint8)
    [plain] = holmdel.read(page).lines
    for cell in range(4):
        page[247:249, 308 + 50 * cell : 342 + 50 * cell] = (30, 130, 50)
    [line] = holmdel.read(page).lines
    assert line.text == plain.text == "704914"
    assert abs(line.confidence - plain.confidence) < 0.2


def test_cells_may_stay_empty(reader):
    [empty] = read(Paper().comb(100, 100).pixels(), reader)
    assert (empty.answer.text, empty.answer.score, empty.empty) == ("", 0.0, (True,) * 6)
    [some] = read(Paper().comb(100, 100).write(" 4 31", 125, 125).pixels(), reader)
    assert some.answer.text == "431"
    assert some.empty == (True, False, True, False, False, True)


def test_boxes_of_digits_are_where_their_ink_is_and_a_pattern_holds(reader):
    page, flat, layout, scale = laid_out(COMBS["plain"](Paper()))
    comb, to_page = cut_comb(page, flat, layout, layout.boxes[0], scale)
    [said] = read_cells([comb], reader, parse_pattern("digits:6"))
    for place, digit in enumerate(said.answer.digits):
        x, y, w, h = digit.box
        middle = to_page @ (x + w / 2, y + h / 2, 1)
        assert np.abs(middle - (125 + 50 * place, 125)).max() < 6
    assert read_cells([comb], reader, parse_pattern("digits:5"))[0].answer.text == ""
