"""What contenders train or infer: a network, images, a batch size."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
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
        images: uint8 (N, C, H, W).
        labels: int64 (N,).
        batch: examples a step.
        lr: of plain SGD.
    """

    build: Callable[[], nn.Sequential]
    images: Tensor
    labels: Tensor
    batch: int
    lr: float

    @property
    def input(self) -> Size:
        """The size (C, H, W) of an image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def rows(self) -> list[Tensor]:
        """Returns the rows of each whole batch of a shuffled pass: int64 (batch,) each."""
        order = torch.randperm(len(self.labels), generator=torch.Generator().manual_seed(0))
        whole = len(order) // self.batch
        return list(order[: whole * self.batch].view(whole, self.batch))

    def batches(self, layout: torch.memory_format) -> list[tuple[Tensor, Tensor]]:
        """Returns the same batches made ready: float32 (batch, C, H, W) in 0..1, and labels."""
        return [
            (self.images[rows].float().div(255).contiguous(memory_format=layout), self.labels[rows])
            for rows in self.rows()
        ]


def workload(make: Callable[[], nn.Module], batch: int, lr: float, side: int = 28) -> Workload:
    """Returns a network on handwritten digits of side x side pixels, with weights of seed 0.

    The digits ship with the package, so that nothing need be fetched; larger ones have a black
    border.
    """
    digits = load("digits").train
    border = side - digits.images.shape[-1]
    images = F.pad(digits.images, (border // 2, border - border // 2) * 2)
    times = -(-batch // len(digits))  # a batch may be larger than the data set
    images, labels = images.repeat(times, 1, 1, 1), digits.labels.repeat(times)
    return Workload(partial(_drawn, make), images, labels, batch, lr)


def lenet(batch: int, side: int = 28) -> Workload:
    """Returns the book's LeNet, at a learning rate at which its loss falls."""
    return workload(lambda: build("lenet", size=(side, side)), batch, 0.9, side)


def lenet_max(batch: int) -> Workload:
    """Returns `lenet-max` with ReLU, likewise."""
    return workload(lambda: build("lenet-max", activation="relu"), batch, 0.05)


def _drawn(make: Callable[[], nn.Module]) -> nn.Sequential:
    """Returns the network with weights drawn by seed 0; the caller's random numbers stay."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        network = make()
        draw_weights(network, "xavier")
    assert isinstance(network, nn.Sequential)
    return network


def multiply_adds(network: nn.Module, input: Size) -> int:
    """Returns the multiply-adds of a training step for one image.

    Forward, the gradients of the weights and those of the inputs have as many each; the first layer
    with weights needs none of its input.
    """
    macs = [layer.macs or 0 for layer in inspect(network, input).layers]
    return 3 * sum(macs) - next(count for count in macs if count)
