"""ResNet-18 and DenseNet: the book's listings give the same networks, and their weights come in."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import holmdel as library
from holmdel import d2l
from holmdel.checkpoint import Header
from holmdel.classifier import Classifier
from holmdel.errors import UserError
from holmdel.exchange import convert, read_weights
from holmdel.images import ImageContract


def stem():
    return nn.Sequential(
        nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3),
        *(nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(kernel_size=3, stride=2, padding=1)),
    )


def resnet18_of_the_book():
    """As the section on residual networks prints it."""

    def resnet_block(input_channels, num_channels, num_residuals, first_block=False):
        blk = []
        for i in range(num_residuals):
            if i == 0 and not first_block:
                blk.append(d2l.Residual(input_channels, num_channels, use_1x1conv=True, strides=2))
            else:
                blk.append(d2l.Residual(num_channels, num_channels))
        return blk

    b2 = nn.Sequential(*resnet_block(64, 64, 2, first_block=True))
    b3, b4, b5 = (nn.Sequential(*resnet_block(n, 2 * n, 2)) for n in (64, 128, 256))
    end = (nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(512, 10))
    return nn.Sequential(stem(), b2, b3, b4, b5, *end)


def densenet_of_the_book():
    """As the section on densely connected networks prints it."""
    num_channels, growth_rate, blks = 64, 32, []
    for i, num_convs in enumerate([4, 4, 4, 4]):
        blks.append(d2l.DenseBlock(num_convs, num_channels, growth_rate))
        num_channels += num_convs * growth_rate
        if i != 3:
            blks.append(d2l.transition_block(num_channels, num_channels // 2))
            num_channels = num_channels // 2
    end = (nn.BatchNorm2d(num_channels), nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)))
    return nn.Sequential(stem(), *blks, *end, nn.Flatten(), nn.Linear(num_channels, 10))


BOOK = {"resnet18": resnet18_of_the_book, "densenet": densenet_of_the_book}


@pytest.fixture(params=BOOK)
def listing(request):
    """Returns a network's name, and the book's, which has seen some images."""
    torch.manual_seed(0)
    net = BOOK[request.param]()
    net(torch.rand(4, 1, 64, 64))
    return request.param, net.eval()


@pytest.mark.parametrize("kind", ["pt", pytest.param("safetensors", marks=pytest.mark.exhaustive)])
def test_weights_of_the_book_come_in(listing, kind, tmp_path):
    name, net = listing
    file = tmp_path / f"net.{kind}"
    (torch.save if kind == "pt" else save_file)(net.state_dict(), file)
    found = convert(read_weights(file), name)
    images = torch.rand(3, 1, 96, 96)
    with torch.no_grad():
        assert torch.allclose(found.network(images), net(images), atol=1e-5)


def test_import_names_the_network(listing, tmp_path, holmdel):
    name, net = listing
    torch.save(net.state_dict(), tmp_path / "net.pt")
    done = holmdel("import", tmp_path / "net.pt", "--list")
    assert name in done.out
    done = holmdel("import", tmp_path / "net.pt", "--as", "lenet", "--out", tmp_path / "run")
    assert f"it fits with --as {name}" in done.err


def test_exported_it_answers_the_same(listing, tmp_path):
    pytest.importorskip("onnxruntime")
    name, _ = listing
    torch.manual_seed(1)
    network = library.build(name, width=0.25, size=(64, 64))
    network(torch.rand(8, 1, 64, 64))
    contract = ImageContract(stored=(1, 28, 28), input=(1, 64, 64), enlarge="resize")
    options = {"width": 0.25, "size": (64, 64)}
    header = Header(network=name, options=options, classes=tuple("abcdefghij"), image=contract)
    report = Classifier(network.eval(), header).export(tmp_path / "m.onnx")
    assert report.difference <= 1e-4


def test_a_run_is_loaded_and_batch_norms_are_its_own(listing, tmp_path):
    name, _ = listing
    given = {"epochs": 1, "batch_size": 8, "limit": 16, "width": 0.125, "size": (32, 32)}
    run = library.train(name, "digits", recipe="modern", out=tmp_path / "run", **given)
    assert not run.settings.batch_norm
    again = library.load(tmp_path / "run")
    images = torch.randint(0, 256, (3, 1, 28, 28), dtype=torch.uint8)
    assert torch.equal(again.logits(images), run.classifier.logits(images))
    assert any(isinstance(part, nn.BatchNorm2d) for part in again.network.modules())
    with pytest.raises(UserError, match="has batch norms of its own; leave batch_norm out"):
        library.train(name, "digits", batch_norm=True, out=tmp_path / "other")


def test_batch_norms_of_frameworks_with_channels_last_are_a_sentence(listing, tmp_path):
    name, net = listing
    torch.save(net.state_dict(), tmp_path / "net.pt")
    weights = read_weights(tmp_path / "net.pt").in_order("hwc")
    with pytest.raises(UserError, match=f"{name} of Keras and Flax pads and normalises otherwise"):
        convert(weights, name)


class Basic(nn.Module):
    """A block of torchvision's ResNet-18: no biases, and a batch norm on the way around."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.downsample = None
        if stride > 1:
            around = nn.Conv2d(before, after, 1, stride, bias=False)
            self.downsample = nn.Sequential(around, nn.BatchNorm2d(after))

    def forward(self, x):
        found = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(found + (self.downsample(x) if self.downsample else x))


