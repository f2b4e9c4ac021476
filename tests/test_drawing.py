"""Drawings of networks: what the SVG holds, and where."""

import re
import xml.etree.ElementTree as ET
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from typing import NamedTuple

import matplotlib
import pytest
import torch
from torch import nn

from holmdel.anatomy import Anatomy, inspect_module, weightless
from holmdel.drawing import draw
from holmdel.drawing.layout import arrange
from holmdel.drawing.primitives import Stroke, Text, extent
from holmdel.errors import UserError
from holmdel.networks import NETWORKS, build, network_options

SVG = "{http://www.w3.org/2000/svg}"


class Residual(nn.Module):
    """Two convolutions and a way around them, by a 1x1 convolution where the maps shrink."""

    def __init__(self, maps: int, stride: int = 1):
        super().__init__()
        self.conv1 = nn.Conv2d(8, maps, 3, stride, padding=1)
        self.norm1 = nn.BatchNorm2d(maps)
        self.conv2 = nn.Conv2d(maps, maps, 3, padding=1)
        self.around = nn.Conv2d(8, maps, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        return torch.relu(self.around(x) + self.conv2(self.norm1(self.conv1(x)).relu()))


class Dense(nn.Module):
    """Each convolution sees all maps before it."""

    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(1 + 4 * n, 4, 3, padding=1) for n in range(3))

    def forward(self, x):
        for conv in self.convs:
            x = torch.cat([x, conv(x)], dim=1)
        return x.mean((2, 3))


class Hourglass(nn.Module):
    """Down, up, and a connection across: no paths side by side."""

    def __init__(self):
        super().__init__()
        self.down = nn.Conv2d(1, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.deep = nn.Conv2d(4, 8, 3, padding=1)
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.last = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, x):
        wide = self.down(x)
        return self.last(torch.cat([wide, self.up(self.deep(self.pool(wide)))], dim=1))


class TwoHeads(nn.Module):
    """Two outputs, and a parameter that nothing uses."""

    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(1, 4, 3)
        self.side = nn.Conv2d(4, 2, 5, stride=2)
        self.left, self.right = nn.Linear(4, 3), nn.Linear(4, 2)
        self.spare = nn.Parameter(torch.zeros(5))

    def forward(self, x):
        maps = self.body(x)
        x = maps.amax((2, 3))
        return self.left(x), self.right(x), self.side(maps)


class Attention(nn.Module):
    """Positions that look at one another."""

    def __init__(self):
        super().__init__()
        self.cut = nn.Conv2d(1, 16, 7, stride=7)
        self.q, self.k, self.v = (nn.Linear(16, 16) for _ in range(3))

    def forward(self, x):
        x = self.cut(x).flatten(2).mT
        return x + torch.softmax(self.q(x) @ self.k(x).mT, dim=-1) @ self.v(x)


OTHERS = {
    "residual": lambda: nn.Sequential(nn.Conv2d(1, 8, 3), Residual(8), Residual(16, stride=2)),
    "dense": Dense,
    "hourglass": Hourglass,
    "two-heads": TwoHeads,
    "attention": Attention,
    "series": lambda: nn.Sequential(nn.Flatten(2), nn.Conv1d(1, 4, 5), nn.Conv1d(4, 4, 5)),
    "oblong": lambda: nn.Sequential(nn.Conv2d(1, 8, (3, 7)), nn.ReLU(), nn.MaxPool2d((1, 4))),
    "one-layer": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10)),
    "long": lambda: nn.Sequential(nn.Conv2d(1, 8, 1), *[Residual(8) for _ in range(9)]),
}
ALL = [*NETWORKS, *OTHERS]


@cache
def anatomy(name: str) -> Anatomy:
    if name in OTHERS:
        return inspect_module(OTHERS[name](), (1, 28, 28), name)
    with weightless():
        network = build(name)
    known = network_options(name)
    return inspect_module(network, (known["channels"], *known["size"]), name)


