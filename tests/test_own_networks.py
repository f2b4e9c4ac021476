"""Networks of one's own: trained, kept as data, loaded, served and drawn on, without their code."""

import functools
import io
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from fastapi.testclient import TestClient
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

import holmdel as library
from holmdel.checkpoint import Header, load_model, save_model
from holmdel.errors import UserError
from holmdel.images import ImageContract
from holmdel.programs.exported import export
from holmdel.programs.own import own
from holmdel.programs.program import build_program
from holmdel.server import ServerSettings, create_app

QUICK = {"epochs": 1, "limit": 64, "batch_size": 32}
TYPED_IN = """
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 5, padding=2)
        self.norm = nn.BatchNorm2d(4)
        self.out = nn.Linear(4 * 14 * 14, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.norm(self.conv(x)).relu(), 2)
        return self.out(x.view(x.shape[0], -1))
"""


def typed_in() -> type[nn.Module]:
    """Returns a class that no file holds, as one typed in a notebook."""
    names = {"__name__": "__main__"}
    exec(TYPED_IN, names)
    return names["Net"]


def seven() -> bytes:
    page = np.zeros((28, 28), np.uint8)
    page[6, 8:20] = page[6:22, 18] = 255
    file = io.BytesIO()
    Image.fromarray(page).save(file, "PNG")
    return file.getvalue()


def test_a_class_typed_in_a_notebook_is_trained_kept_served_and_drawn_on():
    run = library.train(typed_in(), "digits", out="run", recipe="modern", **QUICK)
    images = torch.rand(5, 1, 28, 28)
    kept = library.load("run")
    with torch.no_grad():
        torch.testing.assert_close(kept.network(images), run.network(images), rtol=0, atol=0)
    assert library.evaluate("run", limit=20).count == 20
    assert [layer.kind for layer in library.inspect("run").layers][:3] == [
        "Conv2d",
        "BatchNorm2d",
        "ReLU",
    ]
    app = create_app(ServerSettings(models=("run",)), log=None)
    with TestClient(app, base_url="http://localhost") as client:
        seen = client.post(
            "/v1/activations", content=seven(), headers={"Content-Type": "image/png"}
        )
        drawing = client.get("/v1/anatomy", params={"model": "run", "form": "svg"}).text
    layers = {layer["name"]: layer["shape"] for layer in seen.json()["layers"]}
    assert layers["max_pool2d"] == [4, 14, 14]
    assert "max_pool2d" in drawing
    theirs = typed_in()()
    theirs.load_state_dict(load_file("run/model.safetensors"))
    with torch.no_grad():
        torch.testing.assert_close(theirs.eval()(images), kept.network(images))


def test_a_file_is_run_when_it_is_named_and_never_again(holmdel, tmp_path):
    code = (
        f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch(exist_ok=False)\n"
        + TYPED_IN
    )
    (tmp_path / "mynet.py").write_text(code)
    words = ["--data", "digits", "--epochs", 1, "--limit", 64, "--out", "run"]
    assert holmdel("train", f"{tmp_path}/mynet.py:Net", *words).status == 0
    (tmp_path / "ran").unlink()
    (tmp_path / "seven.png").write_bytes(seven())
    assert holmdel("predict", "run", tmp_path / "seven.png").status == 0
    assert holmdel("evaluate", "run", "--limit", 20).status == 0
    assert "norm" in holmdel("inspect", "run").out
    with TestClient(create_app(ServerSettings(models=("run",)), log=None)):
        pass
    assert not (tmp_path / "ran").exists()
    assert (tmp_path / "work" / "run" / "mynet.py").read_text() == code
    assert json.loads((tmp_path / "work/run/config.json").read_text())["own"].endswith(":Net")


