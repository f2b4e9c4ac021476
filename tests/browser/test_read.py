"""The Read tab in a real browser: a picture dropped, boxes over it, text beside it."""

import base64
import json
import re

import pytest
from PIL import Image, ImageDraw

from holmdel.reader_training.synthesis.maker import StringMaker
from holmdel.reading import Template

AMOUNT = "25.730.-"


@pytest.fixture
def amount(tmp_path):
    """Returns a picture of an amount in drawn digits."""
    path = tmp_path / "amount.png"
    Image.fromarray(StringMaker(None, seed=3).sample(AMOUNT).image).save(path)
    return path


def drop(page, path, target: str) -> None:
    """Drops a file on an element, as from the desktop."""
    given = page.evaluate_handle(
        """([name, text]) => {
            const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
            const given = new DataTransfer();
            given.items.add(new File([bytes], name, { type: "image/png" }));
            return given;
        }""",
        [path.name, base64.b64encode(path.read_bytes()).decode()],
    )
    for kind in ("dragenter", "dragover", "drop"):
        page.dispatch_event(target, kind, {"dataTransfer": given})


def test_a_dropped_amount_is_read(open_page, keep_picture, amount):
    page = open_page("tab=read&read.pattern=amount")
    page.wait_for_selector("#read-stage")
    drop(page, amount, "#read-stage")
    line = page.locator("#read-line-1")
    line.locator(".line-text", has_text="25730").wait_for()  # after the sample's
    page.locator(".box").wait_for()
    assert page.locator(".box").count() == 1
    assert line.locator(".digits li").count() == 5
    keep_picture(page, "read")


def test_it_is_shown_how_a_line_was_read(open_page, keep_picture):
    page = open_page("tab=read")
    page.wait_for_selector("#inside-texts .greatest .bar-name:has-text('60614')")  # the sample
    strip = page.locator("#inside-strip")
    assert "6 99" in page.locator("#inside-now").inner_text()  # at the first digit
    strip.focus()
    page.keyboard.press("ArrowLeft")
    first = int(strip.get_attribute("aria-valuenow"))
    page.keyboard.press("ArrowRight")
    assert int(strip.get_attribute("aria-valuenow")) == first + 1
    spans = page.locator(".inside-spans span")
    assert "".join(spans.all_inner_texts()) == "60614"
    middle = spans.nth(1).bounding_box()
    page.mouse.move(middle["x"] + middle["width"] / 2, middle["y"] + 60)
    assert re.search(r": 0 >?\d", page.locator("#inside-now").inner_text())
    keep_picture(page, "read-inside")


@pytest.mark.exhaustive
def test_each_sample_is_another_number(open_page):
    page = open_page("tab=read")
    first = page.locator("#read-line-1 .line-text")
    seen = [first.inner_text()]
    for number in (1, 2, 3):
        page.locator("#read-sample").click()
        page.wait_for_selector(f".sheet img[alt='sample{number}.png']")
        page.wait_for_selector("#read-result[aria-busy='false'] #read-inside")
        seen.append(first.inner_text())
    assert len(set(seen)) == 4