@cache
def drawing(name: str) -> ET.Element:
    return ET.fromstring(draw(anatomy(name)))


class Box(NamedTuple):
    text: str
    left: float
    top: float
    right: float
    bottom: float


@cache
def helvetica(bold: bool) -> dict[str, int]:
    """Returns the widths of Helvetica's letters, which matplotlib brings, in thousandths."""
    file = "Helvetica-Bold.afm" if bold else "Helvetica.afm"
    path = Path(matplotlib.get_data_path()) / "fonts" / "pdfcorefonts" / file
    rows = re.findall(r"^C (\d+) ; WX (\d+) ;", path.read_text(encoding="latin-1"), re.MULTILINE)
    return {chr(int(code)): int(width) for code, width in rows}


def text_boxes(svg: ET.Element) -> list[Box]:
    found = []
    for text in svg.iter(f"{SVG}text"):
        size, x, y = (float(text.get(key)) for key in ("font-size", "x", "y"))
        widths = helvetica(text.get("font-weight") == "bold")
        width = sum(widths.get(letter, 600) for letter in text.text) / 1000 * size
        left = x - (width / 2 if text.get("text-anchor") == "middle" else 0)
        found.append(Box(text.text, left, y - 0.72 * size, left + width, y + 0.21 * size))
    return found


def points(svg: ET.Element) -> list[tuple[float, float]]:
    """Returns the corners of all that is drawn."""
    found = [(box.left, box.top) for box in text_boxes(svg)]
    found += [(box.right, box.bottom) for box in text_boxes(svg)]
    for rect in svg.iter(f"{SVG}rect"):
        x, y, width, height = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
        found += [(x, y), (x + width, y + height)]
    return found + [point for line in connections(svg) for point in line]


def connections(svg: ET.Element) -> list[list[tuple[float, float]]]:
    """Returns the corners of each line."""
    pairs = [re.findall(r"(-?[\d.]+),(-?[\d.]+)", path.get("d")) for path in svg.iter(f"{SVG}path")]
    return [[(float(x), float(y)) for x, y in line] for line in pairs]


def figure(svg: ET.Element, layer: str) -> ET.Element:
    return svg.find(f"{SVG}g[@data-layer='{layer}']")


def sheets(svg: ET.Element, layer: str) -> list[tuple[float, float]]:
    """Returns (width, height) of each sheet of a layer's stack, or of its bar."""
    rects = figure(svg, layer).findall(f"{SVG}rect")
    return [(float(rect.get("width")), float(rect.get("height"))) for rect in rects]


def lines_to(svg: ET.Element, layer: str) -> list[str]:
    """Returns the layers from which a connection leads to one."""
    return [path.get("data-from") for path in svg.findall(f"{SVG}path[@data-to='{layer}']")]


def texts(svg: ET.Element) -> list[str]:
    return [text.text for text in svg.iter(f"{SVG}text")]


@pytest.mark.parametrize("name", ALL)
def test_it_is_an_svg_with_a_title_and_a_description(name):
    svg = drawing(name)
    assert svg.tag == f"{SVG}svg"
    parameters = anatomy(name).totals.parameters
    channels, height, width = anatomy(name).input
    size = f"{channels}@{height}x{width}"
    assert svg.findtext(f"{SVG}title") == f"{name}: {size}, {parameters:,} parameters"
    assert svg.findtext(f"{SVG}desc").startswith("To scale: the sides of a map are in proportion")


@pytest.mark.parametrize("name", ALL)
def test_every_layer_with_parameters_is_named(name):
    said = "\n".join(text.text or "" for text in drawing(name).iter())
    for layer in anatomy(name).layers:
        if layer.parameters:
            assert re.search(rf"(^|\s){re.escape(layer.name)}(:|,|$)", said, re.MULTILINE)


@pytest.mark.parametrize("name", ALL)
def test_no_two_texts_overlap(name):
    for one, two in combinations(text_boxes(drawing(name)), 2):
        apart = one.right <= two.left or two.right <= one.left
        assert apart or one.bottom <= two.top or two.bottom <= one.top, f"{one} and {two}"


