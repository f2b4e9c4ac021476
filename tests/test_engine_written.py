"""A network out of a file in the native engine, without PyTorch: what it answers and refuses."""

import json
import random

import numpy as np
import pytest
import torch
from safetensors.torch import load as tensors_of
from safetensors.torch import save
from torch import nn

from holmdel import engine, runtime
from holmdel.checkpoint import Header
from holmdel.classifier import Classifier
from holmdel.engine.writing import to_json
from holmdel.engine.written import WrittenChain
from holmdel.errors import UserError
from holmdel.images import ImageContract
from holmdel.networks import build

pytestmark = pytest.mark.skipif(
    engine.status().name == "torch",
    reason="no compiled engine here: it is built where a C++ compiler is at hand",
)


def normed():
    """Returns a network with batch norms folded and not, groups, a dropout and a log-softmax."""
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.BatchNorm2d(2), nn.Conv2d(2, 6, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(6, 6, 3, padding=1, groups=3), nn.LeakyReLU(0.2),
        nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.5), nn.Linear(24, 5), nn.LogSoftmax(1),
    )  # fmt: skip
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.running_mean)
            nn.init.uniform_(norm.running_var, 0.5, 2)
    return network.eval(), ImageContract(stored=(2, 12, 11), input=(2, 14, 14), enlarge="pad")


def named(name, image):
    torch.manual_seed(2)
    return build(name).eval(), image


GREY = ImageContract(stored=(1, 28, 28), input=(1, 28, 28), mean=0.3, std=0.4)
NETWORKS = {
    "lenet": lambda: named("lenet", GREY),
    "lenet5": lambda: named(
        "lenet5", ImageContract(stored=(1, 28, 28), input=(1, 32, 32), enlarge="pad")
    ),
    "resnet8": lambda: named("resnet8", ImageContract(stored=(3, 32, 32), input=(3, 32, 32))),
    "normed": normed,
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("count", [0, 1, 40])
def test_a_written_chain_answers_as_the_network_does(name, count):
    network, image = NETWORKS[name]()
    arrays = {key: value.numpy() for key, value in network.state_dict().items()}
    chain = WrittenChain(to_json(network, image), arrays, image)
    images = torch.randint(0, 256, (count, *image.stored), dtype=torch.uint8)
    expected = engine.compile(network, image).logits(images).detach().numpy()
    assert np.abs(chain.logits(images.numpy()) - expected).max(initial=0) < 1e-5


def test_what_the_engine_does_not_take_is_not_written():
    with pytest.raises(engine.Unsupported, match="resized"):
        to_json(build("lenet"), ImageContract(input=(1, 28, 28), enlarge="resize"))


def parts():
    """Returns the description of a LeNet, its arrays, and what it sees."""
    network, image = NETWORKS["lenet"]()
    return (
        json.loads(to_json(network, image)),
        {key: value.numpy() for key, value in network.state_dict().items()},
        image,
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda about, arrays: about.pop("layers"), "not as Holmdel writes them"),
        (lambda about, arrays: about["layers"].clear(), "do not read the images"),
        (lambda about, arrays: about["layers"][0].update(kind="run"), "no layer of kind 'run'"),
        (lambda about, arrays: about["layers"][0].update(kind="dropout"), "no layer of kind"),
        (lambda about, arrays: about["layers"][0].update(kernel=[5]), "kernel has 1 numbers"),
        (lambda about, arrays: about["layers"][0].update(kernel=[5, 2**31]), "is no size"),
        (lambda about, arrays: about["layers"][0].update(padding=[-1, 0]), "is no size"),
        (lambda about, arrays: about["layers"][0].update(groups=0), "does not follow from"),
        (lambda about, arrays: about["layers"][1].update(reads=[9]), "does not follow from"),
        (lambda about, arrays: about["layers"][1].update(reads=[0, 0]), "reads 2 values"),
        (lambda about, arrays: about["layers"][1].update(normalised=True), "is normalised"),
        (lambda about, arrays: about["layers"][0].update(output=[9, 28, 28]), "read 'c1.weight'"),
        (lambda about, arrays: about["layers"][0].update(tensors=[None, None]), "read None as"),
        (lambda about, arrays: about["layers"][0].update(tensors=[]), "have 0 weights where 2"),
        (lambda about, arrays: arrays.pop("c1.bias"), "read 'c1.bias' as float32"),
        (
            lambda about, arrays: arrays.update({"c1.bias": np.zeros(5, np.float32)}),
            "read 'c1.bias' as float32 \\(6,\\)",
        ),
        (lambda about, arrays: arrays.update({"c1.bias": np.zeros(6)}), "as float32"),
    ],
)
def test_a_description_that_does_not_fit_its_weights_is_refused(change, said):
    about, arrays, image = parts()
    change(about, arrays)
    with pytest.raises(UserError, match=said):
        WrittenChain(json.dumps(about), arrays, image)


@pytest.mark.parametrize("seed", range(6))
def test_a_description_changed_at_random_is_refused_or_runs(seed):
    """What is taken runs with arrays of just the sizes that it says."""
    dice, taken = random.Random(seed), 0
    for _ in range(60):
        about, arrays, image = parts()
        for _ in range(dice.choice((1, 1, 2))):
            row = dice.choice(about["layers"])
            name = dice.choice([*row])
            if isinstance(row[name], list) and row[name]:
                row[name][dice.randrange(len(row[name]))] = other(dice)
            else:
                row[name] = other(dice)
        try:
            chain = WrittenChain(json.dumps(about), arrays, image)
        except UserError:
            continue
        assert chain.logits(np.zeros((3, *image.stored), np.uint8)).shape == (3, chain.classes)
        taken += 1
    assert taken < 60


def other(dice):
    """Returns a value that may stand where another stood."""
    return dice.choice((0, 1, 2, 3, 5, 28, -1, 2**31, 1e300, "c1.weight", None, True, [], "max"))


def test_files_that_cannot_be_run(tmp_path):
    header = Header(network="lenet", options={}, classes=tuple("abcdefghij"), image=GREY)
    torch.manual_seed(0)
    out = tmp_path / "m.safetensors"
    Classifier(build("lenet"), header).export(out, to="safetensors")
    whole = out.read_bytes()
    expected = runtime.load(out)
    assert expected.classes == tuple("abcdefghij")
    out.write_bytes(whole[:-9])
    with pytest.raises(UserError, match=r"m\.safetensors cannot be read as safetensors"):
        runtime.load(out)
    tensors = tensors_of(whole)
    about = {"classes": list("ab"), "image": GREY.to_json()}
    texts = {"exported": json.dumps(about)}
    out.write_bytes(save(tensors, texts))
    with pytest.raises(UserError, match="needs PyTorch; export it with --to onnx"):
        runtime.load(out)
    texts["chain"] = to_json(build("lenet"), GREY)
    out.write_bytes(save(tensors, texts))
    with pytest.raises(UserError, match="has 2 classes and 10 logits"):
        runtime.load(out)
    texts["exported"] = "[]"
    out.write_bytes(save(tensors, texts))
    with pytest.raises(UserError, match="no classifier that holmdel export wrote"):
        runtime.load(out)
