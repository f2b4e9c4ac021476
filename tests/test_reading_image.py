"""A page before it is read: its inks by colour, its polarity, its working size."""

import io
from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from holmdel.images import decode
from holmdel.reading.colour import layers
from holmdel.reading.image import even_light, ink_of, luma, working
from holmdel.reading.polarity import dark_ink

FONT = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans-Bold.ttf"
BLUE, RED, BLACK = (40, 60, 160), (200, 40, 50), (25, 25, 25)


def strokes(size, at, pen=5):
    """Returns where a pen went, uint8 (H, W): an 8, a 5 and a 1 beside each other."""
    x, y = at
    canvas = Image.new("L", size, 0)
    draw = ImageDraw.Draw(canvas)
    draw.ellipse((x, y, x + 26, y + 24), outline=255, width=pen)
    draw.ellipse((x, y + 20, x + 26, y + 44), outline=255, width=pen)
    draw.line([(x + 90, y), (x + 66, y), (x + 66, y + 20), (x + 86, y + 30)], fill=255, width=pen)
    draw.line([(x + 86, y + 30), (x + 64, y + 44)], fill=255, width=pen)
    draw.line([(x + 132, y), (x + 126, y + 44)], fill=255, width=pen)
    return np.asarray(canvas)


def boxes(size, at):
    """Returns three printed boxes and some rows of print below them, uint8 (H, W)."""
    x, y = at
    canvas = Image.new("L", size, 0)
    draw = ImageDraw.Draw(canvas)
    for left in range(x, x + 180, 60):
        draw.rectangle((left, y, left + 60, y + 60), outline=255, width=3)
    for row in range(y + 100, size[1] - 40, 30):
        for left in range(60, size[0] - 60, 14):
            draw.rectangle((left, row, left + 8, row + 16), outline=255, width=2)
    return np.asarray(canvas)


SIZE, PLACE = (1100, 700), (200, 100)
PEN = strokes(SIZE, (PLACE[0] + 17, PLACE[1] + 8))
PRINT = boxes(SIZE, PLACE)


def scan(parts, paper=(250, 250, 248), fringe=0.0, quality=None):
    """Returns an RGB page of (mask, colour) parts, blurred as scanners do."""
    page = np.ones((SIZE[1], SIZE[0], 3)) * np.array(paper) / 255
    for mask, colour in parts:
        share = mask[:, :, None] / 255
        page = page * (1 - share) + share * np.array(colour) / 255
    page = cv2.GaussianBlur(page, (0, 0), 0.7)
    for channel, shift in ((0, fringe), (2, -fringe)):
        move = np.array([[1, 0, shift], [0, 1, shift / 2]])
        moved = cv2.warpAffine(page[:, :, channel], move, SIZE, borderMode=cv2.BORDER_REPLICATE)
        page[:, :, channel] = moved
    page = page * 255 + np.random.default_rng(0).normal(0, 3, page.shape)
    page = page.clip(0, 255).astype(np.uint8)
    if quality:
        file = io.BytesIO()
        Image.fromarray(page).save(file, "JPEG", quality=quality)
        page = np.asarray(Image.open(file))
    return page


def shares(layer):
    """Returns which part of the pen's and of the print's pixels is dark in a layer."""
    dark, pen, print_ = layer.light < 190, PEN > 140, PRINT > 140
    clear = print_ & (cv2.dilate(PEN, np.ones((9, 9), np.uint8)) == 0)
    return dark[pen & ~print_].mean(), dark[clear].mean()


@pytest.mark.parametrize(
    ("pen", "how"),
    [
        (BLUE, {}),
        (RED, {"fringe": 0.7, "quality": 75}),
        (BLUE, {"fringe": 0.5, "quality": 60}),
        (BLUE, {"paper": (240, 235, 90)}),
        ((250, 150, 50), {"quality": 85}),
        ((225, 245, 80), {}),
    ],
)
def test_a_coloured_pen_is_parted_from_black_boxes_and_print(pen, how):
    found = {layer.name: layer for layer in layers(scan([(PRINT, BLACK), (PEN, pen)], **how))}
    [coloured] = found.keys() - {"black"}
    kept, left = shares(found[coloured])
    assert kept > 0.95
    assert left < 0.05
    kept, left = shares(found["black"])
    assert kept < 0.1
    assert left > 0.9


