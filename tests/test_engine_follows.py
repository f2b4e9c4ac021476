"""A compiled chain follows its network as it changes, or says why the engine cannot."""

import copy
import os
import pickle
import threading
from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune
from torch.optim.optimizer import register_optimizer_step_pre_hook

from holmdel import d2l, engine
from holmdel.errors import UserError

pytestmark = pytest.mark.skipif(
    engine.status().name == "torch",
    reason="no compiled engine here: it is built where a C++ compiler is at hand",
)
SIZE = (1, 6, 6)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3)
    )


def images(count: int = 20) -> Tensor:
    return torch.rand(count, *SIZE, generator=torch.Generator().manual_seed(count))


LABELS = torch.arange(20) % 3


def gradients(net: nn.Module) -> list[Tensor]:
    net.zero_grad()
    nn.functional.cross_entropy(net(images()), LABELS).backward()
    return [p.grad.clone() for p in net.parameters()]


def assert_follows(chain: engine.Chain, net: nn.Module) -> None:
    """Checks logits and gradients against PyTorch's of the network as it is now."""
    with torch.no_grad():
        for count in (20, 1):
            torch.testing.assert_close(chain.logits(images(count)), net(images(count)))
    truth = gradients(net)
    net.zero_grad()
    chain.step(images(), LABELS)
    for parameter, gradient in zip(net.parameters(), truth, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def replace_activation(net):
    net[1] = nn.Tanh()


def replace_convolution(net):
    net[0] = nn.Conv2d(1, 4, 3, bias=False)


def replace_dense(net):
    net[4] = nn.Linear(16, 7)


def append(net):
    net.append(nn.Tanh())


def insert(net):
    net.insert(1, nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.Sigmoid()))


def delete(net):
    del net[1]


def turn_around(net):
    net[1], net[2] = net[2], nn.Sigmoid()


def set_padding(net):
    net[0].padding, net[2].stride = (1, 1), 3


def another_class(net):
    net[1].__class__ = nn.Sigmoid


def drop_bias(net):
    net[0].bias = None


CHANGES = (
    replace_activation, replace_convolution, replace_dense, append, insert, delete, turn_around,
    set_padding, another_class, drop_bias,
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_chain_is_made_anew_where_its_network_changes(change):
    net = network()
    chain = engine.compile(net, SIZE)
    assert_follows(chain, net)
    change(net)
    assert_follows(chain, net)
    assert chain.classes == net(images()).shape[1]


def test_a_frozen_chain_stays_as_it_was():
    net, before = network(), network()
    chain = engine.compile(net, SIZE, frozen=True)
    for change in (replace_activation, replace_convolution):
        change(net)
        assert torch.allclose(chain.logits(images()), before(images()), atol=1e-5)


# What the engine does not call


def hook_a_layer(net):
    net[1].register_forward_hook(lambda *call: None)


def hook_the_network(net):
    net.register_full_backward_pre_hook(lambda *call: None)


def replace_forward(net):
    net[1].forward = torch.sigmoid


def prune_weights(net):
    prune.l1_unstructured(net[0], "weight", 0.5)


def parametrise(net):
    parametrize.register_parametrization(net[4], "weight", nn.Tanh())


def weight_norm(net):
    nn.utils.parametrizations.weight_norm(net[0])


def plain_weight(net):
    del net[4].weight
    net[4].weight = torch.ones(3, 16)


def unknown_layer(net):
    net[1] = nn.Softplus()


def unknown_setting(net):
    net[0].padding_mode = "circular"


OBSTACLES = (
    hook_a_layer, hook_the_network, replace_forward, prune_weights, parametrise, weight_norm,
    plain_weight, unknown_layer, unknown_setting,
)  # fmt: skip


@pytest.mark.parametrize("change", OBSTACLES, ids=lambda change: change.__name__)
def test_what_the_engine_does_not_know_any_more_is_a_sentence(change):
    net = network()
    chain = engine.compile(net, SIZE)
    chain.step(images(), LABELS)
    change(net)
    for call in (lambda: chain.logits(images()), lambda: chain.step(images(), LABELS)):
        with pytest.raises(engine.Unsupported, match=r"(layer|weight)"):
            call()
    assert engine.select(net, SIZE).chain is None  # and so PyTorch's


def test_what_was_pruned_for_good_is_taken_again():
    net = network()
    chain = engine.compile(net, SIZE)
    prune_weights(net)
    prune.remove(net[0], "weight")
    assert_follows(chain, net)


def test_hooks_of_all_modules_are_honoured():
    net, seen = network(), []
    chain = engine.compile(net, SIZE)
    handle = nn.modules.module.register_module_forward_hook(lambda *call: seen.append(1))
    try:
        with pytest.raises(engine.Unsupported, match="has hooks, which the engine does not call"):
            chain.logits(images())
        d2l.evaluate_accuracy(net, [(images(), LABELS)])
    finally:
        handle.remove()
    assert len(seen) == 6
    assert_follows(chain, net)


@pytest.mark.parametrize("register", ["register_hook", "register_post_accumulate_grad_hook"])
def test_a_hook_on_a_weight_is_called(register):
    """A mask on a gradient: the weights it covers stay as they are."""
    net = network()
    chain = engine.compile(net, SIZE)
    before = net[4].weight.detach().clone()

    def mask(given):
        if isinstance(given, nn.Parameter):
            given.grad.zero_()
            return None
        return given * 0

    getattr(net[4].weight, register)(mask)
    with pytest.raises(engine.Unsupported, match="has hooks, which the engine does not call"):
        chain.step(images(), LABELS)
    d2l.train_epoch_ch3(
        net, [(images(), LABELS)], nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), 1.0)
    )
    assert torch.equal(net[4].weight, before)
    assert not torch.equal(net[4].bias, network()[4].bias)


