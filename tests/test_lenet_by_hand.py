"""LeNet written out in NumPy is LeNet: its logits and its descent are those of the engine."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from holmdel import d2l
from holmdel.networks import build

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def by_hand():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DOCS)
        yield importlib.import_module("lenet_by_hand")


def lively() -> nn.Module:
    """Returns LeNet with weights large enough that every layer's gradient counts."""
    torch.manual_seed(0)
    net = build("lenet")
    for parameter in net.parameters():
        if parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter, gain=3)
    return net


def test_logits_and_descent_are_those_of_the_engine(by_hand):
    """Three batches through the book's loop, which the native engine runs."""
    net = lively()
    images, labels = torch.rand(24, 1, 28, 28), torch.randint(0, 10, (24,))
    w = {name: value.detach().numpy().astype(float) for name, value in net.named_parameters()}
    with torch.no_grad():
        logits = net(images).numpy()
    assert np.abs(by_hand.forward(images.double().numpy(), w)["output"] - logits).max() < 1e-5
    batches = [(images[at : at + 8], labels[at : at + 8]) for at in (0, 8, 16)]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    mean, _ = d2l.train_epoch_ch3(net, batches, nn.CrossEntropyLoss(), optimizer)
    losses = [by_hand.step(x.double().numpy(), y.numpy(), w, lr=0.5) for x, y in batches]
    assert abs(np.mean(losses) - mean) < 1e-5
    for name, value in net.named_parameters():
        assert np.abs(value.detach().numpy() - w[name]).max() < 1e-5, name


def test_it_is_short_enough_to_be_read():
    assert len((DOCS / "lenet_by_hand.py").read_text("utf-8").splitlines()) <= 250


def test_it_runs(by_hand, capsys):
    by_hand.main()
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "step 0: loss 2.3761"
    assert [line.split()[0] for line in said[3:]] == ["c1", "c3", "f5", "f6", "output"]
