"""Batch norms, dropout and AdamW in the engine: what the property tests cannot show."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from holmdel import d2l, engine
from holmdel.errors import UserError

pytestmark = pytest.mark.skipif(
    engine.status().name == "torch",
    reason="no compiled engine here: it is built where a C++ compiler is at hand",
)
SIZE = (1, 12, 12)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def network(*more: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 5, 3, bias=False), nn.BatchNorm2d(5), nn.Tanh(), nn.AvgPool2d(2), *more,
        nn.Flatten(), nn.Linear(125, 16, bias=False), nn.BatchNorm1d(16), nn.SiLU(),
        nn.Linear(16, 4),
    )  # fmt: skip


def batch(step: int = 0, count: int = 50) -> tuple[Tensor, Tensor]:
    chance = torch.Generator().manual_seed(step)
    images = torch.randn(count, *SIZE, generator=chance)
    return images, torch.randint(4, (count,), generator=chance)


def assert_same_bits(one: nn.Module, two: nn.Module) -> None:
    for (name, a), b in zip(one.state_dict().items(), two.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.parametrize("clip", [0.0, 0.05])
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1, fused=True),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    ],
    ids=["adamw", "sgd"],
)
def test_thirty_steps_are_those_of_torch(optimizer, clip):
    ours, theirs = network(), network()
    theirs.double()
    our_steps, their_steps = optimizer(ours.parameters()), optimizer(theirs.parameters())
    chain = engine.compile(ours, SIZE)
    for step in range(30):
        images, labels = batch(step)
        chain.train(images, labels, None, our_steps, clip=clip)
        their_steps.zero_grad()
        F.cross_entropy(theirs(images.double()), labels).backward()
        if clip:
            nn.utils.clip_grad_norm_(theirs.parameters(), clip)
        their_steps.step()
    pairs = zip(ours.state_dict().items(), theirs.state_dict().values(), strict=True)
    for (name, mine), truth in pairs:
        torch.testing.assert_close(mine.double(), truth.double(), rtol=1e-3, atol=1e-3, msg=name)
    images, _ = batch(31)
    truth = theirs.eval()(images.double())
    torch.testing.assert_close(chain.logits(images).double(), truth, rtol=2e-3, atol=2e-3)


def test_an_optimizer_goes_from_the_engine_to_torch_and_back():
    """Its state is PyTorch's own: the other can take any step."""
    ours, theirs = network(), network()
    steps, truth = (
        torch.optim.AdamW(net.parameters(), lr=0.01, fused=True) for net in (ours, theirs)
    )
    chain, all_along = engine.compile(ours, SIZE), engine.compile(theirs, SIZE)
    for step in range(6):
        all_along.train(*batch(step), None, truth)
        if step % 2:
            chain.step(*batch(step))
            steps.step()
        else:
            chain.train(*batch(step), None, steps)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)
        assert steps.state[a]["step"] == truth.state[b]["step"] == 6


def trained(threads: int, seed: int = 3) -> nn.Sequential:
    torch.set_num_threads(threads)
    net = network(nn.Dropout(0.3))
    steps = torch.optim.AdamW(net.parameters(), lr=0.01)
    chain = engine.compile(net, SIZE)
    for step in range(5):
        chain.train(*batch(step, 77), None, steps, clip=0.5, seed=seed + step)
    return net


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_same_seed_and_threads_give_the_same_bits(threads):
    one = trained(threads)
    assert_same_bits(one, trained(threads))
    other = trained(threads, seed=4)
    assert not torch.equal(one[0].weight, other[0].weight)


@pytest.mark.parametrize("norm", [nn.BatchNorm2d(1), nn.BatchNorm1d(3)], ids=["maps", "features"])
def test_one_value_a_channel_is_a_sentence(norm):
    layers = [nn.Flatten(), nn.Linear(1, 3)]
    layers.insert(0 if isinstance(norm, nn.BatchNorm2d) else 2, norm)
    net = nn.Sequential(*layers)
    before = copy.deepcopy(net)
    chain = engine.compile(net, (1, 1, 1))
    with pytest.raises(UserError, match="one value a channel; expected a batch of two images"):
        chain.step(torch.ones(1, 1, 1, 1), torch.tensor([0]))
    assert_same_bits(net, before)
    assert chain.logits(torch.ones(1, 1, 1, 1)).shape == (1, 3)


def test_a_bad_image_leaves_running_statistics_as_they_were():
    net = network()
    chain = engine.compile(net, SIZE)
    before = copy.deepcopy(net)
    images, labels = batch()
    images[17, 0, 3, 3] = torch.nan
    with pytest.raises(UserError, match="image 17 of the batch holds NaN"):
        chain.step(images, labels)
    assert_same_bits(net, before)


@pytest.mark.parametrize("pool", [nn.MaxPool2d(1), nn.AvgPool2d(1)])
def test_a_pooling_of_single_places_behind_a_norm_changes_nothing(pool):
    """Where each map is one place, all channels are one row."""
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 6, 12), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(6, 4)
    plain, pooled = nn.Sequential(*layers), nn.Sequential(*layers[:3], pool, *layers[3:])
    images, labels = batch()
    engine.compile(plain, SIZE).step(images, labels)
    truth = [parameter.grad.clone() for parameter in plain.parameters()]
    engine.compile(pooled, SIZE).step(images, labels)
    for parameter, gradient in zip(pooled.parameters(), truth, strict=True):
        assert torch.equal(parameter.grad, gradient)


