"""Settings tried out on Ray Tune: many short trainings, of which the better ones go on.

ASHA (Li et al., "A system for massively parallel hyperparameter tuning", 2020) stops the worse two
thirds at each rung. What is compared is the accuracy on a validation split, which is held out of
the training split; the test split is not looked at.
"""

import csv
import io
import logging
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from holmdel.errors import UserError
from holmdel.files import refuse_existing, write_bytes
from holmdel.scale.cluster import AUTO, connected, last_line, stand_in
from holmdel.scale.space import Range, Space
from holmdel.training.callbacks import Callback
from holmdel.training.history import Epoch
from holmdel.training.run import Run
from holmdel.training.train import train

METRIC = "val_acc"
VALIDATION = 0.1  # of the training split, where the settings do not say
THIRD = 3  # the part that goes on at each rung


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is tried out.

    Attributes:
        network: a name in `networks.NETWORKS`.
        data: a data set's name, a folder or a file that every node has.
        space: what is drawn for each trial.
        settings: that all trials share.
        out: the folder of the search; every node has it.
        trials: how many.
        epochs: of the longest.
        grace: epochs before a trial may be stopped.
        cpus: threads of a trial.
        seed: of what is drawn, and of each training.
        data_root: the data root that has the set.
    """

    network: str
    data: str
    space: Space
    settings: dict[str, Any] = field(default_factory=dict)
    out: Path
    trials: int = 20
    epochs: int = 10
    grace: int = 1
    cpus: int = 1
    seed: int = 0
    data_root: str | None = None


@dataclass(frozen=True)
class Trial:
    """One trial: its settings, how many epochs it had, the best accuracy, and its run folder."""

    settings: dict[str, Any]
    epochs: int
    val_acc: float
    folder: Path


def search(what: Search, *, ray: str = AUTO, resume: bool = False) -> list[Trial]:
    """Tries settings out; returns the trials, the best first, whose run folder is `OUT/best`.

    Args:
        what: is tried out.
        ray: the address of a cluster; `auto` for the one that runs here, or this machine.
        resume: go on with the search in `out`.

    Raises:
        UserError: for a mistake in the settings, or a cluster that cannot be used.
    """
    if not resume:
        refuse_existing(what.out, "give --resume to go on, or another --out")
    what = replace(what, out=what.out.resolve())
    what.out.mkdir(parents=True, exist_ok=True)
    with connected(ray):
        tuner = _tuner(what)
        logging.getLogger("ray.tune").setLevel(logging.ERROR)
        found = tuner.fit()
        trials = [
            _trial(result, what.out)
            for result in found
            if result.metrics and METRIC in result.metrics
        ]
        if not trials:
            why = last_line(found.errors[0]) if found.errors else "no reason was given"
            raise UserError(f"no trial came to its first epoch ({why})")
    trials.sort(key=lambda trial: -trial.val_acc)
    _keep(what.out, trials)
    _trained(what, trials[0].settings, what.out / "best", Callback())  # where it was stopped early
    return trials


def _tuner(what: Search) -> Any:
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")  # it prints what the command says itself
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler

    training = tune.with_parameters(_train, what=what, folder=str(Path.cwd()))
    trial = tune.with_resources(training, {"cpu": what.cpus})
    state = what.out / "tune"
    if state.exists() and tune.Tuner.can_restore(str(state)):
        return tune.Tuner.restore(str(state), trial, resume_errored=True)
    return tune.Tuner(
        trial,
        param_space={name: _drawn(tune, values) for name, values in what.space.items()},
        tune_config=tune.TuneConfig(
            metric=METRIC,
            mode="max",
            num_samples=what.trials,
            scheduler=ASHAScheduler(
                time_attr="epoch",
                max_t=what.epochs + 1,  # so that the last epoch is the training's own end
                grace_period=min(what.grace, what.epochs),
                reduction_factor=THIRD,
            ),
            search_alg=tune.search.basic_variant.BasicVariantGenerator(random_state=what.seed),
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(what.out),
            failure_config=tune.FailureConfig(max_failures=2),
            verbose=0,
        ),
    )


def _drawn(tune: Any, values: "list[Any] | Range") -> Any:
    """Returns a dimension of the space as Ray Tune has it."""
    if not isinstance(values, Range):
        return tune.choice(values)
    kind = f"{'log' if values.log else ''}{'randint' if values.whole else 'uniform'}"
    return getattr(tune, kind)(values.low, values.high + values.whole)


def _train(config: dict[str, Any], what: Search, folder: str) -> None:
    """Trains one trial in a worker, in a run folder of its own, which it may find begun."""
    import torch
    from ray import tune

    stand_in(folder)
    torch.set_num_threads(what.cpus)
    name = str(tune.get_context().get_trial_id())
    told = _Reports()
    run = _trained(what, config, what.out / "trials" / name, told)
    if not told.said:  # it was done before this worker began
        told.epoch(run.history)


def _trained(what: Search, config: dict[str, Any], out: Path, told: Callback) -> Run:
    """Returns a run of one draw; in a folder where it has begun it goes on."""
    settings: dict[str, Any] = {"validation": VALIDATION, **what.settings, **config}
    settings |= {"epochs": what.epochs, "seed": what.seed, "data_root": what.data_root}
    where: dict[str, Any] = {"out": out, "resume": True, "use_test": False, "callbacks": told}
    return train(what.network, what.data, **where, **settings)


class _Reports(Callback):
    """Tells Ray Tune of each epoch."""

    def __init__(self) -> None:
        self.said = False

    def epoch(self, history: list[Epoch]) -> None:
        """Reports the epoch's figures; the best accuracy so far is what counts."""
        from ray import tune

        self.said = True
        best = max(epoch.val_acc or 0.0 for epoch in history)
        last = history[-1]
        tune.report({METRIC: best, "loss": last.loss, "epoch": last.epoch})


def _trial(result: Any, place: Path) -> Trial:
    metrics = result.metrics
    folder = place / "trials" / str(metrics["trial_id"])
    return Trial(dict(result.config), int(metrics["epoch"]), float(metrics[METRIC]), folder)


def _keep(place: Path, trials: list[Trial]) -> None:
    """Writes the table, and the best run folder beside it."""
    names = sorted({name for trial in trials for name in trial.settings})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["val_acc", "epochs", *names, "folder"])
    for trial in trials:
        values = [trial.settings.get(name) for name in names]
        folder = trial.folder.relative_to(place)
        writer.writerow([f"{trial.val_acc:.4f}", trial.epochs, *values, folder])
    write_bytes(place / "trials.csv", text.getvalue().encode())
    shutil.rmtree(place / ".best.part", ignore_errors=True)
    shutil.copytree(trials[0].folder, place / ".best.part")
    shutil.rmtree(place / "best", ignore_errors=True)
    (place / ".best.part").replace(place / "best")
