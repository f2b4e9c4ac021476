"""A network followed with the eyes in a real browser: forwards, backwards, at every size."""

import json
import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional

import holmdel
from holmdel import samples
from holmdel.images import to_input

SAMPLE = "model=lenet-mnist&sample=digits:3"
SIZES = [(1280, 720), (1440, 900), (1920, 1080), (820, 1180), (390, 844), (360, 740), (2560, 1440)]
WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
OUTSIDE = """() => {
    const wanted = document.querySelectorAll("canvas.maps[data-layer], [data-best], #unit");
    return [...wanted].filter((one) => {
        const { left, top, right, bottom } = one.getBoundingClientRect();
        return left < 0 || top < 0 || right > innerWidth + 1 || bottom > innerHeight + 1;
    }).map((one) => one.dataset.layer ?? one.id);
}"""


def shown(page, unit: str = "") -> None:
    page.wait_for_selector("canvas.maps[data-layer=output]")
    page.wait_for_load_state("networkidle")
    if unit:
        page.wait_for_selector(f"#unit[data-unit='{unit}']")


@pytest.mark.parametrize(
    ("width", "height"),
    [SIZES[0], *(pytest.param(*size, marks=pytest.mark.exhaustive) for size in SIZES[1:])],
)
def test_the_whole_network_and_a_units_explanation_are_in_sight(
    open_page, keep_picture, width, height
):
    page = open_page(f"{SAMPLE}&unit=c3.7.4.6", size={"width": width, "height": height})
    shown(page, "c3.7.4.6")
    keep_picture(page, f"follow-{width}x{height}")
    least = {True: 12, False: 20}[width < 721]
    sizes = page.locator("canvas.maps").evaluate_all(
        "all => all.filter(one => one.dataset.mapHeight > 1)"
        ".map(one => one.dataset.mapHeight * one.dataset.size)"
    )
    assert min(sizes) >= least
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if width >= 721:
        assert page.evaluate(OUTSIDE) == []
        assert page.evaluate("document.documentElement.scrollHeight") <= height
        return
    page.locator("#close-unit").click()  # on a phone the explanation is a sheet over the network
    assert [one for one in page.evaluate(OUTSIDE) if one != "unit"] == []


def test_what_a_unit_hangs_on_is_lit_up_to_the_input(open_page):
    page = open_page(f"{SAMPLE}&unit=c3.7.4.6")
    shown(page, "c3.7.4.6")
    page.wait_for_selector(".edge.nearest.negative", state="attached")
    nearest = page.locator(".edge.nearest").count()
    assert nearest == 6  # a line from each map of s2
    assert page.locator(".edge.further").count() >= 3
    for layer in ("input", "c1", "act1", "s2"):
        marks = page.locator(f".layer[data-layer='{layer}'] .mark").evaluate_all(
            "all => all.filter(one => one.getAttribute('d')).length"
        )
        assert marks >= 1, f"nothing is lit up in {layer}"


PASSAGE = """document.getAnimations().filter(
    (one) => one.playState == "running" && one.constructor === Animation).length"""  # not of CSS


def test_a_pinned_unit_comes_out_of_the_network_into_its_sum(open_page, keep_picture):
    page = open_page(SAMPLE)
    shown(page)
    page.locator("canvas.maps[data-layer=c3]").click(position={"x": 20, "y": 20})
    page.wait_for_selector(".passage > .numbers")  # a window on its way from the map before
    assert page.evaluate(PASSAGE) > 20
    page.mouse.move(
        *(page.locator("canvas.maps[data-layer=c3]").bounding_box()[k] + 30 for k in "xy")
    )
    page.wait_for_timeout(400)
    keep_picture(page, "passage")
    page.wait_for_selector(".passage", state="detached")
    assert page.locator("#unit .equation").get_attribute("data-same") == "true"
    assert (
        page.locator("#unit .numbers").first.evaluate("one => getComputedStyle(one).opacity") == "1"
    )
    page.locator("#way-backward").click()
    page.wait_for_load_state("networkidle")
    page.locator("canvas.maps[data-layer=f5]").click(position={"x": 6, "y": 12})
    page.wait_for_selector("#unit[data-unit^='f5']")
    assert page.evaluate(PASSAGE) >= 1


