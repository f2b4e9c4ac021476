"""Networks whose ways meet again in sums, in the native engine, against PyTorch in float64.

The seeds are the numbers in the tests' names; a failure prints the network that it met.
"""

import copy
import random
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from holmdel import build, d2l, engine
from holmdel.engine.library import INSTRUCTIONS
from holmdel.errors import UserError
from holmdel.programs.exported import export
from holmdel.programs.program import build_program
from holmdel.training.folding import folded, with_batch_norm

SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(6, 60))]
PRECISION = 1e-4  # of gradients, where batch norms are; relative, of the largest tensor's norm
BATCHES = (2, 3, 15, 16, 17, 33, 50, 64, 100)
ACTIVATIONS = (nn.Sigmoid, nn.Tanh, nn.SiLU, nn.GELU)  # smooth: nothing is decided by rounding

pytestmark = pytest.mark.skipif(
    engine.status().name != "native", reason=f"needs the native engine: {engine.status()}"
)


@pytest.fixture(autouse=True)
def threads():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


class Sum(nn.Module):
    """What one way gives plus what another does, as a user would write it."""

    def __init__(self, one: nn.Module, other: nn.Module) -> None:
        super().__init__()
        self.one, self.other = one, other

    def forward(self, x: Tensor) -> Tensor:
        return self.one(x) + self.other(x)


def summed(one: nn.Module, other: nn.Module) -> nn.Module:
    """Returns the same as data, which the engine takes, without going through torch.export."""
    layers = {"one": record_of(one), "other": record_of(other)}
    calls = [call("a", "one", "%x"), call("b", "other", "%x"), call("sum", None, "%a", "%b")]
    record = {"kind": "Sum", "layers": layers, "inputs": ["x"], "calls": calls, "outputs": ["%sum"]}
    made = build_program(record)
    made.record = record
    return made


def record_of(module: nn.Module) -> dict[str, object]:
    """Returns a layer, a chain or a sum as data."""
    if not isinstance(module, nn.Sequential):
        return getattr(module, "record", None) or export(module, (1, 1, 1)).program
    names = ["x", *(f"v{i}" for i in range(len(module)))]
    layers = {f"l{i}": record_of(layer) for i, layer in enumerate(module)}
    calls = [call(names[i + 1], f"l{i}", f"%{names[i]}") for i in range(len(module))]
    record = {"kind": "Sequential", "layers": layers, "inputs": ["x"], "calls": calls}
    return record | {"outputs": [f"%{names[-1]}"]}


def call(name: str, layer: str | None, *arguments: str) -> dict[str, object]:
    operator = None if layer else "aten.add.Tensor"
    return {"name": name, "layer": layer, "operator": operator, "arguments": list(arguments)}


class Case(NamedTuple):
    network: nn.Module
    size: tuple[int, int, int]
    batch: int
    threads: int


def draw(seed: int) -> Case:
    """Returns a random network with sums: of maps, of features, one in the other."""
    dice = random.Random(seed)
    channels = dice.choice((1, 3, dice.randint(1, 6)))
    size = channels, dice.randint(3, 14), dice.randint(3, 14)
    torch.manual_seed(seed)
    maps = dice.randint(1, 9)
    layers = [draw_convolution(dice, channels, maps)] if dice.random() < 0.7 else []
    maps = maps if layers else channels
    for _ in range(dice.randint(1, 3)):
        wanted = dice.choice((maps, dice.randint(1, 20)))
        stride = dice.choice((1, 1, 2, (2, 1)))
        layers += [draw_sum(dice, maps, wanted, stride), *draw_activation(dice)]
        maps = wanted
        if dice.random() < 0.2:
            layers.append(nn.AvgPool2d(2, 1, padding=1))
    layers += [nn.AdaptiveAvgPool2d((dice.randint(1, 2), 1)), nn.Flatten()]
    features = torch.Size(nn.Sequential(*layers).eval()(torch.zeros(1, *size)).shape).numel()
    if dice.random() < 0.4:
        layers += [nn.Linear(features, 7), draw_row(dice)]
        features = 7
    network = nn.Sequential(*layers, nn.Linear(features, dice.randint(2, 12))).train()
    return Case(network, size, dice.choice(BATCHES), dice.randint(1, 4))


def draw_convolution(dice: random.Random, inputs: int, outputs: int) -> nn.Module:
    kernel = dice.choice((1, 3, 3, 5))
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=dice.random() < 0.7)


