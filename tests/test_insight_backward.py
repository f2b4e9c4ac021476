"""The way back: gradients as sums, a kernel before and after a step, against PyTorch's float64."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional

import holmdel as library
from holmdel.errors import UserError
from holmdel.insight import activations
from holmdel.insight.backward import gradients, has_step, step, terms
from holmdel.networks import build


def followed(network: nn.Module, image: torch.Tensor, target: int):
    seen = activations(network, image)
    return seen, gradients(network, seen, target)


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def lenet():
    network = library.load("lenet-mnist").network.double()
    return network, *followed(network, noise(1, 28, 28), 3)


def test_the_loss_and_the_gradients_are_pytorchs(lenet):
    network, seen, found = lenet
    image = seen["input"].value.clone()[None].requires_grad_()
    network = network.requires_grad_()
    loss = functional.cross_entropy(network(image), torch.tensor([3]))
    loss.backward()
    assert found.loss == pytest.approx(float(loss.detach()), rel=1e-12)
    assert torch.allclose(found.layers["input"], image.grad[0], rtol=1e-12, atol=1e-15)
    for name, weight in network.named_parameters():
        assert torch.allclose(found.weights[name], weight.grad, rtol=1e-12, atol=1e-15)
    assert found.layers.keys() == {layer.name for layer in seen.layers}
    output = seen.probabilities.clone()
    output[3] -= 1
    assert torch.allclose(found.layers["output"], output, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["lenet", "lenet5-1998", "nin", "googlenet"])
def test_a_units_gradient_is_the_sum_of_its_terms(name):
    torch.manual_seed(0)
    size = {"lenet": (1, 28, 28), "lenet5-1998": (1, 32, 32)}.get(name, (1, 96, 96))
    options = {} if "lenet" in name and name != "googlenet" else {"width": 0.125}
    network = build(name, **options).double().eval()
    seen, found = followed(network, noise(*size), 2)
    chance = torch.Generator().manual_seed(2)
    told = 0
    for layer in seen.layers[:40]:
        slope = found.layers[layer.name]
        for _ in range(4):
            unit = tuple(int(torch.randint(n, (1,), generator=chance)) for n in slope.shape)
            parts = terms(found, layer.name, unit)
            if not parts:
                continue
            products = [part.gradient * part.weight for part in parts]
            size_ = sum(map(abs, products))
            assert abs(math.fsum(products) - float(slope[unit])) <= 1e-12 * max(size_, 1e-30)
            told += 1
    assert told > 20


@pytest.mark.parametrize(("layer", "unit"), [("c1", 2), ("c3", 7), ("f5", 17), ("output", 3)])
def test_a_step_is_the_optimisers(lenet, layer, unit):
    network, _, found = lenet
    done = step(found, layer, unit, rate=0.5)
    weight = network.get_parameter(f"{layer}.weight").detach()[unit]
    slope = found.weights[f"{layer}.weight"][unit]
    assert torch.allclose(done.after.flatten(), (weight - 0.5 * slope).flatten(), rtol=1e-12)
    products = (done.seen * done.slopes).tolist()
    size = sum(map(abs, products))
    assert abs(math.fsum(products) - float(done.gradient[done.at])) <= 1e-12 * size
    assert float(done.gradient.abs().max()) == abs(float(done.gradient[done.at]))


def test_a_function_between_modules_has_the_gradient_of_what_takes_it_up():
    class Branched(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Conv2d(1, 2, 3), nn.Conv2d(1, 3, 3)
            self.flat, self.last = nn.Flatten(), nn.Linear(5 * 36, 4)

        def forward(self, x):
            return self.last(self.flat(torch.cat([self.one(x), self.two(x)], 1)))

    network = Branched().double()
    _, found = followed(network, noise(1, 8, 8), 0)
    both = torch.cat([found.layers["one"], found.layers["two"]])
    assert torch.equal(found.layers["cat"], both)
    assert terms(found, "one", (0, 1, 1)) == []  # it goes through a function


def test_what_was_in_place_is_followed_and_left_as_it_was():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(72, 3)
    )
    network = network.double().requires_grad_(False)
    seen, found = followed(network, noise(1, 8, 8), 1)
    assert network[1].inplace
    assert not network[0].weight.requires_grad
    assert not torch.equal(found.layers["0"], found.layers["1"])
    assert [has_step(layer) for layer in seen.layers] == [False, True, False, False, True]


def test_mistakes_are_told(lenet):
    network, seen, found = lenet
    with pytest.raises(UserError, match="the class was given as 10; expected 0 to 9"):
        gradients(network, seen, 10)
    with pytest.raises(UserError, match="'s2' was given; expected a convolution or a dense layer"):
        step(found, "s2", 0, 0.1)
    with pytest.raises(UserError, match="unit 6 of c1 was given; it has 6"):
        step(found, "c1", 6, 0.1)


class Between(nn.Module):
    """A function that is a layer, and behind it one that is none."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        return self.last(functional.log_softmax(x.flatten(1), 1).exp())


def test_a_function_followed_by_another_has_not_the_others_gradient():
    network = Between().double()
    seen = activations(network, torch.rand(1, 2, 2, dtype=torch.float64))
    found = gradients(network, seen, 1)
    assert "log_softmax" in [layer.name for layer in seen.layers]
    assert "log_softmax" not in found.layers