@pytest.mark.parametrize("name", ALL)
def test_no_line_runs_through_a_text(name):
    boxes = [box for box in text_boxes(drawing(name)) if box.text not in "+-×"]
    for line in connections(drawing(name)):
        for (x1, y1), (x2, y2) in pairwise(line):
            if x1 == x2 or y1 == y2:
                for box in boxes:
                    beside = max(x1, x2) <= box.left or min(x1, x2) >= box.right
                    assert beside or max(y1, y2) <= box.top or min(y1, y2) >= box.bottom, box


@pytest.mark.parametrize("name", ALL)
def test_everything_lies_inside(name):
    left, top, width, height = map(float, drawing(name).get("viewBox").split())
    assert width < 1700
    for x, y in points(drawing(name)):
        assert left <= x <= left + width
        assert top <= y <= top + height


@pytest.mark.parametrize(
    "name", ["alexnet", "googlenet", "residual", "dense", "hourglass", "attention"]
)
def test_every_connection_is_drawn(name):
    """Each block has as many lines as inputs; what is folded into a block has none."""
    svg = drawing(name)
    blocks = [group.get("data-layer") for group in svg.findall(f"{SVG}g")]
    for layer in anatomy(name).layers:
        if layer.name in blocks:
            assert len(set(lines_to(svg, layer.name))) == len(layer.inputs)


def test_an_inceptions_join_has_four_incoming_lines():
    joins = [layer.name for layer in anatomy("googlenet").layers if layer.kind == "cat"]
    assert len(joins) == 9
    for join in joins:
        sources = lines_to(drawing("googlenet"), join)
        assert [source.split(".")[1] for source in sources] == ["path1", "path2", "path3", "path4"]


def test_a_residual_connection_is_an_arc_or_a_path():
    svg = drawing("residual")
    [first, second] = [layer.name for layer in anatomy("residual").layers if layer.kind == "add"]
    assert sorted(lines_to(svg, first)) == ["0", "1.conv2"]
    assert sorted(lines_to(svg, second)) == ["2.around", "2.conv2"]
    assert texts(svg).count("+") == 2


def test_heights_follow_the_maps():
    """LeNet is in proportion; from 224 to 7 pixels it is the square root."""
    lenet, vgg = drawing("lenet"), drawing("vgg11")
    assert "proportion to H and W" in lenet.findtext(f"{SVG}desc")
    assert "proportion to the square roots of H and W" in vgg.findtext(f"{SVG}desc")
    full = sheets(lenet, "c1")[0][1]
    for layer, pixels in {"s2": 14, "c3": 10, "s4": 5}.items():
        for width, height in sheets(lenet, layer):
            assert width == height == pytest.approx(full * pixels / 28, abs=0.11)
    full = sheets(vgg, "input")[0][1]
    for layer in anatomy("vgg11").layers:
        if layer.kind == "Conv2d":
            expected = full * (layer.output[1] / 224) ** 0.5
            assert sheets(vgg, layer.name)[0][1] == pytest.approx(expected, abs=0.11)


def test_oblong_maps_are_oblong():
    [(width, height), *_] = sheets(drawing("oblong"), "0")
    assert (width / 22) == pytest.approx(height / 26, rel=0.01)


def test_a_sheet_a_map_or_the_root_of_them():
    assert [len(sheets(drawing("lenet"), layer)) for layer in ("c1", "c3")] == [6, 16]
    assert len(sheets(drawing("googlenet"), "conv1")) == 8
    assert len(sheets(drawing("googlenet"), "conv2")) == round(192**0.5)


def test_bars_follow_the_units():
    """120, 84 and 10 units in proportion; 4,096 and 10 as their square roots."""
    lengths = [sheets(drawing("lenet"), layer)[0][1] for layer in ("f5", "f6", "output")]
    assert lengths == pytest.approx([136, 136 * 84 / 120, 136 * 10 / 120], abs=0.06)
    long, short = (sheets(drawing("alexnet"), layer)[0][1] for layer in ("fc7", "fc8"))
    assert short == pytest.approx(long * (10 / 4096) ** 0.5, abs=0.06)