def test_the_books_loops_go_over_to_pytorch_in_the_middle_of_an_epoch(capsys):
    """A hook that comes with the second batch is called for that batch."""
    net, seen = nn.Sequential(OrderedDict(layers=network(), slope=nn.LeakyReLU())), []

    def batches():
        yield images(), LABELS
        net.slope.register_forward_hook(lambda *call: seen.append(1))
        yield images(), LABELS

    steps = torch.optim.SGD(net.parameters(), 0.1)
    for _ in range(2):
        d2l.train_epoch_ch3(net, batches(), nn.CrossEntropyLoss(), steps)
    assert len(seen) == 1 + 1 + 2  # the second epoch's last batch meets two hooks
    said = capsys.readouterr().err
    assert said.count("the layer slope has hooks, which the engine does not call") == 1  # once


def double_rate(optimizer, *call):
    optimizer.param_groups[0]["lr"] = 0.2


@pytest.mark.parametrize("register", ["own", "global", "replaced"])
def test_hooks_of_an_optimizer_are_called(register):
    net, truth = network(), network()
    steps = torch.optim.SGD(net.parameters(), 0.1)
    handle = None
    if register == "own":
        steps.register_step_pre_hook(double_rate)
    elif register == "global":
        handle = register_optimizer_step_pre_hook(double_rate)
    else:
        steps.step = lambda: [double_rate(steps), type(steps).step(steps)]
    engine.compile(net, SIZE).train(images(), LABELS, None, steps)
    if handle:
        handle.remove()
    gradients(truth)
    torch.optim.SGD(truth.parameters(), 0.2).step()
    for mine, theirs in zip(net.parameters(), truth.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)


# Odd tensors


def negated(tensor: Tensor) -> Tensor:
    """Returns the same numbers, as a view that says that its storage holds them negated."""
    view = torch._neg_view(-tensor)
    assert view.is_neg()
    return view


def test_negated_views_are_read_as_their_numbers():
    net = network()
    chain = engine.compile(net, SIZE)
    turned = torch.view_as_complex(torch.stack([images(), -images()], -1)).conj().imag
    assert turned.is_neg()
    for view in (negated(images()), turned):
        assert torch.equal(chain.logits(view), chain.logits(images()))
        assert torch.equal(chain.logits(view[:1]), chain.logits(images()[:1]))
        assert chain.step(view, LABELS) == chain.step(images(), LABELS)
    rows = torch.arange(20)
    steps = torch.optim.SGD(net.parameters(), 0.0)
    truth = chain.train(images(), LABELS, rows, steps)
    assert chain.train(images(), negated(LABELS), negated(rows), steps) == truth
    with torch.no_grad():
        net[4].weight = nn.Parameter(negated(net[4].weight))
        assert net[4].weight.is_neg()
    assert_follows(chain, net)
    steps = torch.optim.SGD(net.parameters(), 0.1)
    moved = net[4].weight.detach().clone()
    chain.train(images(), LABELS, rows, steps)
    torch.testing.assert_close(net[4].weight.detach(), moved - 0.1 * net[4].weight.grad)


