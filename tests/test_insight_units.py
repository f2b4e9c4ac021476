"""The sum behind one unit's value, against PyTorch, counts by hand, and the gradient."""

import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from holmdel.errors import UserError
from holmdel.insight import Activations, Unit, Window, activations, explain, explains
from holmdel.networks import NETWORKS, build, network_options

SMALL = {
    "alexnet": {"size": (96, 96), "width": 0.1, "lrn": True},
    "vgg11": {"size": (32, 32), "width": 0.1},
    "vgg16": {"size": (32, 32), "width": 0.1},
    "nin": {"size": (96, 96), "width": 0.1},
    "googlenet": {"size": (32, 32), "width": 0.1},
}
UNEXPLAINED = {
    "Flatten",
    "Dropout",
    "ConstantPad2d",
    "RadialBasis",
    "LocalResponseNorm",
    "BatchNorm2d",
    "add",
    "cat",
}


def looked(name: str) -> tuple[nn.Module, Activations]:
    """Returns a network in float64 and what it sees in a random picture."""
    torch.manual_seed(0)
    options = SMALL.get(name, {})
    network = build(name, **options).double().eval()
    known = network_options(name) | options
    picture = torch.rand(known["channels"], *known["size"], dtype=torch.float64)
    return network, activations(network, picture)


def through(*layers: nn.Module, picture: torch.Tensor) -> Activations:
    """Returns what layers in a row, in float64, see in a picture."""
    return activations(nn.Sequential(*layers).double().eval(), picture.double())


def units_of(seen: Activations, most: int) -> list[tuple[str, tuple[int, ...]]]:
    """Returns some units of every layer, the corners first."""
    chance = random.Random(0)
    found = []
    for layer in seen.layers[1:]:
        shape = layer.value.shape
        found += [(layer.name, tuple(0 for _ in shape)), (layer.name, tuple(n - 1 for n in shape))]
        for _ in range(most):
            found.append((layer.name, tuple(chance.randrange(size) for size in shape)))
    return found


def cut_out(maps: torch.Tensor, window: Window, channels: tuple[int, ...]) -> torch.Tensor:
    """Returns a window of maps, padded far around with zeros first."""
    around = 64
    far = F.pad(maps, (around,) * 4)[list(channels)]
    top, left = window.top + around, window.left + around
    return far[:, top : top + window.height, left : left + window.width]


def close(one: float, two: float, unit: Unit) -> bool:
    """Returns whether two sums agree to 1e-12 of the sum of the magnitudes."""
    magnitudes = unit.sum.products.abs().sum() + abs(unit.sum.bias or 0)
    return abs(one - two) <= 1e-12 * magnitudes


@pytest.mark.parametrize("name", NETWORKS)
def test_the_products_and_the_bias_sum_to_the_value(name):
    _, seen = looked(name)
    for layer, index in units_of(seen, most=3):
        unit = explain(seen, layer, index)
        assert unit.value == seen[layer].value[index]
        if unit.sum.operation in ("convolution", "linear", "average"):
            assert torch.equal(unit.sum.products, unit.sum.patch * unit.sum.kernel)
            assert close(unit.total, unit.value, unit)
            products = unit.sum.products.double().sum() + (unit.sum.bias or 0)
            assert close(float(products), unit.value, unit)
        elif unit.sum.operation == "maximum":
            assert unit.sum.patch[unit.sum.argmax] == unit.value
        else:
            assert unit.total == unit.value


@pytest.mark.parametrize("name", NETWORKS)
def test_the_patch_is_the_window_of_the_layer_before(name):
    _, seen = looked(name)
    for layer, index in units_of(seen, most=3):
        unit = explain(seen, layer, index)
        if seen[layer].layer.kind == "add":
            assert unit.before is None  # there are two
            continue
        source = seen[unit.before].value
        assert unit.shape == tuple(source.shape)
        if len(unit.shape) == 3:
            patch = cut_out(source, unit.sum.window, unit.sum.channels)
            assert unit.sum.patch is None or torch.equal(unit.sum.patch, patch)
        else:
            assert unit.sum.window is None
            assert unit.sum.patch is None or torch.equal(
                unit.sum.patch, source[list(unit.sum.channels)]
            )


@pytest.mark.parametrize("name", NETWORKS)
def test_only_layers_that_are_no_sum_are_not_explained(name):
    _, seen = looked(name)
    assert not explains(seen["input"])
    for layer in seen.layers[1:]:
        unit = explain(seen, layer.name, tuple(0 for _ in layer.value.shape))
        assert explains(layer) == (unit.sum.operation != "other")
        assert explains(layer) == (layer.layer.kind not in UNEXPLAINED)


