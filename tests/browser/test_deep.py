"""Networks too deep for a window in a real browser: their stages fit, open and close."""

import pytest

from conftest import serving

NETWORKS = """
import holmdel

resnet18 = holmdel.build("resnet18", size=(32, 32))
googlenet = holmdel.build("googlenet", size=(64, 64))
vgg11 = holmdel.build("vgg11", size=(64, 64))
"""
NAMES = ("vgg11", "googlenet", "resnet18")
SIZES = [(1280, 720), (1440, 900), (1920, 1080), (820, 1180), (390, 844)]


@pytest.fixture(scope="module")
def deep(program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("networks")
    (folder / "nets.py").write_text(NETWORKS)
    with serving(folder, *(f"nets.py:{name}" for name in NAMES)) as server:
        yield server


@pytest.fixture
def page_at(browser, deep):
    """Returns what opens a page of the server of deep networks."""
    opened = []

    def open_(hash_, width=1280, height=720):
        page = browser.new_page(viewport={"width": width, "height": height}, locale="en-GB")
        page.set_default_timeout(30_000)
        opened.append(page)
        page.goto(f"{deep.url}/#{hash_}")
        page.wait_for_selector("canvas.maps", state="attached")
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(700)
        return page

    yield open_
    for page in opened:
        page.close()


def scrolled(page) -> bool:
    """Returns whether the network goes beyond its room."""
    return page.locator(".stage-scroll").evaluate(
        "one => one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1"
    )


@pytest.mark.parametrize("network", NAMES)
@pytest.mark.parametrize(
    ("width", "height"),
    [SIZES[0], *(pytest.param(*size, marks=pytest.mark.exhaustive) for size in SIZES[1:])],
)
def test_the_stages_of_a_deep_network_fit_the_window(page_at, keep_picture, network, width, height):
    page = page_at(f"model={network}", width, height)
    keep_picture(page, f"deep-{network}-{width}x{height}")
    assert not scrolled(page)
    assert page.locator(".layer.folded").count() >= 5
    assert page.locator(".layer").count() <= 12
    if width >= 1000:
        sizes = page.locator(".layer.folded .shape").all_inner_texts()
        assert all("\u00d7" in size or network == "vgg11" for size in sizes)


@pytest.mark.parametrize("width", [1280, pytest.param(390, marks=pytest.mark.exhaustive)])
def test_a_stage_opens_into_blocks_and_these_into_layers(page_at, keep_picture, width):
    page = page_at("model=resnet18", width, 844 if width < 720 else 720)
    page.locator("[data-open=stage2]").click()
    page.wait_for_selector("[data-open='stage2.block1']")
    page.locator("[data-open='stage2.block1']").click()
    page.wait_for_selector("canvas.maps[data-layer='stage2.block1.conv1']")
    assert page.locator(".layer:not(.folded)").count() >= 8  # of the block
    page.wait_for_timeout(800)  # layers move to their places
    keep_picture(page, f"deep-open-{width}")
    assert not scrolled(page)
    if width > 720:
        page.locator("[data-close='stage2.block1']").click()
    else:
        page.locator(".layer.folded .kind").first.click()
    page.wait_for_selector("[data-open='stage2.block1']")


def test_a_link_to_a_unit_opens_the_stage_that_it_is_in(page_at):
    page = page_at("model=googlenet&unit=inception4b.path2.conv.1.1.1")
    page.wait_for_selector("#unit[data-unit='inception4b.path2.conv.1.1.1']")
    assert page.locator("canvas.maps[data-layer='inception4b.path2.conv']").is_visible()
    assert "open=inception4b" in page.url
    assert not scrolled(page)


def test_a_unit_of_a_folded_stage_shows_what_it_sees(page_at, keep_picture):
    page = page_at("model=vgg11")
    stage = page.locator(".layer.folded").nth(1)
    layer = stage.get_attribute("data-layer")
    stage.locator("canvas.maps").click(position={"x": 6, "y": 6})
    page.wait_for_selector(f"#unit[data-unit^='{layer}.']")
    assert page.locator("#unit .look-window").is_visible()  # of a layer inside the stage
    assert page.locator("#unit .look-window canvas").evaluate("one => one.width") > 1
    keep_picture(page, "deep-unit")


def test_all_layers_can_be_had_beside_one_another(page_at):
    page = page_at("model=resnet18")
    page.locator("#all-layers").click()
    page.wait_for_selector("canvas.maps[data-layer='stage4.block2.conv2']", state="attached")
    assert page.locator(".layer.folded").count() == 0
    assert scrolled(page)
