"""Anatomies: each layer's numbers computed by hand and by PyTorch, and modules of other kinds."""

import re
import warnings
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.parameter import is_lazy

import holmdel
from holmdel.networks import NETWORKS
from holmdel.shapes import ReceptiveField

DOCUMENT = Path(__file__).parents[1] / "docs" / "anatomy.md"


def rows(module, size=(1, 28, 28)):
    return {layer.name: layer for layer in holmdel.inspect(module, size).layers}


def field(size, stride=1, offset=0):
    return ReceptiveField((size, size), (stride, stride), (offset, offset))


@pytest.mark.parametrize("name", NETWORKS)
def test_columns_sum_to_the_totals(name):
    anatomy = holmdel.inspect(name)
    totals = anatomy.totals
    for column in ("parameters", "connections", "macs", "activation_bytes"):
        assert sum(getattr(layer, column) for layer in anatomy.layers) == getattr(totals, column)
    built = holmdel.build(name)
    assert totals.parameters == sum(p.numel() for p in built.parameters())


@pytest.mark.parametrize("name", ["lenet5-1998", "lenet-1989", "nin", "googlenet"])
def test_outputs_are_those_of_a_real_picture(name):
    """Each module's output, seen by a hook while a picture goes through."""
    anatomy = holmdel.inspect(name)
    network = holmdel.build(name).eval()
    seen = {}
    for path, module in network.named_modules():
        module.register_forward_hook(
            lambda _, inputs, output, path=path: seen.update({path: tuple(output.shape[1:])})
        )
    with torch.inference_mode():
        network(torch.zeros(1, *anatomy.input))
    shown = {row.name: row.output for row in (*anatomy.layers, *anatomy.groups)}
    assert {path: seen[path] for path in seen if path} == {
        path: output for path, output in shown.items() if not path.endswith(".cat")
    }


class Residual(nn.Module):
    """What a student writes: functions in forward(), branches, a parameter of its own."""

    def __init__(self, channels, pool=2):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.scale = nn.Parameter(torch.ones(channels, 1, 1))
        self.pool = pool

    def forward(self, x):
        inner = self.conv2(F.relu(self.conv1(x))) * self.scale
        return F.max_pool2d(F.relu(inner + x), self.pool)


def test_functions_in_a_forward_have_rows():
    shown = rows(nn.Sequential(Residual(4)), (4, 8, 8))
    names = ["conv1", "relu", "conv2", "mul", "add", "relu:2", "max_pool2d"]
    assert list(shown) == [f"0.{name}" for name in names]
    assert shown["0.add"].inputs == ("0.mul", "input")
    assert shown["0.max_pool2d"].detail == "2x2, stride 2"
    assert shown["0.max_pool2d"].output == (4, 4, 4)
    assert shown["0.max_pool2d"].receptive_field == field(6, 2, -2)
    assert (shown["0.mul"].parameters, shown["0.mul"].macs) == (4, 4 * 8 * 8)


# Connections and MACs by hand: (module, its input, connections, MACs, detail).
KINDS = [
    (
        nn.Conv2d(3, 8, 5, stride=2, padding=2),
        (3, 9, 9),
        8 * 25 * (75 + 1),
        8 * 25 * 75,
        "5x5, stride 2, padding 2",
    ),
    (nn.Conv2d(4, 8, 3, groups=2, bias=False), (4, 5, 5), 9 * 8 * 18, 9 * 8 * 18, "3x3, groups 2"),
    (nn.Conv2d(1, 2, (3, 1), dilation=2), (1, 5, 5), 5 * 2 * 4, 5 * 2 * 3, "3x1, dilation 2"),
    (nn.ConvTranspose2d(2, 3, 2, stride=2), (2, 4, 4), 16 * 24 + 3 * 64, 16 * 24, "2x2, stride 2"),
    (nn.BatchNorm2d(4), (4, 3, 3), 2 * 36, 36, ""),
    (nn.BatchNorm2d(4, affine=False), (4, 3, 3), 0, 0, ""),
    (nn.GroupNorm(2, 4), (4, 3, 3), 2 * 36, 36, ""),
    (nn.LayerNorm(3), (4, 3, 3), 2 * 36, 36, ""),
    (nn.PReLU(), (4, 3, 3), 36, 36, ""),
    (nn.AvgPool2d(3, stride=2, padding=1), (4, 5, 5), 0, 0, "3x3, stride 2, padding 1"),
    (nn.Linear(3, 7, bias=False), (2, 5, 3), 2 * 5 * 21, 2 * 5 * 21, ""),
    (nn.LocalResponseNorm(5), (8, 4, 4), 0, 0, ""),
]