def test_an_interrupted_training_ends_with_the_same_weights():
    class Stop(library.training.callbacks.Callback):
        def epoch(self, history) -> None:
            raise library.training.callbacks.Stopped

    settings = QUICK | {"epochs": 2}
    whole = library.train(typed_in(), "digits", out="whole", **settings)
    with pytest.raises(library.training.callbacks.Stopped):
        library.train(typed_in(), "digits", out="run", callbacks=Stop(), **settings)
    library.train(typed_in(), "digits", out="run", resume=True, **settings)
    for name, tensor in load_file("run/model.safetensors").items():
        assert torch.equal(tensor, whole.network.state_dict()[name]), name


def test_a_module_goes_on_from_its_weights_and_has_the_trained_ones():
    torch.manual_seed(1)
    module = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    before = module[1].weight.detach().clone()
    run = library.train(module, "digits", out="run", lr=1e-6, calibrate=False, **QUICK)
    assert 0 < (module[1].weight - before).abs().max() < 1e-3
    assert torch.equal(module[1].weight, run.network[1].weight)


def test_the_engine_trains_a_forward_that_is_a_chain():
    run = library.train(Lenet, "digits", out="run", **QUICK)
    assert "native" in json.loads((run.folder / "config.json").read_text())["engine"]


class Skipping(nn.Module):
    """A residual network as tutorials write it: a sum in place, a way around, a dropout."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, padding=1)
        self.conv1, self.norm1 = nn.Conv2d(4, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
        self.conv2, self.norm2 = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.down = nn.Sequential(nn.Conv2d(4, 8, 1, 2, bias=False), nn.BatchNorm2d(8))
        self.drop, self.out = nn.Dropout(0.1), nn.Linear(8, classes)

    def forward(self, x):
        x = F.relu(self.stem(x))
        found = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        found += self.down(x)
        return self.out(self.drop(F.adaptive_avg_pool2d(F.relu(found), 1).flatten(1)))


def test_the_engine_trains_a_forward_with_sums():
    run = library.train(Skipping, "digits", out="run", **QUICK)
    assert "native" in json.loads((run.folder / "config.json").read_text())["engine"]
    images = torch.rand(5, 1, 28, 28)
    network, _ = load_model(run.folder / "model.safetensors")
    again = Skipping().eval()
    again.load_state_dict(network.state_dict())
    torch.testing.assert_close(network(images), again(images), rtol=1e-4, atol=1e-5)


@pytest.mark.exhaustive
def test_pytorch_trains_strided_1x1_convolutions_at_odd_batch_sizes():
    """Channels last, PyTorch 2.13 writes outside of its memory there; the process ended."""
    code = (
        "import holmdel, tests.test_own_networks as here\n"
        "holmdel.train(here.Skipping, 'digits', out='run', engine='torch', epochs=2, limit=157,"
        " batch_size=128)"
    )
    root = Path(__file__).parents[1]
    where = os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(root / "src")])}
    assert subprocess.run([sys.executable, "-c", code], env=where, check=False).returncode == 0


def test_images_of_a_folder_come_in_the_size_that_the_network_takes(tmp_path):
    for label in ("one", "two"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(8):
            pixels = np.random.default_rng(number).integers(0, 256, (40, 50, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data" / label / f"{number}.png")
    run = library.train(lenet, tmp_path / "data", out="run", epochs=1, batch_size=4)
    assert run.header.network == "own-lenet"
    assert run.header.image.input == (3, 32, 32)
    assert run.network(torch.zeros(1, 3, 32, 32)).shape == (1, 2)


def lenet(num_classes=10):
    """A function that takes the number of classes from the data, and sees 3x32x32."""
    return nn.Sequential(nn.Conv2d(3, 2, 5), nn.Flatten(), nn.Linear(2 * 28 * 28, num_classes))


class Lenet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.c1, self.c3 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.f5, self.f6 = nn.Linear(400, 84), nn.Linear(84, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(torch.relu_(self.c3(x)), (2, 2)).view(-1, 16 * 5 * 5)
        return self.f6(F.relu(self.f5(x)))


class Block(nn.Module):
    def __init__(self, maps):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(maps, maps, 3, padding=1, bias=False), nn.BatchNorm2d(maps)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.act(x + self.norm(self.conv(x)))


class Residual(nn.Module):
    """Shared activations, blocks in blocks, a parameter, a buffer and a constant of its own."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 5, stride=2)
        self.blocks = nn.Sequential(Block(6), Block(6))
        self.act, self.drop = nn.ReLU(), nn.Dropout(0.5)
        self.layers = nn.ModuleList([nn.LazyConv2d(8, 3), nn.LazyConv2d(8, 3)])
        self.out = nn.LazyLinear(10)
        self.scale = nn.Parameter(torch.full((8, 1, 1), 0.5))
        self.register_buffer("shift", torch.ones(1))
        self.constant = torch.tensor(2.0)

    def forward(self, x):
        x = self.act(self.blocks(self.act(self.conv(x))))
        for layer in self.layers:
            x = torch.tanh(layer(x))
        if x.shape[-1] > 3:
            x = x * self.scale + self.shift
        batch, maps, height, width = x.shape
        weight = x.reshape(batch, maps, height * width).softmax(-1).sum(-1)
        x = F.dropout(weight * x.float().mean((2, 3)), 0.5, self.training)
        return self.out(self.drop(x)) / self.constant


