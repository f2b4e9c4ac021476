"""`read` and `Reader`: images in, strings out, and errors for what cannot be read."""

import io
import struct

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

import holmdel
from holmdel import data
from holmdel.checkpoint import load_line_model, save_line_model
from holmdel.errors import UserError
from holmdel.reading import Reader, Trust, fit_trust


def line_picture(text="407", size=(120, 40), paper=230, ink=20):
    page = Image.new("L", size, paper)
    ImageDraw.Draw(page).text((10, 4), text, fill=ink, font_size=26)
    return page


def test_a_line_has_text_confidence_status_box_and_digits(model):
    reading = holmdel.read(line_picture(), "digits", lines=True, model=model)
    [line] = reading.lines
    assert line.text.isdigit()
    assert line.text == "".join(digit.char for digit in line.digits)
    assert line.raw is None
    assert 0 <= line.confidence <= 1
    assert line.status == "reject"
    x, y, w, h = line.box
    assert 0 <= x < x + w <= 120
    assert 0 <= y < y + h <= 40
    assert reading.path is None
    assert reading.text == ""


def test_json_has_the_contracts_fields(model, tmp_path):
    line_picture().save(tmp_path / "a.png")
    reading = holmdel.read(tmp_path / "a.png", "digits", lines=True, model=model)
    values = reading.to_json()
    assert list(values) == ["path", "lines"]
    assert values["path"] == str(tmp_path / "a.png")
    [line] = values["lines"]
    assert list(line) == ["text", "confidence", "status", "box", "digits"]
    assert list(line["digits"][0]) == ["char", "confidence", "box"]
    assert len(line["box"]) == len(line["digits"][0]["box"]) == 4


def test_what_has_no_reading_under_the_pattern_is_said():
    """A picture too narrow for so many digits is none on which nothing is written."""
    ones = Image.new("L", (90, 60), 255)
    ImageDraw.Draw(ones).line([(45, 12), (40, 48)], fill=0, width=4)
    for region in (None, (0, 0, 90, 60)):
        reading = holmdel.read(ones, "digits:30", lines=region is None, region=region)
        assert reading.lines == ()
        assert [item.reason for item in reading.skipped] == ["unclear"]


def test_marks_are_kept_in_raw_where_the_pattern_has_them(model):
    reading = holmdel.read(line_picture(), r"\d\d[.]\d", lines=True, model=model)
    [line] = reading.lines
    assert line.raw[2] == "."
    assert line.raw.replace(".", "") == line.text
    assert list(line.to_json())[:2] == ["text", "raw"]


def test_what_may_be_wrong_decides_the_status(model):
    sure = Reader(model, pattern="digits", lines=True, max_error=1.0).read(line_picture())
    assert [line.status for line in sure.lines] == ["read"]
    assert sure.text == sure.lines[0].text
    none = Reader(model, pattern="digits", lines=True, max_error=0.0).read(line_picture())
    assert [line.status for line in none.lines] == ["reject"]


def test_the_models_own_trust_makes_the_confidence(model, tmp_path):
    trust = fit_trust([0.5] * 200, [True] * 200)
    path = tmp_path / "trusted.safetensors"
    save_line_model(path, load_line_model(model)[0], trust.to_json())
    [plain] = holmdel.read(line_picture(), "digits", lines=True, model=model).lines
    [line] = holmdel.read(line_picture(), "digits", lines=True, model=path).lines
    assert line.score == plain.score
    assert line.confidence == trust.confidence(line.score) != Trust().confidence(line.score)
    assert line.status == "read"  # 200 strings without a mistake allow one in a hundred


def test_light_ink_on_dark_paper_is_the_same_line(model):
    dark = holmdel.read(line_picture(), "digits", lines=True, model=model)
    light = holmdel.read(line_picture(paper=25, ink=235), "digits", lines=True, model=model)
    assert light == dark


def test_pictures_of_any_kind_are_read_alike(model, tmp_path):
    page = line_picture()
    file = io.BytesIO()
    page.save(file, "png")
    page.save(tmp_path / "a.png")
    array = np.asarray(page)
    kinds = [page, file.getvalue(), str(tmp_path / "a.png"), array, torch.tensor(array)]
    kinds += [page.convert("CMYK"), array.astype(np.uint16) * 257]
    reader = Reader(model, pattern="digits", lines=True)
    first, *others = [reader.read(kind).lines for kind in kinds]
    assert [[line.text for line in lines] for lines in others] == [[first[0].text]] * 6


def test_more_pictures_than_a_batch_come_in_order(model, tmp_path):
    paths = []
    for number in range(70):
        path = tmp_path / f"{number}.png"
        if number % 9 == 4:
            path.write_text("no picture")
        else:
            line_picture(str(number)).save(path)
        paths.append(path)
    reader = Reader(model, pattern="digits", lines=True)
    found = list(reader.read_each(paths))
    assert [item.path for item in found] == [str(path) for path in paths]
    assert [number for number, item in enumerate(found) if hasattr(item, "error")] == [
        *range(4, 70, 9)
    ]
    assert found[69].lines[0].text == reader.read(paths[69]).lines[0].text


