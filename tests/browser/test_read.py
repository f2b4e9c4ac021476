"""The Read tab in a real browser: a picture dropped, boxes over it, text beside it."""

import base64
import json
import re

import pytest
from PIL import Image

from holmdel.reader_training.synthesis.maker import StringMaker

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
