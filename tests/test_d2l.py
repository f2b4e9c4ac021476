"""The book's listings as printed, on a small Fashion-MNIST: loaders, loops, the trainer."""
# ruff: noqa: N803, N806  X and W are the book's names

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader

from holmdel import d2l
from holmdel.data import SOURCES, idx
from holmdel.errors import UserError

NOISE = np.random.default_rng(0)
TRAIN = NOISE.integers(0, 256, (70, 28, 28), np.uint8)
TEST = NOISE.integers(0, 256, (22, 28, 28), np.uint8)
THREE_LINES = re.compile(
    r"training on cpu\n"
    r"loss \d\.\d{3}, train acc [01]\.\d{3}, test acc [01]\.\d{3}\n"
    r"\d+\.\d examples/sec on cpu\n"
)


@pytest.fixture(autouse=True)
def small_fashion_mnist(tmp_path, monkeypatch):
    """A data root with 70 + 22 pictures in the files of Fashion-MNIST."""
    source = SOURCES["fashion-mnist"]
    raw = source.raw(tmp_path / "data")
    raw.mkdir(parents=True)
    values = [part for pictures in (TRAIN, TEST) for part in (pictures, labels_of(pictures))]
    for file, part in zip(source.files, values, strict=True):
        idx.write(raw / f"{file.name}.gz", part)
    monkeypatch.setenv("HOLMDEL_DATA", str(tmp_path / "data"))


def labels_of(pictures):
    return np.arange(len(pictures), dtype=np.uint8) % 10


@pytest.mark.parametrize("document", ["README.md", "docs/d2l.md"])
def test_the_documents_listing_runs(document, capsys):
    text = (Path(__file__).parents[1] / document).read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    exec("\n".join(block for block in blocks if "d2l" in block), {})
    assert THREE_LINES.fullmatch(capsys.readouterr().out)


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120),
        nn.Sigmoid(),
        nn.Linear(120, 84),
        nn.Sigmoid(),
        nn.Linear(84, 10),
    )


def dense():
    return nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, 10))


# The loaders


def test_loaders_are_data_loaders():
    train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size=32)
    assert isinstance(train_iter, DataLoader)
    assert (len(train_iter), len(test_iter)) == (3, 1)
    assert (train_iter.batch_size, train_iter.drop_last) == (32, False)
    sizes = [(X.shape, X.dtype, y.shape, y.dtype) for X, y in train_iter]
    expected = [((n, 1, 28, 28), torch.float32, (n,), torch.int64) for n in (32, 32, 70 - 64)]
    assert sizes == expected
    (X, y), *_ = test_iter
    assert torch.equal(X[:, 0] * 255, torch.from_numpy(TEST).float())
    assert y.tolist() == labels_of(TEST).tolist()


def test_a_dataset_gives_one_example():
    train_iter, _ = d2l.load_data_fashion_mnist(8, resize=40)
    dataset = train_iter.dataset
    assert len(dataset) == 70
    picture, label = dataset[11]
    assert (picture.shape, picture.dtype, label, type(label)) == ((1, 40, 40), d2l.float32, 1, int)
    assert torch.equal(dataset[-1][0], dataset[69][0])
    with pytest.raises(IndexError, match="image 70 of 70"):
        dataset[70]


def test_the_order_is_that_of_a_plain_data_loader():
    train_iter, _ = d2l.load_data_fashion_mnist(16)
    plain = DataLoader(train_iter.dataset, 16, shuffle=True)
    orders = []
    for loader in (train_iter, plain):
        torch.manual_seed(7)
        orders.append([y for _ in range(2) for _, y in loader] + [torch.rand(3)])
    assert all(torch.equal(mine, theirs) for mine, theirs in zip(*orders, strict=True))
    first_epoch, second_epoch = torch.cat(orders[0][:5]), torch.cat(orders[0][5:10])
    assert not torch.equal(first_epoch, second_epoch)


