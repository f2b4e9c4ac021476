"""The native engine's fused steps against torch.optim.SGD; the same calls give the same bits."""

import copy
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from holmdel import engine
from holmdel.data import load
from holmdel.images import ImageContract, to_input
from holmdel.networks import build

SIZE = (1, 12, 12)
PICTURES, BATCH, STEPS = 200, 33, 50
OPTIMIZERS = {
    "plain": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01},
    "decay": {"weight_decay": 0.1},
    "dampening": {"momentum": 0.9, "dampening": 0.5},  # a step of PyTorch's own
    "maximize": {"momentum": 0.9, "maximize": True},
}

pytestmark = pytest.mark.skipif(
    engine.status().name == "torch",
    reason="no compiled engine here: it is built where a C++ compiler is at hand",
)


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Conv2d(6, 5, 3), nn.Tanh(), nn.MaxPool2d(3, 1),
        nn.Flatten(), nn.Linear(5 * 2 * 2, 16), nn.ReLU(), nn.Linear(16, 7),
    )  # fmt: skip


def data(seed: int = 0) -> tuple[Tensor, Tensor]:
    chance = torch.Generator().manual_seed(seed)
    pictures = torch.randn(PICTURES, *SIZE, generator=chance)
    return pictures, torch.randint(7, (PICTURES,), generator=chance)


def rows_of(step: int) -> Tensor:
    """Returns a batch's rows, some of them more than once."""
    return torch.randint(PICTURES, (BATCH,), generator=torch.Generator().manual_seed(step))


def sgd(net: nn.Sequential, **options) -> torch.optim.SGD:
    """Returns SGD whose first layers learn slower than its last."""
    first, last = list(net[:6].parameters()), list(net[6:].parameters())
    return torch.optim.SGD([{"params": first, "lr": 0.05}, {"params": last}], lr=0.2, **options)


def assert_same_bits(one: nn.Module, two: nn.Module) -> None:
    for (name, a), b in zip(one.state_dict().items(), two.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.parametrize("options", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_fifty_steps_are_those_of_torch(options):
    ours, theirs = network(), network()
    ours_steps, their_steps = sgd(ours, **options), sgd(theirs, **options)
    ours_rates, their_rates = (
        torch.optim.lr_scheduler.StepLR(steps, 20, 0.5) for steps in (ours_steps, their_steps)
    )
    chain = engine.compile(ours, SIZE)
    pictures, labels = data()
    for step in range(STEPS):
        chain.train(pictures, labels, rows_of(step), ours_steps)
        for parameter, gradient in zip(theirs.parameters(), ours.parameters(), strict=True):
            parameter.grad = gradient.grad.clone()
        their_steps.step()
        ours_rates.step()
        their_rates.step()
        for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)
            kept, truth = ours_steps.state[a], their_steps.state[b]
            if truth.get("momentum_buffer") is not None:
                torch.testing.assert_close(
                    kept["momentum_buffer"], truth["momentum_buffer"], rtol=1e-6, atol=1e-6
                )


def test_a_step_by_hand():
    # two logits, w = 0, a picture 1 of class 0: p = 1/2, the gradient (-1/2, 1/2);
    # with momentum 1/2 and rate 1: w = (1/2, -1/2)
    net = nn.Sequential(nn.Flatten(), nn.Linear(1, 2, bias=False))
    nn.init.zeros_(net[1].weight)
    steps = torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.5)
    chain = engine.compile(net, (1, 1, 1))
    done = chain.train(torch.ones(1, 1, 1, 1), torch.tensor([0]), torch.tensor([0]), steps)
    assert done == (pytest.approx(0.693147, abs=1e-6), 1)
    torch.testing.assert_close(net[1].weight.detach(), torch.tensor([[0.5], [-0.5]]))
    kept = steps.state[net[1].weight]["momentum_buffer"]
    torch.testing.assert_close(kept, torch.tensor([[-0.5], [0.5]]))


def test_train_gives_what_step_and_the_optimizer_do():
    pictures, labels = data()
    fused, apart = network(), network()
    fused_steps, apart_steps = sgd(fused, momentum=0.9), sgd(apart, momentum=0.9)
    one, two = engine.compile(fused, SIZE), engine.compile(apart, SIZE)
    for step in range(5):
        rows = rows_of(step)
        done = one.train(pictures, labels, rows, fused_steps, label_smoothing=0.1)
        assert done == two.step(pictures[rows], labels[rows], label_smoothing=0.1)
        apart_steps.step()
        for a, b in zip(fused.parameters(), apart.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)
            b.data.copy_(a)
            apart_steps.state[b]["momentum_buffer"].copy_(fused_steps.state[a]["momentum_buffer"])