def test_nothing_flies_where_the_system_asks_for_that(open_page):
    page = open_page(SAMPLE, reduced_motion="reduce")
    shown(page)
    page.locator("canvas.maps[data-layer=c3]").click(position={"x": 20, "y": 20})
    page.wait_for_selector("#unit[data-unit^='c3']")
    assert page.locator(".passage").count() == 0
    assert page.evaluate(PASSAGE) == 0


def test_on_a_phone_nothing_flies_out_from_under_the_sheet(open_page, keep_picture):
    page = open_page(SAMPLE, size={"width": 390, "height": 844})
    shown(page)
    page.locator("canvas.maps[data-layer=c3]").click(position={"x": 20, "y": 10})
    page.wait_for_selector(".passage > .look-frame")  # a map on its way
    keep_picture(page, "passage-phone")
    sheet = page.locator("#unit").bounding_box()["y"]
    for layer in ("s2", "c3"):  # the maps before, and the unit's own, are above it
        box = page.locator(f"canvas.maps[data-layer={layer}]").bounding_box()
        assert box["y"] >= 0, layer
        assert box["y"] + box["height"] <= sheet, layer


def test_what_explains_a_unit_is_loaded_when_the_first_is_wanted(open_page):
    page = open_page(SAMPLE)
    shown(page)
    loaded = """performance.getEntriesByType("resource").map(one => one.name.split("/").pop())"""
    assert "story.js" not in page.evaluate(loaded)
    page.locator("canvas.maps[data-layer=c3]").hover(position={"x": 20, "y": 20})
    page.wait_for_selector("#unit .equation")
    assert page.evaluate(loaded).count("story.js") == 1


def test_the_window_slides_by_steps_and_by_itself(open_page):
    page = open_page(f"{SAMPLE}&unit=c3.7.4.6")
    shown(page, "c3.7.4.6")
    box = page.locator("#unit").bounding_box()
    page.locator("#slide-next").click()
    page.wait_for_selector("#unit[data-unit='c3.7.4.7']")
    page.locator("#slide-back").click()
    page.wait_for_selector("#unit[data-unit='c3.7.4.6']")
    page.locator("#slide-speed").select_option("8")
    page.locator("#slide-play").click()
    page.wait_for_selector("#unit[data-unit='c3.7.4.9']")
    page.locator("#slide-play").click()
    stopped = page.locator("#unit").get_attribute("data-unit")
    page.wait_for_timeout(400)
    assert page.locator("#unit").get_attribute("data-unit") == stopped
    assert page.locator("#unit").bounding_box() == box  # the panel stays where it is


@pytest.mark.exhaustive
def test_nothing_moves_by_itself_where_the_system_asks_for_that(open_page):
    page = open_page(f"{SAMPLE}&unit=s2.0.1.1", reduced_motion="reduce")
    shown(page, "s2.0.1.1")
    assert page.locator("#slide-play").is_hidden()
    assert page.locator("#slide-next").is_visible()


def test_a_probability_is_its_softmax(open_page, keep_picture):
    page = open_page(SAMPLE)
    shown(page)
    page.locator(".bar-pick").nth(5).click()
    page.wait_for_selector("#unit[data-unit='softmax.5']")
    equation = page.locator("#unit .equation")
    assert equation.get_attribute("data-same") == "true"
    rows = page.locator("table.softmax tbody tr")
    assert rows.count() == 10
    keep_picture(page, "softmax")


def test_numbers_have_four_places_and_all_on_request(open_page):
    page = open_page(f"{SAMPLE}&unit=c3.7.4.6")
    shown(page, "c3.7.4.6")
    assert page.locator("#unit-value").inner_text() == "= 0.2210"
    page.locator("#all-digits").click()
    page.wait_for_url(lambda url: "digits=all" in url)
    full = page.locator("#unit-value").inner_text()
    assert len(full) > 14
    assert float(full[2:]) == float(page.locator("#unit-value").get_attribute("data-value"))


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.exhaustive)])
def test_a_kind_of_layer_is_explained_in_three_sentences(open_page, language):
    page = open_page(f"{SAMPLE}&lang={language}")
    shown(page)
    page.locator(".layer[data-layer=s2] .kind").click()
    text = page.locator("#unit .story").inner_text()
    assert text.count("." if language == "en" else "\u3002") == 3