def test_steps_are_pictures_with_names(model):
    reading = Reader(model, pattern="digits", lines=True).read(line_picture(), steps=True)
    assert [name for name, _ in reading.steps] == ["alignment-1", "network-1"]
    for _, picture in reading.steps:
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"%PDF-1.7 ...", "is cut short or damaged"),
        (b"GIF", "is not an image"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_picture_is_a_sentence(model, tmp_path, content, sentence):
    path = tmp_path / "a.file"
    path.write_bytes(content)
    for given in (path, content):
        with pytest.raises(UserError, match=sentence):
            holmdel.read(given, model=model)


def test_a_picture_of_a_pixel_is_too_small(model):
    with pytest.raises(UserError, match="the picture has 1 x 1 pixels; expected 8 x 8 at least"):
        holmdel.read(Image.new("L", (1, 1)), model=model)


def test_a_picture_too_large_is_refused_before_it_is_unpacked(model):
    file = io.BytesIO()
    Image.new("L", (20, 20)).save(file, "bmp")
    content = file.getvalue()
    large = content[:18] + struct.pack("<ii", 20_000, 20_000) + content[26:]
    with pytest.raises(UserError, match=r"has .* pixels, where 100,000,000 are the most; make it"):
        holmdel.read(large, model=model)


def test_an_unknown_model_is_a_mistake():
    with pytest.raises(UserError, match=r"there is no reader nil.safetensors; expected a .safe"):
        Reader("nil.safetensors")


def test_a_network_for_pictures_is_no_reader(run_folder):
    with pytest.raises(UserError, match="holds no line reader of this version"):
        Reader(run_folder)


def test_the_box_of_a_comb_is_around_all_that_is_read_in_it():
    """Cells left empty part what is written in two; one answer is given of both."""
    page = Image.new("L", (900, 240), 246)
    pen = ImageDraw.Draw(page)
    for cell in range(12):
        pen.rectangle((100 + 50 * cell, 90, 150 + 50 * cell, 140), outline=60, width=2)
    digits = data.load("digits").test
    for cell, char in ((0, 4), (1, 7), (9, 3), (10, 5), (11, 2)):
        index = int((digits.labels == char).nonzero()[3])
        ink = Image.fromarray(digits.images[index, 0].numpy()).resize((36, 36))
        page.paste(20, (107 + 50 * cell, 97), ink)
    [line] = holmdel.read(page).lines
    assert line.text == "47352"
    x, _, w, _ = line.box
    assert x < 150
    assert x + w > 650


def test_the_numbers_of_a_tables_rows_are_print():
    page = Image.new("L", (900, 900), 246)
    pen = ImageDraw.Draw(page)
    for row in range(13):
        pen.line((60, 60 + 60 * row, 840, 60 + 60 * row), fill=40, width=2)
        if row < 12:
            pen.text((84, 72 + 60 * row), str(row + 1), fill=20, font_size=30)
            pen.text((170, 72 + 60 * row), "Name of the pupil", fill=20, font_size=30)
    for x in (60, 140, 500, 840):
        pen.line((x, 60, x, 780), fill=40, width=2)
    found = holmdel.read(page)
    assert found.lines == ()
    assert sum(item.reason == "print" and item.box[0] < 140 for item in found.skipped) >= 9


def test_a_look_shows_what_the_network_said_at_each_step():
    image = line_picture("1998", size=(180, 60))
    [line] = holmdel.Reader(lines=True).read(image, steps=True).lines
    look = line.look
    assert look.picture.shape[0] == 32
    assert look.picture[:, :8].min() > 200  # the margin is paper
    assert look.picture.min() < 100
    assert look.steps.shape == (look.picture.shape[1] // 2, len(look.characters))
    np.testing.assert_allclose(look.steps.sum(1), 1, atol=0.02)
    said = [look.characters[number] for number in look.steps.argmax(1)]
    kept = [now for now, before in zip(said, ["", *said], strict=False) if now != before]
    assert "".join(kept) == line.text == "1998"  # digits in a row are one, nothing parts two 9s
    for (char, first, last), digit in zip(look.digits, line.digits, strict=True):
        assert char == digit.char
        assert look.steps[first : last + 1, int(char)].max() == pytest.approx(digit.confidence)
    assert look.texts[0] == ("1998", pytest.approx(max(part for _, part in look.texts)))
    assert sum(part for _, part in look.texts) <= 1.001


def test_a_look_is_kept_where_it_is_asked_for_and_changes_no_answer():
    reader = holmdel.Reader()
    page = line_picture("60614", size=(220, 60))
    plain, shown = reader.read(page), reader.read(page, steps=True)
    assert [line.look for line in plain.lines] == [None]
    assert shown.lines[0].look.views >= 1
    assert plain.to_json() == shown.to_json()