class Routed(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 3, 3, padding="same"), nn.Conv2d(1, 3, 5, padding=2)
        self.out = nn.Conv2d(6, 10, 28)

    def forward(self, x):
        both = torch.cat([self.one(x), self.two(x)], dim=1)
        left, right = both.chunk(2, dim=1)
        return self.out(torch.cat((right, left), 1)).squeeze(-1).squeeze(-1)


OTHERS = {
    "wrapped": lambda: nn.DataParallel(Lenet()),
    "tied": lambda: (lambda layer: nn.Sequential(nn.Flatten(), layer, layer, nn.Linear(784, 10)))(
        nn.Linear(784, 784)
    ),
}


@pytest.mark.parametrize("make", [Lenet, Residual, Routed, *OTHERS.values()])
def test_a_program_answers_as_its_module(make):
    network = own(make).build(10, (1, 28, 28)).eval()
    exported = export(network, (1, 28, 28))
    again = build_program(json.loads(json.dumps(exported.program)))
    again.load_state_dict(exported.network(network).state_dict())
    images = torch.rand(4, 1, 28, 28)
    with torch.no_grad():
        torch.testing.assert_close(again.eval()(images), network(images))
        torch.testing.assert_close(
            again.double()(images.double()), network.double()(images.double())
        )


class Needs(nn.Module):
    def __init__(self, width):
        super().__init__()


class Decides(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(784, 10)

    def forward(self, x):
        y = self.out(x.flatten(1))
        return y * 2 if y.sum() > 0 else y


class Fixed(Decides):
    def forward(self, x):
        return self.out(x.view(2, 784))


class Fourier(Decides):
    def forward(self, x):
        return self.out(torch.fft.fft(x.flatten(1)).abs())


@pytest.mark.parametrize(
    ("network", "sentence"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 3)), "a row of 10 logits each"),
        (nn.Sequential(nn.Flatten(), nn.Linear(999, 10)), "does not run for images of 1x28x28"),
        (nn.Sequential(nn.Conv2d(1, 10, 3)), "Sequential gives (2, 10, 26, 26) for 2 images"),
        (Needs, "cannot be made without its argument 'width'"),
        (lambda: 3, "returned a int"),
        (3, "was given as a int"),
        (Decides, "by the numbers in a tensor"),
        (Fixed, "one number of images only"),
        (Fourier, "'aten.fft_fft.default'"),
    ],
)
def test_what_cannot_be_trained_or_kept_gets_a_sentence(network, sentence, tmp_path, capsys):
    with pytest.raises(UserError) as error:
        library.train(network, "digits", out=tmp_path / "run", **QUICK)
    assert capsys.readouterr() == ("", "")
    assert sentence in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "words", "sentence"),
    [
        (None, "mynet.py:Net", "there is no file mynet.py"),
        ("x = 1", "mynet.py:Net", "mynet.py has no 'Net'; it has no network"),
        ("import torch\nx = torch.nope", "mynet.py:Net", "has no attribute 'nope', in line 2"),
        (TYPED_IN + "class Other(Net): pass", "mynet.py", "it has Net, Other; give mynet.py:NAME"),
        ("raise SystemExit(3)", "mynet.py", "SystemExit: 3, in line 1"),
    ],
)
def test_a_file_that_gives_no_network_gets_a_sentence(holmdel, tmp_path, text, words, sentence):
    if text is not None:
        (tmp_path / "work" / "mynet.py").write_text(text)
    result = holmdel("train", words, "--data", "digits")
    assert result.status == 2
    assert sentence in " ".join(result.err.split())


