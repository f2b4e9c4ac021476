"""Steps of a training: one batch, one epoch, and back to where a step began."""

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from holmdel.classifier import Classifier
from holmdel.server.training_state import State
from holmdel.training.callbacks import Progress

Stride: TypeAlias = Literal["batch", "epoch"]
KEPT = 20  # beginnings of steps that one can go back to


class Kept(NamedTuple):
    """Where a step began: the file of the resume state, what was told, the network as it was."""

    file: Path
    state: State
    classifier: Classifier | None


@dataclass
class Steps:
    """What steps of a training are asked for, and where one can go back to.

    A step begins with the training's state saved, for which the training ends and is taken up
    again; so it ends with the very weights that it would have had without.

    Attributes:
        folder: for the states.
        stride: how far the step under way goes; None where none is.
        keeping: a step was asked for: the state is to be kept first.
        backing: the way back was asked for.
        again: the training is being taken up again.
        batches: that were done since the last report.
    """

    folder: Path
    stride: Stride | None = None
    keeping: bool = False
    backing: bool = False
    again: bool = False
    batches: int = 0
    _kept: list[Kept] = field(default_factory=list)
    _count: int = 0

    @property
    def turning(self) -> bool:
        """Whether the training is to end now, to be taken up again."""
        return self.keeping or self.backing

    @property
    def back(self) -> bool:
        """Whether there is a state to go back to."""
        return bool(self._kept)

    def keep(self, resume: Path, state: State, classifier: Classifier | None) -> None:
        """Keeps a state that was just saved."""
        self._count += 1
        file = self.folder / f"kept-{self._count}.safetensors"
        shutil.copyfile(resume, file)
        self._kept.append(Kept(file, state, classifier))
        for old in self._kept[:-KEPT]:
            old.file.unlink()
        del self._kept[:-KEPT]

    def restore(self, resume: Path) -> Kept:
        """Puts the state that was kept last in place, and returns it."""
        kept = self._kept.pop()
        kept.file.replace(resume)
        return kept

    def ahead(self, reported: Progress | None) -> Progress | None:
        """Returns the progress that was reported last, with the batches since then."""
        if reported is None:
            return None
        return replace(reported, batch=min(reported.batch + self.batches, reported.batches))
