"""How far an answer can be trusted: from a score to a confidence, and where to reject."""

import bisect
import hashlib
import itertools
import json
import math
import operator
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
from numpy.typing import NDArray

from holmdel.errors import UserError
from holmdel.files import write_bytes
from holmdel.schema import Setting, read_json, read_record

GROWTH = 0.3  # of a trust that is fitted to a model: its best fit to 3,000 held-out strings
LEAST_STRINGS = 20  # with fewer, two parameters are guesswork
PRIOR_STRINGS = 100  # as how many strings a model's own trust counts beside a user's
_PROMISES = (0.01, 0.02, 0.05, 0.1)  # of a model, which a user's strings may contradict
_CHANCE = 0.05  # where so many mistakes are less likely than this, they do
_LOGIT, _DOUBT = "logit", "doubt"  # what a trust's slope is of
_LEAST_SCORE = 1e-6  # the logit of 0 and of 1 is infinite
_NEWTON_STEPS = 60
_STEEPEST = 1e6  # slope or offset of a trust
_FARTHEST = 700.0  # a logit; the exponential of more is no float
_DENSE = 50  # counts of mistakes that each have a point on the curve; above, one in ten per cent


@dataclass(frozen=True)
class Trust:
    """What turns a reader's score into a confidence, and an error rate into a threshold.

    Attributes:
        slope: of the evidence, in the logit of the confidence (Platt, "Probabilistic outputs for
            support vector machines", 1999).
        offset: added to that.
        curve: pairs (threshold, error): of all strings at most the part `error` is read wrongly
            where those of a confidence up to `threshold` are rejected; thresholds fall.
        evidence: what speaks for a string: `doubt`, minus the ln of what its score lacks to 1 (of
            the two terms of Kull et al., "Beyond sigmoids", 2017, the one that counts: how low a
            low score is says little), or `logit`, that of the score, as in files of version 0.2.
        growth: by how much of itself the evidence grows when a string has e times the digits; 0 in
            files of version 0.2. The scores are those that have grown.
    """

    slope: float = 1.0
    offset: float = 0.0
    curve: tuple[tuple[float, float], ...] = ()
    evidence: str = _LOGIT
    growth: float = 0.0

    def confidence(self, score: float) -> float:
        """Returns the probability 0..1 that a string of this score is right; 0 for a score of 0."""
        if score <= 0:
            return 0.0
        if self.evidence == _LOGIT:
            evidence = _logit(min(max(score, _LEAST_SCORE), 1 - _LEAST_SCORE))
        else:
            evidence = float(_doubt(score))
        return _probability(self.slope * evidence + self.offset)

    def score(self, confidence: float) -> float:
        """Returns the score that has this confidence; `slope` must not be 0."""
        confidence = min(max(confidence, _LEAST_SCORE), 1 - _LEAST_SCORE)
        evidence = (_logit(confidence) - self.offset) / self.slope
        return (
            _probability(evidence) if self.evidence == _LOGIT else 1 - math.exp(-max(evidence, 0))
        )

    def threshold(self, max_error: float) -> float:
        """Returns the confidence up to which strings are rejected for so few errors.

        Without a curve it is 1 - `max_error`, and 1, which rejects all, where the curve was made
        from too few strings for so small an error.

        Args:
            max_error: errors allowed, as a part of all strings, 0..1.

        Raises:
            UserError: for another range.
        """
        if not 0 <= max_error <= 1:
            raise UserError(
                f"max_error was given as {max_error}; expected a number between 0 and 1, such as "
                "0.01"
            )
        if not self.curve:
            return 1 - max_error
        return min((at for at, error in self.curve if error <= max_error), default=1.0)

    @property
    def promises(self) -> bool:
        """Whether it was fitted to so many strings that others can be held against it."""
        return bool(self.curve) and self.slope > 0

    def to_json(self) -> dict[str, Any]:
        """Returns the trust as plain numbers."""
        return asdict(self)

    @classmethod
    def of_model(cls, kept: Any, model: Path) -> "Trust":
        """Returns the trust that came with a model, or the plain one where none did.

        Args:
            kept: what the model's file says of it, as `to_json` gave it; None for nothing.
            model: the file, for a sentence.

        Raises:
            UserError: as `from_json`.
        """
        return cls.from_json(kept, f"the trust of {model}") if kept else cls()

    @classmethod
    def from_json(cls, values: Any, what: str = "the trust") -> "Trust":
        """Returns the trust that `to_json` gave.

        Args:
            values: what JSON gave.
            what: names it in a sentence.

        Raises:
            UserError: if it is none, or gives what is no probability.
        """
        found = read_record(values, _FIELDS, what)
        curve = tuple(_point(pair, what) for pair in found["curve"])
        falls = all(one[0] > other[0] for one, other in itertools.pairwise(curve))
        if not falls:
            raise UserError(f"{what}: the thresholds of the curve do not fall; train it again")
        slope, offset, growth = (float(found[name]) for name in ("slope", "offset", "growth"))
        return cls(slope, offset, curve, found["evidence"], growth)