def test_coloured_boxes_are_parted_from_a_black_pen():
    found = layers(scan([(PRINT, (230, 90, 90)), (PEN, BLACK)]))
    assert [layer.name for layer in found] == ["red", "black"]
    kept, left = shares(found[1])
    assert kept > 0.95
    assert left < 0.05


@pytest.mark.parametrize("ink", [BLACK, BLUE])
def test_a_page_of_one_ink_is_one_layer_and_its_grey_is_that_of_decode(ink):
    page = scan([(PRINT, ink), (PEN, ink)], fringe=0.5, quality=75)
    [layer] = layers(page)
    np.testing.assert_array_equal(layer.grey(page), decode(page, 1)[:, :, 0])
    np.testing.assert_array_equal(layer.light, even_light(luma(page)))


def test_the_grey_of_a_layer_is_that_ink_alone_at_any_size():
    small = scan([(PRINT, BLACK), (PEN, BLUE)], paper=(200, 190, 180))
    page = cv2.resize(small, None, fx=2, fy=2)
    blue = next(layer for layer in layers(small) if layer.name == "blue")
    grey = blue.grey(page)
    assert grey.shape == page.shape[:2]
    box = grey[2 * 170 : 2 * 250, 2 * 600 :]  # no pen here, but print
    assert box.min() > 150
    pen = cv2.resize(PEN, None, fx=2, fy=2) > 200
    assert np.median(grey[pen]) < 80


def test_a_negative_is_turned_over_as_a_whole():
    page = luma(scan([(PRINT, BLACK), (PEN, BLACK)]))
    np.testing.assert_array_equal(dark_ink(page), page)
    np.testing.assert_array_equal(dark_ink(~page), page)


@pytest.mark.parametrize("ground", [(60, 60, 60), BLUE, (230, 120, 20)])
def test_a_dark_box_on_a_light_page_is_turned_within_its_border(ground):
    box = np.zeros(SIZE[::-1], np.uint8)
    box[PLACE[1] - 20 : PLACE[1] + 80, PLACE[0] - 20 : PLACE[0] + 200] = 255
    text = np.where(box > 0, 0, PRINT).astype(np.uint8)
    page = scan([(text, BLACK), (box, ground), (PEN, (250, 250, 250))])
    turned = dark_ink(page)
    away = cv2.dilate(box, np.ones((25, 25), np.uint8)) == 0
    np.testing.assert_array_equal(turned[away], page[away])
    assert np.median(luma(turned)[PEN > 200]) < 80
    assert np.median(luma(turned)[(box > 0) & (PEN == 0)]) > 230


def test_a_light_box_on_a_dark_page_is_left_and_the_page_turned():
    box = np.zeros(SIZE[::-1], np.uint8)
    box[PLACE[1] - 20 : PLACE[1] + 80, PLACE[0] - 20 : PLACE[0] + 200] = 255
    other = np.roll(PEN, 160, axis=0)
    page = ~scan([(box, (25, 25, 30)), (PEN, (250, 250, 250)), (other, (30, 30, 30))])
    turned = luma(dark_ink(page))
    assert np.median(turned[PEN > 200]) < 80
    assert np.median(turned[other > 200]) < 80
    assert np.median(turned[(PEN == 0) & (other == 0)]) > 200


@pytest.mark.parametrize("inside", [(110, 110, 110), (0, 0, 0)])
def test_a_dark_field_without_light_writing_stays(inside):
    box = np.zeros(SIZE[::-1], np.uint8)
    box[PLACE[1] - 20 : PLACE[1] + 80, PLACE[0] - 20 : PLACE[0] + 200] = 255
    page = luma(scan([(box, inside), (PEN, (0, 0, 0))]))
    np.testing.assert_array_equal(dark_ink(page), page)


