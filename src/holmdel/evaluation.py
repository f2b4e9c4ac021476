"""Evaluates a network over batches: loss, accuracy, confusion matrix and calibration error."""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from holmdel.notebook import html_table

# A network, or another function from a batch of images to logits (N, classes).
Answer: TypeAlias = nn.Module | Callable[[Tensor], Tensor]
BINS = 15  # of confidence, for the calibration error; Guo et al. (2017) use 15


@dataclass(frozen=True)
class ClassFigures:
    """Precision, recall and F1 of one class, each in 0..1, and its true examples' count."""

    precision: float
    recall: float
    f1: float
    count: int

    def texts(self) -> tuple[str, str, str]:
        """Returns precision, recall and F1 as a table has them: a dash where nothing was there."""
        values = f"{self.precision:.3f}", f"{self.recall:.3f}", f"{self.f1:.3f}"
        return values if self.count else ("-", "-", "-")


@dataclass(frozen=True, repr=False)
class Evaluation:
    """What `evaluate` found.

    Attributes:
        probabilities: float32 (N, classes), on the CPU.
        labels: int64 (N,), on the CPU.
        loss: mean cross-entropy, natural logarithm.
        accuracy: the part classified right, 0..1.
        confusion: int64 (classes, classes); rows are the truth, columns the predictions.
        ece: expected calibration error over 15 bins, 0..1.
        classes: the label texts in the order of the columns; empty where they are not known.
        unknown: the part of the images that the model calls unknown, 0..1; None where it has no
            threshold for that.
        known_accuracy: the part of the others that is classified right, 0..1; None likewise, or
            where there are no others.
    """

    probabilities: Tensor
    labels: Tensor
    loss: float
    accuracy: float
    confusion: Tensor
    ece: float
    classes: tuple[str, ...] = ()
    unknown: float | None = None
    known_accuracy: float | None = None

    def __repr__(self) -> str:
        return (
            f"Evaluation(accuracy {self.accuracy:.4f}, loss {self.loss:.3f}, "
            f"calibration error {self.ece:.3f}, {self.count:,} images)"
        )

    def _repr_html_(self) -> str:
        """Returns what a notebook shows: the main figures above a row per class."""
        names = self.classes or range(len(self.confusion))
        rows = [
            (name, *own.texts(), own.count)
            for name, own in zip(names, self.per_class(), strict=True)
        ]
        return html_table(("class", "precision", "recall", "F1", "images"), rows, repr(self))

    @property
    def count(self) -> int:
        """How many examples were looked at."""
        return len(self.labels)

    def per_class(self) -> list[ClassFigures]:
        """Returns precision, recall and F1 of every class; 0 where nothing divides."""
        said, truly = self.confusion.sum(0).tolist(), self.confusion.sum(1).tolist()
        figures = []
        for right, said_count, true_count in zip(
            self.confusion.diagonal().tolist(), said, truly, strict=True
        ):
            precision = right / said_count if said_count else 0.0
            recall = right / true_count if true_count else 0.0
            both = precision + recall
            f1 = 2 * precision * recall / both if both else 0.0
            figures.append(ClassFigures(precision, recall, f1, true_count))
        return figures

    def most_confused(self, most: int = 5) -> list[tuple[int, int, int]]:
        """Returns up to `most` triples (truth, said, how often), the most frequent first."""
        wrong = self.confusion.clone()
        wrong.fill_diagonal_(0)
        rows, columns = wrong.nonzero(as_tuple=True)
        found = [(int(r), int(c), int(wrong[r, c])) for r, c in zip(rows, columns, strict=True)]
        return sorted(found, key=lambda triple: (-triple[2], triple[:2]))[:most]

    def worst(self, most: int = 25) -> Tensor:
        """Returns the indices (at most `most`,) of the surest mistakes, the surest first."""
        confidence, said = self.probabilities.max(dim=1)
        wrong = (said != self.labels).nonzero().flatten()
        order = confidence[wrong].argsort(descending=True, stable=True)
        return wrong[order][:most]

    def to_json(self) -> dict[str, Any]:
        """Returns the figures of the command line's JSON."""
        return {
            "accuracy": self.accuracy,
            "loss": self.loss,
            "count": self.count,
            "confusion": self.confusion.tolist(),
            "ece": self.ece,
        } | ({} if self.unknown is None else self._of_unknown())

    def _of_unknown(self) -> dict[str, Any]:
        return {"unknown": self.unknown, "known_accuracy": self.known_accuracy}

    def with_threshold(self, most: float) -> "Evaluation":
        """Returns the same, with what is called unknown.

        Args:
            most: the probability of all classes but the best, above which an image is unknown.
        """
        best = self.probabilities.argmax(dim=1, keepdim=True)
        known = self.probabilities.scatter(1, best, 0).sum(dim=1) <= most
        right = (best[:, 0] == self.labels)[known].float().mean().item() if known.any() else None
        unknown = 1 - known.float().mean().item()
        return replace(self, unknown=unknown, known_accuracy=right)