def draw_sum(dice: random.Random, inputs: int, outputs: int, stride) -> nn.Module:
    """Returns a block as of a residual network, in one of its forms."""
    first = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=dice.random() < 0.5)
    body = [*draw_norm(dice, inputs), *draw_activation(dice), first, *draw_norm(dice, outputs)]
    if dice.random() < 0.7:
        body += [*draw_activation(dice), draw_convolution(dice, outputs, outputs)]
        body += draw_norm(dice, outputs)
    if stride == 1 and inputs == outputs:
        around = dice.choice(([nn.Identity()], draw_activation(dice) or [nn.Identity()]))
        if dice.random() < 0.3:
            around = [summed(nn.Sequential(draw_convolution(dice, inputs, inputs)), nn.Identity())]
    else:
        around = [nn.Conv2d(inputs, outputs, 1, stride), *draw_norm(dice, outputs)]
    return summed(*dice.sample([nn.Sequential(*body), in_parts(around)], 2))


def in_parts(layers: list[nn.Module]) -> nn.Module:
    if isinstance(layers[0], nn.Identity) or len(layers) == 1:
        return layers[0]
    return nn.Sequential(*layers)


def draw_row(dice: random.Random) -> nn.Module:
    body = [nn.Linear(7, 7), *([nn.BatchNorm1d(7)] * (dice.random() < 0.5)), nn.Tanh()]
    return summed(nn.Sequential(*body), dice.choice((nn.Identity(), nn.Linear(7, 7))))


def draw_norm(dice: random.Random, maps: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(maps)] * (dice.random() < 0.5)


def draw_activation(dice: random.Random) -> list[nn.Module]:
    return [dice.choice(ACTIVATIONS)()] * (dice.random() < 0.7)


def expect_as_float64(case: Case, network: nn.Module | None = None) -> None:
    """Compares loss, gradients, running statistics and answers of one step."""
    network = case.network if network is None else network
    torch.set_num_threads(case.threads)
    truth = copy.deepcopy(network).double()
    images = torch.randn(case.batch, *case.size)
    logits = truth(images.double())
    labels = torch.randint(logits.shape[1], (case.batch,))
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    chain = engine.compile(network, case.size)
    assert chain.step(images, labels).loss == pytest.approx(loss.item(), rel=1e-4)
    largest = max(parameter.grad.norm().item() for parameter in truth.parameters())
    pairs = zip(network.named_parameters(), truth.parameters(), strict=True)
    for (name, mine), double in pairs:
        error = (mine.grad.double() - double.grad).norm().item()
        assert error <= PRECISION * largest, name
    for mine, double in zip(network.buffers(), truth.buffers(), strict=True):
        torch.testing.assert_close(mine.double(), double.double(), rtol=1e-4, atol=1e-4)
    network.eval(), truth.eval()
    with torch.no_grad():
        answers = truth(images.double()).float()
    torch.testing.assert_close(chain.logits(images), answers, rtol=1e-4, atol=1e-4)
    for row in (0, case.batch - 1):  # one image has a path of its own
        one = chain.logits(images[row : row + 1])
        torch.testing.assert_close(one, answers[row : row + 1], rtol=1e-4, atol=1e-4)
    network.train()


@pytest.mark.parametrize("instructions", INSTRUCTIONS)
@pytest.mark.parametrize("seed", SEEDS)
def test_sums_are_float64_pytorchs(seed, instructions, monkeypatch):
    monkeypatch.setenv("HOLMDEL_INSTRUCTIONS", instructions)
    try:
        engine.status()
    except UserError as error:
        pytest.skip(f"{error}")
    case = draw(seed)
    print(f"seed {seed}: {case}")  # noqa: T201 shown where the test fails
    expect_as_float64(case)


@pytest.mark.parametrize("batch", [5, 40])
def test_resnet8_and_its_batch_norms_run_in_the_engine(batch):
    torch.manual_seed(0)
    plain = build("resnet8", size=(12, 16), width=0.5)
    smooth(plain)
    for network in (plain, with_batch_norm(plain)):
        expect_as_float64(Case(network, (3, 12, 16), batch, threads=2))


def smooth(network: nn.Module) -> None:
    for name, child in network.named_children():
        if isinstance(child, nn.ReLU):
            setattr(network, name, nn.SiLU())
        else:
            smooth(child)


def test_the_books_blocks_run_in_the_engine():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), d2l.Residual(4, 4), d2l.Residual(4, 6, True, 2),
        nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(6, 5),
    )  # fmt: skip
    images = torch.rand(20, 1, 9, 9)
    network.eval()
    found = engine.compile(network, (1, 9, 9)).logits(images)
    torch.testing.assert_close(found, network(images).detach(), rtol=1e-4, atol=1e-5)


