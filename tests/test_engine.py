"""The native engine against PyTorch in float64: random chains, every set of instructions.

The seeds are the numbers in the tests' names; a failure prints the chain that it met.
"""

import copy
import random
from functools import lru_cache
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from holmdel import engine
from holmdel.engine.library import INSTRUCTIONS
from holmdel.errors import UserError
from holmdel.images import ImageContract, to_input

SEEDS = [*range(8), *(pytest.param(seed, marks=pytest.mark.exhaustive) for seed in range(8, 80))]
PRECISION = 1e-5  # relative, of the norm of every gradient
NORMED = 1e-4  # the same with batch norms: where a variance is small, errors grow
TIED = 3e-3  # the same where near ties stand behind them, one of which may fall otherwise
NORMS = {nn.BatchNorm1d, nn.BatchNorm2d}
CLEAR = 1e-5  # what lies nearer to a tie may fall to either side of it in float32
WORK = 20_000_000  # multiply-adds of a batch, forward
BATCHES = (1, 2, 15, 16, 17, 33, 50, 64, 100, 129, 257, 1000)
Shape = tuple[int, int, int]


class Case(NamedTuple):
    """A chain, and what it is asked."""

    network: nn.Sequential
    image: ImageContract
    classes: int
    batch: int
    as_bytes: bool
    threads: int
    smoothing: float


def draw(seed: int) -> Case:
    """Returns a random case whose work is bounded, its weights of unit gain."""
    dice = random.Random(seed)
    batch = dice.choice((*BATCHES, dice.randint(1, 1000)))
    while True:
        image = draw_image(dice)
        with torch.device("meta"):  # sizes alone, until one is taken
            layers = draw_layers(dice, image.input)
            if work(layers, image.input) * batch <= WORK:
                break
    chance = torch.Generator().manual_seed(seed)
    if NORMS & set(map(type, layers)):
        layers = without_ties(dice, layers) if dice.random() < 0.7 else layers
        batch = max(batch, 15)  # of a few, the variance is too near 0 to be divided by
    network = nn.Sequential(*layers).to_empty(device="cpu")
    for parameter in network.parameters():
        bound = (3 / parameter[0].numel()) ** 0.5 if parameter.ndim > 1 else 0.3
        nn.init.uniform_(parameter, -bound, bound, generator=chance)
    if dice.random() < 0.3:
        network = nn.Sequential(nn.Identity(), nn.Sequential(*network[:2]), *network[2:])
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.reset_parameters()
            for weights in (layer.weight, layer.bias) if layer.affine else ():
                nn.init.uniform_(weights, -1.5, 1.5, generator=chance)
            layer.running_mean.uniform_(-1, 1, generator=chance)
            layer.running_var.uniform_(0.5, 2, generator=chance)
    smoothing = dice.choice((0.0, 0.0, 0.1, dice.random()))
    classes = shape_behind(network, image.input)[0]
    return Case(network, image, classes, batch, dice.random() < 0.5, dice.randint(1, 4), smoothing)


def without_ties(dice: random.Random, layers: list[nn.Module]) -> list[nn.Module]:
    """Returns the layers with smooth ones in place of those that decide between two values.

    A batch norm has every picture depend on all of them, so none can be left out for a near tie.
    """
    smooth = {
        nn.ReLU: lambda layer: nn.SiLU(),
        nn.LeakyReLU: lambda layer: nn.GELU(),
        nn.MaxPool2d: lambda layer: nn.AvgPool2d(
            layer.kernel_size, layer.stride, layer.padding, ceil_mode=layer.ceil_mode
        ),
    }
    return [smooth.get(type(layer), lambda layer: layer)(layer) for layer in layers]


def draw_image(dice: random.Random) -> ImageContract:
    channels = dice.choice((1, 1, 3, dice.randint(1, 8)))
    height, width = (dice.choice((dice.randint(1, 16), dice.randint(8, 64))) for _ in "HW")
    mean, std = dice.choice(((0.0, 1.0), (0.3, 0.4)))
    size, stored, enlarge = (channels, height, width), (channels, height, width), "none"
    if dice.random() < 0.3:  # a border around, uneven where the rest is odd
        stored = channels, max(1, height - dice.randint(0, 5)), max(1, width - dice.randint(1, 5))
        enlarge = "pad"
    return ImageContract(stored=stored, input=size, enlarge=enlarge, mean=mean, std=std)


