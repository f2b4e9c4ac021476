"""When the state of a training is saved."""

import time

from holmdel.training.folder import RunFolder
from holmdel.training.state import State

SAVE_SECONDS = 30.0  # between two saved states inside an epoch, at least
EPOCH_SECONDS = 0.5  # between two epochs after which the state is saved, at least
SAVE_SHARE = 0.02  # of the time, at most, goes into saving states


class Saver:
    """Saves the state, not so often that it costs more than its share.

    Args:
        folder: of the run.
        writes: whether it saves at all; of several workers, which have the same state, one does.
    """

    def __init__(self, folder: RunFolder, writes: bool = True) -> None:
        self._folder = folder
        self._writes = writes
        self._saved = time.perf_counter()
        self._cost = 0.0
        self._first = True

    def due(self) -> bool:
        """Tells whether the state inside an epoch is to be saved."""
        pause = max(SAVE_SECONDS, self._cost / SAVE_SHARE)
        return time.perf_counter() - self._saved > pause

    def old(self) -> bool:
        """Tells whether the end of an epoch is worth saving: some take milliseconds."""
        return self._first or time.perf_counter() - self._saved > EPOCH_SECONDS

    def save(self, state: State) -> None:
        """Saves the state."""
        if not self._writes:
            return
        began = time.perf_counter()
        state.save(self._folder.state)
        self._saved = time.perf_counter()
        self._cost = self._saved - began
        self._first = False