def test_a_bias_before_a_norm_has_no_gradient():
    """The norm takes away what all images have in common; PyTorch's is what was rounded."""
    torch.manual_seed(0)
    convolution, dense = nn.Conv2d(1, 5, 3), nn.Linear(125, 16)
    net = nn.Sequential(
        convolution, nn.BatchNorm2d(5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        dense, nn.BatchNorm1d(16), nn.Linear(16, 4),
    )  # fmt: skip
    engine.compile(net, SIZE).step(*batch())
    assert not convolution.bias.grad.any()
    assert not dense.bias.grad.any()
    assert all(layer.bias.grad.all() for layer in (net[1], net[6], net[7]))


def test_statistics_of_numbers_far_from_zero_are_exact():
    """Mean 1000, deviation 1: a sum of squares in float32 would leave nothing of the variance."""
    net = nn.Sequential(nn.BatchNorm2d(1, momentum=1.0), nn.Flatten(), nn.Linear(144, 4))
    images, labels = batch(count=500)
    images += 1000
    engine.compile(net, SIZE).step(images, labels)
    truth = images.double()
    torch.testing.assert_close(net[0].running_mean[0].double(), truth.mean(), rtol=1e-6, atol=0)
    torch.testing.assert_close(net[0].running_var[0].double(), truth.var(), rtol=1e-5, atol=0)


@pytest.mark.parametrize("kind", [nn.BatchNorm2d, nn.Dropout])
def test_a_layer_in_eval_mode_is_pytorchs_to_train(kind):
    net = network(nn.Dropout(0.5))
    for layer in net:
        if isinstance(layer, kind):
            layer.eval()
    chain = engine.compile(net, SIZE)
    with pytest.raises(engine.Unsupported, match="a batch norm or a dropout is in eval mode"):
        chain.step(*batch())
    before = net[1].running_mean.clone()
    steps = torch.optim.SGD(net.parameters(), 0.1)
    loss = nn.CrossEntropyLoss()
    d2l.train_epoch_ch3(net, [batch()], loss, steps)  # which puts the network in training mode
    assert not torch.equal(net[1].running_mean, before)
    chain.step(*batch())


UNUSUAL = {
    "without running statistics": nn.BatchNorm2d(5, track_running_stats=False),
    "cumulative": nn.BatchNorm2d(5, momentum=None),
    "of other channels": nn.BatchNorm2d(6),
    "of features": nn.BatchNorm1d(5),
    "dropout of maps": nn.Dropout2d(0.5),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_other_norms_and_dropouts_are_pytorchs(name):
    net = nn.Sequential(nn.Conv2d(1, 5, 3), UNUSUAL[name], nn.Flatten(), nn.Linear(500, 4))
    with pytest.raises(engine.Unsupported, match=r"does not know the layer 1: (BatchNorm|Dropout)"):
        engine.compile(net, SIZE)


# Dropout


def dropped(part: float, count: int = 200, seed: int = 1) -> Tensor:
    """Returns what a dropout makes of ones, (N, 30), seen through a dense layer's gradient."""
    net = nn.Sequential(nn.Dropout(part), nn.Flatten(), nn.Linear(30, 2, bias=False))
    nn.init.zeros_(net[2].weight)
    chain = engine.compile(net, (1, 5, 6))
    chain.step(torch.ones(count, 1, 5, 6), torch.zeros(count, dtype=torch.int64), seed=seed)
    return net[2].weight.grad[1] * 2


@pytest.mark.parametrize("part", [0.0, 0.2, 0.5, 1.0])
def test_dropout_keeps_the_mean(part):
    """The gradient of each weight is the mean of its input over the images."""
    mean = dropped(part, 5000)
    expected = 0.0 if part == 1 else 1.0
    torch.testing.assert_close(mean, torch.full((30,), expected), rtol=0, atol=0.1)
    assert part in (0.0, 1.0) or mean.unique().numel() > 10


def test_the_way_back_drops_what_was_dropped():
    """A weight before a dropout gets a gradient only where what it makes stayed."""
    net = nn.Sequential(
        nn.Flatten(), nn.Linear(4, 64, bias=False), nn.Dropout(0.5), nn.Linear(64, 2)
    )
    images = torch.rand(1, 1, 2, 2) + 0.5
    engine.compile(net, (1, 2, 2)).step(images, torch.tensor([1]), seed=5)
    stayed = (net[3].weight.grad[0] != 0).flatten()
    learned = (net[1].weight.grad != 0).any(1)
    assert torch.equal(stayed, learned)
    assert 15 < int(stayed.sum()) < 49
    scaled = 2 * net[3].weight.detach() * stayed
    logits = (images.flatten(1) @ net[1].weight.T) @ scaled.T + net[3].bias
    truth = (logits.softmax(1) - torch.tensor([[0.0, 1.0]])) @ scaled
    found = net[1].weight.grad / images.flatten()
    torch.testing.assert_close(found, truth.T.expand(64, 4), rtol=1e-4, atol=1e-6)


def test_what_is_dropped_follows_from_the_seed_alone():
    one = dropped(0.5, 33)
    assert torch.equal(one, dropped(0.5, 33))
    assert not torch.equal(one, dropped(0.5, 33, seed=2))
    torch.set_num_threads(3)  # threads add up in another order, and that is all
    torch.testing.assert_close(dropped(0.5, 33), one)


def test_without_a_seed_pytorchs_generator_is_asked():
    net = network(nn.Dropout(0.5))
    chain = engine.compile(net, SIZE)
    torch.manual_seed(7)
    one, two = chain.step(*batch()), chain.step(*batch())
    torch.manual_seed(7)
    assert chain.step(*batch()) == one != two
    assert torch.equal(chain.logits(batch()[0]), chain.logits(batch()[0]))  # nothing is dropped
