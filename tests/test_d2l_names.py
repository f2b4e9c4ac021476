"""The book's names that need no data: training loops, curves, plots, blocks, tables."""
# ruff: noqa: N806  X, Y and K are the book's names

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import holmdel.d2l as d2l
from holmdel.errors import UserError

ROOT = Path(__file__).parents[1]
THREE_LINES = re.compile(
    r"training on cpu\n"
    r"loss \d\.\d{3}, train acc [01]\.\d{3}, test acc [01]\.\d{3}\n"
    r"\d+\.\d examples/sec on cpu\n"
)


@pytest.fixture(autouse=True)
def no_figures():
    """Leaves no figure open, and none of its settings."""
    with d2l.plt.rc_context():
        yield
    d2l.plt.close("all")


def dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))


def test_the_documented_names_are_these():
    text = (ROOT / "docs" / "d2l.md").read_text(encoding="utf-8")
    table = text.partition("## Names")[2].partition("##")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)", row.split("|")[1])}
    assert named == set(d2l.__all__)
    assert all(getattr(d2l, name) is not None for name in d2l.__all__)


def test_another_name_is_told():
    with pytest.raises(AttributeError, match=r"holmdel\.d2l has no 'RNNModel'; .* docs/d2l\.md"):
        d2l.RNNModel  # noqa: B018


# The primer


def test_an_edge_is_learnt():
    """The chapter's picture: six rows of two white, four black and two white columns."""
    X = d2l.ones((6, 8))
    X[:, 2:6] = 0
    K = d2l.tensor([[1.0, -1.0]])
    Y = d2l.corr2d(X, K)
    assert Y[0].tolist() == [0, 1, 0, 0, 0, -1, 0]
    assert not d2l.corr2d(d2l.transpose(X), K).any()
    torch.manual_seed(0)
    layer = nn.Conv2d(1, 1, kernel_size=(1, 2), bias=False)
    X, Y = d2l.reshape(X, (1, 1, 6, 8)), d2l.reshape(Y, (1, 1, 6, 7))
    for _ in range(30):
        loss = d2l.reduce_sum((layer(X) - Y) ** 2)
        layer.zero_grad()
        loss.backward()
        layer.weight.data -= 3e-2 * layer.weight.grad
    assert d2l.numpy(layer.weight).ravel() == pytest.approx([1, -1], abs=0.05)


def test_a_layer_over_corr2d_learns_too():
    X, weight = torch.rand(5, 5), nn.Parameter(torch.rand(2, 2))
    d2l.corr2d(X, weight).sum().backward()
    assert d2l.size(weight.grad) == 4
    assert float(weight.grad[0, 0]) == pytest.approx(float(d2l.reduce_sum(X[:4, :4])))


def test_channels_and_pooling():
    X = d2l.stack([d2l.arange(9.0).reshape(3, 3), d2l.arange(9.0).reshape(3, 3) + 1], 0)
    K = d2l.normal(0, 1, (4, 2, 1, 1))
    by_hand = d2l.reshape(d2l.matmul(d2l.reshape(K, (4, 2)), d2l.reshape(X, (2, 9))), (4, 3, 3))
    found = d2l.corr2d_multi_in_out_1x1(X, K)
    assert float(d2l.reduce_sum(d2l.abs(found - by_hand))) < 1e-4
    assert d2l.pool2d(X[0], (2, 2)).tolist() == [[4, 5], [7, 8]]
    assert d2l.pool2d(X[0], (2, 2), "avg").tolist() == [[2, 3], [5, 6]]
    assert d2l.concat((X, X + 1), 1).shape == (2, 6, 3)


def test_aliases_are_the_tensors_own():
    x = d2l.tensor([[1.0, 4.0, 2.0], [9.0, 0.0, 3.0]], requires_grad=True)
    assert d2l.argmax(x, axis=1).tolist() == [1, 0]
    assert d2l.reduce_mean(x).item() == pytest.approx(19 / 6)
    assert d2l.astype(x, d2l.int32).dtype == d2l.int32
    assert d2l.to(x, d2l.cpu()).device == d2l.cpu()
    assert isinstance(d2l.numpy(x), np.ndarray)
    assert (d2l.expand_dims(x, 0).shape, d2l.swapaxes(x, 0, 1).shape) == ((1, 2, 3), (3, 2))
    assert d2l.repeat(x, 2, 1).shape == (4, 3)


# The training loops