@pytest.mark.exhaustive
def test_of_several_lines_the_chosen_one_is_shown(open_page, tmp_path):
    sheet = Image.new("L", (900, 1200), 250)
    for number, text in enumerate(("1998", "60614", "407319")):
        line = Image.fromarray(StringMaker(None, seed=50 + number).sample(text).image)
        ink = line.resize((line.width * 90 // line.height, 90)).point(lambda v: 255 * (v < 110))
        sheet.paste(40, (120, 160 + 300 * number), ink)
    sheet.save(tmp_path / "page.png")
    page = open_page("tab=read")
    page.wait_for_selector("#read-inside")
    page.locator("#choose-picture").set_input_files(tmp_path / "page.png")
    page.wait_for_selector("#read-line-3")
    assert not page.locator("#read-inside").count()
    page.locator("#read-line-2 .line-inside").click()
    page.wait_for_selector("#read-line-2 #read-inside")
    assert "line 2" in page.locator("#inside-title").inner_text()
    assert page.locator("#read-line-2 .line-inside").get_attribute("aria-pressed") == "true"
    page.locator("#inside-steps summary").click()
    assert page.locator(".inside-pictures figure").count() == 4


@pytest.mark.exhaustive
def test_a_line_and_its_box_light_up_together(open_page, amount):
    page = open_page("tab=read&read.pattern=amount")
    page.wait_for_selector("#choose-picture", state="attached")
    page.locator("#choose-picture").set_input_files(amount)
    page.wait_for_selector("#read-line-1")
    page.locator("#read-line-1").hover()
    page.wait_for_selector(".box.lit")
    page.locator("#read-line-1").focus()
    page.wait_for_selector("#read-line-1.lit")


@pytest.mark.exhaustive
def test_the_json_is_what_the_command_line_prints(open_page, amount, holmdel):
    page = open_page("tab=read&read.pattern=amount")
    page.wait_for_selector("#choose-picture", state="attached")
    page.locator("#choose-picture").set_input_files(amount)
    page.wait_for_selector("#read-line-1")
    shown = json.loads(page.locator("#read-json").text_content())
    printed = json.loads(holmdel("read", amount, "--pattern", "amount", "--format", "jsonl").out)
    assert shown["lines"] == printed["lines"]


@pytest.mark.exhaustive
def test_the_controls_are_in_the_address(open_page):
    page = open_page("tab=read")
    page.wait_for_selector("#read-kind")
    page.locator("#read-kind").select_option("us-zip")
    page.wait_for_url(re.compile(r"read\.pattern=us-zip"))


@pytest.mark.exhaustive
def test_a_page_that_comes_late_stays_behind_the_one_that_is_shown(open_page, tmp_path):
    pages = [Image.new("L", (300 + 10 * number, 200), 255) for number in range(3)]
    pages[0].save(tmp_path / "three.tif", save_all=True, append_images=pages[1:])
    page = open_page("tab=read")
    late = []
    page.route(re.compile(r"/v1/page\?page=2$"), lambda route: late.append(route))
    page.wait_for_selector("#read-line-1")  # of the sample
    page.locator("#choose-picture").set_input_files(tmp_path / "three.tif")
    page.wait_for_selector("#read-where:has-text('page 1 of 3')")
    page.locator("#read-next").click()
    page.locator("#read-next").click()
    third = "#read-stage .sheet[style*='320 / 200']"
    page.wait_for_selector(third)
    with page.expect_response(re.compile(r"/v1/page\?page=2$")):
        late[0].continue_()
    page.wait_for_timeout(300)
    assert page.locator(third).count() == 1


@pytest.mark.exhaustive
def test_a_list_that_is_chosen_says_what_may_be_written(open_page, tmp_path):
    (tmp_path / "codes.txt").write_text("606-14\n111-11\n")
    page = open_page("tab=read")
    page.wait_for_selector("#read-line-1")  # of the sample
    page.locator("#read-kind").select_option("list")
    page.wait_for_selector("#read-summary:has-text('Choose a text file')")
    page.locator("#read-beside").set_input_files(tmp_path / "codes.txt")
    page.wait_for_selector("#read-line-1 .line-value:has-text('= 606-14')")
    page.locator("#read-raw summary").click()
    assert "-F codes=@'codes.txt'" in page.locator("#read-curl").inner_text()


@pytest.mark.exhaustive
def test_a_templates_fields_are_read_by_name(open_page, tmp_path):
    sheet = Image.new("L", (900, 1200), 250)
    draw = ImageDraw.Draw(sheet)
    draw.text((90, 80), "Claim for the return of a deposit, form 27", fill=60, font_size=30)
    draw.text((90, 900), "Do not write below this line. Office use only.", fill=60, font_size=26)
    for cell in range(6):
        draw.rectangle((120 + 40 * cell, 300, 160 + 40 * cell, 346), outline=70, width=2)
    Template.of(sheet).save(tmp_path / "claim.toml")
    for number, char in enumerate("407319"):
        draw.text((130 + 40 * number, 302), char, fill=40, font_size=34)
    sheet.save(tmp_path / "page.png")
    page = open_page("tab=read&read.pattern=template")
    page.wait_for_selector("#read-kind")
    page.locator("#choose-picture").set_input_files(tmp_path / "page.png")
    files = [tmp_path / "claim.toml", tmp_path / "claim-reference.png"]
    page.locator("#read-beside").set_input_files(files)
    line = page.locator("#read-line-1")
    line.locator(".line-text", has_text="407319").wait_for()
    assert line.locator(".line-field").inner_text() != ""
    assert page.locator(".box").count() == 1
