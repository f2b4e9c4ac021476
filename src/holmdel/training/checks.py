"""The checks of an epoch on its way: whether its losses are sound; what is told of it."""

from typing import TYPE_CHECKING

from holmdel.training.callbacks import Callback, Progress
from holmdel.training.divergence import (
    EARLY,
    WINDOW,
    finite,
    refuse_dead,
    refuse_nan,
    refuse_silent,
)

if TYPE_CHECKING:
    from holmdel.training.job import Job
    from holmdel.training.state import State


def check(job: "Job", state: "State", checked: int, callbacks: Callback) -> None:
    """Checks the losses since the last check, and tells the progress.

    Args:
        job: what is trained.
        state: the training between two batches.
        checked: the batches of this epoch whose losses have been checked.
        callbacks: told of the progress.

    Raises:
        UserError: for a loss that is no number.
        DeadRun: if it sits at chance.
    """
    settings = job.settings
    losses = state.losses[: state.batch].cpu()
    refuse_nan(losses[checked:], checked, state.epoch, state.optimizer.param_groups[0]["lr"])
    done = state.epoch * job.batches + state.batch
    trained = min(state.batch * settings.batch_size, len(job.train))
    window = min(WINDOW, job.batches)
    if settings.dead_after and state.batch >= EARLY and state.batch % EARLY == 0:
        refuse_silent(state.network, losses[-EARLY:], job.classes, done)
    if settings.dead_after and done >= settings.dead_after and state.batch % window == 0:
        right = float(state.correct[state.batch - window : state.batch].sum())
        accuracy = right / min(window * settings.batch_size, trained)
        refuse_dead(losses[-window:], accuracy, job.classes, done)
    past = sum(epoch.seconds for epoch in state.history) + state.wall_seconds
    callbacks.batch(
        Progress(
            epoch=state.epoch + 1,
            epochs=settings.epochs,
            batch=state.batch,
            batches=job.batches,
            loss=finite(float(losses.mean())),
            accuracy=float(state.correct[: state.batch].sum()) / trained,
            examples_per_sec=trained / state.train_seconds,
            seconds_left=past / done * (job.batches * settings.epochs - done),
        )
    )
