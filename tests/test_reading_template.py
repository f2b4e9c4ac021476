"""`holmdel template`, and pages read by a template or by regions."""

import json
import os
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import holmdel
from holmdel.errors import UserError

WIDTH, HEIGHT = 900, 1200
COMB, SHORT, BOX = (120, 300, 40, 6), (560, 300, 40, 4), (120, 480, 300, 46)
TEXT = (
    "Claim for the return of a deposit",
    "Please write one digit into each box and stay inside of its walls.",
    "Customer number and branch are on the card that came with the letter.",
    "Do not write below this line. Office use only, form 27-B of 1998.",
)


def write(draw, text, left, top, pitch):
    """Writes a text a character each `pitch` pixels."""
    for number, char in enumerate(text):
        draw.text((left + 10 + number * pitch, top + 2), char, fill=40, font_size=34)


def sheet(customer="", branch="", amount=""):
    """A form with a comb of 6 cells, one of 4, and a plain box."""
    page = Image.new("L", (WIDTH, HEIGHT), 250)
    draw = ImageDraw.Draw(page)
    for number, text in enumerate(TEXT):
        draw.text((90, 80 + 44 * number + 700 * (number == 3)), text, fill=60, font_size=22)
    for (x, y, side, count), label in ((COMB, "Customer"), (SHORT, "Branch")):
        draw.text((x, y - 34), label, fill=60, font_size=22)
        for cell in range(count):
            left = x + cell * side
            draw.rectangle((left, y, left + side, y + 46), outline=70, width=2)
    x, y, w, h = BOX
    draw.text((x, y - 34), "Amount", fill=60, font_size=22)
    draw.rectangle((x, y, x + w, y + h), outline=70, width=2)
    draw.line((90, 905, 810, 905), fill=90, width=2)
    write(draw, customer, *COMB[:2], 40)
    write(draw, branch, *SHORT[:2], 40)
    write(draw, amount, *BOX[:2], 26)
    return page


def other_form():
    """A list of a shop: other print, other boxes."""
    page = Image.new("L", (WIDTH, HEIGHT), 250)
    draw = ImageDraw.Draw(page)
    for row in range(12):
        draw.text((60, 120 + 80 * row), f"Item {row * 37}, pieces of it", fill=50, font_size=28)
        draw.rectangle((520, 110 + 80 * row, 840, 160 + 80 * row), outline=60, width=3)
    return page


