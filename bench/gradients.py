"""How exact the engine's gradients are: random chains against PyTorch in float64."""

import copy
import random
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from holmdel.benchmark.rounds import Conditions
from holmdel.errors import UserError

Size = tuple[int, int, int]

BAR = 1e-5
CHAINS_A_ROUND = 8
BATCHES = (1, 3, 16, 50, 100)
MARGIN = 3e-6  # float32 errs by less in these chains
ACTIVATIONS = (nn.Sigmoid, nn.Tanh, nn.ReLU)
POOLINGS = (nn.AvgPool2d, nn.MaxPool2d)


@dataclass(frozen=True)
class Errors:
    """The largest relative error of each chain.

    Attributes:
        errors: by chain, as `layer 1, layer 2, ..., batch N`: of the worst of its tensors, the
            largest difference over the largest gradient.
        skipped: chains, or the engine, that were not measured, and why.
    """

    errors: dict[str, float]
    skipped: dict[str, str]

    @property
    def worst(self) -> float | None:
        """The largest of all; None if nothing was measured."""
        return max(self.errors.values(), default=None)

    def to_json(self) -> dict[str, Any]:
        """Returns everything, JSON-ready."""
        return {"bar": BAR, "worst": self.worst, "errors": self.errors, "skipped": self.skipped}

    def lines(self) -> list[str]:
        """Returns the worst error for people."""
        found = f"{self.worst:.1e}" if self.worst is not None else "not measured"
        head = f"gradients of {len(self.errors)} random chains against float64: {found}"
        lines = [f"{head}, relative; bar {BAR:.0e}"]
        return lines + [f"  skipped: {name} ({why})" for name, why in self.skipped.items()]


def gradient_errors(conditions: Conditions) -> Errors:
    """Returns the errors of the engine's gradients, `CHAINS_A_ROUND` chains for each round."""
    errors: dict[str, float] = {}
    for seed in range(conditions.rounds * CHAINS_A_ROUND):
        numbers = random.Random(seed)
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(seed)
            network, input = random_chain(numbers)
            batch = numbers.choice(BATCHES)
            pictures = torch.rand(4 * batch, *input)
        exact = copy.deepcopy(network).double()
        pictures = pictures[_smooth(exact, pictures.double())][:batch]
        labels = torch.arange(len(pictures)) % 10
        try:
            error = _error(network, exact, pictures, labels)
        except (ImportError, UserError) as why:
            return Errors(errors, {"engine": str(why)})
        errors[f"{_told(network)}, {'x'.join(map(str, input))}, batch {len(pictures)}"] = error
    return Errors(errors, {})


def random_chain(numbers: random.Random) -> tuple[nn.Sequential, Size]:
    """Returns a chain of up to three convolutions and two dense layers, and its input (C, H, W)."""
    input = (numbers.choice((1, 3)), numbers.randint(16, 40), numbers.randint(16, 40))
    layers: list[nn.Module] = []
    shape = torch.empty(1, *input, device="meta")
    for _ in range(numbers.randint(1, 3)):
        kernel = numbers.choice((1, 3, 5))
        if min(shape.shape[2:]) < 2 * kernel:
            break
        convolution = nn.Conv2d(
            shape.shape[1],
            numbers.randint(1, 20),
            kernel,
            stride=numbers.choice((1, 1, 2)),
            padding=numbers.randint(0, kernel // 2),
        )
        layers += [convolution, numbers.choice(ACTIVATIONS)(), numbers.choice(POOLINGS)(2)]
        shape = copy.deepcopy(nn.Sequential(*layers[-3:])).to("meta")(shape)
    dense = [nn.Linear(shape[0].numel(), 30), numbers.choice(ACTIVATIONS)(), nn.Linear(30, 10)]
    return nn.Sequential(*layers, nn.Flatten(), *dense), input


@torch.no_grad()
def _smooth(network: nn.Sequential, pictures: Tensor) -> Tensor:
    """Tells at which pictures the gradient does not jump: bool (N,).

    Where a ReLU's input is all but 0, or the two largest of a window are all but equal, rounding
    decides which way the gradient goes, and neither way is wrong.

    Args:
        network: in float64.
        pictures: float64 (N, C, H, W).
    """
    smooth = torch.ones(len(pictures), dtype=torch.bool)
    x = pictures
    for layer in network:
        if isinstance(layer, nn.ReLU):
            smooth &= (x.abs() > MARGIN).flatten(1).all(1)
        elif isinstance(layer, nn.MaxPool2d):
            windows = x.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)
            first, second = windows.topk(2).values.unbind(-1)
            smooth &= ((first - second > MARGIN) | (first == 0)).flatten(1).all(1)
        x = layer(x)
    return smooth


def _error(network: nn.Sequential, exact: nn.Sequential, pictures: Tensor, labels: Tensor) -> float:
    """Returns the largest relative error of a gradient of the engine's."""
    from holmdel import engine

    channels, height, width = pictures.shape[1:]
    F.cross_entropy(exact(pictures.double()), labels).backward()  # type: ignore[no-untyped-call]
    engine.compile(network, (channels, height, width)).step(pictures, labels)
    return max(
        _difference(mine.grad, theirs.grad)
        for mine, theirs in zip(network.parameters(), exact.parameters(), strict=True)
    )


def _difference(mine: Tensor | None, exact: Tensor | None) -> float:
    assert mine is not None
    assert exact is not None
    largest = exact.abs().max()
    return float((mine - exact).abs().max() / largest) if largest else float(mine.abs().max())


def _told(network: nn.Sequential) -> str:
    return ", ".join(str(layer) for layer in network)
