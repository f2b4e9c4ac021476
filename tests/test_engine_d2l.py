"""The book's training loops on the native engine, with PyTorch where the engine cannot do it."""
# ruff: noqa: N803, N806  X is the book's name

import os
import re
import subprocess
import sys

import pytest
import torch
from torch import nn

from holmdel import d2l, engine
from holmdel.errors import UserError

pytestmark = pytest.mark.skipif(
    engine.status().name != "native", reason=f"needs the native engine: {engine.status()}"
)


@pytest.fixture
def torch_alone(monkeypatch):
    """Returns a function that calls another with the native engine turned off."""

    def call(function):
        with monkeypatch.context() as patch:
            patch.setenv("HOLMDEL_INSTRUCTIONS", "none")
            return function()

    return call


def batches(count=10, size=20):
    """Pictures with a bright bar a class, in batches."""
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(10, (count, size), generator=generator)
    X = torch.rand(count, size, 1, 28, 28, generator=generator)
    for batch, row in enumerate(y.tolist()):
        for picture, label in enumerate(row):
            X[batch, picture, 0, 2 * label + 4] += 1
    return list(zip(X, y, strict=True))


def lenet(*more):
    return nn.Sequential(
        *more,
        *(nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(6 * 14 * 14, 32), nn.Tanh(), nn.Linear(32, 10)),
    )


def refuses_nan(run):
    """Tells whether the native engine runs: it refuses pictures that PyTorch makes a NaN of."""
    try:
        run([(torch.full((4, 1, 28, 28), torch.nan), torch.zeros(4, dtype=torch.int64))])
    except UserError as error:
        return "holds NaN or infinity" in str(error)
    return False


def assert_alike(mine, theirs, atol=1e-5):
    for a, b in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=atol)


# train_ch6 and evaluate_accuracy_gpu


def test_train_ch6_trains_the_same_network(capsys, torch_alone):
    def train():
        torch.manual_seed(0)
        net = lenet()
        d2l.train_ch6(net, batches(), batches(2), 3, 0.1, "cpu")
        return net, re.sub(r"[\d.]+ examples", "N examples", capsys.readouterr().out)

    (mine, lines), (theirs, same) = train(), torch_alone(train)
    assert lines == same
    assert len(lines.splitlines()) == 3
    assert_alike(mine, theirs)
    assert not mine.training
    assert refuses_nan(lambda bad: d2l.train_ch6(lenet(), bad, bad, 1, 0.1, "cpu"))


def test_accuracy_is_the_same(torch_alone):
    net = lenet()

    def accuracy():
        return d2l.evaluate_accuracy_gpu(net, batches())

    assert accuracy() == torch_alone(accuracy)
    assert net.training
    assert refuses_nan(lambda bad: d2l.evaluate_accuracy_gpu(net, bad))
    assert refuses_nan(lambda bad: d2l.evaluate_accuracy(net, bad))
    assert not torch_alone(lambda: refuses_nan(lambda bad: d2l.evaluate_accuracy(net, bad)))


def test_hooks_are_called():
    net, seen = lenet(), []
    net[1].register_forward_hook(lambda *call: seen.append("forward"))
    net[4].register_full_backward_hook(lambda *call: seen.append("backward"))
    d2l.train_ch6(net, batches(1), batches(1), 1, 0.1, "cpu")
    assert sorted(seen) == ["backward", "forward", "forward"]


def test_frozen_parameters_stay():
    net = lenet()
    net[0].weight.requires_grad_(False)
    before = [p.clone() for p in net.parameters()]
    d2l.train_epoch_ch3(net, batches(), nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), 1))
    moved = [not torch.equal(p, q) for p, q in zip(net.parameters(), before, strict=True)]
    assert moved == [False, *[True] * (len(before) - 1)]
    assert net[0].weight.grad is None


class Doubled(nn.Sequential):
    """A Sequential with a forward of its own."""

    def forward(self, X):
        return super().forward(2 * X)


def dropout(*layers):
    return nn.Sequential(nn.Dropout2d(0.5), *layers)


@pytest.mark.parametrize("wrap", [Doubled, dropout])
def test_what_the_engine_does_not_know_is_pytorchs(wrap, torch_alone):
    torch.manual_seed(0)
    net = wrap(*lenet())

    def train():
        torch.manual_seed(1)
        return d2l.train_epoch_ch3(
            net, batches(2), nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), 0)
        )

    assert train() == torch_alone(train)
    assert not refuses_nan(lambda bad: d2l.evaluate_accuracy(net, bad))


def test_batches_of_another_kind_are_pytorchs():
    net = lenet().double()
    X, y = batches(1)[0]
    d2l.train_ch6(net, [(X.double(), y)], [(X.double(), y)], 1, 0.1, "cpu")
    dense = nn.Sequential(nn.Linear(28 * 28, 10))
    d2l.train_ch6(dense, [(X.flatten(1), y)], [(X.flatten(1), y)], 1, 0.1, "cpu")
    y[0] = -100  # left out of the loss
    optimizer = torch.optim.SGD(net.float().parameters(), 0.1)
    d2l.train_epoch_ch3(net, [(X, y)], nn.CrossEntropyLoss(), optimizer)


def test_what_else_an_optimizer_holds_stays():
    """Its old gradient is none of this epoch's."""
    other = nn.Parameter(torch.ones(1))
    other.grad = torch.ones(1)
    net = lenet()
    optimizer = torch.optim.SGD([*net.parameters(), other], 0.1)
    d2l.train_epoch_ch3(net, batches(2), nn.CrossEntropyLoss(), optimizer)

    class Held(Model):
        def __init__(self):
            super().__init__()
            self.other = other

    other.grad = torch.ones(1)
    fitted(Held)
    assert other.item() == 1


