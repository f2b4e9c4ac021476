"""Divergence: losses that are no numbers, and runs that never leave chance."""

import math

import torch
from torch import Tensor, nn

from holmdel.errors import UserError
from holmdel.evaluation import chance

WINDOW = 100  # batches over which a run's loss and accuracy are compared with chance
LOSS_MARGIN = 0.02  # of ln(classes)
ACCURACY_MARGIN = 0.5  # of chance
EARLY = 10  # batches between two checks for a dead start, up to WINDOW
SIGMAS = 3.0  # standard deviations of guessing, above which a result is none
GAIN = 0.1  # of what guessing leaves to be gained, above which a result is none
FEW_STEPS = 1000


class DeadRun(UserError):  # noqa: N818 - a run is dead, not an error's name
    """A run that sits at chance; another seed may start."""


def refuse_nan(losses: Tensor, first: int, epoch: int, lr: float) -> None:
    """Raises a UserError that names the first batch whose loss is no number.

    Args:
        losses: float (B,), the losses of batches `first` and following.
        first: the first of them, counted from 0 in the epoch.
        epoch: counted from 0.
        lr: the learning rate in use.
    """
    broken = (~torch.isfinite(losses)).nonzero()
    if len(broken):
        batch = first + int(broken[0, 0]) + 1
        value = float(losses[broken[0, 0]])
        raise UserError(
            f"the loss became {value} in epoch {epoch + 1}, batch {batch}, at a learning rate of "
            f"{lr:.4g}; try a learning rate a tenth of that, or --find-lr"
        )


def refuse_dead(losses: Tensor, accuracy: float, classes: int, batch: int) -> None:
    """Raises a DeadRun if a window of batches is where guessing would be.

    Args:
        losses: float (B,), the losses of the window.
        accuracy: over the window, 0..1.
        classes: how many there are; guessing has a loss of ln(classes).
        batch: how many batches have been trained on.
    """
    guess_loss, guess_accuracy = chance(classes)
    loss = float(losses.mean())
    if _at_chance(loss, classes) and accuracy < (1 + ACCURACY_MARGIN) * guess_accuracy:
        raise DeadRun(
            f"the run is dead: after {batch} batches the loss is {loss:.4f} (guessing among "
            f"{classes} classes gives ln({classes}) = {guess_loss:.4f}) and the accuracy "
            f"{accuracy:.3f}, so no gradient reaches the first layers; try another --seed, "
            "--restarts 3, another --lr, or --activation relu"
        )


def refuse_silent(network: nn.Module, losses: Tensor, classes: int, batch: int) -> None:
    """Raises a DeadRun if the first layer gets no gradient at all and the loss is that of guessing.

    Where the ReLUs are 0 for every image, only the biases behind them still move, so more training
    does not help: He et al., "Delving deep into rectifiers" (2015), section 2.2, tells why deep
    networks come to this. NiN and GoogLeNet are known for it.

    Args:
        network: after a backward pass.
        losses: float (B,), the losses of the last batches.
        classes: how many there are; guessing has a loss of ln(classes).
        batch: how many batches have been trained on.
    """
    first = next(network.parameters()).grad
    if first is None or first.any() or not _at_chance(float(losses.mean()), classes):
        return
    raise DeadRun(
        f"the start is dead: after {batch} batches the loss is {float(losses[-1]):.4f} (guessing "
        f"among {classes} classes gives ln({classes}) = {chance(classes)[0]:.4f}) and the gradient "
        "of the first layer is exactly 0, so its ReLUs or those behind it are off for every "
        "image; try another --seed, --restarts 3, or a smaller --lr"
    )


def _at_chance(loss: float, classes: int) -> bool:
    """Tells whether a loss is where guessing would be."""
    guess, _ = chance(classes)
    return abs(loss - guess) < LOSS_MARGIN * guess


def ended_at_chance(
    right: float, count: int, share: float, steps: int, advice: str = ""
) -> str | None:
    """Returns the sentence on a training that ends no better than guessing; None for any other.

    Args:
        right: the part classified right of the examples looked at, 0..1.
        count: how many those are.
        share: of the most frequent class among the training examples, 0..1: what guessing reaches.
        steps: how many batches were trained on.
        advice: what to try besides more steps.

    >>> ended_at_chance(0.95, 1000, 0.1, 60) is None
    True
    """
    if not is_guessing(right, count, share):
        return None
    few = f"it took {steps:,} steps; give it more (more epochs, smaller batches)"
    what = few if steps < FEW_STEPS else "try another learning rate or seed"
    return (
        f"the training ended at chance: {right:.3f} right, where the most frequent class alone is "
        f"{share:.3f}; {what}{advice}"
    )


def is_guessing(right: float, count: int, share: float) -> bool:
    """Tells whether so much right of `count` is no more than guessing; arguments as above."""
    left = 1 - share
    return right < share + max(SIGMAS * math.sqrt(share * left / max(count, 1)), GAIN * left)


def finite(value: float) -> float:
    """Returns the value, or 0 where it is no number: for progress, never for results."""
    return value if math.isfinite(value) else 0.0