ODD = {
    "list": (images().tolist(), "list"),
    "None": (None, "NoneType"),
    "array": (images().numpy(), "ndarray"),
    "nested": (torch.nested.nested_tensor([*images()], layout=torch.jagged), "a nested tensor"),
    "sparse": (images().to_sparse(), "a tensor of torch.sparse_coo"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_plain_tensor_is_a_sentence(name):
    given, said = ODD[name]
    net = network()
    chain, steps = engine.compile(net, SIZE), torch.optim.SGD(net.parameters(), 0.1)
    for call in (
        lambda: chain.logits(given),
        lambda: chain.step(given, LABELS),
        lambda: chain.train(given, LABELS, None, steps),
    ):
        with pytest.raises(UserError, match=f"^images were given as {said}; expected"):
            call()
    with pytest.raises(UserError, match=f"^labels were given as {said}; expected"):
        chain.step(images(), given)
    if given is not None:
        with pytest.raises(UserError, match=f"^rows were given as {said}; expected"):
            chain.train(images(), LABELS, given, steps)


# Sizes of nothing

NOTHING = {
    "pooling of 0": (lambda: nn.MaxPool2d(0), SIZE),
    "stride of 0": (lambda: nn.Conv2d(1, 2, 3, stride=0), SIZE),
    "pooling stride of 0": (lambda: nn.AvgPool2d(2, stride=0), SIZE),
    "kernel of 0": (lambda: nn.Conv2d(1, 2, 0, bias=False), SIZE),
    "no channels": (lambda: nn.Conv2d(1, 0, 1, bias=False), SIZE),
    "no channels in": (lambda: nn.Conv2d(0, 2, 1, bias=False), (0, 6, 6)),
    "no pixels": (nn.ReLU, (1, 0, 6)),
}


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("name", NOTHING)
def test_sizes_of_nothing_are_not_the_engines(name):
    make, size = NOTHING[name]
    layer = make()
    net = nn.Sequential(layer, nn.Flatten(), nn.Linear(4, 3))
    with pytest.raises(engine.Unsupported):
        engine.compile(net, size)
    assert engine.select(net, size).chain is None


@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_a_network_without_logits_is_not_the_engines():
    with pytest.raises(engine.Unsupported, match=r"the layer 1: Linear"):
        engine.compile(nn.Sequential(nn.Flatten(), nn.Linear(36, 0)), SIZE)


# Copies


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies_of_a_chain_work_and_are_their_own(how):
    net = network()
    chain = engine.compile(net, SIZE)
    truth = chain.logits(images())
    other = how(chain)
    del chain
    assert torch.equal(other.logits(images()), truth)
    assert (other.network is net) == (how is copy.copy)
    assert_follows(other, other.network)


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copies_of_a_frozen_chain_are_refused(how):
    chain = engine.compile(network(), SIZE, frozen=True)
    with pytest.raises(UserError, match=r"^a frozen chain was to be copied or pickled; compile"):
        how(chain)


# Forks


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no os.fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
def test_a_child_forked_while_another_thread_computes_answers():
    net = network()
    chain = engine.compile(net, SIZE)
    many = images(2000)
    truth, done = chain.logits(images()), threading.Event()

    def work():
        while not done.is_set():
            chain.step(many, torch.zeros(2000, dtype=torch.int64))

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(10):
            child = os.fork()
            if not child:  # the alarm ends a child that hangs
                __import__("signal").alarm(20)
                torch.set_num_threads(1)
                os._exit(0 if torch.equal(chain.logits(images()), truth) else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        done.set()
        thread.join()
        torch.set_num_threads(before)
