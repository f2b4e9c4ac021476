"""The LeNets: published counts, shapes, options, and docstrings that are true."""

import inspect

import pytest
import torch

import holmdel
from holmdel.anatomy import layers
from holmdel.networks import NETWORKS

# network, option, parameters, source
COUNTS = [
    ("lenet", {}, 61_706, "Dive into Deep Learning, section LeNet"),
    ("lenet-max", {}, 44_426, "Dive into Deep Learning (MXNet/Gluon), section LeNet"),
    ("lenet5", {}, 61_706, "LeCun et al. 1998 with a full C3 and no trainable subsampling"),
    ("lenet", {"classes": 26}, 61_706 + 16 * 85, "84 weights and a bias a class"),
    ("lenet", {"channels": 3}, 61_706 + 2 * 6 * 5 * 5, "c1 alone sees the channels"),
    ("lenet", {"activation": "relu", "pooling": "max"}, 61_706, "neither has parameters"),
]
SIZES = {"lenet": (1, 28, 28), "lenet-max": (1, 28, 28), "lenet5": (1, 32, 32)}


@pytest.mark.parametrize(("name", "options", "parameters", "source"), COUNTS)
def test_parameters_are_as_published(name, options, parameters, source):
    network = holmdel.build(name, **options)
    assert sum(p.numel() for p in network.parameters()) == parameters, source


@pytest.mark.parametrize("name", NETWORKS)
def test_docstring_holds_the_layer_table(name):
    rows = []
    network = holmdel.build(name)
    for layer in layers(network, SIZES[name]):
        output = "x".join(map(str, layer.output))
        rows.append(f"| {layer.name} | {kind(network, layer)} | {output} | {layer.parameters:,} |")
    text = inspect.getdoc(NETWORKS[name]) or ""
    table = [line.strip() for line in text.splitlines() if line.strip().startswith("|")]
    assert table[2:] == rows
    assert "Differs from the paper:" in text


def kind(network, layer):
    module = network.get_submodule(layer.name)
    if layer.kind == "Conv2d":
        padding = f", padding {module.padding[0]}" if module.padding[0] else ""
        return f"Conv2d {module.kernel_size[0]}x{module.kernel_size[1]}{padding}"
    if layer.kind.endswith("Pool2d"):
        return f"{layer.kind} {module.kernel_size}x{module.kernel_size}, stride {module.stride}"
    return layer.kind


@pytest.mark.parametrize("name", NETWORKS)
def test_forward_gives_logits(name):
    pictures = torch.rand(3, *SIZES[name])
    assert holmdel.build(name, classes=7)(pictures).shape == (3, 7)


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
    ],
)
def test_mistakes_are_told(name, options, sentence):
    with pytest.raises(holmdel.UserError, match=sentence.replace("(", r"\(")):
        holmdel.build(name, **options)