_FIELDS = (
    Setting(name="slope", type="float", least=0, most=_STEEPEST),
    Setting(name="offset", type="float", least=-_STEEPEST, most=_STEEPEST),
    Setting(name="curve", type="list"),
    Setting(name="evidence", type="str", choices=(_LOGIT, _DOUBT), default=_LOGIT),
    Setting(name="growth", type="float", least=0, most=1, default=0.0),
)
_KEPT = (Setting(name="model", type="str"), Setting(name="trust", type="object"))
_PROBABILITY = Setting(name="a point of the curve", type="float", least=0, most=1)


def _point(pair: Any, what: str) -> tuple[float, float]:
    """Returns a threshold and an error of a curve.

    Raises:
        UserError: if they are no probabilities.
    """
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise UserError(f"{what}: a point of the curve is {pair!r}; expected a threshold and error")
    for value in pair:
        try:
            _PROBABILITY.check(value)
        except UserError as error:
            raise UserError(f"{what}: {error}") from None
    return float(pair[0]), float(pair[1])


def fit_trust(
    scores: Sequence[float],
    right: Sequence[bool],
    prior: Trust | None = None,
    growth: float = 0.0,
) -> Trust:
    """Returns the trust that fits scored strings of known truth.

    The curve's errors are (mistakes + 1) / (strings + 1), so that the error on further strings of
    the same kind is on average no larger (Angelopoulos et al., "Conformal risk control", 2024).
    A prior counts as `PRIOR_STRINGS` further strings on which it is right.

    Args:
        scores: what the reader gave each string, 0..1.
        right: whether it read it right.
        prior: a trust that the strings do not contradict (see `contradicted`); None for no other.
        growth: with which the scores have grown.

    Raises:
        UserError: for fewer than `LEAST_STRINGS` strings.
    """
    if len(scores) < LEAST_STRINGS:
        raise UserError(
            f"{len(scores)} labelled strings were given; expected {LEAST_STRINGS} or more, and "
            "some hundred for an error rate of 1 %"
        )
    slope, offset = _logistic(np.asarray(scores, np.float64), np.asarray(right, bool), prior)
    bare = Trust(slope, offset, evidence=_DOUBT, growth=growth)
    mistakes = sorted(
        (bare.confidence(score) for score, good in zip(scores, right, strict=True) if not good),
        reverse=True,
    )
    known = (
        [(bare.confidence(prior.score(at)), error) for at, error in prior.curve] if prior else []
    )
    return replace(bare, curve=_curve(mistakes, len(scores), known))


def contradicted(trust: Trust, scores: Sequence[float], right: Sequence[bool]) -> bool:
    """Tells whether scored strings of known truth have more mistakes than a trust promises.

    That is so where, at one of its thresholds, as many or more would come by chance in fewer than
    5 of 100 cases.

    Args:
        trust: what is doubted.
        scores: what the reader gave each string, 0..1.
        right: whether it read it right.
    """
    wrong = [trust.confidence(score) for score, good in zip(scores, right, strict=True) if not good]
    counts = ((sum(at > trust.threshold(part) for at in wrong), part) for part in _PROMISES)
    return any(_at_least(count, len(scores), part) < _CHANCE for count, part in counts)


