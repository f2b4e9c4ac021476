"""The networks: published counts, shapes, options, and docstrings that are true."""

import inspect
import re

import pytest
import torch
from torch import nn

import holmdel
from holmdel.anatomy.table import kind, times
from holmdel.networks import NETWORKS, network_options

BOOK = "Zhang et al., Dive into Deep Learning"
LECUN = "LeCun et al., Gradient-based learning applied to document recognition (1998), II.B"
LECUN_1989 = "LeCun et al., Backpropagation applied to handwritten zip code recognition (1989), 3"
VGG = "Simonyan and Zisserman (2015), tables 1 and 2; torchvision's models"
IMAGENET = {"channels": 3, "classes": 1000}

# network, options, parameters, connections (None: not published), source
COUNTS = [
    ("lenet", {}, 61_706, None, f"{BOOK}, LeNet"),
    ("lenet-max", {}, 44_426, None, f"{BOOK} (MXNet/Gluon), LeNet"),
    ("lenet5", {}, 61_706, None, f"{LECUN}, with a full C3 and no trainable subsampling"),
    ("lenet5-1998", {}, 60_000, 340_908, LECUN),
    ("lenet-1989", {}, 9_760, 64_660, LECUN_1989),
    ("alexnet", {}, 46_764_746, None, f"{BOOK}, AlexNet"),
    ("vgg11", {}, 43_093_322, None, f"{BOOK}, VGG: channels / 4"),
    ("vgg11", {"width": 1.0, **IMAGENET}, 132_863_336, None, f"{VGG}: configuration A"),
    ("vgg16", IMAGENET, 138_357_544, None, f"{VGG}: configuration D"),
    ("nin", {}, 1_992_166, None, f"{BOOK}, NiN"),
    ("resnet8", {}, 77_706, None, "16, 32, 64 maps, two 1x1 convolutions, biases; by hand"),
    ("resnet18", {}, 11_178_378, None, f"{BOOK}, ResNet"),
    ("resnet18", IMAGENET, 11_689_512 + 4_800 - 1_792, None, "torchvision; biases; norms around"),
    ("densenet", {}, 758_226, None, f"{BOOK}, DenseNet"),
    ("googlenet", {}, 5_977_530, None, f"{BOOK}, GoogLeNet"),
    ("lenet", {"classes": 26}, 61_706 + 16 * 85, None, "84 weights and a bias a class"),
    ("lenet", {"channels": 3}, 61_706 + 2 * 6 * 5 * 5, None, "c1 alone sees the channels"),
    ("lenet", {"activation": "relu", "pooling": "max"}, 61_706, None, "neither has parameters"),
    ("alexnet", {"lrn": True}, 46_764_746, None, "normalisation has no parameters"),
]

# network, layer, parameters, connections, source
LAYERS = [
    ("lenet5-1998", "c1", 156, 122_304, LECUN),
    ("lenet5-1998", "s2", 12, 14 * 14 * 6 * (4 + 1), LECUN),
    ("lenet5-1998", "c3", 1_516, 151_600, LECUN),
    ("lenet5-1998", "s4", 32, 2_000, LECUN),
    ("lenet5-1998", "c5", 48_120, 48_120, LECUN),
    ("lenet5-1998", "f6", 10_164, 10_164, LECUN),
    ("lenet5-1998", "output", 0, 84 * 10, f"{LECUN}: fixed codes"),
    ("lenet-1989", "h1", 1_068, 768 * 26, LECUN_1989),
    ("lenet-1989", "h2", 2_592, 192 * (200 + 1), LECUN_1989),
    ("lenet-1989", "h3", 5_790, 5_790, LECUN_1989),
    ("lenet-1989", "output", 310, 310, LECUN_1989),
    ("lenet", "c3", 2_416, 10 * 10 * 16 * (6 * 25 + 1), "all six maps; docs/anatomy.md"),
]
IDS = {"ids": lambda value: str(value) if isinstance(value, str | dict) else ""}


@pytest.mark.parametrize(("name", "options", "parameters", "connections", "source"), COUNTS, **IDS)
def test_counts_are_as_published(name, options, parameters, connections, source):
    totals = holmdel.inspect(name, **options).totals
    assert totals.parameters == parameters, source
    assert totals.complete
    if connections is not None:
        assert totals.connections == connections, source


@pytest.mark.parametrize(("name", "layer", "parameters", "connections", "source"), LAYERS, **IDS)
def test_layers_are_as_published(name, layer, parameters, connections, source):
    row = next(row for row in holmdel.inspect(name).layers if row.name == layer)
    assert (row.parameters, row.connections) == (parameters, connections), source