def test_train_ch6_draws_the_weights_again():
    net = dense()
    for parameter in net.parameters():
        nn.init.constant_(parameter, 7.0)
    batch = (torch.zeros(2, 1, 28, 28), torch.tensor([0, 1]))
    d2l.train_ch6(net, [batch], [batch], 1, 0.0, "cpu")
    bound = (6 / (784 + 10)) ** 0.5  # Glorot and Bengio, equation 16
    assert 0.9 * bound < net[1].weight.abs().max() <= bound
    assert torch.equal(net[1].bias, torch.full((10,), 7.0))


def test_train_ch6_takes_any_batches(capsys):
    """A plain DataLoader, a list of one batch, and what does not know its length."""
    X, y = torch.rand(9, 1, 28, 28), torch.arange(9)

    class Endless:
        def __iter__(self):
            return iter([(X, y)])

    for batches in (DataLoader(TensorDataset(X, y), 4), [(X, y)], Endless()):
        d2l.train_ch6(dense(), batches, batches, 1, 0.1, torch.device("cpu"))
        assert THREE_LINES.fullmatch(capsys.readouterr().out)


def test_a_training_without_batches_is_told():
    X, y = torch.rand(2, 1, 28, 28), torch.arange(2)
    once = (batch for batch in [(X, y)])
    with pytest.raises(UserError, match=r"train_iter gave no batch in epoch 2; .* not a generator"):
        d2l.train_ch6(dense(), once, [(X, y)], 2, 0.1, "cpu")
    with pytest.raises(UserError, match="data_iter gave no batch; expected an iterable of pairs"):
        d2l.evaluate_accuracy_gpu(dense(), [])
    with pytest.raises(UserError, match="num_epochs was given as 0; expected at least 1"):
        d2l.train_ch6(dense(), [(X, y)], [(X, y)], 0, 0.1, "cpu")
    with pytest.raises(UserError, match="test_iter gave no batch; expected an iterable of pairs"):
        d2l.predict_ch3(dense(), [])


def test_evaluation_gives_every_part_its_mode_back():
    net = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 2))
    net[1].eval()  # frozen
    before = net[1].running_mean.clone()
    batches = [(torch.rand(3, 1, 2, 2), torch.tensor([0, 1, 0]))]
    assert 0 <= d2l.evaluate_accuracy_gpu(net, batches) <= 1
    assert d2l.evaluate_accuracy(net, batches) == d2l.evaluate_accuracy_gpu(net, batches, "cpu")
    assert [module.training for module in net.modules()] == [True, True, False, True]
    assert torch.equal(net[1].running_mean, before)


def test_a_model_without_a_net_is_told():
    with pytest.raises(UserError, match=r"Classifier has no net; set self\.net in its __init__"):
        d2l.Classifier()(torch.rand(1, 1, 2, 2))


def test_linear_regression_from_scratch():
    torch.manual_seed(0)
    true_w, true_b = d2l.tensor([2.0, -3.4]), 4.2
    features, labels = d2l.synthetic_data(true_w, true_b, 200)
    assert (features.shape, labels.shape) == ((200, 2), (200, 1))
    w, b = d2l.zeros((2, 1), requires_grad=True), d2l.zeros(1, requires_grad=True)
    for _ in range(5):
        for X, y in d2l.load_array((features, labels), 10):
            d2l.squared_loss(d2l.linreg(X, w, b), y).sum().backward()
            d2l.sgd([w, b], 0.1, 10)
    assert w.flatten().tolist() + b.tolist() == pytest.approx([2.0, -3.4, 4.2], abs=0.02)


def test_the_classes_of_data_and_training():
    class Line(d2l.DataModule):
        def __init__(self, batch_size=10, unheard=None):
            super().__init__()
            self.save_hyperparameters(ignore=["unheard"])
            self.X = d2l.randn(60, 2)
            self.y = self.X @ d2l.tensor([[1.0], [2.0]])

        def get_dataloader(self, train):
            part = slice(0, 50) if train else slice(50, None)
            return self.get_tensorloader((self.X, self.y), train, part)

    class Regression(d2l.Module):
        def __init__(self, lr):
            super().__init__(plot_train_per_epoch=1)
            self.save_hyperparameters()
            self.net = nn.Linear(2, 1)

    @d2l.add_to_class(Regression)
    def loss(self, y_hat, y):
        return d2l.reduce_mean((y_hat - y) ** 2)

    model, data = Regression(lr=0.1), Line()
    assert data.hparams == {"batch_size": 10}
    d2l.Trainer(max_epochs=10).fit(model, data)
    assert model.net.weight.tolist()[0] == pytest.approx([1, 2], abs=0.1)
    assert [len(line) for line in model.board.data.values()] == [10, 10]


