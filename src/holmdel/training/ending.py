"""How a training ends: early, or no better than guessing."""

from dataclasses import replace
from typing import TYPE_CHECKING

from torch import nn

from holmdel.checkpoint import Header
from holmdel.evaluation import logits_and_labels
from holmdel.training.callbacks import Callback
from holmdel.training.divergence import ended_at_chance

if TYPE_CHECKING:
    from holmdel.training.job import Job
    from holmdel.training.state import State


def at_chance(job: "Job", state: "State", test_acc: float) -> str | None:
    """Returns the sentence on a training that ended no better than guessing, if it did."""
    counts = job.examples, len(job.test) or len(job.validation or ())
    right = state.history[-1].train_acc * counts[0] + test_acc * counts[1]
    share = float(job.train.labels.bincount().max()) / len(job.train)
    share = 1 / job.classes if job.settings.balance else share
    advice = ", or take --recipe modern" if job.settings.recipe == "book" else ""
    steps = len(state.history) * job.batches
    return ended_at_chance(right / sum(counts), sum(counts), share, steps, advice)


def stalled(job: "Job", state: "State", now: float | None = None) -> bool:
    """Tells whether the accuracy on the validation split has not risen for too many epochs.

    Args:
        job: says how many those are.
        state: its history has the accuracies.
        now: the accuracy of an epoch that is not in the history yet.
    """
    values = [epoch.val_acc or 0.0 for epoch in state.history] + ([] if now is None else [now])
    patience = job.settings.patience
    return 0 < patience < len(values) and max(values[-patience:]) <= max(values[:-patience])


def with_threshold(job: "Job", network: nn.Module, header: Header, callbacks: Callback) -> Header:
    """Returns the header with the threshold from which on an image is called unknown, if asked.

    As many held-out images as the settings allow are above it.
    """
    if not job.settings.unknown or job.validation is None:
        return header
    logits, _ = logits_and_labels(network, job.in_order(job.validation))
    probabilities = logits.softmax(dim=1)
    places = probabilities.argmax(dim=1, keepdim=True)
    others = probabilities.scatter(1, places, 0).sum(dim=1)
    threshold = float(others.quantile(1 - job.settings.unknown))
    callbacks.note(f"an image is unknown if all but its best class have more than {threshold:.2g}")
    return replace(header, unknown=threshold)