@functools.cache
def routed() -> tuple[nn.Module, dict]:
    network = Routed()
    exported = export(network, (1, 28, 28))
    return exported.network(network), exported.program


def kept(path, change) -> None:
    """Writes a file of a network of one's own, its program changed."""
    network, program = routed()
    header = Header(
        network="Routed",
        options={},
        classes=tuple("0123456789"),
        image=ImageContract(),
        program=program,
    )
    save_model(path, network, header)
    with safe_open(path, framework="pt") as file:
        values = json.loads(file.metadata()["holmdel"])
    del values["checksum"]
    change(values["program"])
    save_file(load_file(path), path, metadata={"holmdel": json.dumps(values)})


def first(program) -> dict:
    return program["calls"][0]


def nested(depth: int) -> dict:
    """Returns a program of groups that each call the next one ten times."""
    if not depth:
        return {"kind": "ReLU"}
    values = [*map("v{}".format, range(10)), "end"]
    calls = [
        {"name": after, "layer": "part", "arguments": [f"%{before}"]}
        for before, after in itertools.pairwise(values)
    ]
    layers = {"part": nested(depth - 1)}
    given = {"inputs": ["v0"], "calls": calls, "outputs": ["%end"]}
    return {"kind": "Part", "layers": layers, "tensors": {}} | given


def put(record, **values) -> None:
    record.update(values)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda p: put(first(p), layer=None, operator="aten.from_file.default"), "may call"),
        (lambda p: put(first(p), layer=None, operator="os.system"), "may call"),
        (lambda p: put(first(p), layer=None, operator="aten.relu.nope"), "may call"),
        (lambda p: put(first(p), layer=None), "may call"),
        (lambda p: put(first(p), layer="three"), "which it does not have"),
        (lambda p: put(first(p), arguments=["%later"]), "before there is one"),
        (lambda p: put(first(p), arguments=[]), "does not run"),
        (lambda p: put(p, outputs=[]), "without outputs"),
        (lambda p: put(p, outputs=["%conv2d"]), "before there is one"),
        (lambda p: put(p["layers"]["one"], kind="Eval"), "does not know"),
        (lambda p: put(p["layers"]["one"]["options"], hook="x"), "which is none"),
        (lambda p: put(p["layers"]["one"]["options"], kernel_size="x"), "options"),
        (lambda p: put(p["layers"]["out"]["options"], out_channels=11), "(2, 11) for two images"),
        (lambda p: put(p["layers"], forward=p["layers"]["one"]), "cannot be its name"),
        (lambda p: put(p["layers"], one={"kind": "Upsample", "options": {"size": 99999}}), "gives"),
        (lambda p: p.clear(), "no network"),
        (lambda p: put(p, **nested(20)), "more than 100,000 times"),
        (lambda p: put(p, **nested(40)), "deep in one another"),
    ],
)
def test_a_program_that_is_none_is_refused_before_it_runs(tmp_path, change, sentence):
    kept(tmp_path / "model.safetensors", change)
    with pytest.raises(UserError) as error:
        load_model(tmp_path / "model.safetensors")
    assert sentence in str(error.value)
    assert str(tmp_path) in str(error.value)
