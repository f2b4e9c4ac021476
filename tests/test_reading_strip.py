"""The same ink gives the same answer, whatever is around it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

import holmdel
from holmdel import data
from holmdel.reading import Reader
from holmdel.reading.colour import Inks
from holmdel.reading.strip import strips_of

NUMBER = "40729"


@pytest.fixture(scope="module")
def digit():
    """Gives a digit somebody wrote as a mask of a height, cut out."""
    held = data.load("digits").train

    def written(char, height=48):
        number = int(np.flatnonzero(held.labels.numpy() == int(char))[7 if char == "1" else 5])
        mask = Image.fromarray(held.images[number, 0].numpy())
        mask = mask.crop(mask.getbbox())
        return mask.resize((round(mask.width * height / mask.height), height), Image.BICUBIC)

    return written


@pytest.fixture(scope="module")
def line(digit):
    """A number as somebody wrote it, dark on light paper, hardly a margin around it."""
    masks = [digit(char) for char in NUMBER]
    page = Image.new("L", (sum(m.width + 12 for m in masks) + 4, 60), 235)
    x = 8
    for mask in masks:
        page.paste(40, (x, 6), mask)
        x += mask.width + 12
    return np.asarray(page)


def padded(line, *sides, value=255):
    top, bottom, left, right = sides
    return np.pad(line, ((top, bottom), (left, right)), constant_values=value)


def framed(line, gap=6, width=3, grey=40, margin=40):
    inner = padded(line, gap, gap, gap, gap, value=235)
    wall = padded(inner, width, width, width, width, value=grey)
    return padded(wall, margin, margin, margin, margin)


def ruled(line, side):
    page = padded(line, 12, 12, 12, 12, value=235).copy()
    if side == "left":
        page[:, 3:6] = 60
    else:
        page[-6:-3] = 60
    return page


def coloured(line, ink):
    share = (235 - line.astype(np.float32))[:, :, None] / 195
    return (235 - share * (235 - np.array(ink))).clip(0, 255).astype(np.uint8)


def squared(line, step=18, ink=60):
    page = padded(line, 24, 24, 24, 24, value=235).astype(np.int16)
    page[step // 2 :: step] -= ink
    page[:, step // 2 :: step] -= ink
    return page.clip(0, 255).astype(np.uint8)


AROUND = {
    "as it is": lambda line: line,
    "margin 10": lambda line: padded(line, 10, 10, 10, 10),
    "margin 120": lambda line: padded(line, 120, 120, 120, 120),
    "margins uneven": lambda line: padded(line, 5, 90, 200, 20),
    "frame": framed,
    "grey frame": lambda line: framed(line, grey=150),
    "frame at the border": lambda line: framed(line, margin=0),
    "rule at the left": lambda line: ruled(line, "left"),
    "underlined": lambda line: ruled(line, "below"),
    "light on dark": lambda line: 255 - padded(line, 40, 40, 40, 40, value=235),
    "half the size": lambda line: np.asarray(
        Image.fromarray(line).resize((line.shape[1] // 2, line.shape[0] // 2), Image.BOX)
    ),
    "four times the size": lambda line: np.asarray(
        Image.fromarray(line).resize((line.shape[1] * 4, line.shape[0] * 4), Image.BICUBIC)
    ),
    "a long strip": lambda line: padded(line, 5, 5, 10, 2000, value=235),
    "blue ink": lambda line: coloured(line, (30, 50, 190)),
    "squared paper": squared,
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("lines", [True, False], ids=["--lines", "default"])
def test_the_same_ink_is_the_same_number(line, around, lines):
    reading = holmdel.read(AROUND[around](line), lines=lines)
    assert [found.text for found in reading.lines] == [NUMBER]


def test_blue_ink_in_a_black_frame_is_read_without_it(line):
    page = np.repeat(framed(np.full_like(line, 235))[:, :, None], 3, axis=2)
    page[49 : 49 + line.shape[0], 49 : 49 + line.shape[1]] = coloured(line, (30, 50, 190))
    assert [found.text for found in holmdel.read(page).lines] == [NUMBER]


@pytest.mark.parametrize("share", [0.35, 0.45, 0.6])
def test_a_black_frame_at_the_border_hides_no_faint_ink(line, share):
    faint = (235 - share * (235.0 - line)).astype(np.uint8)
    [strip] = strips_of(Inks(framed(faint, gap=0, width=4, grey=0, margin=0)), certain=False)
    assert strip.box[2] >= line.shape[1] - 26
    assert strip.box[3] >= 48


@pytest.mark.parametrize("width", [3, 4, 8])
def test_a_frame_right_at_the_ink_cuts_nothing_off(line, width):
    close = line[6:54]  # from the first row with ink to the last
    [strip] = strips_of(Inks(framed(close, gap=0, width=width, grey=0, margin=0)), certain=False)
    assert (strip.box[1], strip.box[3]) == (width, 48)


@pytest.mark.parametrize("char", "0123456789")
def test_one_digit_is_found_in_a_crop_and_on_a_card(digit, char):
    mask = digit(char, 60)
    for size, place in (((mask.width + 12, mask.height + 8), (6, 4)), ((280, 280), (110, 100))):
        page = Image.new("L", size, 245)
        page.paste(35, place, mask)
        assert [found.text for found in holmdel.read(page, "digits:1").lines] == [char]


@pytest.mark.parametrize("height", [75, 100, 120, 121, 150])
def test_small_digits_in_a_strip_of_any_height(line, height):
    small = Image.fromarray(line).resize((line.shape[1] // 2, line.shape[0] // 2), Image.BOX)
    page = Image.new("L", (small.width + 60, height), 235)
    page.paste(small, (30, (height - small.height) // 2))
    assert [found.text for found in holmdel.read(page).lines] == [NUMBER]


def comb(digit, text, *, cells=6, grey=60, size=(1000, 500), corner=(150, 200)):
    page = Image.new("L", size, 248)
    draw = ImageDraw.Draw(page)
    for number in range(cells):
        x, y = corner[0] + 80 * number, corner[1]
        draw.rectangle((x, y, x + 80, y + 80), outline=grey, width=3)
        if number < len(text):
            mask = digit(text[number])
            page.paste(35, (x + (80 - mask.width) // 2, y + 16), mask)
    return page


@pytest.mark.parametrize("grey", [60, 170])
@pytest.mark.parametrize(
    ("size", "corner"), [((1000, 500), (150, 200)), ((520, 100), (15, 10)), ((483, 83), (0, 0))]
)
def test_the_walls_of_a_comb_are_no_ones(digit, grey, size, corner):
    page = comb(digit, "407293", grey=grey, size=size, corner=corner)
    assert [found.text for found in holmdel.read(page).lines] == ["407293"]


def test_an_empty_comb_is_an_empty_field(digit):
    reading = holmdel.read(comb(digit, ""))
    assert reading.lines == ()
    [skipped] = reading.skipped
    assert skipped.reason == "empty"
    x, y, w, h = skipped.box
    assert (145 < x < 160, 195 < y < 210, 460 < w < 490, 70 < h < 90) == (True,) * 4
    assert reading.to_json()["skipped"] == [{"box": [x, y, w, h], "reason": "empty"}]


@pytest.mark.parametrize("page", ["white", "black", "grey", "noise"])
def test_on_blank_paper_and_in_noise_nothing_is_found(page):
    levels = {"white": 255, "black": 0, "grey": 120}
    noise = np.random.default_rng(0).integers(0, 255, (300, 400)).astype(np.uint8)
    image = noise if page == "noise" else np.full((300, 400), levels[page], np.uint8)
    assert holmdel.read(image).lines == ()


def test_a_page_with_a_dark_figure_is_no_line(digit):
    page = comb(digit, "407293", size=(1000, 1300))
    draw = ImageDraw.Draw(page)
    draw.rectangle((150, 310, 250, 790), fill=60)
    for number in range(16):
        draw.text((150, 810 + 28 * number), "the mass of the cube in the tank " * 2, fill=40)
    assert strips_of(Inks(np.asarray(page)), certain=False) == ()
    assert [found.text for found in holmdel.read(page).lines] == ["407293"]


def test_the_steps_of_a_page_show_the_fields_of_every_ink(digit):
    page = np.repeat(np.asarray(comb(digit, ""))[:, :, None], 3, axis=2).copy()
    ink = coloured(np.asarray(comb(digit, "407293", grey=248)), (30, 50, 190))
    blue = ink.min(axis=2) < 200
    page[blue] = ink[blue]
    page[400:440, 100:900] = coloured(np.asarray(print_in(800, 40)), (20, 20, 20))
    shown = dict(Reader().read(page, steps=True).steps)
    red = (shown["fields"] == (40, 40, 220)).all(2)
    rows, columns = np.nonzero(red)
    scale = shown["fields"].shape[1] / 1000
    assert 195 < rows.min() / scale < 225
    assert 150 < columns.min() / scale < 200
    assert 560 < columns.max() / scale < 640


def print_in(width, height):
    line = Image.new("L", (width, height), 235)
    ImageDraw.Draw(line).text((4, 8), "Please write the number of the sheet above", fill=40)
    return line


def guilloche(line):
    """Draws wavy lines under the ink, as on a cheque."""
    rows = np.arange(line.shape[0])[:, None] + 2 * np.sin(np.arange(line.shape[1]) / 23)
    waves = 25 * np.cos(rows * (2 * np.pi / 7)).clip(0, 1)
    return np.minimum(200 - waves, line).astype(np.uint8)


GREY = {
    "margin 60": lambda line: padded(line, 60, 60, 60, 60),
    "frame": lambda line: padded(padded(line, 4, 4, 4, 4, value=0), 60, 60, 60, 60),
    "rule at the left": lambda line: padded(padded(line, 0, 0, 4, 0, value=0), 60, 60, 60, 60),
    "rules": lambda line: padded(padded(line, 3, 3, 0, 0, value=0), 30, 30, 30, 30),
}


@pytest.mark.parametrize("around", GREY)
def test_a_patterned_clipping_is_cut_out_as_it_is_alone(line, around):
    clipping = guilloche(line)
    [alone] = strips_of(Inks(clipping), certain=True)
    [strip] = strips_of(Inks(GREY[around](clipping)), certain=True)
    inner = np.lib.stride_tricks.sliding_window_view(alone.picture, strip.picture.shape)
    assert (inner == strip.picture).all((2, 3)).any()  # less some rows of paper beside a frame
    assert np.subtract(alone.picture.shape, strip.picture.shape).max() <= 6


def test_a_last_one_is_no_rule(digit):
    masks = [digit(char) for char in "8781"]
    page = Image.new("L", (sum(m.width + 8 for m in masks[:3]) + 22, 54), 200)
    x = 8
    for mask in masks[:3]:
        page.paste(60, (x, 3), mask)
        x += mask.width + 8
    ImageDraw.Draw(page).line((x + 6, 4, x + 5, 49), fill=60, width=5)
    assert [found.text for found in holmdel.read(framed(np.asarray(page))).lines] == ["8781"]


PALE = {
    "a frame of 6 pixels": lambda line: padded(line, 6, 6, 6, 6, value=0),
    "a black rule below": lambda line: padded(line, 0, 6, 0, 0, value=0),
}


@pytest.mark.parametrize("around", PALE)
def test_pale_ink_on_grey_paper_is_cut_out_as_it_is_alone(line, around):
    clipping = np.clip(line, 150, 190).astype(np.uint8)
    [alone] = strips_of(Inks(clipping), certain=True)
    [strip] = strips_of(Inks(PALE[around](clipping)), certain=True)
    assert np.allclose(strip.picture.shape, alone.picture.shape, atol=5)
    assert abs(float(np.median(strip.picture)) - 190) <= 2


def test_a_tall_one_in_a_box_is_no_wall_of_it(digit):
    page = Image.new("L", (1000, 700), 248)
    draw = ImageDraw.Draw(page)
    for row, text in enumerate(("407", "293", "581")):
        x, y = 110, 60 + 130 * row
        draw.rectangle((80, y, 420, y + 80), outline=60, width=3)
        for char in text:
            mask = digit(char)
            page.paste(35, (x, y + 16), mask)
            x += mask.width + 18
    reading = holmdel.read(page)
    assert [found.text for found in reading.lines] == ["407", "293", "581"]


def written(digit, text):
    """Digits and slashes on grey paper, some way apart."""
    masks = [None if char == "/" else digit(char) for char in text]
    page = Image.new("L", (sum(m.width + 12 if m else 34 for m in masks) + 20, 68), 235)
    x = 12
    for mask in masks:
        if mask is None:
            ImageDraw.Draw(page).line((x + 2, 60, x + 20, 8), fill=60, width=4)
        else:
            page.paste(60, (x, 10), mask)
        x += mask.width + 12 if mask else 34
    return np.asarray(page)


def test_slashes_are_never_digits(digit):
    """A slash is no digit: it is passed over, as a point is, or the line is rejected."""
    date, number = written(digit, "24/08/2008"), written(digit, "2412312068")
    [line] = holmdel.read(date, lines=True, max_error=0.05).lines
    assert line.status == "reject" or line.text == "24082008", line
    [line] = holmdel.read(number, lines=True, max_error=0.05).lines
    assert (line.text, line.status) == ("2412312068", "read")
    [line] = holmdel.read(date, "date:dmy", lines=True, max_error=0.05).lines
    assert (line.value, line.status) == ({"date": "2008-08-24"}, "read")


@pytest.mark.parametrize("lines", [True, False], ids=["--lines", "default"])
def test_the_box_of_an_amount_holds_its_marks(digit, lines):
    page = Image.new("L", (900, 300), 235)
    page.paste(Image.fromarray(written(digit, "2500/")), (200, 100))
    ImageDraw.Draw(page).line((434, 134, 464, 134), fill=60, width=4)
    ink = np.flatnonzero((np.asarray(page) < 200).any(0))
    [line] = holmdel.read(page, "amount", lines=lines).lines
    assert (line.raw, line.value) == ("2500/-", {"cents": 250000, "decimal": True})
    x, _, w, _ = line.box
    assert x <= ink[0] + 3
    assert x + w >= ink[-1] - 3


def test_a_comb_in_another_ink_is_read_cell_by_cell(digit):
    """As the one whose walls are black: a wall is no one, and each digit is looked at alone."""
    page = comb(digit, "2907", cells=4, size=(260, 80), corner=(16, 14)).convert("RGB")
    dark = np.asarray(page.convert("L")) < 58
    coloured = np.where(dark[:, :, None], np.uint8([30, 50, 190]), np.asarray(page))
    strips = strips_of(Inks(coloured), certain=False)
    assert strips
    assert all(strip.comb for strip in strips)
