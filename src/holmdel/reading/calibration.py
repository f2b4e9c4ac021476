"""What a calibration found, and the trust that a model came with."""

from dataclasses import dataclass
from pathlib import Path

from holmdel.checkpoint import load_line_model
from holmdel.reading.trust import Trust

ERRORS = (0.005, 0.01, 0.02, 0.05)  # of which a calibration tells what they give


@dataclass(frozen=True)
class Outcome:
    """What a trust makes of strings of known truth.

    Attributes:
        max_error: the part of all strings that may be read wrongly.
        above: strings of more confidence than this are read.
        correct: the part of all strings that is read, and right.
        error: the part that is read, and wrong.
    """

    max_error: float
    above: float
    correct: float
    error: float

    @property
    def reject(self) -> float:
        """The part that is rejected."""
        return 1 - self.correct - self.error


@dataclass(frozen=True)
class Calibration:
    """What a calibration found.

    Attributes:
        count: of the strings.
        right: the part of them that is right where none is rejected.
        agrees: whether they agree with the model's own trust; None if it has none.
        easy: whether lines that were read are among them, or nothing is known of that.
        own: what the model's own trust makes of them; None if it has none.
        now: what the new trust makes of them.
        others: the same for other errors.
        path: of the file that keeps the trust.
    """

    count: int
    right: float
    agrees: bool | None
    easy: bool
    own: Outcome | None
    now: Outcome
    others: tuple[Outcome, ...]
    path: Path


def own_trust(model: Path) -> Trust:
    """Returns the trust that came with a model, or the plain one."""
    _, kept = load_line_model(model)
    return Trust.of_model(kept, model)
