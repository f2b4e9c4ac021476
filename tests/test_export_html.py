"""`holmdel export --to html`: one page whose own JavaScript answers as the model does."""

import base64
import gzip
import json
import random
import re
import shutil
import subprocess
from urllib.parse import unquote

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from holmdel.checkpoint import Header
from holmdel.classifier import Classifier, load
from holmdel.errors import UserError
from holmdel.images import ImageContract, to_input
from holmdel.insight import activations, explain
from holmdel.insight.backward import gradients, step, terms

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="needs Node.js")

ASK = """
import { readFileSync } from "node:fs";
import { constantsOf, run } from "./network.mjs";
import { explain } from "./explain.mjs";
const { page, image, layers, units } = JSON.parse(readFileSync("asked.json", "utf8"));
const weights = Uint8Array.from(Buffer.from(page.weights, "base64")).buffer;
const values = run(page.graph, constantsOf(page.graph, weights), Uint8Array.from(image));
const found = layers.map((name) => [name, [...values.get(page.graph.layers[name]).data]]);
const told = units.map(([layer, unit]) => explain(page, values, layer, unit));
console.log(JSON.stringify({ values: Object.fromEntries(found), told }));
"""


def parts(path):
    """Returns what a page holds: its text, its modules by name, its network."""
    text = path.read_text()
    (modules,) = re.findall(r'<script type="importmap">(.*?)</script>', text, re.DOTALL)
    (network,) = re.findall(r'id="network">(.*?)</script>', text, re.DOTALL)
    (packed,) = re.findall(r'id="weights">(.*?)</script>', text, re.DOTALL)
    planes = np.frombuffer(gzip.decompress(base64.b64decode(packed)), np.uint8).reshape(4, -1)
    weights = base64.b64encode(planes.T.tobytes()).decode()
    sources = {
        name: unquote(address.partition(",")[2])
        for name, address in json.loads(modules)["imports"].items()
    }
    return text, sources, json.loads(network) | {"weights": weights}


def asked(path, folder, image, units=()):
    """Returns what the page's own modules compute of an image, without a browser."""
    _, sources, page = parts(path)
    for name in ("network", "explain", "unit/sum"):
        source = sources[f"holmdel/{name}.js"]
        source = re.sub(r'"holmdel/(?:[\w-]+/)?([\w-]+)\.js"', r'"./\1.mjs"', source)
        (folder / f"{name.rpartition('/')[2]}.mjs").write_text(source)
    (folder / "ask.mjs").write_text(ASK)
    layers = [row["name"] for row in page["rows"] if row["name"] in page["graph"]["layers"]]
    wanted = {"page": page, "image": image.flatten().tolist(), "layers": layers, "units": units}
    (folder / "asked.json").write_text(json.dumps(wanted))
    done = subprocess.run([NODE, "ask.mjs"], cwd=folder, capture_output=True, check=True)
    found = json.loads(done.stdout)
    return found["values"], found["told"]


def noise(shape):
    chance = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, shape, generator=chance, dtype=torch.uint8)


def test_a_page_that_needs_nothing_else(holmdel, run_folder, tmp_path):
    out = tmp_path / "lenet.html"
    done = holmdel("export", run_folder, "--to", "html", "--out", out)
    assert (done.status, done.err) == (0, "")
    assert "64 generated images in Node.js " in done.out
    assert out.stat().st_size < 600_000
    text, sources, page = parts(out)
    assert re.findall(r'(?:src|href)="(?!data:)[^"]*"', text.partition("<body>")[0]) == []
    assert {"holmdel/frame.js", "holmdel/draw/tab.js", "holmdel/unit/view.js"} <= sources.keys()
    assert "holmdel/train/tab.js" not in sources
    assert page["model"]["classes"] == list("abcdefghij")
    assert json.loads((tmp_path / "export.json").read_text())["lenet.html"]["difference"] < 1e-6


def test_every_layer_and_every_sum_are_as_in_python(holmdel, run_folder, tmp_path):
    out = tmp_path / "lenet.html"
    holmdel("export", run_folder, "--to", "html", "--out", out)
    classifier, image = load(run_folder), noise((1, 28, 28))
    seen = activations(
        classifier.network.double(), to_input(image[None], classifier.contract)[0].double()
    )
    units = [
        ("c1", (2, 0, 27)), ("act1", (1, 3, 4)), ("s2", (5, 13, 0)), ("c3", (15, 9, 1)),
        ("f5", (7,)), ("act6", (3,)), ("output", (9,)), ("flatten", (30,)),
    ]  # fmt: skip
    values, told = asked(out, tmp_path, image, units)
    assert len(values) == 12
    for layer in seen.layers[1:]:
        assert np.abs(np.array(values[layer.name]) - layer.value.flatten().numpy()).max() < 1e-6
    for (layer, unit), found in zip(units, told, strict=True):
        expected = explain(seen, layer, unit).to_json()
        assert found["value"] == pytest.approx(expected["value"], abs=1e-6)
        assert found["operation"] == expected["operation"]
        assert found["before"]["layer"] == expected["before"]["layer"]
        if expected["patch"]:
            assert found["sum"] == pytest.approx(found["value"], abs=1e-12)
            assert found["before"] == expected["before"]
            assert np.allclose(found["patch"], expected["patch"], atol=1e-6)


