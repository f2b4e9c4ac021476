"""The five deep networks, at their full size, train on the CPU."""

import json

import pytest
import torch

import holmdel as library

# network, what it sees, its learning rate in the book
DEEP = [
    ("alexnet", [1, 224, 224], 0.01),
    ("vgg11", [1, 224, 224], 0.05),
    ("vgg16", [1, 224, 224], 0.05),
    ("nin", [1, 224, 224], 0.1),
    ("googlenet", [1, 96, 96], 0.1),
    ("resnet18", [1, 96, 96], 0.05),
    ("densenet", [1, 96, 96], 0.1),
]


def steps(*left_out: str) -> list[object]:
    """Returns the networks; all but AlexNet, which stands for them, are exhaustive."""
    marks = pytest.mark.exhaustive
    return [
        row if row[0] == "alexnet" else pytest.param(*row, marks=marks)
        for row in DEEP
        if row[0] not in left_out
    ]


@pytest.mark.parametrize(("name", "size", "lr"), steps())
def test_a_step_lowers_the_loss_on_its_own_batch(name, size, lr):
    torch.manual_seed(0)
    network = library.build(name).eval()  # without dropout, so that the losses compare
    pictures, labels = torch.rand(2, *size), torch.tensor([3, 7])
    optimizer = torch.optim.SGD(network.parameters(), lr=lr)
    losses = []
    for _ in range(2):
        loss = torch.nn.functional.cross_entropy(network(pictures), labels)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[1] < losses[0]


@pytest.mark.parametrize(("name", "size", "lr"), steps("vgg16"))
def test_the_book_recipe_runs(tmp_path, name, size, lr):
    """Two steps of two digits, enlarged to what the network sees; a run folder that classifies."""
    run = library.train(name, "digits", out="run", epochs=1, batch_size=2, limit=4)
    assert run.settings.lr == lr
    config = json.loads((tmp_path / "work" / "run" / "config.json").read_text())
    assert config["image"]["input"] == size
    assert config["image"]["enlarge"] == "resize"
    assert len(run.classifier.predict(torch.zeros(1, 28, 28, dtype=torch.uint8))) == 1


def test_the_networks_of_the_papers_learn_digits():
    """Four epochs of 800 digits: far from guessing, which gives 0.1."""
    for name in ("lenet5-1998", "lenet-1989"):
        run = library.train(name, "digits", out=name, limit=800, epochs=4)
        assert run.test_acc > 0.6, name
