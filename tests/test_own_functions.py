"""Networks of one's own that call functions where others have layers, as tutorials write them."""

import json

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import holmdel as library
from holmdel import engine
from holmdel.engine.layers import layers_of
from holmdel.errors import UserError
from holmdel.programs.exported import export

QUICK = {"epochs": 1, "limit": 64, "batch_size": 32}
needs_engine = pytest.mark.skipif(
    engine.status().name == "torch",
    reason="no compiled engine here: it is built where a C++ compiler is at hand",
)


class Example(nn.Module):
    """PyTorch's MNIST example, with fewer channels: it ends in a log-softmax."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, 3)
        self.dropout1, self.dropout2 = nn.Dropout(0.25), nn.Dropout(0.5)
        self.fc1, self.fc2 = nn.Linear(1152, 32), nn.Linear(32, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = self.dropout2(x)
        return F.log_softmax(self.fc2(x), dim=1)


class Means(nn.Module):
    """Functions in place of a GELU, a dropout and a global average pooling."""

    def __init__(self, dropout=None):
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 6, 3), nn.Linear(6, 10)
        self.dropout = dropout

    def forward(self, x):
        x = F.gelu(self.conv(x), approximate="tanh")
        x = F.dropout(x, 0.2, self.training if self.dropout is None else self.dropout)
        return torch.log_softmax(self.out(x.mean((-1, -2)).flatten(1)), -1)


class Mean(nn.Module):
    """A mean that is no pooling."""

    def __init__(self):
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 6, 3), nn.Linear(6 * 26, 10)

    def forward(self, x):
        return self.out(self.conv(x).mean(dim=3).flatten(1))


@needs_engine
@pytest.mark.parametrize("make", [Example, Means])
def test_the_engine_trains_it(make, capsys):
    run = library.train(make, "digits", out="run", recipe="modern", **QUICK)
    assert "native" in json.loads((run.folder / "config.json").read_text())["engine"]
    assert "not calibrated" not in "".join(capsys.readouterr())
    kept, images = library.load("run"), torch.rand(5, 1, 28, 28)
    again = make().eval()
    again.load_state_dict(run.network.state_dict())
    with torch.no_grad():
        torch.testing.assert_close(kept.network(images), again(images))


def test_a_dropout_that_is_on_in_training_alone_is_a_layer():
    layers = export(Means(), (1, 28, 28)).program["layers"]
    assert layers["dropout"] == {"kind": "Dropout", "options": {"p": 0.2}}
    never = export(Means(dropout=False), (1, 28, 28))
    assert not never.alike  # and so PyTorch trains what was given
    with pytest.raises(UserError, match="does not answer twice alike"):
        export(Means(dropout=True), (1, 28, 28))


def test_a_mean_over_columns_alone_is_no_pooling():
    program = export(Mean(), (1, 28, 28)).program
    assert [call["operator"] for call in program["calls"] if not call["layer"]][:1] == [
        "aten.mean.dim"
    ]


@needs_engine
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_log_softmax_at_the_end_is_float64_pytorchs(smoothing):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(48, 7), nn.LogSoftmax(dim=1)
    )
    images, labels = torch.rand(9, 1, 6, 6), torch.arange(9) % 7
    exact = nn.Sequential(*network).double()
    loss = F.cross_entropy(exact(images.double()), labels, label_smoothing=smoothing)
    truth = torch.autograd.grad(loss, list(exact.parameters()))
    answers, loss = exact(images.double()).float().detach(), loss.item()
    chain = engine.compile(network.float(), (1, 6, 6))
    assert chain.step(images, labels, label_smoothing=smoothing).loss == pytest.approx(loss)
    for parameter, gradient in zip(network.parameters(), truth, strict=True):
        torch.testing.assert_close(parameter.grad, gradient.float(), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(chain.logits(images), answers)
    torch.testing.assert_close(chain.logits(images[:1]), answers[:1])


@needs_engine
def test_a_log_softmax_elsewhere_is_no_logits():
    between = nn.Sequential(nn.Flatten(), nn.LogSoftmax(1), nn.Linear(36, 3))
    with pytest.raises(engine.Unsupported, match=r"layer 1: LogSoftmax\(dim=1\)"):
        layers_of(between, (1, 6, 6))
    over_images = nn.Sequential(nn.Flatten(), nn.Linear(36, 3), nn.LogSoftmax(0))
    with pytest.raises(engine.Unsupported, match=r"layer 2: LogSoftmax\(dim=0\)"):
        layers_of(over_images, (1, 6, 6))


def test_a_softmax_at_the_end_is_told(holmdel, tmp_path):
    (tmp_path / "mynet.py").write_text(
        "from torch import nn\n"
        "net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Softmax(dim=1))\n"
    )
    words = ["--data", "digits", "--epochs", 1, "--limit", 64, "--out", "run"]
    told = holmdel("train", f"{tmp_path}/mynet.py:net", *words).err
    assert "net ends in a softmax, and the loss takes logits; leave it out" in told
