"""Initial weights, schedules, averages and folded batch norms, against formulas."""

import math
import subprocess
import sys

import pytest
import torch
from torch import nn

import holmdel
from holmdel import engine
from holmdel.settings import TrainSettings
from holmdel.training.folding import folded, with_batch_norm
from holmdel.training.optimise import average_in, draw_weights, learning_rate, make_optimizer


def test_xavier_weights_have_glorots_range():
    network = holmdel.build("lenet")
    draw_weights(network, "xavier")
    weight = network.get_submodule("f5").weight
    bound = math.sqrt(6 / (16 * 5 * 5 + 120))
    assert weight.abs().max() <= bound
    assert weight.abs().max() > 0.99 * bound


def test_centred_weights_have_hes_range_and_no_mean():
    network = holmdel.build("alexnet", width=0.25)
    draw_weights(network, "centred")
    weight = network.get_submodule("conv2").weight
    assert weight.mean(dim=(1, 2, 3)).abs().max() < 1e-7
    assert weight.std().item() == pytest.approx(math.sqrt(2 / (24 * 5 * 5)), rel=0.02)
    assert not network.get_submodule("conv2").bias.any()


def test_centred_weights_give_pictures_of_their_own():
    """Deep ReLU networks with Xavier weights say nearly the same of every picture."""
    pictures = torch.rand(8, 1, 96, 96)
    spread = {}
    for init in ("xavier", "centred"):
        torch.manual_seed(0)
        network = holmdel.build("googlenet").eval()
        draw_weights(network, init)
        with torch.inference_mode():
            spread[init] = network(pictures).std(dim=0).mean().item()
    assert spread["centred"] > 20 * spread["xavier"]


def test_lecun_weights_have_the_papers_range():
    network = holmdel.build("lenet5-1998")
    draw_weights(network, "lecun")
    assert network.get_submodule("f6").weight.abs().max() <= 2.4 / 120
    assert network.get_submodule("c1").weight.abs().max() <= 2.4 / 25
    seen = torch.tensor([3] * 6 + [4] * 9 + [6]).repeat_interleave(
        torch.tensor([3] * 6 + [4] * 9 + [6])
    )
    bounds = 2.4 / (25 * seen)
    weight = network.get_submodule("c3").weight.flatten(1).abs().amax(dim=1)
    assert (weight <= bounds).all()
    assert (weight > 0.6 * bounds).all()


def test_onecycle_rises_and_falls():
    rates = [learning_rate("onecycle", 2.0, step, 8, warmup=0.25) for step in (0, 1, 2, 5, 8)]
    assert rates == pytest.approx([0.0, 1.0, 2.0, 1.0, 0.0])
    assert learning_rate("constant", 0.9, 5, 8) == 0.9


def test_the_readers_cosine_warms_up_and_ends_at_a_hundredth():
    rates = [learning_rate("cosine", 2.0, step, 4000) for step in (0, 196, 2000, 4000)]
    assert rates == pytest.approx([2 * 4 / 200, 2.0, 0.5 * 2 * 0.99 + 0.02, 0.02], rel=0.01)


def test_a_clipped_gradient_moves_the_weights_no_further():
    """Steps of a rate of 0.9 along a gradient of a norm of 1e-9."""
    runs = [
        holmdel.train("lenet", "digits", out=f"run-{epochs}", epochs=epochs, limit=512, clip=1e-9)
        for epochs in (1, 3)
    ]
    weights = zip(*(run.network.parameters() for run in runs), strict=True)
    assert max((one - other).abs().max().item() for one, other in weights) < 1e-7


def test_weight_decay_spares_biases():
    network = nn.Linear(3, 2)
    before = {name: p.clone() for name, p in network.named_parameters()}
    optimizer = make_optimizer(network, TrainSettings(lr=0.1, weight_decay=0.5))
    (network(torch.zeros(1, 3)) * 0).sum().backward()
    optimizer.step()
    assert torch.allclose(network.weight, before["weight"] * (1 - 0.1 * 0.5))
    assert torch.equal(network.bias, before["bias"])


def test_the_average_forgets_exponentially():
    average, network = nn.Linear(1, 1), nn.Linear(1, 1)
    with torch.no_grad():
        average.weight.fill_(0.0)
        network.weight.fill_(1.0)
    average_in(average, network, decay=0.75, count=100)
    assert average.weight.item() == pytest.approx(0.25)


@pytest.mark.parametrize("name", ["lenet", "lenet-max", "lenet5"])
def test_folded_batch_norms_give_the_same_logits(name):
    plain = holmdel.build(name, activation="relu")
    network = with_batch_norm(plain)
    side = 32 if name == "lenet5" else 28
    for _ in range(3):  # so that the running means are of something
        network(torch.rand(16, 1, side, side) * 3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
    pictures = torch.rand(8, 1, side, side)
    network.eval()
    result = folded(network)
    assert list(result.state_dict()) == list(plain.state_dict())
    assert torch.allclose(result(pictures), network(pictures), atol=1e-5)
    assert sum(isinstance(m, nn.BatchNorm2d) for m in network.modules()) == 2  # left as it was


def test_a_network_without_batch_norms_folds_to_itself():
    plain = holmdel.build("lenet")
    pictures = torch.rand(2, 1, 28, 28)
    assert torch.equal(folded(plain)(pictures), plain.eval()(pictures))


@pytest.mark.skipif(engine.status().name == "torch", reason="PyTorch's steps load its compiler")
def test_a_training_in_the_engine_does_not_load_the_compiler():
    """It takes a second; afterwards torch is as it was."""
    code = (
        "import holmdel, sys, torch\n"
        "holmdel.train('lenet', 'digits', out='run', epochs=1, limit=300)\n"
        "print('torch._dynamo' in sys.modules)\n"
        "torch.optim.SGD([torch.zeros(1)], lr=0.1)\nprint('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-2:] == ["False", "True"], done.stderr