def test_kernels_sizes_and_names_are_written():
    said = texts(drawing("alexnet"))
    assert {"11x11", "stride 4", "padding 1", "max 3x3", "96@54x54", "conv1", "fc8"} <= set(said)
    assert {"5x5", "average 2x2", "6@28x28", "Sigmoid", "c1"} <= set(texts(drawing("lenet")))
    assert {"block1", "conv1", "convolution, then ReLU"} <= set(texts(drawing("vgg11")))
    assert {"inception3a", "path2.reduce", "480@12x12"} <= set(texts(drawing("googlenet")))


def test_activations_and_reshapes_have_no_blocks():
    named = {group.get("data-layer") for group in drawing("lenet").findall(f"{SVG}g")}
    assert named == {"input", "c1", "s2", "c3", "s4", "f5", "f6", "output"}


def test_a_normalisation_is_a_strip_of_its_block():
    block = figure(drawing("residual"), "1.conv1")
    assert "1.norm1: BatchNorm2d" in block.findtext(f"{SVG}title")
    *maps, strip = block.findall(f"{SVG}rect")
    assert len({sheet.get("fill") for sheet in maps}) == 1
    assert strip.get("fill") != maps[0].get("fill")
    assert strip.get("height") == maps[0].get("height")
    assert "normalisation" in texts(drawing("residual"))
    assert "normalisation" not in texts(drawing("lenet"))


def test_a_kernel_is_written_where_an_arc_leads_to_its_block():
    assert {"5x5", "stride 2"} <= set(texts(drawing("two-heads")))


def test_parameters_of_no_layer_are_listed():
    assert "in no layer: spare" in texts(drawing("two-heads"))


def test_the_same_anatomy_gives_the_same_text():
    for name in ("googlenet", "dense", "attention"):
        assert draw(anatomy(name)) == draw(anatomy(name))


def test_odd_names_are_escaped():
    network = nn.Sequential()
    network.add_module('a<&"b', nn.Conv2d(1, 2, 3))
    network.add_module("\x01", nn.Conv2d(2, 2, 3))
    svg = ET.fromstring(draw(inspect_module(network, (1, 9, 9), "<odd>")))
    assert {'a<&"b', "\ufffd"} <= set(texts(svg))
    assert svg.findtext(f"{SVG}title").startswith("<odd>: ")


def test_a_network_without_a_layer_is_told():
    with pytest.raises(UserError, match="nothing has no layer to draw; expected at least one conv"):
        draw(inspect_module(nn.Sequential(nn.Identity(), nn.Flatten()), (1, 9, 9), "nothing"))


def test_the_old_method_still_draws():
    with pytest.warns(DeprecationWarning, match=r"Anatomy.to_svg\(\) is now holmdel.draw\(\)"):
        assert anatomy("lenet").to_svg() == draw(anatomy("lenet"))


def test_an_arc_begins_on_a_line_and_beside_the_labels():
    layout = arrange(inspect_module(build("resnet18"), (1, 96, 96)))
    texts = [item for item in layout.items if isinstance(item, Text)]
    lines = [item for item in layout.items if isinstance(item, Stroke) and item.style == "arrow"]
    arcs = [item for item in layout.items if isinstance(item, Stroke) and item.style == "skip"]
    assert len(arcs) == 5  # the other three blocks have a convolution in the shortcut
    for arc in arcs:
        (x, y), (turn, _), (_, top), *_ = arc.points
        ends = [line.points for line in lines if line.points[0][1] == line.points[-1][1] == y]
        assert any(begin <= x and turn <= end for (begin, _), *_, (end, _) in ends)
        beside = [extent(text) for text in texts if top < text.y < y]
        assert all(right < turn - 5 or left > turn + 5 for left, _, right, _ in beside)