@pytest.mark.parametrize(
    ("module", "size", "connections", "macs", "detail"), KINDS, ids=lambda v: type(v).__name__
)
def test_counts_by_hand(module, size, connections, macs, detail):
    (layer,) = holmdel.inspect(module, size).layers
    assert (layer.connections, layer.macs, layer.detail) == (connections, macs, detail)
    assert layer.output == tuple(module.eval()(torch.zeros(1, *size)).shape[1:])
    assert layer.parameters == sum(p.numel() for p in module.parameters())
    assert layer.activation_bytes == 4 * torch.Size(layer.output).numel()


def test_convolutions_of_signals_and_volumes():
    """(C, H, W) read as C maps of rows, and as one map of a volume, by a reshape."""

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.line = nn.Conv1d(3, 2, 3)
            self.cube = nn.Conv3d(1, 2, 2)

        def forward(self, x):
            return self.line(x.flatten(2)).sum() + self.cube(x[:, None]).sum()

    shown = rows(Both(), (3, 4, 4))
    assert shown["line"].macs == 2 * 3 * 3 * 14
    assert shown["cube"].macs == 2 * 8 * (2 * 3 * 3)
    assert shown["line"].receptive_field is None  # a window in a row of pixels end to end
    assert shown["cube"].receptive_field == field(2)


class Own(nn.Module):
    """A layer with parameters that are used in a way of its own."""

    def __init__(self):
        super().__init__()
        self.powers = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return (x[:, None] ** self.powers[:, None, None, None]).sum(1)


def test_an_unknown_layer_makes_the_totals_lower_bounds():
    anatomy = holmdel.inspect(nn.Sequential(nn.Conv2d(1, 2, 3), Own()), (1, 5, 5))
    conv, own = anatomy.layers
    assert (own.parameters, own.connections, own.macs) == (3, None, None)
    assert anatomy.totals.parameters == 23
    assert (anatomy.totals.macs, anatomy.totals.complete) == (conv.macs, False)
    text = anatomy.to_markdown()
    assert "| 1 | Own | 2x3x3 | 3 | ? | ? | 1/1/0 |".replace("1/1/0", "3/1/0") in text
    assert "the totals of connections and MACs are lower bounds" in text


def test_weights_made_of_parameters_are_counted_where_they_are_used():
    module = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(1, 2, 3)), nn.Mish())
    conv, mish = holmdel.inspect(module, (1, 8, 8)).layers
    assert (conv.name, conv.parameters, conv.macs) == ("0.conv2d", 2 + 2 + 18, 36 * 18)
    assert mish.receptive_field == field(3)


def test_parameters_that_never_run_are_counted():
    class Spare(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare = nn.Conv2d(1, 2, 3), nn.Linear(4, 4)
            self.token = nn.Parameter(torch.zeros(7))

        def forward(self, x):
            return self.used(x)

    anatomy = holmdel.inspect(Spare(), (1, 5, 5))
    assert {layer.name: layer.parameters for layer in anatomy.layers} == {
        "used": 20,
        "token": 7,
        "spare.weight": 16,
        "spare.bias": 4,
    }
    assert anatomy.totals.complete
    assert [layer.detail for layer in anatomy.layers[1:]] == ["not used"] * 3


def test_a_layer_that_runs_twice_has_its_parameters_once():
    conv = nn.Conv2d(2, 2, 3, padding=1)
    shown = rows(nn.Sequential(conv, nn.ReLU(), conv), (2, 6, 6))
    assert [(row.name, row.parameters) for row in shown.values()] == [
        ("0", 38),
        ("1", 0),
        ("0:2", 0),
    ]
    assert shown["0"].connections == shown["0:2"].connections == 36 * 38


def test_shared_layers_and_weights_stay_shared_and_whole():
    first, last = nn.Linear(6, 6), nn.Linear(6, 6)
    last.weight = first.weight
    module = nn.Sequential(first, last, first)
    before = dict(module.named_parameters(remove_duplicate=False))
    anatomy = holmdel.inspect(module, (1, 2, 6))
    assert [layer.parameters for layer in anatomy.layers] == [42, 6, 0]
    after = dict(module.named_parameters(remove_duplicate=False))
    assert all(before[name] is after[name] for name in before)
    assert last.weight is first.weight
    assert first.weight.device.type == "cpu"


def test_the_module_is_as_before():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(inplace=True))
    module[1].eval()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    parameters = list(module.parameters())
    holmdel.inspect(module, (1, 8, 8))
    assert [part.training for part in module] == [True, False, True]
    assert all(a is b for a, b in zip(parameters, module.parameters(), strict=True))
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_a_run_folder_brings_its_own_input(run_folder):
    for model in (run_folder, str(run_folder / "model.safetensors"), holmdel.load(run_folder)):
        anatomy = holmdel.inspect(model)
        assert (anatomy.network, anatomy.input) == ("lenet", (1, 28, 28))
        assert anatomy == holmdel.inspect("lenet")