@pytest.fixture(scope="module")
def by_python():
    """Returns the loss of class 3 for the sample, and its gradients by the names of the weights."""
    classifier = holmdel.load("lenet-mnist")
    network = classifier.network.double().requires_grad_()
    picture = samples.sample("digits", 3).image
    x = to_input(picture[None], classifier.contract).double()
    loss = functional.cross_entropy(network(x), torch.tensor([3]))
    loss.backward()
    return float(loss.detach()), network


@pytest.mark.parametrize(
    "unit",
    [
        "c3.7.4.6",
        *(
            pytest.param(u, marks=pytest.mark.exhaustive)
            for u in ("c1.2.9.14", "f5.17", "output.3")
        ),
    ],
)
def test_the_way_back_adds_up(open_page, keep_picture, by_python, unit):
    loss, network = by_python
    page = open_page(f"{SAMPLE}&unit={unit}&backward=3&rate=0.5&digits=all")
    shown(page, unit)
    page.wait_for_selector("#unit [data-step]")
    keep_picture(page, f"backward-{unit.partition('.')[0]}")
    assert float(page.locator("#loss").inner_text().rpartition("= ")[2]) == pytest.approx(
        loss, rel=1e-12
    )
    assert page.locator("#unit .badge.bad").count() == 0
    assert page.locator("#unit [data-step]").get_attribute("data-step") == "true"
    layer, place = unit.partition(".")[0], int(unit.split(".")[1])
    slope = network.get_parameter(f"{layer}.weight").grad[place]
    total = float(page.locator("#unit [data-weight-sum]").get_attribute("data-weight-sum"))
    assert abs(total) == pytest.approx(float(slope.abs().max()), rel=1e-12)


@pytest.mark.exhaustive
def test_forwards_again_shows_the_maps_again(open_page):
    page = open_page(SAMPLE)
    shown(page)
    pixels = "document.querySelector('canvas[data-layer=c1]').toDataURL()"
    before = page.evaluate(pixels)
    page.locator("#way-backward").click()
    page.wait_for_url(lambda url: "backward=5" in url)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(pixels) != before
    page.locator("#way-forward").click()
    page.wait_for_url(lambda url: "backward" not in url)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(pixels) == before


def test_the_page_begins_with_a_sample_and_its_answer(open_page):
    page = open_page()
    shown(page)
    page.wait_for_selector("[data-best='5']")
    page.wait_for_url(lambda url: "sample=" in url)


def test_the_first_sight_is_light(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sent: list[float] = []
    asked: set[str] = set()
    session.on(
        "Network.requestWillBeSent",
        lambda event: event["request"]["url"].startswith("http") and asked.add(event["requestId"]),
    )
    session.on(
        "Network.loadingFinished",
        lambda event: event["requestId"] in asked and sent.append(event["encodedDataLength"]),
    )
    page.goto(server.url)
    page.wait_for_selector("[data-best='5']")
    page.wait_for_load_state("networkidle")
    context.close()
    assert len(sent) <= 15
    assert sum(sent) <= 110_000


def axe() -> str:
    """Returns axe-core's source, or skips where npm has not installed it."""
    file = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
    if not file.is_file():
        pytest.skip("needs axe-core: npm install")
    return file.read_text(encoding="utf-8")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("scheme", "language", "size"),
    [("light", "en", WIDE), ("dark", "zh", WIDE), ("light", "zh", PHONE), ("dark", "en", PHONE)],
)
@pytest.mark.parametrize(
    "hash_",
    [
        f"{SAMPLE}&unit=c3.7.4.6",
        f"{SAMPLE}&unit=softmax.3&kernels=c1",
        f"{SAMPLE}&unit=c1.2.3.4&backward=3",
        "tab=train",
        "tab=anatomy&anatomy.network=own",
        "tab=read",
    ],
)
def test_axe_finds_nothing_serious(open_page, hash_, scheme, language, size):
    source = axe()
    page = open_page(f"{hash_}&lang={language}", size=size, color_scheme=scheme, bypass_csp=True)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)
    page.evaluate(source)
    found = page.evaluate("axe.run()")["violations"]
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert [(v["id"], v["nodes"][0]["target"]) for v in serious] == []