@pytest.mark.parametrize(
    ("name", "activation", "rate", "precision"),
    [
        ("lenet", "sigmoid", 0.5, 1e-5),
        ("lenet", "tanh", 0.3, 1e-5),
        ("lenet", "relu", 0.3, 1e-5),
        # Enlarged digits are full of near ties, which even PyTorch decides by its threads.
        ("lenet-max", "relu", 0.1, 1e-3),
    ],
)
def test_an_epoch_of_digits_has_pytorchs_loss_curve(name, activation, rate, precision):
    torch.set_num_threads(1)
    digits = load("digits").train
    pictures, labels = digits.images, digits.labels
    torch.manual_seed(0)
    ours = build(name, activation=activation)
    theirs = copy.deepcopy(ours)
    image = ImageContract()
    chain = engine.compile(ours, image)
    our_steps, their_steps = (
        torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9) for net in (ours, theirs)
    )
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    curve, truth = [], []
    for rows in order.split(64):
        curve.append(chain.train(pictures, labels, rows, our_steps).loss)
        their_steps.zero_grad()
        loss = F.cross_entropy(theirs(to_input(pictures[rows], image)), labels[rows])
        loss.backward()
        their_steps.step()
        truth.append(loss.item())
    assert curve == pytest.approx(truth, rel=precision)


def test_a_resumed_optimizer_goes_on_to_the_bit(tmp_path):
    pictures, labels = data()
    through, first = network(), network()
    steps = sgd(through, momentum=0.9)
    chain = engine.compile(through, SIZE)
    for step in range(10):
        chain.train(pictures, labels, rows_of(step), steps)

    steps = sgd(first, momentum=0.9)
    chain = engine.compile(first, SIZE)
    for step in range(4):
        chain.train(pictures, labels, rows_of(step), steps)
    torch.save((first.state_dict(), steps.state_dict()), tmp_path / "state.pt")

    weights, state = torch.load(tmp_path / "state.pt")
    second = network(seed=1)
    second.load_state_dict(weights)
    steps = sgd(second, momentum=0.9)
    steps.load_state_dict(state)
    chain = engine.compile(second, SIZE)
    for step in range(4, 10):
        chain.train(pictures, labels, rows_of(step), steps)
    assert_same_bits(second, through)


def test_frozen_parameters_get_no_gradient():
    net = network()
    net[0].weight.requires_grad_(False)
    pictures, labels = data()
    engine.compile(net, SIZE).step(pictures, labels)
    assert net[0].weight.grad is None
    assert net[0].bias.grad is not None


def trained(seed: int, threads: int = 2, steps: int = 20) -> nn.Sequential:
    torch.set_num_threads(threads)
    net = network(seed)
    optimizer = sgd(net, momentum=0.9)
    chain = engine.compile(net, SIZE)
    pictures, labels = data(seed)
    for step in range(steps):
        chain.train(pictures, labels, rows_of(step), optimizer)
    return net


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
def test_the_same_number_of_threads_gives_the_same_bits(threads):
    assert_same_bits(trained(0, threads), trained(0, threads))


def test_more_threads_than_blocks_of_pictures_do_no_harm():
    pictures, labels = data()
    net = network()
    chain = engine.compile(net, SIZE)
    alone = chain.step(pictures[:3], labels[:3])
    torch.set_num_threads(7)
    assert chain.step(pictures[:3], labels[:3]) == alone


def test_two_chains_in_two_threads_give_the_same_bits():
    alone = [trained(seed) for seed in (0, 1)]
    nets = [network(seed) for seed in (0, 1)]

    def train(seed: int) -> None:
        optimizer, chain = sgd(nets[seed], momentum=0.9), engine.compile(nets[seed], SIZE)
        pictures, labels = data(seed)
        for step in range(20):
            chain.train(pictures, labels, rows_of(step), optimizer)
            chain.logits(pictures[:5])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(train, (0, 1)))
    for net, truth in zip(nets, alone, strict=True):
        assert_same_bits(net, truth)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no os.fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_of_fork_gives_the_same_bits():
    net = network()
    chain = engine.compile(net, SIZE)
    pictures, labels = data()
    optimizer = sgd(net, momentum=0.9)
    chain.train(pictures, labels, rows_of(0), optimizer)  # the threads are there
    receive, send = os.pipe()
    child = os.fork()
    if not child:  # nothing of PyTorch's own threads here: they are not inherited
        loss = chain.train(pictures, labels, rows_of(1), optimizer).loss
        os.write(send, loss.hex().encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    loss = chain.train(pictures, labels, rows_of(1), optimizer).loss
    assert os.read(receive, 100).decode() == loss.hex()
    os.close(receive)
    os.close(send)


@pytest.mark.parametrize("call", ["step", "train", "logits"])
def test_the_chains_old_parameter_name_works_and_warns(call):
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    chain = engine.compile(network, (1, 2, 2))
    batch = {"pictures": torch.zeros(3, 1, 2, 2)}
    if call != "logits":
        batch["labels"] = torch.tensor([0, 1, 0])
    if call == "train":
        batch |= {"rows": None, "optimizer": torch.optim.SGD(network.parameters(), lr=0.1)}
    with pytest.warns(DeprecationWarning, match="'pictures' of .* is now 'images'"):
        getattr(chain, call)(**batch)
