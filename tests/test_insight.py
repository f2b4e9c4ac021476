"""Activations and unit values of one image, against PyTorch and against counts by hand."""

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from holmdel.anatomy import inspect_module
from holmdel.errors import UserError
from holmdel.insight import activations, encoded, has_kernels, kernels, plain, scaled
from holmdel.networks import NETWORKS, build, network_options

SMALL = {
    "alexnet": {"size": (96, 96), "width": 0.1},
    "vgg11": {"size": (32, 32), "width": 0.1},
    "vgg16": {"size": (32, 32), "width": 0.1},
    "nin": {"size": (96, 96), "width": 0.1},
    "googlenet": {"size": (32, 32), "width": 0.1},
}


def made(name: str, **options: object) -> tuple[nn.Module, torch.Tensor]:
    """Returns a network in float64 and a picture for it."""
    torch.manual_seed(0)
    options = SMALL.get(name, {}) | options
    network = build(name, **options).double().eval()
    known = network_options(name) | options
    return network, torch.rand(known["channels"], *known["size"], dtype=torch.float64)


class Functional(nn.Module):
    """A network whose layers are calls of functions."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 1, 3, 3))
        self.dense = nn.Linear(3 * 4 * 4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu_(F.conv2d(x, self.weight, padding=1))
        return self.dense(torch.flatten(F.max_pool2d(x, 2), 1)).sigmoid()


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_of_the_anatomy_has_its_values(name):
    network, picture = made(name)
    seen = activations(network, picture)
    rows = inspect_module(network, tuple(picture.shape)).layers
    assert [layer.name for layer in seen.layers] == ["input", *(row.name for row in rows)]
    for layer in seen.layers:
        assert tuple(layer.value.shape) == layer.layer.output
        assert layer.value.dtype == torch.float64
    with torch.no_grad():
        assert torch.equal(seen.logits, network(picture[None])[0])
    assert torch.equal(seen.probabilities, seen.logits.softmax(0))


@pytest.mark.parametrize("name", ["lenet", "lenet-max", "lenet5-1998", "lenet-1989", "alexnet"])
def test_values_are_what_the_layers_give_one_after_the_other(name):
    network, picture = made(name)
    seen = activations(network, picture)
    batch = picture[None]
    for layer, module in network.named_children():
        with torch.no_grad():
            batch = module(batch)
        assert torch.equal(seen[layer].value, batch[0])


def test_values_of_blocks_and_of_what_joins_them():
    network, picture = made("googlenet")
    seen = activations(network, picture)
    block = network.get_submodule("inception3a")
    before = seen["pool2"].value[None]
    with torch.no_grad():
        paths = [path(before)[0] for path in (block.path1, block.path2, block.path3, block.path4)]
        assert torch.equal(seen["inception3a.cat"].value, torch.cat(paths))
        assert torch.equal(seen["inception3a.path3.reduce"].value, block.path3.reduce(before)[0])
    network, picture = made("nin")
    seen = activations(network, picture)
    with torch.no_grad():
        assert torch.equal(seen["block1.relu2"].value, network.block1(picture[None])[0])


def test_functions_that_a_forward_calls_are_layers_too():
    torch.manual_seed(0)
    network, picture = Functional(), torch.randn(1, 8, 8)
    seen = activations(network, picture)
    names = [layer.name for layer in seen.layers]
    assert names == ["input", "conv2d", "relu", "max_pool2d", "dense", "sigmoid"]
    with torch.no_grad():
        maps = F.conv2d(picture[None], network.weight, padding=1)
        assert torch.equal(seen["conv2d"].value, maps[0])
        assert torch.equal(seen["relu"].value, maps.relu()[0])
        assert torch.equal(seen.logits, network(picture[None])[0])


def test_a_layer_that_works_in_place_leaves_the_values_before_it():
    torch.manual_seed(0)
    network = nn.Sequential(
        OrderedDict(conv=nn.Conv2d(1, 2, 3), relu=nn.ReLU(inplace=True), flat=nn.Flatten())
    )
    picture = torch.randn(1, 5, 5)
    seen = activations(network, picture)
    with torch.no_grad():
        maps = network.conv(picture[None])[0]
    assert (maps < 0).any()
    assert torch.equal(seen["conv"].value, maps)
    assert torch.equal(seen["relu"].value, maps.relu())


def test_a_sum_in_place_leaves_the_values_before_it():
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(1, 2, 1), nn.Conv2d(1, 2, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.one(x)
            y += self.two(x)
            return y.flatten(1)

    torch.manual_seed(0)
    network, picture = Residual(), torch.randn(1, 3, 3)
    seen = activations(network, picture)
    with torch.no_grad():
        one, two = network.one(picture[None])[0], network.two(picture[None])[0]
    assert torch.equal(seen["one"].value, one)
    assert torch.equal(seen["add"].value, one + two)


def test_a_layer_that_runs_twice_has_both_values():
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.pool = nn.AvgPool2d(2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.pool(self.pool(x)).flatten(1)

    picture = torch.rand(1, 8, 8)
    seen = activations(Twice(), picture)
    assert seen["pool"].value.shape == (1, 4, 4)
    assert torch.allclose(seen["pool:2"].value, F.avg_pool2d(picture, 4))


def test_values_have_the_dtype_of_the_network():
    network, picture = made("lenet")
    seen = activations(network.float(), picture.float())
    assert {layer.value.dtype for layer in seen.layers} == {torch.float32}


def test_it_works_in_inference_mode_too():
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten())
    with torch.inference_mode():
        seen = activations(network, torch.randn(1, 5, 5))
        assert torch.equal(seen["1"].value, seen["0"].value.relu())
    assert (seen["0"].value < 0).any()


def test_the_network_is_left_as_it_was_found():
    network, picture = made("alexnet")
    network.train()
    network.conv1.eval()
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    modes = [part.training for part in network.modules()]
    activations(network, picture)
    assert [part.training for part in network.modules()] == modes
    assert all((parameter.grad == 1).all() for parameter in network.parameters())
    for part in network.modules():
        assert not part._forward_hooks
        assert not part._forward_pre_hooks


def test_threads_that_look_at_once_see_their_own_pictures():
    network, _ = made("lenet")
    pictures = [torch.rand(1, 28, 28, dtype=torch.float64) for _ in range(24)]
    with ThreadPoolExecutor(4) as pool:
        looks = list(pool.map(lambda picture: activations(network, picture), pictures))
    for picture, seen in zip(pictures, looks, strict=True):
        with torch.no_grad():
            assert torch.equal(seen["c1"].value, network.c1(picture[None])[0])
            assert torch.equal(seen.logits, network(picture[None])[0])
        assert len(seen.layers) == 13


def test_refusals_say_what_was_given():
    network, picture = made("lenet")
    with pytest.raises(UserError, match=r"an image was given as \(28, 28\); expected \(C, H, W\)"):
        activations(network, picture[0])
    with pytest.raises(UserError, match="Sequential does not run for an image of 3x28x28"):
        activations(network, torch.rand(3, 28, 28))
    with pytest.raises(UserError, match="there is no layer 'c9'; choose from input, c1, act1"):
        activations(network, picture)["c9"]


def test_kernels_are_those_of_the_convolution():
    network, _ = made("lenet")
    assert torch.equal(kernels(network, "c3"), network.c3.weight)
    assert not kernels(network, "c3").requires_grad
    assert has_kernels(network.c3)
    assert not has_kernels(network.f5)
    with pytest.raises(UserError, match="those of this network are c1, c3"):
        kernels(network, "f5")
    with pytest.raises(UserError, match="'c9' was given"):
        kernels(network, "c9")


def test_kernels_that_a_table_lacks_are_zeros():
    network, _ = made("lenet5-1998")
    found = kernels(network, "c3")
    assert found.shape == (16, 6, 5, 5)
    assert (found[0, 3:] == 0).all()  # map 0 sees maps 0, 1 and 2: table I of 1998
    assert torch.equal(found[0, :3], network.c3.weight[:3])
    assert (found.abs().amax((2, 3)) > 0).sum() == 60


def test_values_as_bytes_and_back():
    values = torch.tensor([[-2.0, 0.0], [1.0, 3.0]])
    found = scaled(values)
    assert (found.low, found.high) == (-2, 3)
    assert list(found.data) == [0, 102, 153, 255]
    assert list(scaled(torch.tensor([0.0, 0.65, 1.0])).data) == [0, 166, 255]  # of 165.75
    back = found.low + torch.tensor(list(found.data)) / 255 * (found.high - found.low)
    assert (back.reshape(2, 2) - values).abs().max() <= 0.5 * 5 / 255
    assert found.to_json() == {"low": -2.0, "high": 3.0, "data": "AGaZ/w=="}
    assert encoded(torch.tensor([[0, 102], [153, 255]], dtype=torch.uint8)) == "AGaZ/w=="


def test_values_that_are_all_alike_or_no_numbers():
    assert list(scaled(torch.full((3,), 7.0)).data) == [0, 0, 0]
    ran_away = torch.tensor([torch.nan, 1.0, torch.inf])
    assert list(scaled(ran_away).data) == [0, 255, 0]
    assert plain(ran_away) == [None, 1.0, None]
    assert plain(torch.tensor([[0.5, 2.0]])) == [[0.5, 2.0]]
    assert [plain(value) for value in (None, 0.5, float("nan"))] == [None, 0.5, None]