@pytest.mark.parametrize(("resize", "size"), [(96, (96, 96)), ((50, 37), (50, 37)), (14, (14, 14))])
def test_enlarging_is_pillows(resize, size):
    _, test_iter = d2l.load_data_fashion_mnist(7, resize)
    ours = torch.cat([X for X, _ in test_iter])
    pillows = [
        np.array(Image.fromarray(picture).resize(size[::-1], Image.Resampling.BILINEAR))
        for picture in TEST
    ]
    difference = ours[:, 0] * 255 - torch.from_numpy(np.stack(pillows)).float()
    assert difference.abs().max() < 1.01  # of 255; PyTorch says 1 where it has no AVX2
    assert difference.abs().mean() < 0.5


@pytest.mark.parametrize("resize", [-3, (28, 0)])
def test_a_size_that_is_none_is_told(resize):
    with pytest.raises(UserError, match=r"resize was given as .*; expected a side of at least 1"):
        d2l.load_data_fashion_mnist(8, resize)


# The training loops


def test_a_loop_written_by_hand():
    train_iter, _ = d2l.load_data_fashion_mnist(batch_size=16)
    net, loss, timer = dense(), nn.CrossEntropyLoss(), d2l.Timer()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    animator = d2l.Animator(xlabel="epoch", xlim=[1, 30], legend=["train loss", "train acc"])
    for epoch in range(30):
        metric = d2l.Accumulator(3)
        for X, y in train_iter:
            timer.start()
            optimizer.zero_grad()
            y_hat = net(X)
            value = loss(y_hat, y)
            value.backward()
            optimizer.step()
            with torch.no_grad():
                metric.add(value * X.shape[0], d2l.accuracy(y_hat, y), d2l.size(y))
            timer.stop()
        animator.add(epoch + 1, (metric[0] / metric[2], metric[1] / metric[2]))
    assert metric[2] == 70
    assert len(timer.times) == 30 * 5
    assert [list(range(1, 31))] * 2 == animator.X
    losses, accuracies = animator.Y
    assert losses[-1] < losses[0]
    assert accuracies[-1] > 0.9  # noise, learnt by heart


def test_train_ch6_prints_the_books_lines(capsys):
    train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size=12)
    net = lenet()
    d2l.train_ch6(net, train_iter, test_iter, 2, 0.9, d2l.cpu())
    assert THREE_LINES.fullmatch(capsys.readouterr().out)
    assert not net.training  # as the book leaves it


def test_softmax_regression_from_scratch():
    train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size=10)
    W = torch.normal(0, 0.01, (784, 10), requires_grad=True)
    b = torch.zeros(10, requires_grad=True)

    def net(X):
        return torch.softmax(X.reshape(-1, 784) @ W + b, dim=1)

    def cross_entropy(y_hat, y):
        return -torch.log(y_hat[range(len(y_hat)), y])

    def updater(batch_size):
        return d2l.sgd([W, b], 0.05, batch_size)

    first, _ = d2l.train_epoch_ch3(net, train_iter, cross_entropy, updater)
    d2l.train_ch3(net, train_iter, test_iter, cross_entropy, 5, updater)
    last, right = d2l.train_epoch_ch3(net, train_iter, cross_entropy, updater)
    assert last < first
    assert 0.2 < right <= 1


def test_train_ch3_with_an_optimizer():
    train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size=10)
    net = dense()
    trainer = torch.optim.SGD(net.parameters(), lr=0.1)
    each, mean = nn.CrossEntropyLoss(reduction="none"), nn.CrossEntropyLoss()
    d2l.train_ch3(net, train_iter, test_iter, each, 1, trainer)
    assert not net.training
    still = torch.optim.SGD(net.parameters(), lr=0.0)
    found = [d2l.train_epoch_ch3(net, test_iter, loss, still) for loss in (each, mean)]
    assert found[0] == pytest.approx(found[1])  # the mean loss an example, however it is given


def test_alexnet_makes_a_step_at_224(capsys):
    from holmdel.networks import build

    train_iter, test_iter = d2l.load_data_fashion_mnist(4, resize=224)
    train, test = ([next(iter(loader))] for loader in (train_iter, test_iter))
    net = nn.Sequential(*build("alexnet").children())
    assert train[0][0].shape == (4, 1, 224, 224)
    d2l.train_ch6(net, train, test, 1, 0.01, d2l.cpu())
    assert THREE_LINES.fullmatch(capsys.readouterr().out)


# The current edition


