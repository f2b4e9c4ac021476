"""PyTorch files of the book's networks: after conversion they give the same logits."""

import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from holmdel.errors import UserError
from holmdel.exchange import convert, read_weights
from holmdel.networks import build


def lenet(padding=2, pool=nn.AvgPool2d, inputs=16 * 5 * 5, channels=1, classes=10):
    return nn.Sequential(
        nn.Conv2d(channels, 6, kernel_size=5, padding=padding),
        nn.Sigmoid(),
        pool(kernel_size=2, stride=2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.Sigmoid(),
        pool(kernel_size=2, stride=2),
        nn.Flatten(),
        nn.Linear(inputs, 120),
        nn.Sigmoid(),
        nn.Linear(120, 84),
        nn.Sigmoid(),
        nn.Linear(84, classes),
    )


class LeNet(nn.Module):
    """LeNet as a class, convolutions and dense layers apart."""

    def __init__(self):
        super().__init__()
        layers = list(lenet(padding=0, pool=nn.MaxPool2d, inputs=16 * 4 * 4))
        self.conv = nn.Sequential(*layers[:6])
        self.fc = nn.Sequential(*layers[7:])

    def forward(self, pictures):
        return self.fc(self.conv(pictures).flatten(1))


def alexnet():
    return nn.Sequential(
        nn.Conv2d(1, 96, kernel_size=11, stride=4, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(96, 256, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Conv2d(256, 384, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 384, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(kernel_size=3, stride=2),
        nn.Flatten(),
        *dense(256 * 5 * 5),
    )


def dense(inputs):
    layers = [nn.Linear(inputs, 4096), nn.ReLU(), nn.Dropout(0.5)]
    return [*layers, nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4096, 10)]


def vgg_block(convolutions, seen, given):
    layers = []
    for _ in range(convolutions):
        layers += [nn.Conv2d(seen, given, kernel_size=3, padding=1), nn.ReLU()]
        seen = given
    return nn.Sequential(*layers, nn.MaxPool2d(kernel_size=2, stride=2))


def vgg11(quarter=4):
    blocks, seen = [], 1
    for convolutions, given in ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)):
        blocks.append(vgg_block(convolutions, seen, given // quarter))
        seen = given // quarter
    return nn.Sequential(*blocks, nn.Flatten(), *dense(seen * 7 * 7))


def nin_block(seen, given, kernel_size, stride, padding):
    return nn.Sequential(
        nn.Conv2d(seen, given, kernel_size, stride, padding),
        nn.ReLU(),
        nn.Conv2d(given, given, kernel_size=1),
        nn.ReLU(),
        nn.Conv2d(given, given, kernel_size=1),
        nn.ReLU(),
    )


def nin():
    return nn.Sequential(
        nin_block(1, 96, kernel_size=11, stride=4, padding=0),
        nn.MaxPool2d(3, stride=2),
        nin_block(96, 256, kernel_size=5, stride=1, padding=2),
        nn.MaxPool2d(3, stride=2),
        nin_block(256, 384, kernel_size=3, stride=1, padding=1),
        nn.MaxPool2d(3, stride=2),
        nn.Dropout(0.5),
        nin_block(384, 10, kernel_size=3, stride=1, padding=1),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.Flatten(),
    )


class Inception(nn.Module):
    """The book's class, the names of its paths among them."""

    def __init__(self, seen, c1, c2, c3, c4):
        super().__init__()
        self.p1_1 = nn.Conv2d(seen, c1, kernel_size=1)
        self.p2_1 = nn.Conv2d(seen, c2[0], kernel_size=1)
        self.p2_2 = nn.Conv2d(c2[0], c2[1], kernel_size=3, padding=1)
        self.p3_1 = nn.Conv2d(seen, c3[0], kernel_size=1)
        self.p3_2 = nn.Conv2d(c3[0], c3[1], kernel_size=5, padding=2)
        self.p4_1 = nn.MaxPool2d(kernel_size=3, stride=1, padding=1)
        self.p4_2 = nn.Conv2d(seen, c4, kernel_size=1)

    def forward(self, x):
        p1 = self.p1_1(x).relu()
        p2 = self.p2_2(self.p2_1(x).relu()).relu()
        p3 = self.p3_2(self.p3_1(x).relu()).relu()
        return torch.cat((p1, p2, p3, self.p4_2(self.p4_1(x)).relu()), dim=1)


def googlenet():
    def pool():
        return nn.MaxPool2d(kernel_size=3, stride=2, padding=1)

    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 64, 7, stride=2, padding=3), nn.ReLU(), pool()),
        nn.Sequential(
            nn.Conv2d(64, 64, 1), nn.ReLU(), nn.Conv2d(64, 192, 3, padding=1), nn.ReLU(), pool()
        ),
        nn.Sequential(
            Inception(192, 64, (96, 128), (16, 32), 32),
            Inception(256, 128, (128, 192), (32, 96), 64),
            pool(),
        ),
        nn.Sequential(
            Inception(480, 192, (96, 208), (16, 48), 64),
            Inception(512, 160, (112, 224), (24, 64), 64),
            Inception(512, 128, (128, 256), (24, 64), 64),
            Inception(512, 112, (144, 288), (32, 64), 64),
            Inception(528, 256, (160, 320), (32, 128), 128),
            pool(),
        ),
        nn.Sequential(
            Inception(832, 256, (160, 320), (32, 128), 128),
            Inception(832, 384, (192, 384), (48, 128), 128),
            nn.AdaptiveAvgPool2d((1, 1)),
            nn.Flatten(),
        ),
        nn.Linear(1024, 10),
    )


