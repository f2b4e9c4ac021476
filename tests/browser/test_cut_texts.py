"""No text on the page is cut so that it reads as another: numbers above all."""

from pathlib import Path

import pytest

from conftest import serving

CUT = (Path(__file__).parent / "cut-texts.js").read_text(encoding="utf-8")
OUTPUT = "canvas.maps[data-layer=output]"
DEEP = """
from torch import nn

class Block(nn.Module):
    def __init__(self, before, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(channels)
        self.around = nn.Conv2d(before, channels, 1)
        self.relu2 = nn.ReLU()

    def forward(self, x):
        y = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        return self.relu2(y + self.around(x))

class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.stage1 = nn.Sequential(Block(1, 128), Block(128, 128), nn.MaxPool2d(2))
        self.stage2 = nn.Sequential(Block(128, 160), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.output = nn.Linear(160, 10)

    def forward(self, x):
        return self.output(self.stage2(self.stage1(x)))

net = Deep().eval()
"""
SIZES = [(1280, 720), (1440, 900), (1920, 1080), (390, 844), (820, 1180)]
SCREENS = {
    "lenet": ("model=lenet-mnist&sample=digits:3&unit=c3.7.4.6", "#unit[data-unit='c3.7.4.6']"),
    "backward": ("model=lenet-mnist&sample=digits:3&unit=c3.7.4.6&backward=3", "#unit [data-step]"),
    "long": ("model=lenet-fashion-mnist&kernels=c1&why=occlusion&sample=digits:3", OUTPUT),
    "two": ("model=lenet-mnist&compare=lenet-fashion-mnist&sample=digits:3", OUTPUT),
    "train": ("tab=train", "#train-start:enabled"),
    "anatomy": ("tab=anatomy&anatomy.network=resnet18", "#anatomy-table"),
    "own": ("tab=anatomy&anatomy.network=own", "#anatomy-table"),
    "read": ("tab=read", "#read-line-1"),
}


@pytest.fixture(scope="module")
def deep(program, tmp_path_factory):
    """Gives a server of a network too deep for any window, its names in parts."""
    folder = tmp_path_factory.mktemp("deep")
    (folder / "deep.py").write_text(DEEP)
    with serving(folder, "deep.py:net") as server:
        yield server


def deep_page(browser, deep, width=1280, height=720):
    page = browser.new_page(viewport={"width": width, "height": height}, locale="en-GB")
    page.goto(f"{deep.url}/#open=all")
    page.wait_for_selector(OUTPUT, state="attached")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    return page


def test_a_deep_networks_sizes_are_whole_or_not_there(browser, deep, keep_picture):
    page = deep_page(browser, deep)
    assert page.evaluate(CUT) == []
    sizes = page.locator(".layer .shape").evaluate_all(
        "all => all.map(one => one.textContent.split('/').pop())"
    )
    assert {"128\u00d728\u00d728", "160\u00d714\u00d714"} <= set(sizes)
    for by in (37, 411, 96):  # wherever it is scrolled to
        page.locator(".stage-scroll").evaluate("(one, by) => one.scrollBy(by, 0)", by)
        page.wait_for_timeout(200)
        assert page.evaluate(CUT) == []
    keep_picture(page, "deep")
    page.close()


def test_names_with_parts_are_told_apart(browser, deep):
    page = deep_page(browser, deep)
    groups = page.locator(".group").all_inner_texts()
    assert groups[:2] == ["stage1.0", "stage1.1"]
    names = page.locator(".layer figcaption b").all_inner_texts()
    assert names[1:3] == ["conv1", "norm1"]
    page.close()
    page = deep_page(browser, deep, 390, 844)
    names = page.locator(".layer figcaption b").all_inner_texts()
    assert len(set(names)) == len(names)
    page.close()


def test_no_line_runs_through_maps(browser, deep):
    page = deep_page(browser, deep)
    through = page.evaluate(
        """() => {
        const pipes = document.querySelector(".pipes");
        const stage = document.querySelector(".stage").getBoundingClientRect();
        const boxes = [...document.querySelectorAll("canvas.maps")].map((one) => {
            const { left, top, right, bottom } = one.getBoundingClientRect();
            return { name: one.dataset.layer, left: left - stage.left, right: right - stage.left,
                top: top - stage.top, bottom: bottom - stage.top };
        });
        const found = new Set();
        for (const d of pipes.getAttribute("d").split(/(?=M)/)) {
            const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
            path.setAttribute("d", d);
            for (let at = 0; at < path.getTotalLength(); at += 3) {
                const { x, y } = path.getPointAtLength(at);
                const box = boxes.find(({ left, top, right, bottom }) =>
                    x > left + 1 && x < right - 1 && y > top + 1 && y < bottom - 1);
                if (box) found.add(box.name);
            }
        }
        return [...found];
    }"""
    )
    assert through == []
    assert page.locator(".pipes").get_attribute("d").count("Q") == 6  # three shortcuts, below
    page.close()


@pytest.mark.exhaustive
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_no_text_is_cut(open_page, screen, width, height, language):
    hash_, wanted = SCREENS[screen]
    page = open_page(f"{hash_}&lang={language}", size={"width": width, "height": height})
    page.wait_for_selector(wanted, state="attached")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)
    assert page.evaluate(CUT) == []