def test_units_of_1989():
    outputs = {layer.name: layer.output for layer in holmdel.inspect("lenet-1989").layers}
    units = [torch.Size(outputs[name]).numel() for name in ("h1", "h2", "h3", "output")]
    assert units == [768, 192, 30, 10]
    assert 16 * 16 + sum(units) == 1_256, LECUN_1989


def test_multiply_accumulates_of_vgg16():
    """15.5 G, as published with the network; exactly, without biases."""
    assert holmdel.inspect("vgg16", **IMAGENET).totals.macs == 15_470_264_320


@pytest.mark.parametrize("name", NETWORKS)
def test_docstring_holds_the_layer_table(name):
    text = inspect.getdoc(NETWORKS[name]) or ""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.strip().startswith("|")
    ][2:]
    anatomy = holmdel.inspect(name)
    for row in rows:
        assert row in [*_layer_cells(anatomy), *_group_cells(anatomy)]
    assert sum(int(row[3].replace(",", "")) for row in rows) == anatomy.totals.parameters
    assert "Differs from the paper:" in text


def _layer_cells(anatomy):
    for layer in anatomy.layers:
        yield [layer.name, kind(layer), times(layer.output), f"{layer.parameters:,}"]


def _group_cells(anatomy):
    for group in anatomy.groups:
        inside = [row for row in anatomy.layers if row.name.startswith(f"{group.name}.")]
        total = sum(layer.parameters for layer in inside)
        yield [group.name, group.kind, times(group.output), f"{total:,}"]


def small(name):
    """Returns options that make a network quick to run, and the pictures that it then takes."""
    known = network_options(name)
    options = {"width": 0.5} if "width" in known else {}
    if name.startswith("vgg"):
        options["size"] = (32, 32)
    size = options.get("size", known["size"])
    return options, torch.rand(
        3, known["channels"], *size, generator=torch.Generator().manual_seed(0)
    )


@pytest.mark.parametrize("name", NETWORKS)
def test_forward_gives_logits(name):
    options, pictures = small(name)
    assert holmdel.build(name, classes=7, **options)(pictures).shape == (3, 7)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_of_training_changes_every_parameter(name):
    torch.manual_seed(0)
    options, pictures = small(name)
    network = holmdel.build(name, **options)
    before = [p.detach().clone() for p in network.parameters()]
    loss = nn.functional.cross_entropy(network(pictures), torch.tensor([0, 1, 2]))
    loss.backward()
    torch.optim.SGD(network.parameters(), lr=0.1).step()
    assert loss.isfinite()
    changed = [bool((a != b).any()) for a, b in zip(before, network.parameters(), strict=True)]
    names = [name for name, _ in network.named_parameters()]
    assert all(changed), [n for n, c in zip(names, changed, strict=True) if not c]


@pytest.mark.parametrize("size", [(28, 28), (40, 33), (64, 64)])
def test_the_first_dense_layer_follows_from_the_size(size):
    logits = holmdel.build("lenet", size=size)(torch.rand(2, 1, *size))
    assert logits.shape == (2, 10)


def test_lenet_by_hand():
    """All weights 0, biases 0: every sigmoid gives 1/2, and the logits are the output's bias."""
    network = holmdel.build("lenet")
    with torch.no_grad():
        for p in network.parameters():
            p.zero_()
        network.get_submodule("output").bias.copy_(torch.arange(10.0))
    assert network(torch.rand(1, 1, 28, 28)).tolist() == [list(range(10))]


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("lenet6", {}, "there is no network 'lenet6'; choose from lenet, lenet-max, lenet5"),
        ("lenet", {"activation": "gelu"}, "activation was given as 'gelu'; choose from sigmoid"),
        ("lenet", {"pooling": "sum"}, "pooling was given as 'sum'; choose from avg, max"),
        ("lenet", {"classes": 1}, "classes was given as 1; expected a whole number from 2"),
        ("lenet", {"channels": 0}, "channels was given as 0; expected a whole number from 1"),
        ("lenet", {"depth": 3}, "lenet was given the option 'depth'; it takes activation"),
        ("lenet", {"size": (8, 8)}, "a window of 5 does not fit into 4 pixels"),
        ("nin", {"size": (64,)}, "size was given as (64,); expected height and width, such as"),
        ("nin", {"size": (66, 90)}, "a window of 3 does not fit into 2 pixels"),
        ("vgg11", {"size": (31, 64)}, "size was given as 31x64; 5 poolings that halve it leave"),
        ("alexnet", {"width": 0}, "width was given as 0; expected a number above 0 to 16"),
        ("vgg16", {"size": (10, 10)}, "size was given as 10x10; 5 poolings that halve it leave"),
        ("nin", {"width": 0}, "width was given as 0; expected a number above 0 to 16"),
    ],
)
def test_mistakes_are_told(name, options, sentence):
    with pytest.raises(holmdel.UserError, match=re.escape(sentence)):
        holmdel.build(name, **options)