def draw_layers(dice: random.Random, shape: Shape) -> list[nn.Module]:
    layers: list[nn.Module] = []
    layers += [draw_norm(dice, nn.BatchNorm2d, shape)] * (dice.random() < 0.1)
    for _ in range(dice.randint(0, 5)):
        layers.append(dice.choice((draw_convolution, draw_convolution, draw_pool))(dice, shape))
        shape = shape_behind(layers[-1], shape)
        layers += [draw_norm(dice, nn.BatchNorm2d, shape)] * (dice.random() < 0.3)
        layers += draw_activation(dice)
    if dice.random() < 0.2:  # the logits are a convolution's
        layers += [draw_convolution(dice, shape), *draw_activation(dice), nn.Flatten()]
        return layers
    layers.append(nn.Flatten())
    inputs = torch.Size(shape).numel()
    for outputs in (*(dice.randint(1, 90) for _ in range(dice.randint(0, 2))), dice.randint(2, 30)):
        layers.append(nn.Linear(inputs, outputs, bias=dice.random() < 0.7))
        layers += [draw_norm(dice, nn.BatchNorm1d, (outputs,))] * (dice.random() < 0.3)
        layers += draw_activation(dice)
        inputs = outputs
    return layers[: -1 if isinstance(layers[-1], nn.ReLU) else None]


def draw_norm(dice: random.Random, kind: type, shape: tuple[int, ...]) -> nn.Module:
    momentum = dice.choice((0.1, dice.random()))
    return kind(shape[0], dice.choice((1e-5, 1e-3)), momentum, affine=dice.random() < 0.8)


