"""An exported page, opened as a file in a real browser: digits are drawn, layers and sums shown."""

import dataclasses
import shutil

import pytest
from handwriting import STROKES, draw

import holmdel


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    if shutil.which("node") is None:
        pytest.skip("needs Node.js")
    out = tmp_path_factory.mktemp("page") / "lenet.html"
    holmdel.load("lenet-mnist").export(out, to="html")
    return out


@pytest.fixture
def page(browser, page_file):
    """Gives the page; it may load nothing and complain of nothing."""
    complaints = []
    opened = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-GB")
    opened.set_default_timeout(20_000)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda line: complaints.append(line.text))
    opened.on("request", lambda r: r.url.startswith("http") and complaints.append(r.url))
    opened.goto(page_file.as_uri())
    opened.wait_for_selector("canvas.maps[data-layer=output]")
    yield opened
    opened.close()
    assert complaints == []


@pytest.mark.parametrize(
    "digit",
    [d if d == "3" else pytest.param(d, marks=pytest.mark.exhaustive) for d in STROKES],
)
def test_a_drawn_digit_is_recognised(page, digit):
    draw(page, digit)
    page.wait_for_selector(f"[data-best='{digit}']")


@pytest.mark.exhaustive
def test_a_unit_adds_up(page):
    draw(page, "3")
    page.wait_for_selector("[data-best='3']")
    page.locator("canvas.maps[data-layer=c3]").click(position={"x": 20, "y": 20})
    page.wait_for_selector("#unit[data-unit^='c3']")
    assert page.locator("#unit .equation").get_attribute("data-same") == "true"
    page.click("[data-kernels=c1]")
    page.wait_for_selector("#kernels-canvas")
    page.click("#occlusion")
    page.wait_for_selector("#importance[data-label='3']")


def test_what_is_of_no_class_is_unknown(browser, tmp_path):
    if shutil.which("node") is None:
        pytest.skip("needs Node.js")
    model = holmdel.load("lenet-mnist")
    model.header = dataclasses.replace(model.header, unknown=1e-12)
    model.export(tmp_path / "strict.html", to="html")
    opened = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-GB")
    opened.goto((tmp_path / "strict.html").as_uri())
    opened.wait_for_selector("canvas.maps[data-layer=output]")
    draw(opened, "3")
    opened.wait_for_selector("[data-best='unknown']")
    assert "of no class that it knows" in opened.inner_text(".answer-top")
    opened.close()