def test_what_a_subclass_has_to_say():
    with pytest.raises(NotImplementedError, match="Module has no loss"):
        d2l.Module().loss(torch.zeros(1), torch.zeros(1))
    with pytest.raises(NotImplementedError, match="DataModule has no get_dataloader"):
        d2l.DataModule().train_dataloader()


# Bookkeeping


def test_a_timer_keeps_its_readings():
    timer = d2l.Timer()
    assert (timer.avg(), timer.sum(), timer.cumsum()) == (0, 0, [])
    first = timer.stop()
    timer.start()
    second = timer.stop()
    assert timer.times == [first, second]
    assert timer.sum() == timer.cumsum()[-1] == 2 * timer.avg() == first + second


def test_an_accumulator_adds():
    metric = d2l.Accumulator(2)
    metric.add(1, torch.tensor(2.5))
    metric.add(True, 1)
    assert (metric[0], metric[1]) == (2, 3.5)
    metric.reset()
    assert metric.data == [0, 0]
    with pytest.raises(
        UserError, match=r"3 values were added to an Accumulator\(2\); .* one a sum"
    ):
        metric.add(1, 2, 3)


def test_accuracy_counts_what_is_right():
    scores = torch.tensor([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5]])
    assert d2l.accuracy(scores, torch.tensor([0, 2])) == 1
    assert d2l.accuracy(torch.tensor([1, 2, 0]), torch.tensor([1, 2, 2])) == 2


def test_devices():
    assert d2l.try_gpu(1000) == d2l.cpu() == torch.device("cpu")
    assert str(d2l.gpu(1)) == "cuda:1"
    assert len(d2l.try_all_gpus()) == max(1, d2l.num_gpus())
    assert d2l.get_dataloader_workers() == 4


def test_the_loops_of_older_editions(capsys):
    torch.manual_seed(0)
    X, y = torch.rand(64, 1, 4, 4), torch.randint(0, 3, (64,))
    batches = [(X[:32], y[:32]), (X[32:], y[32:])]
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    kept = net[1].weight.detach().clone()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.0)
    d2l.train_ch5(net, batches, batches, 32, optimizer, d2l.cpu(), 1)
    assert torch.equal(net[1].weight, kept)  # not drawn again, as train_ch6 does
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "training on cpu"
    assert re.fullmatch(
        r"epoch 1, loss 1\.\d{4}, train acc 0\.\d{3}, test acc 0\.\d{3}, time \d+\.\d sec", said[1]
    )
    loss = nn.CrossEntropyLoss()
    d2l.train_ch3(net, batches, batches, loss, 2, 32, None, None, optimizer)
    assert [line[:7] for line in capsys.readouterr().out.splitlines()] == ["epoch 1", "epoch 2"]

    def of_each(scores, labels):
        return nn.functional.cross_entropy(scores, labels, reduction="none")

    d2l.train_ch3(net, batches, batches, of_each, 1, 32, list(net.parameters()), 0.1)
    assert not torch.equal(net[1].weight, kept)
    with pytest.raises(UserError, match="given a batch size alone; expected params and lr"):
        d2l.train_ch3(net, batches, batches, of_each, 1, 32)


def test_a_name_that_is_not_here_says_which_is_near():
    with pytest.raises(AttributeError, match="has no 'predict_ch6', but predict_ch3; it has"):
        d2l.predict_ch6  # noqa: B018


def test_the_layer_that_the_shapes_do_not_fit_is_named():
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.Sequential(nn.Dropout(0.1), nn.Flatten()), nn.Linear(400, 3)
    )
    batch = (torch.rand(4, 1, 6, 6), torch.zeros(4, dtype=torch.int64))
    said = r"layer 2, Linear\(in_features=400, .*\), was given 4x32; .*: Linear\(32, \.\.\.\) fits"
    with pytest.raises(UserError, match=said):
        d2l.train_ch6(net, [batch], [batch], 1, 0.1, "cpu")
    with pytest.raises(UserError, match=r"layer 0, Conv2d\(1, 2, .* 4x3x6x6; expected 1 channels"):
        d2l.evaluate_accuracy(net, [(torch.rand(4, 3, 6, 6), batch[1])])


def test_a_training_that_ends_at_guessing_says_so(caplog):
    batch = (torch.rand(100, 1, 4, 4), torch.arange(100) % 10)
    net = nn.Sequential(nn.Flatten(), nn.Linear(16, 10))
    nn.init.zeros_(net[1].bias)
    d2l.train_ch6(net, [(batch[0] * 0, batch[1])], [batch], 1, 0.0, "cpu")
    assert "the start is dead: the loss is 2.3026, guessing among 10 classes is" in caplog.text