# train_epoch_ch3


@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.01),
        lambda p: torch.optim.Adam(p, 0.001),
    ],
    ids=["sgd", "adam"],
)
def test_train_epoch_ch3_takes_the_same_steps(reduction, optimizer, torch_alone):
    loss = nn.CrossEntropyLoss(reduction=reduction)

    def train():
        torch.manual_seed(0)
        net = lenet()
        return net, d2l.train_epoch_ch3(net, batches(), loss, optimizer(net.parameters()))

    (mine, figures), (theirs, same) = train(), torch_alone(train)
    assert figures == pytest.approx(same, abs=1e-5)
    assert_alike(mine, theirs, atol=1e-4)

    def bad_epoch(bad):
        net = lenet()
        d2l.train_epoch_ch3(net, bad, loss, optimizer(net.parameters()))

    assert refuses_nan(bad_epoch)


@pytest.mark.parametrize(
    "loss",
    [
        nn.CrossEntropyLoss(label_smoothing=0.1),
        nn.CrossEntropyLoss(weight=torch.rand(10)),
        nn.CrossEntropyLoss(reduction="sum"),
        nn.CrossEntropyLoss(ignore_index=3),
        nn.MultiMarginLoss(),
    ],
    ids=str,
)
def test_another_loss_is_pytorchs(loss, torch_alone):
    def train():
        torch.manual_seed(0)
        net = lenet()
        return d2l.train_epoch_ch3(net, batches(3), loss, torch.optim.SGD(net.parameters(), 0.01))

    assert train() == torch_alone(train)


# The trainer of the 1.0 edition


class Data(d2l.DataModule):
    """The batches above."""

    def get_dataloader(self, train):
        return batches(10 if train else 2)


class Model(d2l.Classifier):
    """The LeNet above."""

    def __init__(self, lr=0.1):
        super().__init__()
        self.save_hyperparameters()
        self.net = lenet()


def fitted(model, **trainer):
    torch.manual_seed(0)
    model = model()
    d2l.Trainer(max_epochs=2, **trainer).fit(model, Data())
    return model


def curves(model):
    return {
        label: [value for point in points for value in point]
        for label, points in model.board.data.items()
    }


@pytest.mark.parametrize("clip", [0, 0.5])
def test_a_trainer_draws_the_same_curves(clip, torch_alone):
    def train():
        return fitted(Model, gradient_clip_val=clip)

    mine, theirs = train(), torch_alone(train)
    assert_alike(mine, theirs)
    assert curves(mine).keys() == {"train_loss", "val_loss", "val_acc"}
    for label, values in curves(theirs).items():
        assert curves(mine)[label] == pytest.approx(values, abs=1e-5)


def noting(name):
    """Returns a kind of Model with a method of its own that says that it was called."""

    def method(self, *arguments):
        self.__dict__.setdefault("called", set()).add(name)
        return getattr(super(own, self), name)(*arguments)

    own = type("Noting", (Model,), {name: method})
    return own


@pytest.mark.parametrize("name", ["forward", "loss", "training_step", "validation_step"])
def test_methods_of_a_models_own_are_called(name):
    assert fitted(noting(name)).called == {name}


def test_a_method_that_a_listing_replaces_is_called():
    @d2l.add_to_class(Model)
    def loss(self, Y_hat, Y):
        return 0 * Y_hat.sum()

    try:
        assert set(curves(fitted(Model))["train_loss"][1::2]) == {0.0}
    finally:
        del Model.loss


def test_hooks_of_a_model_are_called():
    seen = []

    def model():
        made = Model()
        made.register_forward_hook(lambda *call: seen.append(1))
        return made

    fitted(model)
    assert len(seen) == 2 * (10 + 2)


# A loop that is typed in, as the book prints it

TYPED_IN = """
import sys, torch
from torch import nn
from holmdel import d2l

X, y = torch.rand(8, 1, 28, 28), torch.randint(10, (8,))

def train(net, parameters):
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        y_hat = net(X)
        nn.CrossEntropyLoss()(y_hat, y).backward()
        optimizer.step()
        with torch.no_grad():
            d2l.accuracy(y_hat, y)

W = torch.zeros(784, 10, requires_grad=True)
layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
with torch.no_grad():
    d2l.accuracy(layers(X), y)
d2l.train_epoch_ch3(lambda X: X.reshape(8, -1) @ W, [(X, y)], nn.CrossEntropyLoss(),
                    torch.optim.SGD([W], lr=0.1))
d2l.train_epoch_ch3(layers, [(X, y)], lambda a, b: nn.functional.cross_entropy(a, b),
                    torch.optim.SGD(layers.parameters(), lr=0.1))
train(lambda X: X.reshape(8, -1) @ W, [W])
print("typed in", file=sys.stderr, flush=True)
train(layers, layers.parameters())
"""


def lines_of_typed_in(**environment):
    words = [sys.executable, "-c", TYPED_IN]
    done = subprocess.run(
        words, check=True, capture_output=True, text=True, env=os.environ | environment
    )
    return done.stderr.splitlines()


def test_a_loop_that_is_typed_in_says_once_why_pytorch_computes():
    first, said = lines_of_typed_in()
    assert first == "typed in"
    assert said.startswith("holmdel: PyTorch: a loop of your own calls the network layer by layer")
    assert "d2l.train_ch6" in said


def test_it_says_nothing_where_the_engine_is_turned_off():
    assert lines_of_typed_in(HOLMDEL_INSTRUCTIONS="none") == ["typed in"]