def _at_least(successes: int, trials: int, part: float) -> float:
    """Returns the probability of so many successes or more (binomial distribution)."""
    odds, whole = math.log(part / (1 - part)), math.lgamma(trials + 1)
    below = (
        whole - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * odds
        for k in range(successes)
    )
    return 1 - sum(math.exp(term + trials * math.log1p(-part)) for term in below)


def calibration_path() -> Path:
    """Returns the file in the user's configuration folder where a calibration is kept."""
    return platformdirs.user_config_path("holmdel") / "reader-trust.json"


def save_calibration(model: Path, trust: Trust) -> Path:
    """Keeps a trust for later readings with a model; returns the file.

    Raises:
        UserError: if it cannot be written.
    """
    path = calibration_path()
    content = {"model": _digest(model), "trust": trust.to_json()}
    write_bytes(path, json.dumps(content, indent=1).encode())
    return path


def load_calibration(model: Path) -> Trust | None:
    """Returns the trust that was kept for a model; None if there is none for its weights.

    Raises:
        UserError: if the file is there and cannot be used.
    """
    path = calibration_path()
    if not path.is_file():
        return None
    try:
        content = read_record(read_json(path.read_text(encoding="utf-8"), "it"), _KEPT, "it")
        trust = Trust.from_json(content["trust"])
        return trust if content["model"] == _digest(model) else None
    except (OSError, ValueError, UserError) as error:
        raise UserError(
            f"{path} is no calibration ({error}); remove it or give --calibrate again"
        ) from None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _probability(logit: float) -> float:
    """Returns the logistic function of any number."""
    return 1 / (1 + math.exp(-min(max(logit, -_FARTHEST), _FARTHEST)))


def _logit(score: float) -> float:
    return math.log(score / (1 - score))


def _doubt(scores: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Returns minus the ln of what scores lack to 1."""
    return np.asarray(-np.log1p(-np.clip(scores, _LEAST_SCORE, 1 - _LEAST_SCORE)), np.float64)


def _logistic(
    scores: NDArray[np.float64], right: NDArray[np.bool_], prior: Trust | None = None
) -> tuple[float, float]:
    """Returns (slope, offset) of least cross-entropy with Platt's softened targets, by Newton.

    The targets are those of Platt, "Probabilistic outputs for support vector machines", 1999.

    With a prior, each string is there once more, with the prior's confidence as its target; these
    weigh `PRIOR_STRINGS` strings together.
    """
    terms = np.stack([_doubt(scores), np.ones_like(scores)], axis=1)
    good, bad = int(right.sum()), int((~right).sum())
    target = np.where(right, (good + 1) / (good + 2), 1 / (bad + 2))
    if prior is not None:
        weight = PRIOR_STRINGS / len(scores)
        known = np.array([prior.confidence(score) for score in scores])
        target = (target + weight * known) / (1 + weight)
    factors = np.array([1.0, 0.0])
    for _ in range(_NEWTON_STEPS):
        said = 1 / (1 + np.exp(-terms @ factors))
        slopes = terms.T @ (said - target)
        bends = (terms.T * (said * (1 - said))) @ terms + 1e-6 * np.eye(2)
        step = np.linalg.solve(bends, slopes)
        factors -= step / max(1.0, float(np.abs(step).max()))  # far away a whole step overshoots
    if factors[0] <= 0:  # a higher score is never trusted less
        return 0.0, _logit(float(target.mean()))
    return float(factors[0]), float(factors[1])


def _curve(
    mistakes: list[float], count: int, known: Sequence[tuple[float, float]] = ()
) -> tuple[tuple[float, float], ...]:
    """Returns the points of the curve: all for few mistakes, then ever sparser.

    Args:
        mistakes: their confidences, falling.
        count: of all strings.
        known: the points of a prior's curve, the last at 0.
    """
    kept, thresholds = 0, {0.0}
    while kept < len(mistakes):
        thresholds.add(mistakes[kept])
        kept += 1 if kept < _DENSE else kept // 10
    weight = PRIOR_STRINGS if known else 0
    points = []
    for at in sorted(thresholds | {at for at, _ in known}, reverse=True):
        wrong = bisect.bisect_left(mistakes, -at, key=operator.neg)
        error = min((error for place, error in known if place <= at), default=1.0)
        points.append((at, (wrong + weight * error + 1) / (count + weight + 1)))
    return tuple(points)