def evaluate(answer: Answer, batches: Iterable[tuple[Tensor, Tensor]]) -> Evaluation:
    """Returns loss, accuracy, confusion and calibration of a network over batches.

    A module is put into eval mode and back into the mode it was in.

    Args:
        answer: from (N, C, H, W) to logits (N, classes).
        batches: pairs of (images (N, C, H, W) as `answer` takes them, labels (N,)).
    """
    return assess(*logits_and_labels(answer, batches))


def logits_and_labels(
    answer: Answer, batches: Iterable[tuple[Tensor, Tensor]]
) -> tuple[Tensor, Tensor]:
    """Returns what a network says of batches: logits float32 (N, classes), labels (N,), on the CPU.

    Arguments and modes as `evaluate`.
    """
    logits, labels = [], []
    with evaluating(answer):
        for images, truth in batches:
            logits.append(answer(images).float())
            labels.append(truth)
    return torch.cat(logits).cpu(), torch.cat(labels).cpu()


def loss_and_accuracy(
    answer: Answer, batches: Iterable[tuple[Tensor, Tensor]]
) -> tuple[float, float]:
    """Returns (mean cross-entropy, accuracy in 0..1): the two figures of an epoch, cheaply.

    All batches are answered first: PyTorch's threads, which the losses wake, stay awake for some
    milliseconds, and would be in the way of the engine's.

    Arguments and modes as `evaluate`.
    """
    loss = correct = torch.zeros(())
    count = 0
    with evaluating(answer):
        for logits, labels in [(answer(images).float(), truth) for images, truth in batches]:
            loss = loss + F.cross_entropy(logits, labels, reduction="sum").cpu()
            correct = correct + (logits.argmax(1) == labels).sum().cpu()
            count += len(labels)
    return float(loss) / count, float(correct) / count


def assess(logits: Tensor, labels: Tensor) -> Evaluation:
    """Returns the evaluation of logits (N, classes) against labels (N,), both on the CPU."""
    classes = logits.shape[1]
    probabilities = logits.softmax(dim=1)
    confidence, said = probabilities.max(dim=1)
    pairs = torch.bincount(labels * classes + said, minlength=classes * classes)
    return Evaluation(
        probabilities=probabilities,
        labels=labels,
        loss=float(F.cross_entropy(logits, labels)),
        accuracy=float((said == labels).double().mean()),
        confusion=pairs.reshape(classes, classes),
        ece=calibration_error(confidence, said == labels),
    )


def calibration_error(confidence: Tensor, correct: Tensor) -> float:
    """Returns the expected calibration error, 0..1, over 15 bins of equal width.

    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (2017), equation 3.

    Args:
        confidence: float (N,) in 0..1, the probability of what was said.
        correct: bool (N,), whether it was right.
    """
    bins = (confidence * BINS).ceil().clamp(1, BINS).long() - 1
    gap = torch.zeros(BINS, dtype=torch.float64)
    gap.index_add_(0, bins, confidence.double() - correct.double())
    return float(gap.abs().sum() / len(confidence))


@contextmanager
def evaluating(answer: Answer) -> Iterator[None]:
    """Puts a module into eval mode without gradients, and each part back into its own mode."""
    with in_eval_mode(answer), torch.inference_mode():
        yield


@contextmanager
def in_eval_mode(answer: Answer) -> Iterator[None]:
    """Puts a module into eval mode, and each of its parts back into the mode it was in.

    A function that is no module has no mode, and stays as it is.
    """
    if not isinstance(answer, nn.Module):
        yield
        return
    modes = [(part, part.training) for part in answer.modules()]
    answer.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


def chance(classes: int) -> tuple[float, float]:
    """Returns the (loss, accuracy) of guessing evenly: (ln(classes), 1 / classes).

    >>> loss, accuracy = chance(10)
    >>> f"{loss:.4f} {accuracy}"
    '2.3026 0.1'
    """
    return math.log(classes), 1 / classes