class Torchvision(nn.Module):
    """ResNet-18 with torchvision's names, at an eighth of its maps."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for number, (before, after) in enumerate(((8, 8), (8, 16), (16, 32), (32, 64)), 1):
            first = Basic(before, after, 1 if number == 1 else 2)
            setattr(self, f"layer{number}", nn.Sequential(first, Basic(after, after, 1)))
        self.fc = nn.Linear(64, 20)

    def forward(self, x):
        found = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            found = layer(found)
        return self.fc(found.mean((2, 3)))


def lenet_with_norms():
    """The LeNet of the book's section on batch normalization."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.BatchNorm2d(6), nn.Sigmoid(), nn.AvgPool2d(2, 2)),
        *(nn.Conv2d(6, 16, 5), nn.BatchNorm2d(16), nn.Sigmoid(), nn.AvgPool2d(2, 2)),
        *(nn.Flatten(), nn.Linear(256, 120), nn.BatchNorm1d(120), nn.Sigmoid()),
        *(nn.Linear(120, 84), nn.BatchNorm1d(84), nn.Sigmoid(), nn.Linear(84, 10)),
    )


def trained(network):
    """Returns a network whose batch norms have seen something."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            for tensor in (layer.weight, layer.bias, layer.running_mean):
                nn.init.normal_(tensor, 0.5, 0.3)
            nn.init.uniform_(layer.running_var, 0.3, 2)
    return network.eval()


def written(state, file):
    """Writes weights by the ending of the file: `.params` as MXNet 2's `export` does."""
    if file.suffix == ".params":
        kinds = {"running_mean": "aux", "running_var": "aux"}
        arrays = {
            f"{kinds.get(name.rpartition('.')[2], 'arg')}:{name}": tensor.numpy()
            for name, tensor in state.items()
            if tensor.ndim
        }
        with file.open("wb") as opened:
            np.savez(opened, **arrays)
    elif file.suffix == ".pt":
        torch.save(state, file)
    else:
        save_file(state, file)


@pytest.mark.parametrize("kind", ["pt", "safetensors", "params"])
@pytest.mark.parametrize(
    ("network", "name", "options"),
    [
        (Torchvision, "resnet18", {"size": (64, 64)}),
        (lenet_with_norms, "lenet-max", {"pooling": "avg"}),
    ],
)
def test_batch_norms_that_ours_has_not_go_into_weights(tmp_path, network, name, options, kind):
    torch.manual_seed(4)
    theirs, file = trained(network()), tmp_path / f"n.{kind}"
    written(theirs.state_dict(), file)
    found = convert(read_weights(file), name, **options)
    images = torch.rand(4, *found.input)
    with torch.no_grad():
        assert (found.network(images) - theirs(images)).abs().max() <= 1e-5
    told = "(0+1, 4+5, 9+10, 12+13): right where each stands before its activation"
    assert any(told in note for note in found.notes) == (name == "lenet-max")


@pytest.mark.parametrize(
    "damage",
    [
        {"5.running_mean": torch.zeros(3)},
        {"5.running_mean": torch.tensor(1.0)},
        {"4.weight": torch.tensor(1.0)},
        {"15.weight": torch.tensor(1.0)},
        {"5.bias": torch.zeros(2, 2)},
    ],
)
def test_a_batch_norm_of_another_size_is_no_part_of_the_layer_before_it(tmp_path, damage):
    state = lenet_with_norms().state_dict() | damage
    torch.save(state, tmp_path / "n.pt")
    with pytest.raises(UserError, match="nor does it fit another network"):
        convert(read_weights(tmp_path / "n.pt"), "lenet-max")