@pytest.mark.parametrize("name", ["lenet", "lenet-max", "lenet5-1998", "lenet-1989", "googlenet"])
def test_the_field_holds_every_pixel_that_moves_the_unit(name):
    network, seen = looked(name)
    picture = seen["input"].value.clone().requires_grad_()
    values: dict[str, torch.Tensor] = {}
    for path, module in network.named_modules():
        module.register_forward_hook(lambda _, __, out, path=path: values.update({path: out[0]}))
    network(picture[None])
    for layer, index in units_of(seen, most=1):
        if layer not in values:
            continue
        (slope,) = torch.autograd.grad(
            values[layer][index], picture, retain_graph=True, allow_unused=True
        )
        field = explain(seen, layer, index).field
        outside = torch.ones_like(picture, dtype=torch.bool)
        rows = slice(max(0, field.top), max(0, field.top + field.height))
        columns = slice(max(0, field.left), max(0, field.left + field.width))
        outside[:, rows, columns] = False
        assert slope is None or not slope[outside].any()


def test_a_convolution_by_hand():
    conv = nn.Conv2d(1, 1, kernel_size=2, padding=1)
    conv.weight.data = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    conv.bias.data = torch.tensor([0.5])
    seen = through(conv, picture=torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    middle = explain(seen, "0", (0, 1, 1))
    assert middle.sum.patch.tolist() == [[[1, 2], [3, 4]]]
    assert middle.sum.products.tolist() == [[[1, 4], [9, 16]]]
    assert (middle.sum.bias, middle.total, middle.value) == (0.5, 30.5, 30.5)
    assert middle.sum.window == Window(top=0, left=0, height=2, width=2)
    corner = explain(seen, "0", (0, 0, 0))
    assert corner.sum.patch.tolist() == [[[0, 0], [0, 1]]]
    assert corner.sum.window == corner.field == Window(top=-1, left=-1, height=2, width=2)
    assert corner.value == 4.5


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"kernel_size": 3, "stride": 2, "padding": 1}, (9, 8)),
        ({"kernel_size": (3, 2), "stride": (1, 3), "padding": (2, 0)}, (7, 11)),
        ({"kernel_size": 3, "dilation": 2, "padding": 3}, (8, 8)),
        ({"kernel_size": 3, "groups": 2, "padding": "same"}, (6, 6)),
        ({"kernel_size": 1, "groups": 4, "bias": False}, (5, 5)),
        ({"kernel_size": (2, 4), "dilation": (3, 2), "groups": 2}, (9, 12)),
    ],
)
def test_a_convolution_against_unfold(options, size):
    torch.manual_seed(1)
    conv = nn.Conv2d(4, 8, **options).double()
    picture = torch.randn(4, *size, dtype=torch.float64)
    seen = through(conv, picture=picture)
    groups = conv.groups
    padding = conv.padding if isinstance(conv.padding, tuple) else (1, 1)
    columns = F.unfold(
        picture[None], conv.kernel_size, conv.dilation, padding=padding, stride=conv.stride
    )[0].reshape(groups, 4 // groups, *conv.kernel_size, -1)
    _, height, width = seen["0"].value.shape
    for index in [(0, 0, 0), (7, height - 1, width - 1), (3, height // 2, 1), (4, 0, width - 1)]:
        unit = explain(seen, "0", index)
        group = index[0] // (8 // groups)
        patch = columns[group, ..., index[1] * width + index[2]]
        assert torch.equal(unit.sum.patch, patch)
        assert torch.equal(unit.sum.kernel, conv.weight[index[0]])
        assert unit.sum.channels == tuple(range(group * 4 // groups, (group + 1) * 4 // groups))
        assert close(unit.total, unit.value, unit)


def test_a_maximum_by_hand():
    picture = torch.tensor([[[-1.0, -2.0, 5.0], [-3.0, -4.0, 6.0], [7.0, 8.0, 9.0]]])
    seen = through(nn.MaxPool2d(2, stride=1, padding=1), picture=picture)
    corner = explain(seen, "0", (0, 0, 0))
    assert corner.sum.operation == "maximum"
    assert corner.value == -1  # and not the zero that stands for the padding
    assert corner.sum.argmax == (0, 1, 1)
    assert (corner.sum.kernel, corner.sum.products) == (None, None)
    middle = explain(seen, "0", (0, 2, 2))
    assert (middle.sum.argmax, middle.total) == ((0, 1, 1), 9)


@pytest.mark.parametrize(
    "pool",
    [
        nn.AvgPool2d(3, stride=2, padding=1),
        nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
        nn.AvgPool2d(3, stride=2, padding=1, ceil_mode=True),
        nn.AvgPool2d((2, 3), ceil_mode=True, count_include_pad=False),
        nn.AvgPool2d(2, divisor_override=3),
        nn.AdaptiveAvgPool2d((3, 4)),
        nn.AdaptiveAvgPool2d((1, 1)),
        nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True),
        nn.MaxPool2d(2, dilation=2),
        nn.AdaptiveMaxPool2d((3, 2)),
    ],
    ids=str,
)
def test_a_pooling_of_any_form(pool):
    torch.manual_seed(2)
    seen = through(pool, picture=torch.randn(2, 8, 7) - 3)
    channels, height, width = seen["0"].value.shape
    for row in range(height):
        for column in range(width):
            unit = explain(seen, "0", (channels - 1, row, column))
            assert unit.sum.channels == (channels - 1,)
            if unit.sum.operation == "average":
                assert close(unit.total, unit.value, unit)
            else:
                assert unit.sum.patch[unit.sum.argmax] == unit.value


def test_a_mean_over_the_maps_is_an_average():
    class Mean(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean((2, 3))

    seen = activations(Mean(), torch.tensor([[[1.0, 2.0], [3.0, 6.0]]]).double())
    unit = explain(seen, seen.layers[1].name, (0,))
    assert unit.sum.operation == "average"
    assert unit.sum.products.tolist() == [[[0.25, 0.5], [0.75, 1.5]]]
    assert unit.value == 3


def test_a_dense_layer_shows_the_maps_that_were_flattened():
    network, seen = looked("lenet")
    unit = explain(seen, "f5", (7,))
    assert (unit.before, unit.shape) == ("s4", (16, 5, 5))
    assert unit.sum.window == Window(0, 0, 5, 5)
    assert torch.equal(unit.sum.patch, seen["s4"].value)
    assert torch.equal(unit.sum.kernel, network.f5.weight[7].reshape(16, 5, 5))
    assert unit.field == Window(-2, -2, 32, 32)
    after = explain(seen, "f6", (83,))
    assert (after.before, after.shape, after.sum.window) == ("act5", (120,), None)
    assert torch.equal(after.sum.kernel, network.f6.weight[83])
    plain = through(nn.Flatten(), nn.Linear(4, 2, bias=False), picture=torch.rand(1, 2, 2))
    assert explain(plain, "1", (0,)).sum.bias is None
    assert explain(plain, "1", (0,)).before == "input"


@pytest.mark.parametrize(
    ("module", "name", "function"),
    [
        (nn.ReLU(), "relu", torch.relu),
        (nn.ReLU(inplace=True), "relu", torch.relu),
        (nn.Sigmoid(), "sigmoid", torch.sigmoid),
        (nn.Tanh(), "tanh", torch.tanh),
    ],
)
def test_an_activation_is_a_function_of_the_same_unit(module, name, function):
    picture = torch.tensor([[[-1.0, 0.25], [2.0, -3.0]]]).double()
    seen = through(nn.Conv2d(1, 2, 1), module, picture=picture)
    unit = explain(seen, "1", (1, 1, 0))
    assert (unit.sum.operation, unit.sum.function) == ("activation", name)
    assert unit.sum.patch.tolist() == [[[float(seen["0"].value[1, 1, 0])]]]
    assert unit.sum.window == Window(1, 0, 1, 1)
    assert unit.sum.channels == (1,)
    assert unit.value == function(unit.sum.patch).item()


def test_the_layers_of_the_papers():
    network, seen = looked("lenet5-1998")
    assert explain(seen, "act1", (0, 3, 4)).sum.function == "scaled_tanh"
    sub = explain(seen, "s2", (5, 2, 3))
    assert sub.sum.window == Window(4, 6, 2, 2)
    assert sub.sum.kernel.unique().tolist() == [network.s2.coefficient[5].item()]
    assert sub.sum.bias == network.s2.bias[5].item()
    table = explain(seen, "c3", (12, 1, 2))
    assert table.sum.channels == (0, 1, 3, 4)  # 1998, table I, map 12
    source = seen["act2"].value[[0, 1, 3, 4], 1:6, 2:7]
    assert torch.equal(table.sum.patch, source)
    radial = explain(seen, "output", (3,))
    assert (radial.sum.operation, radial.before, radial.shape) == ("other", "act6", (84,))


def test_the_units_of_1989_have_a_bias_each():
    network, seen = looked("lenet-1989")
    with torch.no_grad():
        network.h1.bias.copy_(torch.arange(12 * 8 * 8).reshape(12, 8, 8))
    seen = activations(network, seen["input"].value)
    unit = explain(seen, "h1", (2, 3, 4))
    assert unit.sum.bias == 2 * 64 + 3 * 8 + 4
    assert close(unit.total, unit.value, unit)
    assert unit.field == Window(4, 6, 5, 5)
    padded = explain(seen, "pad1", (0, 0, 5))
    assert padded.value == -1
    assert (padded.sum.operation, padded.sum.window) == ("other", Window(-2, 3, 1, 1))


def test_layers_that_move_numbers_say_from_where():
    _, seen = looked("googlenet")
    joined = seen["inception3a.cat"].value
    sizes = [len(seen[name].value) for name in seen["inception3a.cat"].layer.inputs]
    unit = explain(seen, "inception3a.cat", (sizes[0] + 1, 2, 0))
    assert unit.before == "inception3a.path2.conv_relu"
    assert (unit.sum.channels, unit.sum.window) == ((1,), Window(2, 0, 1, 1))
    assert seen[unit.before].value[1, 2, 0] == joined[sizes[0] + 1, 2, 0]
    _, seen = looked("lenet")
    flat = explain(seen, "flatten", (2 * 25 + 3 * 5 + 4,))
    assert (flat.before, flat.sum.channels) == ("s4", (2,))
    assert flat.sum.window == Window(3, 4, 1, 1)
    assert flat.field == explain(seen, "s4", (2, 3, 4)).field
    _, seen = looked("alexnet")
    norm = explain(seen, "norm1", (0, 3, 4))
    assert norm.sum.channels == (0, 1, 2)
    assert explain(seen, "norm1", (5, 3, 4)).sum.channels == (3, 4, 5, 6, 7)
    assert explain(seen, "drop6", (9,)).sum.channels == (9,)


def test_what_a_forward_does_between_layers_is_not_taken_for_the_layer_before():
    class Padded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.two(F.pad(self.one(x), (1, 1, 1, 1))).flatten(1)

    torch.manual_seed(0)
    seen = activations(Padded().double(), torch.rand(1, 4, 4, dtype=torch.float64))
    unit = explain(seen, "two", (0, 0, 0))
    assert unit.before == "one"
    assert unit.sum.window is None  # its patch is of the padded maps
    assert close(unit.total, unit.value, unit)
    assert unit.field == Window(-1, -1, 3, 3)


def test_a_sum_of_two_layers_is_of_no_one_layer():
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x + self.conv(x)).flatten(1)

    seen = activations(Residual(), torch.rand(1, 2, 2))
    unit = explain(seen, "add", (0, 1, 1))
    assert (unit.before, unit.sum.operation, unit.sum.window) == (None, "other", None)
    assert unit.total == unit.value


def test_refusals_say_what_was_given():
    _, seen = looked("lenet")
    with pytest.raises(UserError, match="unit was given as 6,0,0; c1 has 6x28x28 units"):
        explain(seen, "c1", (6, 0, 0))
    with pytest.raises(UserError, match="unit was given as 1,2; c1 has"):
        explain(seen, "c1", (1, 2))
    with pytest.raises(UserError, match="unit was given as -1; f5 has 120 units; expected 1"):
        explain(seen, "f5", (-1,))
    with pytest.raises(UserError, match="there is no layer 'c9'"):
        explain(seen, "c9", (0,))
    with pytest.raises(UserError, match="layer was given as 'input'"):
        explain(seen, "input", (0, 0, 0))


def test_a_unit_as_json():
    conv = nn.Conv2d(1, 1, kernel_size=1)
    conv.weight.data = torch.tensor([[[[2.0]]]])
    conv.bias.data = torch.tensor([0.5])
    seen = through(conv, picture=torch.tensor([[[3.0]]]))
    one = {"top": 0, "left": 0, "height": 1, "width": 1}
    assert explain(seen, "0", (0, 0, 0)).to_json() == {
        "layer": "0",
        "kind": "Conv2d",
        "unit": [0, 0, 0],
        "value": 6.5,
        "operation": "convolution",
        "function": None,
        "before": {"layer": "input", "shape": [1, 1, 1], "window": one, "channels": [0]},
        "field": one,
        "patch": [[[3.0]]],
        "kernel": [[[2.0]]],
        "products": [[[6.0]]],
        "argmax": None,
        "bias": 0.5,
        "sum": 6.5,
    }


def test_a_unit_of_a_network_that_ran_away_is_null():
    seen = through(nn.Conv2d(1, 1, 1), nn.ReLU(), picture=torch.full((1, 2, 2), torch.nan))
    found = explain(seen, "0", (0, 0, 1)).to_json()
    assert (found["value"], found["sum"], found["patch"]) == (None, None, [[[None]]])
    assert found["before"]["window"] == {"top": 0, "left": 1, "height": 1, "width": 1}
