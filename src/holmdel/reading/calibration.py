"""A reader's trust fitted to strings of the user's, and what that gives."""

from dataclasses import dataclass
from pathlib import Path

from holmdel.checkpoint import load_line_model
from holmdel.reading.answers import REJECT
from holmdel.reading.assessment import Assessment, assess_folder
from holmdel.reading.reader import model_file
from holmdel.reading.stream import ReaderSettings
from holmdel.reading.trust import Trust, contradicted, fit_trust, save_calibration

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


def calibrate(folder: str | Path, settings: ReaderSettings, jobs: int | None = None) -> Calibration:
    """Fits a reader's trust to a labelled folder and keeps it for later readings.

    Arguments as `assess_folder`.

    Raises:
        UserError: as `assess_folder`, for too few strings, or if it cannot be kept.
    """
    found, strings = assess_folder(folder, settings, jobs)
    scores, right = [said.score for said in found.strings], [said.right for said in found.strings]
    model = model_file(settings.model)
    own = own_trust(model)
    agrees = None if own is None else not contradicted(own, scores, right)
    trust = fit_trust(scores, right, own if agrees else None)
    return Calibration(
        count=found.count,
        right=found.right,
        agrees=agrees,
        easy=any(string.status != REJECT for string in strings),
        own=None if own is None else _outcome(own, found, settings.max_error),
        now=_outcome(trust, found, settings.max_error),
        others=tuple(_outcome(trust, found, error) for error in ERRORS),
        path=save_calibration(model, trust),
    )


def own_trust(model: Path) -> Trust | None:
    """Returns the trust that came with a model; None if it has none that can be built on."""
    _, kept = load_line_model(model)
    trust = Trust.from_json(kept) if kept else Trust()
    return trust if trust.curve and trust.slope > 0 else None


def _outcome(trust: Trust, found: Assessment, max_error: float) -> Outcome:
    above = trust.threshold(max_error)
    read = [said for said in found.strings if trust.confidence(said.score) > above]
    correct = sum(said.right for said in read)
    error = len(read) - correct
    return Outcome(max_error, above, correct / found.count, error / found.count)