def test_options_may_be_texts():
    assert holmdel.inspect("vgg16", "3x64x64", classes="100", width="0.25").input == (3, 64, 64)


def test_json_is_the_contract():
    made = holmdel.inspect("lenet", (3, 32, 40)).to_json()
    assert made["network"] == "lenet"
    assert made["input"] == [3, 32, 40]
    contract = {"name", "kind", "output", "parameters", "connections", "macs", "receptive_field"}
    assert all(contract <= layer.keys() for layer in made["layers"])
    assert made["layers"][2]["receptive_field"] == {
        "size": [6, 6],
        "stride": [2, 2],
        "offset": [-2, -2],
    }
    assert {"parameters", "connections", "macs"} <= made["totals"].keys()


def test_an_anatomy_shows_itself_in_a_line_and_in_a_notebook():
    anatomy = holmdel.inspect("lenet")
    assert repr(anatomy) == (
        "<Anatomy of lenet: input 1x28x28, 12 layers, 61,706 parameters, 416,520 MACs>"
    )
    shown = anatomy._repr_html_()
    assert "<th>receptive field</th>" in shown
    assert "<td>c3</td><td>Conv2d 5x5</td><td>16x10x10</td><td>2,416</td>" in shown
    unknown = holmdel.inspect(nn.Sequential(OrderedDict({"<own>": Own()})), (1, 5, 5))
    assert "at least 0 MACs" in repr(unknown)
    assert "&lt;own&gt;" in unknown._repr_html_()


class _Asks(nn.Module):
    def forward(self, x):
        return x if x.sum().item() > 0 else -x


VGG = holmdel.build("vgg16", width=0.02)


class _Runs(nn.Module):
    """A forward() that is given as a function, behind a layer."""

    def __init__(self, forward):
        super().__init__()
        self.conv, self.does = nn.Conv2d(1, 2, 3), forward

    def forward(self, x):
        return self.does(self.conv(x))


class _Three(nn.Module):
    def forward(self, one, two, three):
        return one + two + three


class _Scaled(nn.Module):
    def forward(self, x, *, scale):
        return x * scale


def _broken(x):
    raise KeyError("no such layer")


def _jitted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(nn.Conv2d(1, 2, 3), torch.zeros(1, 1, 5, 5))


