"""Optimisation: initial weights, optimizer, learning rate schedules, average of the weights."""

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from holmdel.settings import TrainSettings


def draw_weights(network: nn.Module, init: str) -> None:
    """Draws the weights anew, in place.

    `xavier`: uniform, Glorot and Bengio (2010), equation 16, biases as PyTorch draws them, which is
    what the book's `train_ch6` does. `centred`: uniform by the fan-in, for ReLUs, biases 0, He et
    al., "Delving deep into rectifiers" (2015), equation 10, and the mean of each unit's weights
    taken away, as Huang et al., "Centered weight normalization" (2017), do at every step: inputs
    that are never negative then do not push all images' activations one way. `lecun`: uniform
    within 2.4 / fan-in, biases 0, LeCun et al. (1998), appendix A. `torch`: each layer's own
    default. Layers of other kinds have one way to be drawn, their own.
    """
    for module in network.modules():
        if callable(reset := getattr(module, "reset_parameters", None)):
            reset()
        if isinstance(module, nn.Conv2d | nn.Linear):
            _DRAWN[init](module)


def _xavier(layer: nn.Conv2d | nn.Linear) -> None:
    nn.init.xavier_uniform_(layer.weight)


def _centred(layer: nn.Conv2d | nn.Linear) -> None:
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    with torch.no_grad():
        layer.weight -= (
            layer.weight.flatten(1).mean(dim=1).reshape(-1, *[1] * (layer.weight.ndim - 1))
        )
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _lecun(layer: nn.Conv2d | nn.Linear) -> None:
    bound = 2.4 / layer.weight[0].numel()
    nn.init.uniform_(layer.weight, -bound, bound)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


_DRAWN: dict[str, Callable[[nn.Conv2d | nn.Linear], None]] = {
    "xavier": _xavier,
    "centred": _centred,
    "lecun": _lecun,
    "torch": lambda layer: None,
}


@contextmanager
def without_compiler() -> Iterator[None]:
    """Lets optimizers do without `torch._dynamo` where nobody has loaded it.

    Methods of theirs are kept from `torch.compile`, and load it for that when they are first
    called: a second or more, for nothing where nothing is compiled. PyTorch's own `step` loads it
    all the same; the native engine calls none.
    """
    methods = [] if "torch._dynamo" in sys.modules else _kept_from_compiler()
    for method in methods:
        vars(method)[_DISABLED] = method
    try:
        yield
    finally:
        for method in methods:
            vars(method).pop(_DISABLED, None)


_DISABLED = "__dynamo_disable"  # where torch keeps what it calls instead


def _kept_from_compiler() -> list[Callable[..., object]]:
    """Returns the optimizers' methods that torch has wrapped and that nobody has called yet."""
    names = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
    wrapped = [getattr(getattr(torch.optim.Optimizer, n), "__wrapped__", None) for n in names]
    return [method for method in wrapped if method and _DISABLED not in vars(method)]


def make_optimizer(network: nn.Module, settings: "TrainSettings") -> torch.optim.Optimizer:
    """Returns the optimizer of the settings; weight decay is for weights, not biases or norms."""
    groups = [
        {
            "params": [p for p in network.parameters() if p.ndim > 1],
            "weight_decay": settings.weight_decay,
        },
        {"params": [p for p in network.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=settings.lr, fused=True)
    nesterov = settings.momentum > 0
    return torch.optim.SGD(groups, lr=settings.lr, momentum=settings.momentum, nesterov=nesterov)


def learning_rate(schedule: str, lr: float, step: int, steps: int, warmup: float = 0.1) -> float:
    """Returns the learning rate of a step.

    `constant`: always `lr`. `onecycle`: a straight rise to `lr` over the warm-up, then half a
    cosine down to 0; Smith and Topin (2018), with the cosine of Loshchilov and Hutter (2017).
    `cosine`: the reader's; half a cosine from `lr` down to a hundredth of it, warmed up over the
    first 200 steps, or the first tenth where there are fewer.

    Args:
        schedule: one of these names.
        lr: the largest learning rate.
        step: counted from 0.
        steps: how many there are in all.
        warmup: part of the steps in which `onecycle` rises.
    """
    progress = step / steps
    if schedule == "constant":
        return lr
    if schedule == "cosine":
        warm = min(1.0, (step + 4) / min(200, 0.1 * steps + 4))
        return lr * (warm * (0.5 + 0.5 * math.cos(math.pi * step / steps)) * 0.99 + 0.01 * warm)
    if progress < warmup:
        return lr * progress / warmup
    down = (progress - warmup) / (1 - warmup)
    return lr * (1 + math.cos(math.pi * down)) / 2


@torch.no_grad()
def average_in(
    average: nn.Module, network: nn.Module, decay: float, count: int, warmup: int = 9
) -> None:
    """Moves the running average of weights and buffers a step towards the network, in place.

    Polyak and Juditsky (1992), exponentially forgetting; the first steps forget faster, so that the
    average does not remember the drawn weights.

    Args:
        average: of the same layers as the network.
        network: after a step.
        decay: the part of the average that stays, 0..1.
        count: steps so far; the decay is at most count / (count + warmup).
        warmup: the count at which that is a half.
    """
    weight = 1 - min(decay, count / (count + warmup))
    pairs = zip(average.state_dict().values(), network.state_dict().values(), strict=True)
    for mean, value in pairs:
        if mean.is_floating_point():
            mean.lerp_(value, weight)
        else:
            mean.copy_(value)