def test_ten_steps_are_those_of_torch():
    torch.manual_seed(1)
    mine = with_batch_norm(build("resnet8", size=(8, 8), width=0.25))
    smooth(mine)
    theirs = copy.deepcopy(mine)
    images, labels = torch.rand(48, 3, 8, 8), torch.randint(10, (48,))
    chain = engine.compile(mine, (3, 8, 8))
    steps, others = (torch.optim.SGD(n.parameters(), 0.05, 0.9) for n in (mine, theirs))
    for _ in range(10):
        chain.train(images, labels, None, steps)
        others.zero_grad()
        F.cross_entropy(theirs(images), labels).backward()
        others.step()
    for one, other in zip(mine.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=2e-4)
    mine.eval()
    torch.testing.assert_close(
        chain.logits(images), folded(mine)(images).detach(), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("threads", [1, 3])
def test_the_same_threads_give_the_same_bits(threads):
    def after(turns: int) -> list[Tensor]:
        torch.manual_seed(0)
        torch.set_num_threads(threads)
        network = with_batch_norm(build("resnet8", size=(8, 8), width=0.5))
        images, labels = torch.rand(70, 3, 8, 8), torch.randint(10, (70,))
        chain = engine.compile(network, (3, 8, 8))
        optimizer = torch.optim.AdamW(network.parameters(), 0.01)
        for _ in range(turns):
            chain.train(images, labels, None, optimizer)
        return list(network.state_dict().values())

    assert all(map(torch.equal, after(3), after(3)))


def block(calls: list[dict[str, object]], output: str, **layers: nn.Module) -> nn.Module:
    known = {name: record_of(layer) for name, layer in layers.items()}
    record = {"kind": "Block", "layers": known, "inputs": ["x"], "calls": calls}
    return build_program(record | {"outputs": [f"%{output}"]})


CONV = nn.Conv2d(2, 2, 3, padding=1)
REFUSED = {
    "another layer reads what is changed in place": block(
        [call("a", "relu", "%x"), call("b", None, "%x", "%a")], "b", relu=nn.ReLU(inplace=True)
    ),
    "other shapes": block(
        [call("a", "conv", "%x"), call("b", None, "%x", "%a")], "b", conv=nn.Conv2d(2, 2, 3)
    ),
    "nobody reads": block(
        [call("a", "conv", "%x"), call("b", "act", "%x"), call("c", "act", "%x")], "c",
        conv=CONV, act=nn.Tanh(),
    ),
    "another operator": block(
        [{**call("a", None, "%x", "%x"), "operator": "aten.mul.Tensor"}], "a"
    ),
    "three in a sum": block([{**call("a", None, "%x", "%x"), "named": {"alpha": 2}}], "a"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_sum_does_is_refused(name):
    pool = nn.AdaptiveAvgPool2d((1, 1))
    network = nn.Sequential(REFUSED[name], pool, nn.Flatten(), nn.Linear(2, 3))
    with pytest.raises(engine.Unsupported):
        engine.compile(network, (2, 6, 6))


def test_a_batch_that_takes_too_much_memory_is_pytorchs():
    network = with_batch_norm(build("resnet8", size=(96, 96)))
    chain = engine.compile(network, (3, 96, 96))
    with pytest.raises(engine.Unsupported, match=r"300 images take \d\.\d GiB; .* smaller batches"):
        chain.step(torch.zeros(300, 3, 96, 96), torch.zeros(300, dtype=torch.int64))


def test_a_users_own_forward_is_not_followed():
    network = nn.Sequential(Sum(CONV, nn.Identity()), nn.Flatten(), nn.Linear(72, 3))
    with pytest.raises(engine.Unsupported, match="does not know the layer 0: Sum"):
        engine.compile(network, (2, 6, 6))


def test_a_block_that_changes_has_the_chain_made_anew():
    network = build("resnet8", size=(8, 8), width=0.25).eval()
    chain = engine.compile(network, (3, 8, 8))
    images = torch.rand(3, 3, 8, 8)
    before = chain.logits(images)
    network.block2.relu2 = nn.Tanh()
    after = chain.logits(images)
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, network(images).detach(), rtol=1e-4, atol=1e-5)
    network.block2.around.register_forward_hook(lambda *_: None)
    with pytest.raises(engine.Unsupported, match=r"block2\.around has hooks"):
        chain.logits(images)