@pytest.mark.parametrize(
    ("what", "given", "sentence"),
    [
        ("vgg16", {"input": (3, 10, 10)}, "size was given as 10x10; 5 poolings that halve it"),
        (VGG, {"input": (1, 10, 10)}, "does not run for an image of 1x10x10: block4.pool says '"),
        (
            nn.Conv2d(1, 6, 5),
            {"input": (3, 28, 28)},
            "image of 3x28x28: its layer given, Conv2d(1, 6, 5), was given 3 channels",
        ),
        (nn.LazyConv2d(3, 5), {"input": (1, 2, 2)}, "has lazy layers, and does not run for an"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(400, 120)),
            {"input": (1, 16, 16)},
            "for an image of 1x16x16: its layer 1, Linear(400, 120), was given 256 values",
        ),
        (
            nn.Sequential(nn.Conv2d(1, 6, 5), nn.Linear(400, 120)),
            {"input": (1, 9, 9)},
            "Linear(400, 120), was given maps of 6x5x5; a Flatten before it makes 150 values",
        ),
        (
            nn.Sequential(nn.Conv2d(1, 6, (3, 5)), nn.BatchNorm2d(7)),
            {"input": (1, 9, 9)},
            "its layer 1, BatchNorm2d(7), was given 6 channels",
        ),
        (nn.Bilinear(2, 2, 3), {"input": (1, 2, 2)}, "Bilinear takes several images; give the"),
        (_Three(), {"input": (1, 2, 2)}, "_Three takes several images; give the size of each"),
        (nn.ReLU(), {"inputs": [(1, 2, 2)] * 2}, "ReLU takes fewer images than were given"),
        (_Scaled(), {"input": (1, 2, 2)}, "give it a default: inspect gives images alone"),
        (_Runs(_broken), {"input": (1, 5, 5)}, "its forward() is tried on one image (1, C, H, W)"),
        (
            _Runs(lambda x: x + torch.ones(3, device="cpu")),
            {"input": (1, 5, 5)},
            "make tensors in forward() where its input is: device=x.device",
        ),
        (_Runs(lambda x: x.numpy()), {"input": (1, 5, 5)}, "_Runs decides by the numbers in a"),
        (_jitted(), {"input": (1, 5, 5)}, "in which no layers are left; give the module that it"),
        (nn.ModuleList([nn.ReLU()]), {"input": (1, 2, 2)}, "give the module that calls its layers"),
        (nn.LSTM(4, 5), {"input": (1, 3, 4)}, "is tried on one image (1, C, H, W) in eval mode"),
        (nn.ReLU, {}, "the class ReLU was given; make a module of it: ReLU(...)"),
        ([1, 2], {}, "something of type list was given; expected a network's name, a model on"),
        (nn.ReLU(), {"input": 28}, "an input size was given as '28'; expected CxHxW"),
        ("lenet-mnist", {"inputs": [(1, 28, 28)] * 2}, "only a torch.nn.Module takes several"),
        (nn.ReLU(), {}, "a ReLU was given without an input; give what it sees as CxHxW"),
        (_Asks(), {"input": (1, 2, 2)}, "_Asks decides by the numbers in a tensor, and what"),
        ("vgg17", {}, "there is no network or model vgg17; networks are lenet, lenet-max"),
        ("lenet", {"depth": 3}, "lenet was given the option 'depth'; it takes activation"),
        ("lenet", {"classes": "ten"}, "classes was given as 'ten'; expected a whole number"),
        ("lenet", {"input": "28x28"}, "an input size was given as '28x28'; expected CxHxW"),
        ("lenet", {"input": (1, 0, 3)}, "an input size was given as '1x0x3'; expected CxHxW"),
        (
            "lenet",
            {"input": "3x28x28", "channels": 1},
            "channels was given as 1 and input as 3x28x",
        ),
        (nn.ReLU(), {"classes": 3}, "the options classes were given with what is built already"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_mistakes_are_told(what, given, sentence):
    with pytest.raises(holmdel.UserError, match=re.escape(sentence)):
        holmdel.inspect(what, **given)


def test_a_mistake_in_ones_own_code_keeps_its_place():
    with pytest.raises(holmdel.UserError) as caught:
        holmdel.inspect(_Runs(_broken), (1, 5, 5))
    assert isinstance(caught.value.__cause__, KeyError)


class Twins(nn.Module):
    """The same convolution on two images."""

    def __init__(self):
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 4, 3), nn.LazyLinear(2)

    def forward(self, one, two):
        return self.out((self.conv(one) - self.conv(two)).flatten(1))


def test_a_module_may_take_several_images():
    twins = Twins()
    anatomy = holmdel.inspect(twins, inputs=[(1, 8, 8), "1x8x8"])
    rows = {layer.name: layer for layer in anatomy.layers}
    assert rows["conv"].inputs == rows["conv:2"].inputs == ("input",)
    assert rows["sub"].inputs == ("conv", "conv:2")
    assert rows["out"].parameters == 2 * (4 * 6 * 6 + 1)
    assert is_lazy(twins.out.weight)  # the copy has been given its size


def test_a_wrapped_module_is_looked_into():
    anatomy = holmdel.inspect(nn.DataParallel(nn.Conv2d(1, 4, 3)), input=(1, 8, 8))
    assert anatomy.layers[0].output == (4, 6, 6)


SUMS = re.findall(r"^    ([\d,*+() -]+) = ([\d,]+)$", DOCUMENT.read_text("utf-8"), re.MULTILINE)


def test_the_document_has_its_sums():
    assert len(SUMS) > 30


@pytest.mark.parametrize(("sum_", "result"), SUMS)
def test_sums_in_the_document_are_right(sum_, result):
    assert eval(sum_.replace(",", "")) == int(result.replace(",", ""))
