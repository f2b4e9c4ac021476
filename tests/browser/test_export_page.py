"""An exported page, opened as a file in a real browser: digits are drawn, layers and sums shown."""

import dataclasses
import shutil

import numpy as np
import pytest
import torch
from handwriting import STROKES, draw

import holmdel
from holmdel.insight import activations
from holmdel.insight.backward import gradients, step


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


def test_the_way_back_is_pytorchs(page, keep_picture):
    draw(page, "3")
    page.wait_for_selector("[data-best='3']")
    page.click("#way-backward")
    page.select_option("#true-class", "5")  # it is wrong about that: a loss worth a look
    page.wait_for_url(lambda url: "backward=5" in url)
    pixels = page.locator("#seen").evaluate(
        "one => [...one.getContext('2d').getImageData(0, 0, 28, 28).data]"
        ".filter((_, i) => i % 4 == 0)"
    )
    model = holmdel.load("lenet-mnist")
    network, (mean, std) = model.network.double(), (model.contract.mean, model.contract.std)
    factor, shift = float(np.float32(1 / (255 * std))), float(np.float32(mean / std))
    image = torch.tensor(pixels, dtype=torch.float64).view(1, 28, 28) * factor - shift
    expected = gradients(network, activations(network, image), 5)
    for layer, unit in (("c3", (7, 4, 6)), ("c1", (2, 9, 14)), ("f5", (17,)), ("output", (3,))):
        name = ".".join(map(str, (layer, *unit)))
        page.evaluate("unit => { location.hash += `&unit=${unit}` }", name)
        page.wait_for_selector(f"#unit[data-unit='{name}'] [data-step]")
        value = float(page.locator("#unit-value").get_attribute("data-value"))
        largest = float(expected.layers[layer].abs().max())
        assert value == pytest.approx(float(expected.layers[layer][unit]), abs=1e-12 * largest)
        assert page.locator("#unit [data-step]").get_attribute("data-step") == "true"
        said = float(page.locator("#unit [data-weight-sum]").get_attribute("data-weight-sum"))
        theirs = step(expected, layer, unit[0], 0.1)
        assert said == pytest.approx(float(theirs.gradient[theirs.at]), rel=1e-12)
        assert page.locator("#unit .badge.bad").count() == 0
    page.click("#saliency")
    page.wait_for_selector("#importance[data-label]")
    keep_picture(page, "export-backward")
