"""The review's page in a real browser, by keyboard alone."""

import json
import os
import re
import subprocess
import sys

import pytest
from PIL import Image, ImageDraw

from holmdel.reading import read_labelled

READY = "body[aria-busy=false]"  # before that, no key counts


@pytest.fixture
def review(program, tmp_path):
    """Gives the address of a review of four rejected lines, and the folder of its corrections."""
    page = Image.new("RGB", (900, 300), "white")
    lines = []
    for number, text in enumerate(["0412", "77", "1998", "305"]):
        left, top = 60 + 400 * (number % 2), 40 + 120 * (number // 2)
        ImageDraw.Draw(page).text((left, top - 8), text, fill="navy", font_size=60)
        about = {"confidence": 0.41, "status": "reject", "digits": []}
        lines.append({"text": text[:-1] + "9", "box": [left - 6, top - 4, 180, 60]} | about)
    page.save(tmp_path / "page.png")
    answers = tmp_path / "answers.jsonl"
    answers.write_text(json.dumps({"path": str(tmp_path / "page.png"), "lines": lines}) + "\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "holmdel", "review", str(answers), "--no-browser"],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        env=os.environ | {"HOME": str(tmp_path)},
    )  # fmt: skip
    yield re.search(r"http\S+", process.stderr.readline()).group(), tmp_path / "answers-truth"
    process.kill()
    process.wait()
    process.stderr.close()


def begins(page, text):
    page.wait_for_selector(f"{READY} #about:has-text('{text}: ')")


def test_lines_are_corrected_by_keyboard(browser, review, keep_picture):
    url, truth = review
    complaints = []
    page = browser.new_page(viewport={"width": 1200, "height": 800})
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text))
    page.goto(url)
    begins(page, "1 of 4")
    keep_picture(page, "review")
    assert page.evaluate("document.activeElement.id") == "digits"
    assert page.evaluate("getSelection().toString()") == "0419"  # to be typed over
    page.keyboard.type("0412")
    page.keyboard.press("Enter")
    begins(page, "2 of 4")
    page.keyboard.press("Tab")
    begins(page, "3 of 4")
    page.keyboard.press("n")
    begins(page, "4 of 4")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{READY} #end:not([hidden])")
    assert page.locator("#ended").inner_text() == "1 of 4 lines are left for later"
    keep_picture(page, "review-end")
    for number in (4, 3, 2):
        page.keyboard.press("ArrowUp")
        begins(page, f"{number} of 4")
    assert page.locator("#said").inner_text() == ""
    page.keyboard.press("Shift+Enter")
    begins(page, "1 of 4")
    assert page.locator("#digits").input_value() == "0412"
    assert "you said 0412" in page.locator("#about").inner_text()
    page.keyboard.type("0x")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"{READY} #said.wrong")
    assert "'0x' was given" in page.locator("#said").inner_text()
    for number in (2, 3, 4):
        page.keyboard.press("Escape")
        begins(page, f"{number} of 4")
    page.keyboard.press("Escape")
    page.wait_for_selector(f"{READY} #end:not([hidden])")
    page.keyboard.press("Enter")
    page.wait_for_selector("#said:has-text('Done')")
    page.close()
    assert [c for c in complaints if "400" not in c] == []
    assert [string.text for string in read_labelled(truth)] == ["0412", "309"]