class SmallNet(d2l.Classifier):
    def __init__(self, width, lr=0.1, num_classes=10):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(
            nn.LazyConv2d(width, kernel_size=5),
            nn.ReLU(),
            d2l.Residual(width),
            nn.AvgPool2d(4),
            nn.Flatten(),
            nn.LazyLinear(num_classes),
        )


def test_a_trainer_trains():
    data = d2l.FashionMNIST(batch_size=16)
    model = SmallNet(4, lr=0.2)
    assert model.hparams == {"width": 4, "lr": 0.2, "num_classes": 10}
    model.apply_init([next(iter(data.get_dataloader(True)))[0]], d2l.init_cnn)
    trainer = d2l.Trainer(max_epochs=3, num_gpus=0, gradient_clip_val=1)
    trainer.fit(model, data)
    assert list(model.board.data) == ["train_loss", "val_loss", "val_acc"]
    assert [point.x for point in model.board.data["val_acc"]] == [1, 2, 3]
    assert (trainer.train_batch_idx, trainer.val_batch_idx) == (3 * 5, 3 * 2)
    assert not model.training


def test_a_trainer_of_one_batch_still_draws_its_loss():
    data = d2l.FashionMNIST(batch_size=100, resize=(32, 30))
    model = SmallNet(2)
    d2l.Trainer(max_epochs=2).fit(model, data)
    assert len(model.board.data["train_loss"]) == 2


def test_layer_summary_prints_shapes(capsys):
    d2l.LeNet().layer_summary((1, 1, 28, 28))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Conv2d output shape:\t torch.Size([1, 6, 28, 28])"
    assert lines[-1] == "Linear output shape:\t torch.Size([1, 10])"


def test_text_labels_and_pictures():
    data = d2l.FashionMNIST(batch_size=8)
    X, y = next(iter(data.val_dataloader()))
    assert data.text_labels(y)[:2] == ["t-shirt", "trouser"]
    data.visualize([X, y])
    assert [axes.get_title() for axes in d2l.plt.gcf().axes] == data.text_labels(y)
    d2l.plt.close()


def densenet(*first):
    """Returns the book's DenseNet, smaller; `first` is 1 where its layers are given channels in."""
    lazy = not first
    net = nn.Sequential(nn.Conv2d(1, 8, kernel_size=7, stride=2, padding=3), nn.ReLU())
    channels = 8
    for number in range(2):
        net.append(d2l.DenseBlock(2, *([] if lazy else [channels]), 4))
        channels += 8
        if number == 0:
            net.append(d2l.transition_block(*([] if lazy else [channels]), channels // 2))
            channels //= 2
    return net.extend([nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(channels, 10)])


@pytest.mark.parametrize("first", [(), (1,)])
def test_densenet_in_both_forms(first, capsys):
    net = densenet(*first)
    assert net(torch.rand(2, 1, 28, 28)).shape == (2, 10)
    train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size=16)
    d2l.train_ch6(net, train_iter, test_iter, 1, 0.1, d2l.try_gpu())
    assert THREE_LINES.fullmatch(capsys.readouterr().out)


@pytest.mark.parametrize("shape", [(8, 5), (8, 3, 4, 4)])
def test_batch_norm_from_scratch_is_pytorchs(shape):
    X = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    ours, theirs = d2l.BatchNorm(shape[1], len(shape)), nn.BatchNorm1d(shape[1])
    theirs = nn.BatchNorm2d(shape[1]) if len(shape) == 4 else theirs
    assert torch.allclose(ours(X), theirs(X), atol=1e-5)
    assert torch.allclose(ours.moving_mean.flatten(), theirs.running_mean, atol=1e-5)
    before = ours.moving_mean
    with torch.no_grad():
        ours(X)
    assert torch.equal(ours.moving_mean, before)


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 6, 5), nn.Flatten(), nn.Linear(400, 10))

    def forward(self, X):
        return self.net(X)


def test_a_layer_within_a_class_is_named():
    train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size=16)
    said = r"layer net\.2, Linear\(.*\), was given 16x3456; expected 400 numbers an example"
    with pytest.raises(UserError, match=said):
        d2l.train_ch6(Own(), train_iter, test_iter, 1, 0.1, d2l.try_gpu())
