"""K-fold cross-validation: as many trainings, each tested on another part of the examples."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch

from holmdel import data as data_sets
from holmdel.data import Dataset
from holmdel.errors import UserError
from holmdel.programs.own import Given
from holmdel.training.callbacks import Callback
from holmdel.training.preparation import load_for, name_of
from holmdel.training.run import Run, two_lines
from holmdel.training.train import new_folder, train


@dataclass(frozen=True)
class Folds:
    """The runs of a cross-validation.

    Attributes:
        runs: a run a fold; `fold-1` and so on in one folder.
    """

    runs: tuple[Run, ...]

    @property
    def accuracies(self) -> list[float]:
        """The accuracy of each run on its fold, 0..1."""
        return [run.test_acc for run in self.runs]

    @property
    def mean(self) -> float:
        """Their mean."""
        return fmean(self.accuracies)

    @property
    def spread(self) -> float:
        """Their standard deviation, as of a sample."""
        return stdev(self.accuracies)

    def summary(self) -> str:
        """Returns a line on the accuracies, and the book's two lines of means."""
        each = ", ".join(f"{accuracy:.3f}" for accuracy in self.accuracies)
        loss = fmean(run.loss for run in self.runs)
        right = fmean(run.train_acc for run in self.runs)
        speed = fmean(run.examples_per_sec for run in self.runs)
        return (
            f"test acc {self.mean:.3f}, standard deviation {self.spread:.3f}, of "
            f"{len(self.runs)} folds: {each}\n"
            f"{two_lines(loss, right, self.mean, speed, self.runs[0].device)}"
        )


def cross_validate(
    network: Given,
    data: Any = "fashion-mnist",
    *,
    folds: int = 5,
    out: str | Path | None = None,
    resume: bool = False,
    data_root: str | Path | None = None,
    callbacks: Callback | Iterable[Callback] | None = None,
    progress: data_sets.Progress | None = None,
    **settings: Any,
) -> Folds:
    """Trains as many times as there are folds, each time without one of them, and tests on that.

    The folds are of the training examples, of each class alike; a test part stays unseen.

    Args:
        network: as for `train`, and so are the others.
        data: likewise.
        folds: 2 or more.
        out: the folder of the run folders; if None, a new one under `runs/`.
        resume: go on with the trainings that `out` holds, and with the folds that are left.
        data_root: likewise.
        callbacks: likewise.
        progress: likewise.
        settings: likewise.

    Raises:
        UserError: as `train`, and if no class has as many examples as there are folds.
    """
    if folds < 2:
        raise UserError(f"folds was given as {folds}; expected a whole number from 2")
    dataset = load_for(network, data, data_root, progress, settings)
    sizes = dataset.train.labels.bincount()
    if folds > int(sizes.max()):
        raise UserError(
            f"folds was given as {folds}; the largest class has {int(sizes.max())} training images"
        )
    place = Path(out) if out is not None else new_folder(network, name_of(data))
    fold = fold_of(dataset.train.labels, folds)
    runs = []
    for number in range(folds):
        part = _without(dataset, fold == number)
        path = place / f"fold-{number + 1}"
        run = train(network, part, out=path, resume=resume, callbacks=callbacks, **settings)
        runs.append(run)
    return Folds(tuple(runs))


def fold_of(labels: torch.Tensor, folds: int) -> torch.Tensor:
    """Returns the fold of each example, int64 (N,): each class spread evenly, alike each time."""
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    by_class = order[labels[order].argsort(stable=True)]
    found = torch.empty_like(labels)
    found[by_class] = torch.arange(len(labels)) % folds
    return found


def _without(dataset: Dataset, held: torch.Tensor) -> Dataset:
    train, test = dataset.train.rows(~held), dataset.train.rows(held)
    return replace(dataset, train=train, test=test, notes=())
