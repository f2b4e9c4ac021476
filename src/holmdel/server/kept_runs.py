"""A training's run folder, kept under a name of its own, where there is something to keep."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

from holmdel.checkpoint import save_model
from holmdel.classifier import Classifier
from holmdel.errors import UserError
from holmdel.server.errors import RequestError
from holmdel.server.training_state import State


def keepable(state: State, classifier: Classifier | None) -> Classifier:
    """Returns the model of a training, which is to be kept.

    Raises:
        RequestError: 409 if it runs, failed, or was stopped before its first batch.
    """
    if state.status == "failed":
        raise RequestError(409, f"training {state.id} cannot be kept: it failed")
    if state.status not in ("stopped", "finished"):
        raise RequestError(409, f"training {state.id} cannot be kept while it runs; stop it first")
    if classifier is None:
        raise RequestError(
            409, f"training {state.id} cannot be kept: it was stopped before its first batch"
        )
    return classifier


def kept_run(run: Path, runs: Path, free: Callable[[], Path], classifier: Classifier) -> Path:
    """Returns the new folder of a run; it appears there complete, by one rename.

    Args:
        run: the folder to copy.
        runs: where it goes.
        free: gives a name there that nothing has.
        classifier: its model.

    Raises:
        UserError: if it cannot be written.
    """
    hidden = runs / f".{run.parent.name}"
    try:
        shutil.copytree(run, hidden)
        save_model(hidden / "model.safetensors", classifier.network, classifier.header)
        while True:
            try:
                return hidden.rename(free())
            except OSError as error:  # another program took the name
                if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
    except OSError as error:
        raise UserError(
            f"the training cannot be kept in {runs} ({error.strerror or error}); free some "
            "disk space, or start the server with another --runs"
        ) from None
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
