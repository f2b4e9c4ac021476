"""What turns gradients into steps: initial weights, optimizer, schedule, averaging."""

import math

import torch
from torch import nn

from holmdel.training.settings import TrainSettings


def draw_weights(network: nn.Module, init: str) -> None:
    """Draws the weights anew, in place.

    `xavier`: uniform, Glorot and Bengio (2010), equation 16, biases as PyTorch draws them, which is
    what the book's `train_ch6` does. `torch`: each layer's own default.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.reset_parameters()
            if init == "xavier":
                nn.init.xavier_uniform_(module.weight)


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