@pytest.mark.exhaustive
def test_a_network_is_put_together_trained_and_its_code_shown(open_page, keep_picture):
    page = open_page("tab=anatomy&anatomy.network=own")
    page.wait_for_selector("#build-layers li:nth-child(12) .built-shape:has-text('10')")
    page.locator("#build-0-channels").fill("8")
    page.locator("#build-0-channels").press("Enter")
    page.wait_for_selector(
        "#build-layers li:first-child .built-shape:has-text('8\u00d728\u00d728')"
    )
    assert (
        "conv+8+5+p2" in page.evaluate("location.hash")
        or page.wait_for_url(lambda url: "conv+8+5+p2" in url) is None
    )
    page.locator("#build-code summary").click()
    assert "nn.Conv2d(1, 8, 5, padding=2)," in page.locator("#build-torch").inner_text()
    assert "nn.LazyLinear(10)," in page.locator("#build-book").inner_text()
    keep_picture(page, "build")
    page.locator("#anatomy-train").click()
    page.wait_for_selector("#field-data")
    page.locator("#field-data").select_option("digits")
    page.locator("#field-epochs").fill("1")
    page.locator("#field-epochs").press("Tab")
    page.locator("#train-start").click()
    page.wait_for_selector("#train-keep:enabled", timeout=60_000)
    assert "own \u00b7 digits" in page.locator("#train-watched").inner_text()
    page.locator("#train-forget").click()


@pytest.mark.exhaustive
def test_a_training_goes_by_single_batches_and_back(open_page):
    page = open_page(
        "tab=train&train.data=digits&train.activation=relu&train.lr=0.1&train.epochs=500"
    )
    page.locator("#train-start").click()
    page.wait_for_selector("#train-pause:enabled")
    page.wait_for_selector("#live-bars li")
    page.locator("#train-pause").click()
    page.wait_for_selector("#train-resume:visible")
    assert page.locator("#train-back").is_disabled()
    page.locator("#train-batch").click()
    page.wait_for_selector("#train-back:enabled")
    page.wait_for_selector("#train-resume:visible")
    page.locator("#train-back").click()
    page.wait_for_selector("#train-back:disabled")
    page.locator("#train-one-epoch").click()
    page.wait_for_selector("#train-resume:visible")
    page.locator("#train-forget").click()


@pytest.mark.exhaustive
def test_files_and_pages_are_turned(open_page, tmp_path):
    from PIL import Image, ImageDraw

    pages = []
    for text in ("1998", "0412"):
        page = Image.new("L", (600, 260), 255)
        ImageDraw.Draw(page).text((60, 60), text, fill=20, font_size=90)
        pages.append(page)
    pages[0].save(tmp_path / "two.tif", save_all=True, append_images=pages[1:])
    pages[1].save(tmp_path / "one.png")
    page = open_page("tab=read")
    page.wait_for_selector("#read-line-1")  # of the sample
    page.locator("#choose-picture").set_input_files([tmp_path / "two.tif", tmp_path / "one.png"])
    page.wait_for_selector("#read-where:has-text('page 1 of 2')")
    page.wait_for_selector(".box")
    assert "1998" in page.locator("#read-line-1").inner_text()
    page.locator("#read-next").click()
    page.wait_for_selector("#read-line-1:has-text('0412')")
    page.locator("#read-next").click()
    page.wait_for_selector("#read-where:has-text('one.png \u00b7 file 2 of 2')")
    assert page.locator("#read-next").is_disabled()


@pytest.mark.exhaustive
def test_a_rejected_line_is_corrected_and_kept(open_page):
    page = open_page("tab=read&read.max_error=0")
    page.wait_for_selector(".line.reject")
    page.locator("#read-to-review").click()
    page.wait_for_selector("#review-digits:visible")
    page.locator("#review-digits").fill("90210")
    page.locator("#review-digits").press("Enter")
    assert page.locator("#review-count").inner_text() == "1 kept"
    with page.expect_download() as download:
        page.locator("#review-save").click()
    rows = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert rows[0].split("\t") == ["file", "page", "box", "read", "truth"]
    assert rows[1].endswith("\t90210")


@pytest.mark.exhaustive
def test_the_drawing_is_saved(open_page):
    page = open_page(SAMPLE)
    shown(page)
    with page.expect_download() as download:
        page.locator("#save").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    assert math.isfinite(len(json.dumps(download.value.suggested_filename)))
