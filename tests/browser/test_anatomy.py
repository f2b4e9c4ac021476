"""The Anatomy tab in a real browser: any network layer by layer, and the numbers that follow."""

import pytest

import holmdel


def test_the_layers_and_sums_of_a_network(open_page, keep_picture):
    page = open_page("tab=anatomy&anatomy.network=lenet")
    page.wait_for_selector("#anatomy-table tr[data-layer=output]")
    expected = holmdel.inspect("lenet")
    names = page.locator("#anatomy-table tr[data-layer]").evaluate_all(
        "all => all.map(one => one.dataset.layer)"
    )
    assert names == [layer.name for layer in expected.layers]
    for name in ("parameters", "connections", "macs"):
        shown = page.locator(f"#anatomy-sum-{name}").inner_text()
        assert f"{getattr(expected.totals, name):,}" in shown
    assert page.locator("#anatomy-drawing svg").count() == 1
    keep_picture(page, "anatomy")


@pytest.mark.parametrize(
    "network",
    [
        "lenet",
        *(pytest.param(n, marks=pytest.mark.exhaustive) for n in ("own", "googlenet", "vgg11")),
    ],
)
def test_drawing_and_table_are_in_sight_and_the_table_alone_is_scrolled(open_page, network):
    page = open_page(f"tab=anatomy&anatomy.network={network}", size={"width": 1280, "height": 720})
    page.wait_for_selector("#anatomy-drawing svg")
    assert page.evaluate("document.documentElement.scrollHeight") <= 720
    for part in ("#anatomy-drawing svg", "#anatomy-layers", "#anatomy-sums"):
        box = page.locator(part).bounding_box()
        assert box["y"] >= 50, part
        assert box["y"] + box["height"] <= 720, part
        assert box["height"] > 15, part
    drawing = page.locator("#anatomy-drawing")
    assert drawing.evaluate("one => one.scrollHeight - one.clientHeight") <= 1
    drawing.page.locator("#anatomy-enlarge").click()
    assert page.locator("#anatomy-drawing svg").bounding_box()["width"] >= 1100


WORDS = """() => {
    const names = new Set([...document.querySelectorAll("[data-layer]")].flatMap(
        (one) => one.dataset.layer.split(/[.:]/)));
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const found = new Set();
    const SKIPPED = "pre, code, option, script, style, noscript, .brand, footer";
    while (texts.nextNode()) {
        const { parentElement: own, textContent } = texts.currentNode;
        const shown = own.checkVisibility() || own.closest("svg");
        if (!shown || own.closest(SKIPPED)) continue;
        if (own.closest(".sr-only, #language")) continue;
        for (const word of textContent.match(/[A-Za-z][A-Za-z_]{2,}\\d*[a-z]?/g) ?? [])
            if (!names.has(word)) found.add(word);
    }
    return [...found];
}"""
NAMES = {
    "ReLU",
    "LeNet",
    "softmax",
    "sigmoid",
    "tanh",
    "Sigmoid",
    "PyTorch",
    "Markdown",
    "lenet",
    "relu",
    "fashion",
    "mnist",
    "own",
    "TensorFlow",
}
SCREENS = {
    "draw": ("model=lenet-mnist&sample=digits:3&unit=c3.7.4.6", "#unit[data-unit='c3.7.4.6']"),
    "kernels": ("model=lenet-mnist&kernels=c1&sample=digits:3", "#kernels-canvas"),
    "back": ("model=lenet-mnist&unit=c3.7.4.6&backward=3&sample=digits:3", "#unit [data-step]"),
    "train": ("tab=train", "#train-start:enabled"),
    "read": ("tab=read", "#read-line-1"),
} | {
    name: (f"tab=anatomy&anatomy.network={name}", "#anatomy-table")
    for name in (
        "lenet",
        "lenet5-1998",
        "alexnet",
        "vgg11",
        "googlenet",
        "resnet18",
        "densenet",
        "own",
    )
}


@pytest.mark.parametrize(
    "screen",
    [
        s if s in ("draw", "resnet18") else pytest.param(s, marks=pytest.mark.exhaustive)
        for s in SCREENS
    ],
)
def test_no_english_word_stands_on_the_chinese_page(open_page, screen):
    hash_, wanted = SCREENS[screen]
    page = open_page(f"{hash_}&lang=zh")
    page.wait_for_selector(wanted, state="attached")
    page.wait_for_load_state("networkidle")
    known = {
        w
        for n in page.evaluate("fetch('/v1/networks').then(a => a.json())")["networks"]
        for w in n["name"].split("-")
    }
    assert set(page.evaluate(WORDS)) - NAMES - known == set()


@pytest.mark.exhaustive
def test_the_numbers_follow_an_option(open_page):
    page = open_page("tab=anatomy&anatomy.network=lenet")
    page.wait_for_selector("#anatomy-table tr[data-layer=output]")
    page.locator("#anatomy-classes").fill("26")
    page.locator("#anatomy-classes").press("Enter")
    page.wait_for_url(lambda url: "anatomy.classes=26" in url)
    more = 16 * (84 + 1)  # a dense layer's weights and biases
    page.wait_for_selector(f"#anatomy-sum-parameters:has-text('{61706 + more:,}')")
    assert f"{more:,}" in page.locator("#anatomy-sums").inner_text()


@pytest.mark.exhaustive
def test_the_paths_of_an_inception_block(open_page, keep_picture):
    page = open_page("tab=anatomy&anatomy.network=googlenet")
    page.wait_for_selector("#anatomy-table tr[data-layer='inception3a.cat']")
    keep_picture(page, "anatomy-googlenet")