@pytest.mark.parametrize("paper", [150, 230])
def test_a_line_on_patterned_paper_in_a_black_frame_stays(paper):
    """Beside the frame the paper's lines look as light writing does on dark ground."""
    image = Image.new("L", (136, 64), paper)
    pen = ImageDraw.Draw(image)
    for y in range(0, 64, 4):
        pen.line((0, y, 136, y + 2), fill=paper - 40)
    pen.text((14, 14), "8781", fill=95, font_size=26)
    pen.rectangle((0, 0, 135, 63), outline=0, width=4)
    page = np.asarray(image)
    np.testing.assert_array_equal(dark_ink(page), page)


def test_a_white_sheet_on_a_dark_table_stays():
    sheet = luma(scan([(PRINT, BLACK), (PEN, BLACK)]))
    page = np.pad(sheet, 500, constant_values=50)
    np.testing.assert_array_equal(dark_ink(page), page)


@pytest.mark.parametrize("size", [24, 40, 90])
def test_bold_print_whose_letters_have_holes_stays(size):
    canvas = Image.new("L", (1240, 600), 255)
    font = ImageFont.truetype(FONT, size)
    for row in range(0, 600 - size, round(1.3 * size)):
        ImageDraw.Draw(canvas).text((20, row), "BOARD 0868 DOB8 QRGO " * 4, font=font, fill=0)
    page = np.asarray(canvas)
    np.testing.assert_array_equal(dark_ink(page), page)
    np.testing.assert_array_equal(dark_ink(~page), page)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((2200, 1700), (1600, 1236)),
        ((120, 6000), (120, 6000)),
        ((6000, 800), (3685, 491)),
        ((60, 400), (120, 800)),
        ((100, 1500), (200, 3000)),
    ],
)
def test_the_working_size_keeps_the_digits_of_strips(size, wanted):
    small, scale = working(np.full(size, 255, np.uint8))
    assert small.shape == wanted
    assert scale == pytest.approx(wanted[0] / size[0], rel=0.01)


@pytest.mark.parametrize("level", [0, 128, 255, None])
def test_blank_and_noise_have_no_ink(level):
    rng = np.random.default_rng(0)
    shape = (400, 300, 3)
    page = rng.integers(0, 256, shape) if level is None else np.full(shape, level)
    page = page.astype(np.uint8)
    np.testing.assert_array_equal(dark_ink(page), page)
    [layer] = layers(page)
    assert not ink_of(layer.light).any()


def ink(page):
    return ink_of(even_light(page)) > 0


def test_a_dark_table_and_a_lens_dark_at_its_corners_are_no_ink():
    sheet = luma(scan([(PRINT, BLACK), (PEN, (125, 125, 125))]))
    writing = cv2.dilate(PEN | PRINT, np.ones((7, 7), np.uint8)) > 0
    rows, columns = np.mgrid[-1 : 1 : SIZE[1] * 1j, -1 : 1 : SIZE[0] * 1j]
    dimmed = (sheet * (1 - 0.3 * (rows**2 + columns**2))).astype(np.uint8)
    assert (ink(dimmed) & ~writing).mean() < 0.001
    grain = np.random.default_rng(0).normal(60, 12, (SIZE[1] + 400, SIZE[0] + 400))
    page = cv2.GaussianBlur(grain, (0, 0), 2).astype(np.uint8)
    page[200:-200, 200:-200] = sheet
    assert (ink(page) & ~np.pad(writing, 200)).mean() < 0.001


def test_pencil_beside_black_print_is_ink():
    page = luma(scan([(PRINT, BLACK), (PEN, (125, 125, 125))]))
    assert ink(page)[PEN > 200].mean() > 0.85
