"""The networks and the pictures that the steps are measured on."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from holmdel.data import load
from holmdel.inspection import inspect
from holmdel.networks import build
from holmdel.training.optimise import draw_weights

Size = tuple[int, int, int]


@dataclass(frozen=True)
class Workload:
    """A network, what it is trained on, and how.

    Attributes:
        build: gives the network, always with the same weights.
        pictures: uint8 (N, C, H, W).
        labels: int64 (N,).
        batch: examples a step.
        lr: of plain SGD.
    """

    build: Callable[[], nn.Sequential]
    pictures: Tensor
    labels: Tensor
    batch: int
    lr: float

    @property
    def input(self) -> Size:
        """The size (C, H, W) of a picture."""
        channels, height, width = self.pictures.shape[1:]
        return channels, height, width

    def rows(self) -> list[Tensor]:
        """Returns the rows of each whole batch of a shuffled pass: int64 (batch,) each."""
        order = torch.randperm(len(self.labels), generator=torch.Generator().manual_seed(0))
        whole = len(order) // self.batch
        return list(order[: whole * self.batch].view(whole, self.batch))

    def batches(self, layout: torch.memory_format) -> list[tuple[Tensor, Tensor]]:
        """Returns the same batches made ready: float32 (batch, C, H, W) in 0..1, and labels."""
        return [
            (
                self.pictures[rows].float().div(255).contiguous(memory_format=layout),
                self.labels[rows],
            )
            for rows in self.rows()
        ]


def workload(network: str, batch: int, side: int = 28) -> Workload:
    """Returns one of `NETWORKS_MEASURED` on handwritten digits of side x side pixels.

    The digits are scikit-learn's, so that nothing need be fetched; larger ones have a black border.
    """
    make, lr = NETWORKS_MEASURED[network]
    digits = load("digits").train
    border = side - digits.images.shape[-1]
    pad = (border // 2, border - border // 2) * 2
    pictures = nn.functional.pad(digits.images, pad)
    times = -(-batch // len(digits))  # a batch may be larger than the data set
    return Workload(
        lambda: _drawn(lambda: make(side)),
        pictures.repeat(times, 1, 1, 1),
        digits.labels.repeat(times),
        batch,
        lr,
    )


def multiply_adds(network: nn.Module, input: Size) -> int:
    """Returns the multiply-adds of a training step for one picture.

    Forward, the gradients of the weights and those of the inputs have as many each; the first layer
    with weights needs none of its input.
    """
    macs = [layer.macs or 0 for layer in inspect(network, input).layers]
    first = next(count for count in macs if count)
    return 3 * sum(macs) - first


def flattened(network: nn.Module) -> list[nn.Module]:
    """Returns the layers of a chain in the order they run, nested chains taken apart."""
    if isinstance(network, nn.Sequential):
        return [layer for part in network for layer in flattened(part)]
    return [] if isinstance(network, nn.Identity) else [network]


def plain_chain(side: int = 28) -> nn.Sequential:
    """Returns a chain of three convolutions that nothing was tuned for: (N, 1, H, W) to (N, 10)."""
    widths = (1, 12, 24, 32)
    poolings = (nn.MaxPool2d(2), nn.Identity(), nn.AvgPool2d(2))
    layers: list[nn.Module] = []
    for (into, out), padding, pool in zip(pairwise(widths), (1, 0, 0), poolings, strict=True):
        layers += [nn.Conv2d(into, out, kernel_size=3, padding=padding), nn.ReLU(), pool]
    left = (side // 2 - 2 - 2) // 2
    dense = [nn.Linear(32 * left * left, 64), nn.Tanh(), nn.Linear(64, 10)]
    return nn.Sequential(*layers, nn.Flatten(), *dense)


def _lenet(name: str, **options: str) -> Callable[[int], nn.Sequential]:
    def make(side: int) -> nn.Sequential:
        network = build(name, size=(side, side), **options)
        assert isinstance(network, nn.Sequential)
        return network

    return make


def _drawn(make: Callable[[], nn.Sequential]) -> nn.Sequential:
    """Returns the network with weights drawn by seed 0; the caller's random numbers stay."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network = make()
        draw_weights(network, "xavier")
    return network


# Each with a learning rate at which the loss falls.
NETWORKS_MEASURED: dict[str, tuple[Callable[[int], nn.Sequential], float]] = {
    "lenet": (_lenet("lenet"), 0.9),
    "lenet-max": (_lenet("lenet-max", activation="relu"), 0.05),
    "chain": (plain_chain, 0.05),
}
