"""A compiled chain follows its network's weights, however they change."""

import pytest
import torch
from torch import nn

from holmdel import engine
from holmdel.images import ImageContract

pytestmark = pytest.mark.skipif(
    engine.status().name == "torch",
    reason="no compiled engine here: it is built where a C++ compiler is at hand",
)
SIZE = (1, 6, 6)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 4 * 4, 3))


def assert_follows(chain: engine.Chain, net: nn.Module) -> None:
    """Checks logits of a batch and of one picture against PyTorch."""
    for count in (20, 1):
        pictures = torch.rand(count, *SIZE, generator=torch.Generator().manual_seed(count))
        with torch.no_grad():
            assert torch.allclose(chain.logits(pictures), net(pictures), atol=1e-5)


def shrink_data(net: nn.Sequential) -> None:
    net[3].weight.data.mul_(0.5)


def set_bias(net: nn.Sequential) -> None:
    net[0].bias.data.fill_(0.3)


def new_parameter(net: nn.Sequential) -> None:
    net[0].weight = nn.Parameter(torch.ones(4, 1, 3, 3))


def new_data(net: nn.Sequential) -> None:
    net[3].weight.data = net[3].weight.data.T.contiguous().T  # with gaps between its rows


def bias_with_gaps(net: nn.Sequential) -> None:
    net[0].bias = nn.Parameter(torch.arange(8.0)[::2])


def load_state(net: nn.Sequential) -> None:
    net.load_state_dict({k: v + 0.1 for k, v in net.state_dict().items()})


CHANGES = [shrink_data, set_bias, new_parameter, new_data, bias_with_gaps, load_state]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_chain_follows(change):
    net = network()
    chain = engine.compile(net, SIZE)
    assert_follows(chain, net)
    change(net)
    assert_follows(chain, net)


def test_a_frozen_chain_stays_as_it_was():
    net, before = network(), network()
    chain = engine.compile(net, SIZE, frozen=True)
    for change in CHANGES:
        change(net)
    assert_follows(chain, before)


def test_weights_made_for_inference_are_taken():
    with torch.inference_mode():
        net = network()
        assert_follows(engine.compile(net, SIZE), net)


@pytest.mark.parametrize("change", ["double", "another shape"])
def test_weights_of_another_kind_are_refused(change):
    net = network()
    chain = engine.compile(net, SIZE)
    pictures, labels = torch.rand(4, *SIZE), torch.zeros(4, dtype=torch.int64)
    if change == "double":
        net.double()
    else:
        net[3].weight = nn.Parameter(torch.ones(3, 2))
    for call in (lambda: chain.logits(pictures), lambda: chain.step(pictures, labels)):
        with pytest.raises(
            engine.Unsupported, match=r"(has another shape|is torch.float64 on cpu)"
        ):
            call()


@pytest.mark.parametrize("fault", ["shape", "type"])
def test_momentum_that_is_none_of_its_weight_is_pytorchs_matter(fault):
    net = network()
    chain = engine.compile(net, SIZE)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    wrong = torch.zeros(2) if fault == "shape" else torch.zeros(3, 64, dtype=torch.int64)
    optimizer.state[net[3].weight]["momentum_buffer"] = wrong
    with pytest.raises(RuntimeError):  # PyTorch's own sentence
        chain.train(torch.rand(4, *SIZE), torch.zeros(4, dtype=torch.int64), None, optimizer)


def test_a_frozen_weight_keeps_its_old_gradient():
    net = network()
    chain = engine.compile(net, SIZE)
    net[0].weight.grad = torch.ones_like(net[0].weight)
    net[0].weight.requires_grad_(False)
    chain.step(torch.rand(4, *SIZE), torch.zeros(4, dtype=torch.int64))
    assert torch.equal(net[0].weight.grad, torch.ones(4, 1, 3, 3))


@pytest.mark.parametrize(
    ("stored", "enlarge"), [((1, 4, 4), "none"), ((1, 8, 8), "pad"), ((3, 6, 6), "none")]
)
def test_pictures_that_do_not_become_what_the_network_sees_are_refused(stored, enlarge):
    contract = ImageContract(stored=stored, input=SIZE, enlarge=enlarge)
    with pytest.raises(engine.Unsupported, match=r"do not become \(1, 6, 6\)"):
        engine.compile(network(), contract)