def photographed(page, how):
    """The page as a scanner or a camera might give it."""
    if isinstance(how, int):
        return page.rotate(how, expand=True, fillcolor=250, resample=Image.Resampling.BICUBIC)
    if how == "at half the size":
        return page.resize((WIDTH // 2, HEIGHT // 2), Image.Resampling.BOX)
    # A camera held askew: each corner is up to 4 % of the width away from a rectangle's.
    corners = (-30, 20, 25, HEIGHT + 30, WIDTH + 35, HEIGHT - 20, WIDTH - 15, -25)
    turned = page.transform((1300, 1700), Image.Transform.QUAD, corners, fillcolor=250)
    noise = np.random.default_rng(0).normal(0, 5, (1700, 1300))
    return Image.fromarray((np.asarray(turned) * 0.8 + noise).clip(0, 255).astype(np.uint8))


VALUES = {"field-1": "407319", "field-2": "8250", "field-3": "62908"}


@pytest.fixture(scope="module")
def form(tmp_path_factory):
    """The template of an empty sheet; the labels are not read, whatever is installed."""
    folder = tmp_path_factory.mktemp("form")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", "")
        holmdel.Template.of(sheet(), empty=True).save(folder / "form.toml")
    return folder / "form.toml"


def jsonl(text):
    return [json.loads(line) for line in text.splitlines()]


def edited(form, tmp_path, *changes):
    """A copy of a template in which texts are replaced; its reference comes along."""
    text = form.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (tmp_path / "form-reference.png").write_bytes(form.with_name("form-reference.png").read_bytes())
    (tmp_path / "edited.toml").write_text(text)
    return tmp_path / "edited.toml"


def test_a_template_has_the_boxes_and_combs_of_a_sheet(form):
    values = tomllib.loads(form.read_text())
    assert [field["name"] for field in values["field"]] == ["field-1", "field-2", "field-3"]
    assert [field["cells"] for field in values["field"]] == [6, 4, 1]
    assert [field["pattern"] for field in values["field"]] == ["digits:6", "digits:4", "digits"]
    boxes = np.array([field["box"] for field in values["field"]]) * [WIDTH, HEIGHT, WIDTH, HEIGHT]
    wanted = [(120, 300, 240, 46), (560, 300, 160, 46), BOX]
    assert np.abs(boxes - wanted).max() < 6


def test_a_filled_sheet_gives_the_same_template_without_what_is_written(form, monkeypatch):
    monkeypatch.setenv("PATH", "")
    empty, filled = holmdel.Template.load(form), holmdel.Template.of(sheet("111111", "2", "333"))
    assert [field.cells for field in filled.fields] == [6, 4, 1]
    assert np.abs(np.subtract(filled.fields[2].box, empty.fields[2].box)).max() < 0.005
    reading = holmdel.read(sheet("407319", "", "62908"), template=filled)
    assert {line.field: line.text for line in reading.lines} == {
        "field-1": "407319",
        "field-3": "62908",
    }


@pytest.mark.parametrize("how", [3, 90, 180, 263, "at half the size", "askew"])
def test_a_page_is_read_by_field_however_it_lies(form, how):
    page = photographed(sheet(*VALUES.values()), how)
    reading = holmdel.read(page, template=form)
    assert {line.field: line.text for line in reading.lines} == VALUES
    assert reading.skipped == ()
    for line in reading.lines:
        x, y, w, h = line.box
        assert 0 <= x < x + w <= page.width
        assert 0 <= y < y + h <= page.height


def test_boxes_are_in_the_pixels_of_the_page_as_given(form):
    reading = holmdel.read(sheet(*VALUES.values()).rotate(90, expand=True), template=form)
    x, y, w, h = reading.lines[0].box  # of the comb, which now runs upwards
    assert np.abs(np.subtract((x, y, w, h), (300, WIDTH - 360, 46, 240))).max() < 8
    tops = [digit.box[1] for digit in reading.lines[0].digits]
    assert tops == sorted(tops, reverse=True)


def test_an_empty_field_is_said_and_whether_it_was_required(holmdel, form, tmp_path):
    template = edited(form, tmp_path, ("cells = 4\nrequired = false", "cells = 4\nrequired = true"))
    sheet("407319").save(tmp_path / "page.png")
    words = ["read", tmp_path / "page.png", "--template", template, "--format", "jsonl"]
    result = holmdel(*words)
    [found] = jsonl(result.out)
    assert [line["field"] for line in found["lines"]] == ["field-1"]
    assert [{k: v for k, v in item.items() if k != "box"} for item in found["skipped"]] == [
        {"field": "field-2", "reason": "empty", "required": True},
        {"field": "field-3", "reason": "empty"},
    ]
    assert result.status == 0


def test_a_page_of_another_form_is_an_error_and_the_rest_goes_on(holmdel, form, tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    other_form().save(scans / "a.png")
    sheet(*VALUES.values()).save(scans / "b.png")
    Image.new("L", (300, 400), 255).save(scans / "c.png")
    result = holmdel("read", scans, "--template", form, "--format", "jsonl")
    other, page, blank = jsonl(result.out)
    assert list(other) == ["path", "error"]
    assert re.search(
        r"a\.png matches \d+ % of the form .*form\.toml, expected 60 %", other["error"]
    )
    assert [line["text"] for line in page["lines"]] == list(VALUES.values())
    assert "matches 0 %" in blank["error"]
    assert result.status == 1


@pytest.mark.parametrize("size", [(1200, 900), (1728, 1078)])
def test_a_sheet_with_one_number_on_it_is_no_page_of_a_form(form, size):
    """A form could be shrunk to one stroke, on whose edge all of its print was found."""
    page = Image.new("L", size, 250)
    write(ImageDraw.Draw(page), "4992060", 300, 240, 60)
    with pytest.raises(UserError, match=r"matches \d+ % of the form"):
        holmdel.read(page, template=form)


def test_squared_paper_is_no_page_of_a_form_of_combs():
    form = Image.new("L", (900, 1200), 250)
    for paper, left, right, rows in ((form, 360, 760, range(190, 500, 120)),):
        for y in rows:
            ImageDraw.Draw(paper).text((90, y + 14), "Meter", fill=40, font_size=26)
            for x in range(left, right, 52):
                ImageDraw.Draw(paper).rectangle((x, y, x + 52, y + 58), outline=40, width=2)
    squared = Image.new("L", (1240, 1754), 250)
    for y in range(100, 1700, 90):
        ImageDraw.Draw(squared).line((0, y, 1240, y), fill=120, width=2)
    for x in range(100, 1200, 60):
        ImageDraw.Draw(squared).line((x, 0, x, 1754), fill=120, width=2)
    template = holmdel.Template.of(form, empty=True)
    with pytest.raises(UserError, match=r"matches \d+ % of the form"):
        holmdel.read(squared, template=template)


def test_a_form_that_came_as_a_fax_is_a_template_of_square_pixels(holmdel):
    sheet().resize((2 * WIDTH, HEIGHT)).save("fax.tif", dpi=(200, 100))
    assert holmdel("template", "new", "fax.tif", "--empty").status == 0
    found = tomllib.loads(Path("template.toml").read_text())
    assert found["height"] / found["width"] == pytest.approx(HEIGHT / WIDTH, rel=0.01)
    assert [field["cells"] for field in found["field"]] == [6, 4, 1]
    checked = holmdel("template", "check", "template.toml", "fax.tif")
    assert re.search(r"matches (9\d|100) % of the form", checked.out)


def test_the_command_writes_a_template_draws_and_checks_it(holmdel, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    sheet().save("form.png")
    made = holmdel("template", "new", "form.png", "--empty", "--show", "fields.png")
    assert made.status == 0
    assert [row.split()[0] for row in made.out.splitlines()] == list(VALUES)
    with Image.open("fields.png") as drawn:
        assert drawn.mode == "RGB"
    photographed(sheet(*VALUES.values()), 4).save("page.png")
    same = holmdel("template", "check", "template.toml", "page.png")
    assert (same.status, same.err) == (0, "")
    assert re.search(r"page\.png matches (9\d|100) % of the form", same.out)
    other_form().save("other.png")
    other = holmdel("template", "check", "template.toml", "other.png")
    assert re.search(r"matches \d+ % of the form; 60 % or more makes it a page", other.out)
    assert other.status == 1
    again = holmdel("template", "new", "form.png")
    assert (again.status, "exists already" in again.err) == (2, True)


def test_a_label_names_a_field_where_tesseract_is_installed(tmp_path, monkeypatch):
    """A command of that name stands in for it: its table, for words of the sheet."""
    words = [
        (120, 270, 95, 20, "Customer"),
        (560, 270, 70, 20, "Branch:"),
        (90, 80, 90, 20, "Claim"),
    ]
    head = "level page_num block_num par_num line_num word_num left top width height conf text"
    rows = [head.split()]
    for number, (x, y, w, h, text) in enumerate(words):
        rows.append([5, 1, number, 1, 1, 1, x, y, w, h, 91.5, text])
    table = "\n".join("\t".join(map(str, row)) for row in rows)
    command = tmp_path / "bin" / "tesseract"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n/bin/cat > /dev/null\n/bin/cat <<'END'\n{table}\nEND\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(command.parent))
    found = holmdel.Template.of(sheet())
    assert [field.name for field in found.fields] == ["customer", "branch", "field-3"]


def test_an_image_without_boxes_gives_no_template(holmdel):
    Image.new("L", (600, 800), 250).save("blank.png")
    result = holmdel("template", "new", "blank.png")
    assert (result.status, os.path.exists("template.toml")) == (2, False)  # noqa: PTH110
    assert "no box or comb of boxes was found on blank.png" in result.err


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("version = 1", "version = 7", "is a template of version 7; expected 1"),
        ("version = 1\n", "", "lacks the key 'version'"),
        ("cells = 4", "cells = 0", "field 'field-2': cells was given as 0; expected a number"),
        ("cells = 4", 'cells = "four"', "field 'field-2': cells was given as 'four'"),
        ("cells = 4", "cell = 4", "field 2 has the unknown key 'cell'; expected name, box"),
        ('"field-2"', '"field-1"', "has two fields named 'field-1'"),
        ('"field-2"', '""', "field 2: name was given as ''"),
        ('"digits:4"', '"letters"', "field 'field-2': pattern 'letters'"),
        ('"digits:4"', "4", "field 'field-2': pattern was given as 4"),
        ("box = [0.", "box = [1.", "field 'field-1': box was given as"),
        ("box = [0.", "box = [0.1, 0.", "expected [left, top, width, height]"),
        ("required = false", "required = 1", "field 'field-1': required was given as 1"),
        ("[[field]]", "[field]", "is no TOML file"),
        ("form-reference", "../form-reference", "reference was given as '../form-reference.png'"),
        ("form-reference.png", "", "reference was given as ''; expected the name of a file"),
        ("form-reference", "gone", "the reference of"),
        ('sha256 = "', 'sha256 = "0', "is not the reference"),
    ],
)
def test_a_mistake_in_a_template_is_a_sentence(holmdel, form, tmp_path, old, new, sentence):
    template = edited(form, tmp_path, (old, new))
    checked = holmdel("template", "check", template)
    assert (checked.status, checked.out) == (2, "")
    assert sentence in checked.err
    assert len(checked.err.splitlines()) == 1
    assert holmdel("read", "page.png", "--template", template).err == checked.err


def test_a_template_that_is_not_there_or_no_text(holmdel, tmp_path):
    assert "there is no template gone.toml" in holmdel("template", "check", "gone.toml").err
    Path("noise.toml").write_bytes(bytes(range(256)))
    assert "noise.toml is no TOML file" in holmdel("template", "check", "noise.toml").err


@pytest.mark.parametrize("flags", [["--pattern", "amount"], ["--lines"], ["--region", "0,0,9,9"]])
def test_what_a_template_says_is_not_said_beside_it(holmdel, form, flags):
    result = holmdel("read", "page.png", "--template", form, *flags)
    assert result.status == 2
    assert f"{' '.join(flags)}".split(" 0")[0] in result.err


def test_a_region_is_read_alone_in_pixels_and_in_shares(holmdel):
    page = sheet()
    write(ImageDraw.Draw(page), "5271", 300, 700, 26)
    page.save("page.png")
    for region in ("290,690,160,70", "0.3222,0.575,0.1778,0.0583"):
        [found] = jsonl(holmdel("read", "page.png", "--region", region, "--format", "jsonl").out)
        [line] = found["lines"]
        assert line["text"] == "5271"
        assert "field" not in line
        assert 300 <= line["box"][0] <= 320
        assert 700 <= line["digits"][0]["box"][1] <= 720


def test_several_regions_are_named(holmdel):
    page = sheet()
    for number, text in enumerate(("5271", "8250")):
        write(ImageDraw.Draw(page), text, 300, 640 + 90 * number, 26)
    page.save("page.png")
    words = ["--region", "290,630,160,70", "--region", "290,720,160,70", "--format", "jsonl"]
    [found] = jsonl(holmdel("read", "page.png", *words).out)
    assert [(line["field"], line["text"]) for line in found["lines"]] == [
        ("region-1", "5271"),
        ("region-2", "8250"),
    ]


def test_a_region_outside_of_an_image_is_its_error(holmdel):
    sheet().save("page.png")
    Image.new("L", (1200, 1600), 250).save("large.png")
    words = ["--region", "800,1000,200,100", "--format", "jsonl"]
    result = holmdel("read", "page.png", "large.png", *words)
    page, large = jsonl(result.out)
    assert "800,1000,200,100 is no part of page.png, which has 900 x 1200" in page["error"]
    assert "error" not in large
    assert result.status == 1


@pytest.mark.parametrize(
    "region", ["1,2,3", "1,2,3,4,5", "a,b,c,d", "0,0,0,5", "-1,0,5,5", "0,0,nan,1", "0,0,inf,1"]
)
def test_a_region_that_is_none_is_refused_before_anything_is_read(holmdel, region):
    result = holmdel("read", "gone.png", f"--region={region}")
    assert result.status == 2
    assert "expected x,y,w,h in pixels" in result.err


def test_regions_from_python():
    page = sheet()
    write(ImageDraw.Draw(page), "5271", 300, 700, 26)
    [line] = holmdel.read(page, region=(290, 690, 160, 70)).lines
    assert line.text == "5271"
    with pytest.raises(UserError, match="leave them out"):
        holmdel.Reader(regions=[(0, 0, 9, 9)], template=holmdel.Template.of(sheet()))
