"""A training that can be watched, held, stopped and kept."""

import errno
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from holmdel.checkpoint import save_model
from holmdel.classifier import Classifier
from holmdel.errors import UserError
from holmdel.server.models import Model, Models
from holmdel.server.refusals import Refusal
from holmdel.server.training_form import Value
from holmdel.server.training_state import Curve, State, figures
from holmdel.training.callbacks import Callback, Progress, Snapshot, Stopped
from holmdel.training.history import Epoch
from holmdel.training.train import new_folder, train

LOOK_SECONDS = 0.2  # between two looks at the weights, at least
LOOK_SHARE = 0.1  # of the time, at most, goes into looking
HEED_SECONDS = 5.0  # that a command waits for the training to heed it: one batch, as a rule


class Training(Callback):
    """A training in a thread of its own; this object is its callback.

    Args:
        id: what requests call it.
        network, data: what is trained on what.
        settings: as the request gave them.
        chosen: the same as `train` takes them.
        models: where the network is to be found while it trains.
    """

    def __init__(
        self,
        id: str,
        network: str,
        data: str,
        settings: Mapping[str, Value],
        chosen: Mapping[str, Value],
        models: Models,
    ) -> None:
        self._state = State(
            id=id, model=f"training-{id}", network=network, data=data, settings=dict(settings)
        )
        self._models = models
        self._folder = Path(tempfile.mkdtemp(prefix="holmdel-training-"))
        self._changed = threading.Condition()
        self._keeping = threading.Lock()
        self._held = self._stopping = self._forgotten = self._ended = False
        self._classifier: Classifier | None = None
        self._look_due = 0.0
        self._curve = Curve()
        self._thread = threading.Thread(
            target=self._run, args=(chosen,), name=self._state.model, daemon=True
        )
        self._thread.start()

    @property
    def state(self) -> State:
        """What there is to say of it now; another object whenever something has changed."""
        return self._state

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def hold(self) -> None:
        """Holds it after the batch that it is at, and waits a while for that."""
        with self._changed:
            self._held = True
            self._changed.wait_for(lambda: self._state.status != "running", HEED_SECONDS)

    def release(self) -> None:
        """Lets it go on."""
        with self._changed:
            self._held = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._state.status != "paused", HEED_SECONDS)

    def stop(self) -> None:
        """Ends it after the batch that it is at; the state is saved."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self) -> None:
        """Waits a while for its end."""
        self._thread.join(HEED_SECONDS)

    def keep(self, runs: Path) -> State:
        """Copies the run into a folder of its own, and adds its model; once only.

        Args:
            runs: the folder of run folders; the name follows from network and data.

        Raises:
            Refusal: 409 if it runs, failed, or was stopped before there were weights.
            UserError: if the folder cannot be written.
        """
        with self._keeping:
            state, classifier = self._state, self._classifier
            if state.kept is not None:
                return state
            if state.status not in ("stopped", "finished"):
                why = "failed" if state.status == "failed" else "has not ended; stop it first"
                raise Refusal(409, f"training {state.id} {why}, so it cannot be kept")
            if classifier is None:
                raise Refusal(409, f"training {state.id} was stopped before it had any weights")
            name = self._copy(runs, classifier).name
            self._models.put(Model(name, classifier, "training", state.data))
            return self._tell(kept=name)

    def forget(self) -> None:
        """Takes its model away and removes its files, at its end if it is not there yet."""
        self.stop()
        with self._changed:
            self._forgotten = True
            self._models.remove(self._state.model)
            ended = self._ended
        if ended:
            self._remove()

    def start(self, title: str, epochs: int) -> None:
        """Begins new curves."""
        self._curve = Curve()
        self._tell(status="running", history=(), points=(), progress=None)

    def batch(self, progress: Progress) -> None:
        """Notes the progress, and a point of the curve."""
        self._curve.add(progress)
        self._tell(progress=progress, points=self._curve.points)

    def epoch(self, history: Sequence[Epoch]) -> None:
        """Notes the figures of the epochs."""
        self._tell(history=figures(history))

    def note(self, sentence: str) -> None:
        """Notes the sentence."""
        self._tell(notes=(*self._state.notes, sentence))

    def between_batches(self, snapshot: Snapshot) -> None:
        """Shows the network now and then, waits where the training is held, stops it if asked."""
        if self._held or self._stopping or time.perf_counter() >= self._look_due:
            self._show(snapshot)
        if self._held and not self._stopping:
            with self._changed:
                self._tell(status="paused")
                self._changed.wait_for(lambda: self._stopping or not self._held)
                self._tell(status="running")
        if self._stopping:
            raise Stopped

    def _run(self, chosen: Mapping[str, Any]) -> None:
        """Trains from beginning to end."""
        state = self._state
        try:
            run = train(
                state.network,
                state.data,
                out=self._folder / "run",
                callbacks=self,
                progress=self._download,
                **chosen,
            )
            self._put(run.classifier)
            self._tell(status="finished")
        except Stopped:
            self._tell(status="stopped")
        except UserError as error:
            self._tell(status="failed", error=str(error))
        except BaseException as error:
            self._tell(status="failed", error=f"the training broke off: {error}")
            raise
        finally:
            with self._changed:
                self._ended = True
                forgotten = self._forgotten
            if forgotten:
                self._remove()

    def _tell(self, **changes: Any) -> State:
        """Changes the state, and wakes who waits for that."""
        with self._changed:
            self._state = replace(self._state, **changes)
            self._changed.notify_all()
            return self._state

    def _show(self, snapshot: Snapshot) -> None:
        """Puts the network among the models as it is now, unless its weights are no numbers."""
        began = time.perf_counter()
        network, header = snapshot()
        if all(bool(torch.isfinite(weight).all()) for weight in network.parameters()):
            self._put(Classifier(network, header))
        now = time.perf_counter()
        self._look_due = now + max(LOOK_SECONDS, (now - began) / LOOK_SHARE)

    def _put(self, classifier: Classifier) -> None:
        state = self._state
        with self._changed:
            self._classifier = classifier
            if not self._forgotten:
                self._models.put(Model(state.model, classifier, "training", state.data))
            self._tell(weights=state.weights + 1)

    def _download(self, what: str, done: int, total: int) -> None:
        """Notes how far a download is; stops it if that was asked."""
        if self._stopping:
            raise Stopped
        begin = f"downloading {what}: "
        megabytes = f"{begin}{done // 1_000_000} of {total // 1_000_000} MB"
        if megabytes not in self._state.notes:
            others = [note for note in self._state.notes if not note.startswith(begin)]
            self._tell(notes=(*others, megabytes))

    def _copy(self, runs: Path, classifier: Classifier) -> Path:
        """Copies the run to a free name among the run folders, in one move; returns where."""
        hidden = runs / f".{self._folder.name}"
        try:
            shutil.copytree(self._folder / "run", hidden)
            save_model(hidden / "model.safetensors", classifier.network, classifier.header)
            taken = {model.name for model in self._models}
            while True:
                folder = new_folder(self._state.network, self._state.data, runs, taken)
                try:
                    return hidden.rename(folder)
                except OSError as error:  # another program was quicker
                    if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                        raise
        except OSError as error:
            raise UserError(
                f"the training cannot be kept in {runs} ({error.strerror or error}); free some "
                "space or start the server with another folder for runs"
            ) from None
        finally:
            shutil.rmtree(hidden, ignore_errors=True)

    def _remove(self) -> None:
        with self._keeping:
            shutil.rmtree(self._folder, ignore_errors=True)