BOOK = {
    "lenet": (lenet, 28),
    "lenet-max": (LeNet, 28),
    "alexnet": (alexnet, 224),
    "vgg11": (vgg11, 224),
    "nin": (nin, 224),
    "googlenet": (googlenet, 96),
}


def lively(net: nn.Module) -> nn.Module:
    """Returns the network with weights large enough that its logits tell layers apart."""
    for parameter in net.parameters():
        if parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter, gain=1.5)
    return net.eval()


def difference(net: nn.Module, path: Path, network: str) -> float:
    """Returns how far the logits of a file's network are from those of the original."""
    found = convert(read_weights(path), network)
    pictures = torch.rand(1, *found.input)
    with torch.no_grad():
        logits = net(pictures)
        assert logits.std() > 0
        return float((found.network(pictures) - logits).abs().max())


@pytest.mark.parametrize("network", BOOK)
def test_a_state_dict_gives_the_originals_logits(tmp_path, network):
    torch.manual_seed(0)
    net = lively(BOOK[network][0]())
    torch.save(net.state_dict(), tmp_path / "state.pt")
    assert difference(net, tmp_path / "state.pt", network) < 1e-5


@pytest.mark.parametrize("network", ["lenet", "nin", "googlenet"])
def test_safetensors_whose_order_means_nothing(tmp_path, network):
    net = lively(BOOK[network][0]())
    state = net.state_dict()
    save_file(dict(sorted(state.items(), reverse=True)), tmp_path / "state.safetensors")
    assert difference(net, tmp_path / "state.safetensors", network) < 1e-5


def test_convolutions_come_before_dense_layers_whatever_their_names(tmp_path):
    net = lively(LeNet())
    state = {name.replace("conv", "features"): t for name, t in net.state_dict().items()}
    state = {name.replace("fc", "classifier"): t.contiguous() for name, t in state.items()}
    save_file(state, tmp_path / "state.safetensors")  # sorted: the classifier first
    assert difference(net, tmp_path / "state.safetensors", "lenet-max") < 1e-5


def test_layers_defined_out_of_order(tmp_path):
    state = LeNet().state_dict()
    torch.save(dict(reversed(state.items())), tmp_path / "state.pt")
    found = convert(read_weights(tmp_path / "state.pt"), "lenet-max")
    assert found.pairs[0] == ("conv.0", "c1")
    assert found.pairs[-1] == ("fc.4", "output")


def test_a_net_within_a_net(tmp_path):
    net = lively(nn.Sequential())
    net.net = lively(lenet())
    torch.save(net.state_dict(), tmp_path / "state.pt")
    assert next(iter(net.state_dict())) == "net.0.weight"
    assert difference(net.net, tmp_path / "state.pt", "lenet") < 1e-5


def test_a_checkpoint_with_its_optimizer(tmp_path):
    net = lively(lenet())
    net(torch.rand(1, 1, 28, 28)).sum().backward()
    optimizer = torch.optim.Adam(net.parameters())
    optimizer.step()
    saved = {"epoch": 3, "model": net.state_dict(), "optimizer": optimizer.state_dict()}
    torch.save(saved, tmp_path / "checkpoint.pt")
    assert difference(net, tmp_path / "checkpoint.pt", "lenet") < 1e-5


def test_files_of_torch_before_1_6(tmp_path):
    net = lively(lenet())
    path = tmp_path / "old.pth"
    torch.save(net.state_dict(), path, _use_new_zipfile_serialization=False)
    assert difference(net, path, "lenet") < 1e-5


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_floating_point_numbers(tmp_path, dtype):
    net = lively(lenet()).to(dtype)
    torch.save(net.state_dict(), tmp_path / "state.pt")
    assert difference(net.float(), tmp_path / "state.pt", "lenet") < 1e-5


def test_what_the_shapes_say(tmp_path):
    torch.save(lenet(channels=3, classes=7, inputs=16 * 14 * 14).state_dict(), tmp_path / "64.pt")
    found = convert(read_weights(tmp_path / "64.pt"), "lenet")
    assert found.options == {"channels": 3, "classes": 7, "size": (64, 64)}
    assert (found.input, found.classes) == ((3, 64, 64), 7)


def test_the_width_of_a_wider_vgg(tmp_path):
    with torch.device("meta"):
        state = vgg11(quarter=8).state_dict()
    torch.save({name: torch.zeros(t.shape) for name, t in state.items()}, tmp_path / "vgg.pt")
    assert convert(read_weights(tmp_path / "vgg.pt"), "vgg11").options == {"width": 0.125}


def test_a_file_that_fits_nothing_is_refused_in_a_second(tmp_path):
    """However many sizes of images a network could have."""
    with torch.device("meta"):
        state = build("googlenet").state_dict()
    shapes = {name: list(tensor.shape) for name, tensor in state.items()}
    last, bias = list(shapes)[-2:]
    seconds = []
    for classes in (11, 12, 13):  # the best of them: other work runs beside
        odd = shapes | {last: [classes, shapes[last][1] + 1], bias: [classes]}
        torch.save({n: torch.zeros(1).expand(s) for n, s in odd.items()}, tmp_path / "odd.pt")
        found = read_weights(tmp_path / "odd.pt")
        began = time.process_time()
        with pytest.raises(UserError, match="does not fit googlenet"):
            convert(found, "googlenet")
        seconds.append(time.process_time() - began)
    assert min(seconds) < 1