class Branches(nn.Module):
    """What a learner may come up with, two branches among it."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.pool = nn.MaxPool2d(3, 2, padding=1, ceil_mode=True)
        self.average = nn.AvgPool2d(3, 2, padding=1, ceil_mode=True)
        self.deep = nn.Conv2d(12, 12, 3, groups=4, dilation=2, padding=(2, 1))
        self.prelu = nn.PReLU(12)
        self.adaptive = nn.AdaptiveAvgPool2d((2, 3))
        self.dense = nn.Linear(72, 20)
        self.layer = nn.LayerNorm(20)
        self.last = nn.Linear(20, 5, bias=False)

    def forward(self, x):
        x = F.relu(self.norm(self.conv(x)), inplace=True)
        x = torch.cat([self.pool(x), self.average(x)], 1)
        x = self.adaptive(self.prelu(self.deep(x)) + F.elu(x[:, :, :, :9]))
        x = F.gelu(self.layer(self.dense(x.flatten(1))))
        left, right = x.chunk(2, dim=1)
        x = torch.stack([F.softplus(left), F.hardswish(right) ** 2], 1).amax(1) - right.neg()
        return self.last(torch.cat([x, x.view(-1, 2, 5).permute(0, 2, 1).flatten(1).sigmoid()], 1))


def classifier(network, contract, classes):
    names = ("</script>", *map(str, range(1, classes)))
    return Classifier(network, Header(network="own", options={}, classes=names, image=contract))


def test_a_learners_own(tmp_path):
    torch.manual_seed(3)
    contract = ImageContract(stored=(3, 15, 21), input=(3, 15, 21), framing="fit", std=0.5)
    model = classifier(Branches(), contract, 5)
    report = model.export(tmp_path / "own.html", to="html")
    assert report.difference <= 1e-5
    assert parts(tmp_path / "own.html")[2]["model"]["classes"][0] == "</script>"


def test_what_cannot_go_is_named(tmp_path):
    network = nn.Sequential(nn.Upsample(scale_factor=2), nn.Flatten(), nn.Linear(3136, 3))
    with pytest.raises(UserError, match="the layer 0 uses the operator upsample_nearest2d"):
        classifier(network, ImageContract(), 3).export(tmp_path / "m.html", to="html")
    network = nn.Sequential(nn.ReflectionPad2d(1), nn.Flatten(), nn.Linear(900, 3))
    with pytest.raises(UserError, match="the layer 0 pads by reflect, which pages do not have"):
        classifier(network, ImageContract(), 3).export(tmp_path / "m.html", to="html")
    assert not [*tmp_path.glob("*.html")]


def test_without_node(run_folder, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"Node\.js was not found"):
        load(run_folder).export(tmp_path / "m.html", to="html")


ASK_BACK = """
import { readFileSync } from "node:fs";
import { constantsOf, run } from "./holmdel/network.js";
import { Backward } from "./holmdel/backward.js";
import { addGradient, addStep } from "./holmdel/unit/backward.js";
const { page, image, target, units, steps } = JSON.parse(readFileSync("asked.json", "utf8"));
const weights = Uint8Array.from(Buffer.from(page.weights, "base64")).buffer;
const values = run(page.graph, constantsOf(page.graph, weights), Uint8Array.from(image));
const way = new Backward(page, values, target);
const names = ["input", ...page.rows.map((row) => row.name)];
const layers = names.map((name) => [name, [...(way.of(name)?.data ?? [])]]);
const told = units.map(([layer, unit]) => way.unit(layer, unit));
const stepped = steps.map(([layer, unit]) => way.step(layer, unit, 0.1));
console.log(JSON.stringify({
  input: [...values.get(page.graph.first).data], loss: way.loss, layers: Object.fromEntries(layers),
  told, sums: told.map(addGradient), stepped, checked: stepped.map(addStep),
}));
"""


def asked_back(path, folder, **wanted):
    """Returns what the page's own modules say, in Node.js."""
    _, sources, page = parts(path)
    for name, source in sources.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        depth = "../" * name.count("/")
        place.write_text(source.replace('from "holmdel/', f'from "{depth}holmdel/'))
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "ask.js").write_text(ASK_BACK)
    wanted["image"] = wanted["image"].flatten().tolist()
    (folder / "asked.json").write_text(json.dumps({"page": page, **wanted}))
    done = subprocess.run([NODE, "ask.js"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), page


def units_of(seen, count):
    """Returns units of every layer, drawn with a fixed seed."""
    chance = random.Random(5)
    layers = [layer for layer in seen.layers if layer.name != "input"]
    return [
        (layer.name, tuple(chance.randrange(side) for side in layer.value.shape))
        for layer in (layers * count)[:count]
    ]


def test_gradients_sums_and_steps_are_pytorchs(tmp_path):
    model = load("lenet-mnist")
    model.export(tmp_path / "lenet.html", to="html")
    network, image, target = model.network.double(), noise((1, 28, 28)), 3
    empty = activations(network, torch.zeros(1, 28, 28, dtype=torch.float64))
    units, steps = units_of(empty, 100), [("c1", (2, 9, 14)), ("c3", (7, 4, 6)), ("f5", (17,))]
    found, _ = asked_back(
        tmp_path / "lenet.html", tmp_path, image=image, target=target, units=units, steps=steps
    )
    seen = activations(network, torch.tensor(found["input"], dtype=torch.float64).view(1, 28, 28))
    expected = gradients(network, seen, target)
    assert found["loss"] == pytest.approx(expected.loss, rel=1e-12)
    for name, slope in expected.layers.items():
        size = float(slope.abs().max())
        ours = np.array(found["layers"][name])
        assert np.abs(ours - slope.flatten().numpy()).max() <= 1e-12 * size, name
    assert all(one["same"] for one in found["sums"])
    for (layer, unit), told in zip(units, found["told"], strict=True):
        assert told["gradient"] == pytest.approx(
            float(expected.layers[layer][unit]),
            abs=1e-12 * float(expected.layers[layer].abs().max()),
        )
        if layer != "output":
            theirs = {(t.layer, t.index): t.weight for t in terms(expected, layer, unit)}
            ours = {(t["layer"], tuple(t["unit"])): t["weight"] for t in told["terms"]}
            assert ours == pytest.approx(theirs, rel=1e-12), (layer, unit)
    for (layer, unit), told in zip(steps, found["stepped"], strict=True):
        theirs = step(expected, layer, unit[0], 0.1)
        assert (told["weight"]["plane"], *told["weight"]["at"]) == theirs.at
        for part in ("before", "gradient", "after"):
            assert np.allclose(told[part], getattr(theirs, part), rtol=1e-12, atol=1e-15)
    assert all(one["same"] and one["equal"] for one in found["checked"])


class Rest(nn.Module):
    """Operators that Branches has not."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.dense = nn.Linear(4 * 7 * 7, 12)
        self.last = nn.Linear(12, 4)

    def forward(self, x):
        x = nn.functional.leaky_relu(self.conv(nn.functional.pad(x, (1, 0, 0, 1))))
        x = x * torch.softmax(x, 1) - torch.tanh(x).abs() / (x**2 + 1)
        x = self.dense(x[:, :, :7, :7].flatten(1)) * torch.cat([x.mean((2, 3))] * 3, 1)
        return self.last(torch.log_softmax(nn.functional.hardsigmoid(x), 1).exp())


@pytest.mark.parametrize(("network", "shape"), [(Branches, (3, 15, 21)), (Rest, (1, 14, 14))])
def test_any_operator_hands_back_what_pytorch_does(tmp_path, network, shape):
    torch.manual_seed(3)
    contract = ImageContract(stored=shape, input=shape, framing="fit", std=0.5)
    model = classifier(network(), contract, 5 if network is Branches else 4)
    model.export(tmp_path / "own.html", to="html")
    image = noise(shape)
    found, _ = asked_back(
        tmp_path / "own.html", tmp_path, image=image, target=2, units=[], steps=[]
    )
    seen = activations(
        model.network.double(), torch.tensor(found["input"], dtype=torch.float64).view(shape)
    )
    expected = gradients(model.network.double(), seen, 2)
    assert found["loss"] == pytest.approx(expected.loss, rel=1e-6)
    # a ReLU changes norm in place: PyTorch's gradient is of the values after it
    named = set(expected.layers) - {"norm"}
    compared = [name for name in named if found["layers"].get(name)]
    assert len(compared) >= 4
    for name in compared:
        theirs = expected.layers[name].flatten().numpy()
        size = float(np.abs(theirs).max())
        assert np.abs(np.array(found["layers"][name]) - theirs).max() <= 2e-6 * size, name