def draw_convolution(dice: random.Random, shape: Shape) -> nn.Module:
    channels = dice.choice((dice.randint(1, 8), dice.randint(1, 33)))
    groups = dice.choice([n for n in range(1, shape[0] + 1) if shape[0] % n == 0])
    groups = groups if dice.random() < 0.4 else 1
    channels = -(-channels // groups) * groups
    if dice.random() < 0.2:
        kernel = tuple(dice.choice((1, 3, 5, 7)) for _ in "HW")
        dilation = dice.choice((1, 1, 2, (1, 3)))
        return nn.Conv2d(
            shape[0], channels, kernel, padding="same", dilation=dilation, groups=groups
        )
    padding = dice.choice(((0, 0), (2, 2), (dice.randint(0, 3), dice.randint(0, 3))))
    kernel = draw_window(dice, shape[1] + 2 * padding[0], shape[2] + 2 * padding[1])
    stride = dice.choice(((1, 1), (1, 1), (2, 2), (dice.randint(1, 4), dice.randint(1, 4))))
    dilation = tuple(
        dice.randint(1, min(4, (side + 2 * p - 1) // (k - 1)))
        if k > 1 and dice.random() < 0.3
        else 1
        for side, p, k in zip(shape[1:], padding, kernel, strict=True)
    )
    bias = dice.random() < 0.7
    return nn.Conv2d(shape[0], channels, kernel, stride, padding, dilation, groups, bias)


def draw_pool(dice: random.Random, shape: Shape) -> nn.Module:
    if dice.random() < 0.2:
        return nn.AdaptiveAvgPool2d((dice.randint(1, shape[1]), dice.choice((1, None))))
    kernel = draw_window(dice, *shape[1:])
    if min(shape[1:]) >= 2 and dice.random() < 0.4:
        kernel = 2, 2
    stride = dice.choice((kernel, kernel, (dice.randint(1, 4), dice.randint(1, 4))))
    padding = dice.choice(((0, 0), tuple(dice.randint(0, k // 2) for k in kernel)))
    ceil, counts = dice.random() < 0.4, dice.random() < 0.5
    if dice.random() < 0.5:
        return nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil)
    return nn.AvgPool2d(kernel, stride, padding, ceil_mode=ceil, count_include_pad=counts)


def draw_window(dice: random.Random, height: int, width: int) -> tuple[int, int]:
    """Returns a kernel that fits: small, a row, a column, or all there is."""
    small = dice.randint(1, min(7, height)), dice.randint(1, min(7, width))
    return dice.choice((small, small, small, (1, small[1]), (small[0], 1), (height, width)))


def draw_activation(dice: random.Random) -> list[nn.Module]:
    kinds = ((), (nn.Sigmoid,), (nn.Tanh,), (nn.ReLU,), (nn.ReLU,), (nn.Tanh, nn.Sigmoid))
    smooth = (nn.SiLU,), (nn.GELU,), (lambda: nn.GELU("tanh"),), (nn.LeakyReLU,)
    return [kind() for kind in dice.choice(kinds if dice.random() < 0.7 else smooth)]


def shape_behind(layer: nn.Module, shape: Shape) -> Shape:
    behind = layer.eval()(torch.empty(1, *shape)).shape[1:]  # no running statistics change
    layer.train()
    return tuple(behind)


def work(layers: list[nn.Module], shape: Shape) -> int:
    """Returns multiply-adds a picture; a pooling's sums count as such."""
    total = 0
    for layer in layers:
        shape = shape_behind(layer, shape)
        size = torch.Size(shape).numel()
        if isinstance(layer, nn.Conv2d | nn.Linear):
            total += size * layer.weight[0].numel()
        elif isinstance(layer, nn.AvgPool2d | nn.MaxPool2d):
            total += size * layer.kernel_size[0] * layer.kernel_size[1]
        elif isinstance(layer, nn.BatchNorm2d):
            total += 8 * size
    return total


class Truth:
    """A case's pictures and labels, and what PyTorch makes of them in float64.

    Float32 may decide a near tie otherwise: which of two is the largest, on which side of zero a
    ReLU's input lies. Pictures that come near one anywhere in the chain are left out.
    """

    def __init__(self, case: Case, seed: int) -> None:
        chance = torch.Generator().manual_seed(seed)
        self.network = copy.deepcopy(case.network).double()
        self.gaps: Tensor = torch.empty(0)
        kinds = nn.ReLU | nn.LeakyReLU | nn.MaxPool2d
        ties = [layer for layer in self.network.modules() if isinstance(layer, kinds)]
        self.norms = any(type(layer) in NORMS for layer in self.network.modules())
        self.precision = (TIED if ties else NORMED) if self.norms else PRECISION
        hooks = [layer.register_forward_hook(self.watch) for layer in ties]
        taken: list[Tensor] = []
        while sum(map(len, taken)) < case.batch:
            more = draw_pictures(case, chance)
            taken.append(more if self.norms else self.clear(case, more))
        self.pictures = torch.cat(taken)[: case.batch]
        self.labels = torch.randint(case.classes, (case.batch,), generator=chance)
        self.logits = self.network(self.seen(case, self.pictures))
        loss = F.cross_entropy(self.logits, self.labels, label_smoothing=case.smoothing)
        loss.backward()
        self.loss = loss.item()
        self.correct = int((self.logits.argmax(1) == self.labels).sum())
        norms = [p.grad.norm().item() for p in self.network.parameters()]
        self.least = max(norms) if self.norms else 0.0  # a bias before a norm has none
        self.unsure = int((self.logits.topk(2).values.diff() > -CLEAR).sum()) if self.norms else 0
        for hook in hooks:
            hook.remove()
        with torch.no_grad():
            self.answers = self.network.eval()(self.seen(case, self.pictures))

    def seen(self, case: Case, pictures: Tensor) -> Tensor:
        return (to_input(pictures, case.image) if case.as_bytes else pictures).double()

    @torch.no_grad()
    def clear(self, case: Case, pictures: Tensor) -> Tensor:
        self.gaps = torch.full((len(pictures),), torch.inf, dtype=torch.float64)
        logits = self.network(self.seen(case, pictures))
        if case.classes > 1:
            self.note(logits.topk(2).values.diff())
        return pictures[self.gaps > CLEAR]

    def watch(self, layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        if not torch.is_grad_enabled() and not self.norms:
            x = inputs[0]
            self.note(differences(layer, x, output.shape) if isinstance(layer, nn.MaxPool2d) else x)

    def note(self, gaps: Tensor) -> None:
        """Keeps each picture's smallest gap; exact ties are the same in float32."""
        gaps = torch.where(gaps == 0, torch.inf, gaps.abs()).flatten(1)
        self.gaps = torch.minimum(self.gaps, gaps.min(1).values)


def draw_pictures(case: Case, chance: torch.Generator) -> Tensor:
    """Returns some more pictures than the batch takes, bytes or floats."""
    count = case.batch + case.batch // 4 + 1
    if case.as_bytes:
        size = count, *case.image.stored
        return torch.randint(256, size, generator=chance, dtype=torch.uint8)
    return torch.randn(count, *case.image.input, generator=chance)


def differences(pool: nn.MaxPool2d, x: Tensor, behind: torch.Size) -> Tensor:
    """Returns by how much each window's largest value beats its second, (N, windows)."""
    (ky, kx), (sy, sx), (py, px) = pool.kernel_size, pool.stride, pool.padding
    bottom = (behind[2] - 1) * sy + ky - x.shape[2] - py
    right = (behind[3] - 1) * sx + kx - x.shape[3] - px
    x = F.pad(x, (px, max(0, right), py, max(0, bottom)), value=-torch.inf)
    windows = x.unfold(2, ky, sy).unfold(3, kx, sx).flatten(4)
    if windows.shape[4] == 1:
        return torch.ones(len(x), 1, dtype=x.dtype)
    return windows.topk(2).values.diff()


@lru_cache(maxsize=1)
def truth_of(seed: int) -> Truth:
    torch.set_num_threads(1)
    return Truth(draw(seed), seed)


def assert_near(
    found: Tensor, truth: Tensor, what: str, precision: float = PRECISION, least: float = 1e-25
) -> None:
    error = (found.double() - truth).norm().item()
    allowed = precision * max(truth.double().norm().item(), least)
    assert error <= allowed, f"{what}: {error} of {truth.norm()}"


@pytest.fixture
def instructions(request, monkeypatch) -> str:
    """Sets one set of instructions after the other; skips what this machine does not have."""
    monkeypatch.setenv("HOLMDEL_INSTRUCTIONS", request.param)
    try:
        engine.status()
    except UserError as error:
        pytest.skip(f"{error}")
    return request.param


@pytest.fixture
def threads():
    """Returns `torch.set_num_threads`; afterwards the number is what it was."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("instructions", INSTRUCTIONS, indirect=True)
@pytest.mark.parametrize("seed", SEEDS)
def test_loss_gradients_and_logits_are_float64_pytorchs(seed, instructions, threads):
    case = draw(seed)
    print(f"seed {seed}: {case}")  # noqa: T201 shown where the test fails
    truth = truth_of(seed)
    threads(case.threads)
    chain = engine.compile(case.network, case.image)
    found = chain.step(truth.pictures, truth.labels, label_smoothing=case.smoothing)
    assert found.loss == pytest.approx(truth.loss, rel=truth.precision, abs=1e-6)
    assert abs(found.correct - truth.correct) <= truth.unsure
    pairs = zip(case.network.named_parameters(), truth.network.parameters(), strict=True)
    for (name, parameter), double in pairs:
        assert_near(parameter.grad, double.grad, name, truth.precision, truth.least)
    for (name, buffer), double in zip(
        case.network.named_buffers(), truth.network.buffers(), strict=True
    ):
        assert_near(buffer, double, name, 1e-5, 1e-3)  # means may be near 0
    logits = truth.answers
    assert_near(chain.logits(truth.pictures), logits, "logits", 2 * PRECISION)
    for row in (0, case.batch - 1):  # one picture has a path of its own
        assert_near(chain.logits(truth.pictures[row : row + 1]), logits[row : row + 1], "one")


@pytest.mark.parametrize("instructions", INSTRUCTIONS, indirect=True)
@pytest.mark.parametrize("channels", [3, 12])
@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.AvgPool2d(2), nn.Identity()])
def test_one_picture_leaves_the_padding_of_the_next_layer_zero(pool, channels, instructions):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, channels, 3), nn.Sigmoid(), pool,  # odd rows of few channels, then a border
        nn.Conv2d(channels, 2, 3, padding=2), nn.Flatten(),
    )  # fmt: skip
    chain = engine.compile(network, (1, 12, 12))
    pictures = torch.randn(2, 1, 12, 12)
    for _ in range(2):  # what one picture leaves, the next one meets
        truth = network(pictures).detach()
        found = torch.cat([chain.logits(pictures[:1]), chain.logits(pictures[1:])])
        torch.testing.assert_close(found, truth, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(chain.logits(pictures), truth, rtol=1e-5, atol=1e-5)
