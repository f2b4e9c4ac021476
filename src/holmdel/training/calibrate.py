"""Probabilities that mean what they say: one factor on the logits, folded into the last layer."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from holmdel.data.batches import permutation
from holmdel.evaluation import logits_and_labels
from holmdel.training.job import Job

LEAST, MOST = 0.1, 10.0  # of the factor
EXAMPLES = 10_000  # of the training split, where no validation split is kept


def calibrate(network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> float:
    """Scales a network's logits, in place, to the least cross-entropy; returns the factor.

    Temperature scaling, Guo et al., "On calibration of modern neural networks" (2017), section 4.2;
    the factor is 1 / T. It goes into the weights of the last layer that has any, so the network
    stays the one it was, and what it says too: only how sure it is changes.

    Args:
        network: from (N, C, H, W) to logits (N, classes), linear behind its last layer of weights.
        batches: pairs of (pictures (N, C, H, W), labels (N,)).
    """
    said, truly = logits_and_labels(network, batches)
    factor = _best_factor(said.double(), truly)
    last = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)][-1]
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.mul_(factor)
    return factor


def _best_factor(logits: Tensor, labels: Tensor) -> float:
    """Returns the factor between `LEAST` and `MOST` of the least cross-entropy, by bisection.

    The cross-entropy is convex in the factor, so its slope changes its sign once.
    """
    of_truth = logits.gather(1, labels[:, None]).mean()
    low, high = LEAST, MOST
    while high - low > 1e-6:
        factor = (low + high) / 2
        slope = ((logits * factor).softmax(1) * logits).sum(1).mean() - of_truth
        low, high = (factor, high) if slope < 0 else (low, factor)
    return (low + high) / 2


def calibration_batches(job: Job, seed: int) -> Iterable[tuple[Tensor, Tensor]]:
    """Returns what to calibrate on: the validation split, or distorted training pictures."""
    if job.validation is not None:
        return job.in_order(job.validation)
    return _distorted(job, seed)


def _distorted(job: Job, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Gives the first batches of the epoch that would come next."""
    epoch = job.settings.epochs
    order = permutation(len(job.train), seed, epoch).to(job.device)
    for batch in range(min(job.batches, -(-EXAMPLES // job.settings.batch_size))):
        yield job.draw(seed, epoch, batch, order)
