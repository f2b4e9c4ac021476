"""What turns gradients into steps: initial weights, optimizer, schedule, averaging."""

import math
from collections.abc import Callable

import torch
from torch import nn

from holmdel.settings import TrainSettings


def draw_weights(network: nn.Module, init: str) -> None:
    """Draws the weights anew, in place.

    `xavier`: uniform, Glorot and Bengio (2010), equation 16, biases as PyTorch draws them, which is
    what the book's `train_ch6` does. `centred`: uniform by the fan-in, for ReLUs, biases 0, He et
    al., "Delving deep into rectifiers" (2015), equation 10, and the mean of each unit's weights
    taken away, as Huang et al., "Centered weight normalization" (2017), do at every step: inputs
    that are never negative then do not push all pictures' activations one way. `lecun`: uniform
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


def make_optimizer(network: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
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


def learning_rate(settings: TrainSettings, progress: float) -> float:
    """Returns the learning rate at a progress of 0..1 through all steps.

    `onecycle`: a straight rise over the warm-up, then half a cosine down to 0; Smith and Topin
    (2018), with the cosine of Loshchilov and Hutter (2017).
    """
    if settings.schedule == "constant":
        return settings.lr
    if progress < settings.warmup:
        return settings.lr * progress / settings.warmup
    down = (progress - settings.warmup) / (1 - settings.warmup)
    return settings.lr * (1 + math.cos(math.pi * down)) / 2


@torch.no_grad()
def average_in(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Moves the running average of weights and buffers a step towards the network, in place.

    Polyak and Juditsky (1992), exponentially forgetting; the first steps forget faster, so that the
    average does not remember the drawn weights.
    """
    weight = 1 - min(decay, (1 + step) / (10 + step))
    for mean, value in zip(
        average.state_dict().values(), network.state_dict().values(), strict=True
    ):
        if mean.is_floating_point():
            mean.lerp_(value, weight)
        else:
            mean.copy_(value)
