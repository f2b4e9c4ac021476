"""A training in a thread, which can be followed, paused, stopped and kept."""

import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from holmdel.classifier import Classifier
from holmdel.errors import UserError
from holmdel.server.errors import RequestError
from holmdel.server.kept_runs import keepable, kept_run
from holmdel.server.live_model import LiveModel
from holmdel.server.training_state import ENDED, Curve, State, Value, figures
from holmdel.server.training_steps import Steps, Stride
from holmdel.training.callbacks import Callback, Progress, Snapshot, Stopped
from holmdel.training.history import Epoch
from holmdel.training.run import Run
from holmdel.training.train import new_folder, train

if TYPE_CHECKING:
    from holmdel.server.models import Models

HEED_SECONDS = 5.0  # a command waits so long for the training to follow it: one batch, usually


class Training(Callback):
    """A training in a thread of its own; this object is its callback.

    Args:
        id: what requests call it.
        network, data: the names of the network and the data set.
        settings: as the request gave them.
        chosen: the same as `train` takes them.
        models: gets the network while it trains.
        module: the user's own network; None for one of ours.
    """

    def __init__(
        self,
        id: str,
        network: str,
        data: str,
        settings: Mapping[str, Value],
        chosen: Mapping[str, Value],
        models: "Models",
        module: nn.Module | None = None,
    ) -> None:
        self._state = State(
            id=id, model=f"training-{id}", network=network, data=data, settings=dict(settings)
        )
        self._models = models
        self._live = LiveModel(self._state.model, data, models)
        self._network: str | nn.Module = network if module is None else module
        self._folder = Path(tempfile.mkdtemp(prefix="holmdel-training-"))
        self._steps = Steps(self._folder)
        self._changed = threading.Condition()
        self._keeping = threading.Lock()
        self._held = self._stopping = self._forgotten = self._ended = False
        self._curve = Curve()
        self._thread = threading.Thread(
            target=self._run, args=(chosen,), name=self._state.model, daemon=True
        )
        self._thread.start()

    @property
    def state(self) -> State:
        """Its state now; a new object whenever something has changed."""
        return self._state

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def hold(self) -> None:
        """Pauses it after the current batch, and waits up to `HEED_SECONDS` for that."""
        with self._changed:
            self._held = True
            self._changed.wait_for(lambda: self._state.status != "running", HEED_SECONDS)

    def release(self) -> None:
        """Continues it."""
        with self._changed:
            self._held = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._state.status != "paused", HEED_SECONDS)

    def step(self, stride: Stride) -> None:
        """Goes on for one batch, or to the end of the epoch, and pauses again.

        Raises:
            RequestError: 409 if it has ended.
        """
        self._expect_alive("go a step")
        with self._changed:
            self._steps.stride, self._steps.keeping, self._held = stride, True, False
            self._tell(status="running")

    def back(self) -> None:
        """Goes back to where the last step began, and pauses there.

        Raises:
            RequestError: 409 if it has ended, or no step was made.
        """
        self._expect_alive("go back")
        with self._changed:
            if not self._steps.back:
                raise RequestError(
                    409, f"training {self._state.id} cannot go back: it has made no step"
                )
            self._steps.stride, self._steps.backing, self._held = None, True, True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._steps.backing, HEED_SECONDS)

    def _expect_alive(self, what: str) -> None:
        if self._state.status in ENDED:
            raise RequestError(409, f"training {self._state.id} cannot {what}: it has ended")

    def stop(self) -> None:
        """Stops it after the current batch; its resume state is saved."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()

    def join(self) -> None:
        """Waits up to `HEED_SECONDS` for its end."""
        self._thread.join(HEED_SECONDS)

    def keep(self, runs: Path) -> State:
        """Copies the run folder to the kept runs and adds its model; a second call changes nothing.

        Args:
            runs: the folder of kept runs; the name of the run comes from network and data.

        Raises:
            RequestError: 409 if it runs, failed, or was stopped before its first batch.
            UserError: if the folder cannot be written.
        """
        with self._keeping:
            state = self._state
            if state.kept is not None:
                return state
            classifier = keepable(state, self._live.classifier)
            taken = {model.name for model in self._models}
            free = partial(new_folder, state.network, state.data, runs, taken)
            name = kept_run(self._folder / "run", runs, free, classifier).name
            self._models.put(name, classifier, "training", state.data)
            return self._tell(kept=name)

    def forget(self) -> None:
        """Stops it and removes its model; its files go when it has ended."""
        self.stop()
        self._live.remove()
        with self._changed:
            self._forgotten = True
            ended = self._ended
        if ended:
            self._remove()

    def start(self, title: str, epochs: int) -> None:
        """Begins new curves, unless it is taken up again."""
        if self._steps.again:
            self._steps.again = False
            self._heed()
            self._tell(status="running")
            return
        self._curve = Curve()
        self._tell(status="running", history=(), points=(), progress=None)

    def batch(self, progress: Progress) -> None:
        """Notes the progress, and a point of the curve."""
        self._steps.batches = 0
        self._curve.add(progress)
        self._tell(progress=progress, points=self._curve.points)

    def epoch(self, history: Sequence[Epoch]) -> None:
        """Notes the figures of the epochs; a step of an epoch ends here."""
        state = self._tell(history=figures(history))
        last = state.progress is not None and len(history) == state.progress.epochs
        if self._steps.stride == "epoch" and not last:
            self._held = True
        if not last:
            self._heed()

    def note(self, sentence: str) -> None:
        """Notes the sentence, once."""
        if sentence not in self._state.notes:
            self._tell(notes=(*self._state.notes, sentence))

    def between_batches(self, snapshot: Snapshot) -> None:
        """Shows the network now and then, waits while paused, and stops the training if asked."""
        self._steps.batches += 1
        stride = self._steps.stride
        wanted = stride or self._held or self._stopping or self._live.due
        if wanted and self._live.show(snapshot):
            self._tell(weights=self._state.weights + 1)
        if stride == "batch" and not self._steps.turning:
            self._held = True
            self._tell(progress=self._steps.ahead(self._state.progress))
        self._heed()

    def _heed(self) -> None:
        """Waits while paused; ends the training if it is to stop, or to be taken up again."""
        steps = self._steps
        if self._held and not self._stopping and not steps.turning:
            with self._changed:
                steps.stride = None
                self._tell(status="paused")
                self._changed.wait_for(lambda: self._stopping or steps.turning or not self._held)
                self._tell(status="paused" if steps.backing else "running")
        if self._stopping or steps.turning:
            raise Stopped

    def _run(self, chosen: Mapping[str, Any]) -> None:
        """Trains from beginning to end."""
        try:
            run = self._train(chosen)
            self._put(run.classifier)
            self._tell(status="finished")
        except Stopped:
            self._tell(status="stopped")
        except UserError as error:
            self._tell(status="failed", error=str(error))
        except BaseException as error:
            self._tell(status="failed", error=f"the training ended with an error: {error}")
            raise
        finally:
            with self._changed:
                self._ended = True
                forgotten = self._forgotten
            if forgotten:
                self._remove()

    def _train(self, chosen: Mapping[str, Any]) -> Run:
        """Returns the run, taken up again as often as a step begins or is taken back."""
        state, resume = self._state, False
        while True:
            try:
                return train(
                    self._network,
                    state.data,
                    out=self._folder / "run",
                    resume=resume,
                    callbacks=self,
                    progress=self._download,
                    **chosen,
                )
            except Stopped:
                if self._stopping or not self._steps.turning:
                    raise
                self._turn()
                resume = True

    def _turn(self) -> None:
        """Keeps the state where a step begins, or puts the last one that was kept in place."""
        steps, resume = self._steps, self._folder / "run" / "resume.safetensors"
        with self._changed:
            if steps.backing:
                kept = steps.restore(resume)
                told = kept.state
                self._curve = Curve(told.points)
                if kept.classifier is not None:
                    self._put(kept.classifier)
                self._tell(history=told.history, points=told.points, progress=told.progress)
            else:
                steps.keep(resume, self._state, self._live.classifier)
            steps.backing = steps.keeping = False
            steps.again, steps.batches = True, 0
            self._tell(back=steps.back)

    def _tell(self, **changes: Any) -> State:
        """Changes the state, and wakes the threads that wait for that."""
        with self._changed:
            self._state = replace(self._state, **changes)
            self._changed.notify_all()
            return self._state

    def _put(self, classifier: Classifier) -> None:
        self._live.put(classifier)
        self._tell(weights=self._state.weights + 1)

    def _download(self, what: str, done: int, total: int) -> None:
        """Notes how far a download is; ends it if the training was stopped."""
        if self._stopping:
            raise Stopped
        begin = f"downloading {what}: "
        megabytes = f"{begin}{done // 1_000_000} of {total // 1_000_000} MB"
        if megabytes not in self._state.notes:
            others = [note for note in self._state.notes if not note.startswith(begin)]
            self._tell(notes=(*others, megabytes))

    def _remove(self) -> None:
        with self._keeping:
            shutil.rmtree(self._folder, ignore_errors=True)
