"""The main path of a reader's training, read from top to bottom."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from holmdel.checkpoint import write_bytes
from holmdel.data.strings.source import StringSource, find_digits
from holmdel.errors import UserError
from holmdel.lines import load_line_model
from holmdel.networks.line import DIGITS, LineNetwork
from holmdel.reader_training.card import HeldOut, reader_card
from holmdel.reader_training.figures import COLUMNS, ROWS, draw_sheet
from holmdel.reader_training.folder import LineReport, Origin, ReaderFolder
from holmdel.reader_training.own_lines import (
    MixedSource,
    hold_out,
    load_grey,
    refuse_unlearnable,
)
from holmdel.reader_training.plan import REPORTS, TUNED_REPORTS, ReaderPlan, make_plan
from holmdel.reading.labelled import LabelledString, read_labelled
from holmdel.reading.line import LineAnswer, LineReader
from holmdel.reading.patterns import parse_pattern
from holmdel.reading.reader import model_file
from holmdel.reading.trust import LEAST_STRINGS, Trust, fit_trust
from holmdel.training.line_batches import Source, Written
from holmdel.training.lines import LineProgress, fit_lines

if TYPE_CHECKING:
    from holmdel.data.download import Progress

WATCHED = 500  # held-out synthetic strings that are read at every report
CURVED = 100  # with so many strings the curve reaches down to an error of 1 %

Told = Callable[[str], None]


@dataclass(frozen=True)
class ReaderRun:
    """A reader's training that is done.

    Attributes:
        folder: where it is.
        reports: how it went.
        made: the part of held-out synthetic strings that are right; None if not trained just now.
        own: the user's held-out lines, likewise, with the part before; None without such.
    """

    folder: Path
    reports: list[LineReport]
    made: HeldOut | None = None
    own: HeldOut | None = None


@dataclass(frozen=True)
class Exam:
    """Strings that nothing is learned from."""

    pictures: list[NDArray[np.uint8]]
    texts: list[str]

    def answers(self, network: LineNetwork, views: int | None = None) -> list[LineAnswer]:
        """Returns what a network reads."""
        return LineReader(network).answers(self.pictures, parse_pattern("digits"), views)

    def right(self, answers: Sequence[LineAnswer]) -> list[bool]:
        """Returns which answers have all digits right."""
        return [answer.text == text for answer, text in zip(answers, self.texts, strict=True)]

    def mark(self, network: LineNetwork, views: int | None = None) -> float:
        """Returns the part of the strings that a network reads right."""
        return float(np.mean(self.right(self.answers(network, views))))


@dataclass(frozen=True)
class _Material:
    """What is learned, and what is held out."""

    origin: Origin
    source: Source
    unseen: StringSource
    held: list[LabelledString]

    def made(self, count: int) -> Exam:
        """Returns strings of digits and hands that are not among those learned."""
        samples = list(islice(self.unseen(0), count))
        texts = ["".join(c for c in sample.text if c in DIGITS) for sample in samples]
        return Exam([sample.picture for sample in samples], texts)

    def own(self) -> Exam | None:
        """Returns the user's lines that are held out, if there are any."""
        if not self.held:
            return None
        return Exam([load_grey(line) for line in self.held], [line.text for line in self.held])


def train_reader(
    *,
    strings: Sequence[str | Path] = (),
    model: str | Path | None = None,
    out: str | Path,
    resume: bool = False,
    data_root: str | Path | None = None,
    told: Told = lambda sentence: None,
    progress: "Progress | None" = None,
    **settings: Any,
) -> ReaderRun:
    """Trains a reader; returns the run.

    Args:
        strings: labelled folders of the user's own lines, on which a trained reader is fine-tuned.
        model: the reader to begin from; with `strings` the one that ships if not given.
        out: the run folder.
        resume: go on with the training that `out` holds, on the same data.
        data_root: where to look for MNIST and QMNIST first.
        told: is told how it goes, a sentence at a time.
        progress: called while MNIST is downloaded.
        settings: fields of `ReaderPlan`.

    Raises:
        UserError: for a mistake in any of these.
        KeyboardInterrupt: after the state was saved; `resume=True` goes on.
    """
    folder = ReaderFolder(Path(out))
    given = _given(strings, model)
    if resume and folder.started():
        plan, data = folder.begun(settings, given)
        given |= {"strings": tuple(data["strings"]), "model": data["model"]}
        if folder.finished():
            return ReaderRun(folder.path, folder.reports())
    else:
        folder.refuse_existing()
        plan = make_plan(settings, tuned="strings" in given)
    if given.get("strings") and given.get("model") is None:
        given["model"] = str(model_file(None))
    material = _prepare(plan, data_root, told, progress, **given)
    network = _network(material.origin, plan)
    if not folder.started():
        folder.create(plan, material.origin, network)
    return _train(folder, plan, material, network, told)


def show_samples(
    path: Path,
    *,
    strings: Sequence[str | Path] = (),
    data_root: str | Path | None = None,
    progress: "Progress | None" = None,
    **settings: Any,
) -> None:
    """Writes a sheet of what a training would learn from, a PNG file.

    Arguments as `train_reader`.
    """
    plan = make_plan(settings, tuned=bool(strings))
    material = _prepare(plan, data_root, lambda said: None, progress, **_given(strings, None))
    samples = [Written(*sample) for sample in islice(material.source(0), ROWS * COLUMNS)]
    sheet = draw_sheet([sample.picture for sample in samples], [s.text for s in samples])
    write_bytes(path, sheet)


def _given(strings: Sequence[str | Path], model: str | Path | None) -> dict[str, Any]:
    """Returns those that were given, as a run folder keeps them."""
    given: dict[str, Any] = {}
    if strings:
        given["strings"] = tuple(str(Path(folder).expanduser().resolve()) for folder in strings)
    if model is not None:
        given["model"] = str(Path(model).expanduser().resolve()) if Path(model).exists() else model
    return given


def _prepare(
    plan: ReaderPlan,
    data_root: str | Path | None,
    told: Told,
    progress: "Progress | None",
    strings: tuple[str, ...] = (),
    model: str | None = None,
) -> _Material:
    """Finds the digits and the user's lines, and holds some of each out."""
    train, test = find_digits(data_root, progress)
    made = StringSource(train, plan.seed)
    unseen = StringSource(test, plan.seed).reseeded("held out")
    people = "a writer a line (QMNIST)" if train.writers else "writers not known (no QMNIST)"
    told(f"strings of {len(train.specimens().labels):,} digits of MNIST, {people}, and drawn ones")
    origin = Origin(str(train.pictures.parent), train.writers is not None, strings, model)
    if not strings:
        return _Material(origin, made, unseen, [])
    mine = [string for folder in strings for string in read_labelled(folder)]
    taken, held = hold_out(mine)
    left_out = refuse_unlearnable(taken)
    told(
        f"{len(taken) - left_out:,} lines to learn and {len(held):,} held out"
        + (f"; {left_out:,} too wide or too narrow for their digits" if left_out else "")
    )
    return _Material(origin, MixedSource(tuple(taken), made, plan.mix), unseen, held)


def _network(origin: Origin, plan: ReaderPlan) -> LineNetwork:
    """Returns the network to begin with."""
    if origin.model is not None:
        return load_line_model(model_file(origin.model))[0]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        return LineNetwork()


def _train(
    folder: ReaderFolder, plan: ReaderPlan, material: _Material, network: LineNetwork, told: Told
) -> ReaderRun:
    made, own = material.made(plan.held_out), material.own()
    settings = plan.line_settings(TUNED_REPORTS if own else REPORTS)
    before = own.mark(network) if own else None
    if before is not None:
        told(f"before: {100 * before:.1f} % of your held-out lines right")
    watched = Exam(made.pictures[:WATCHED], made.texts[:WATCHED])
    each = settings.batch_size * settings.processes

    def watch(at: LineProgress) -> None:
        if not np.isfinite(at.loss):
            raise UserError(
                f"the loss is no number after {at.step * each:,} lines; try a smaller --lr"
            )
        marks = watched.mark(at.network, views=1), own.mark(at.network, views=1) if own else None
        report = LineReport(at.step * each, at.loss, *marks, at.seconds)
        folder.add(report, at.network)
        told(report_line(report, settings.steps * each))

    averaged = fit_lines(network, material.source, settings, watch, folder.state)
    last = made.answers(averaged)
    marks = HeldOut(len(last), float(np.mean(made.right(last))))
    trust, own_marks = trust_of(last, made.right(last)), None
    if own is not None:
        last = own.answers(averaged)
        own_marks = HeldOut(len(last), float(np.mean(own.right(last))), before)
        trust = trust_of(last, own.right(last))
    parameters = sum(weight.numel() for weight in averaged.parameters())
    reports = folder.reports()
    card = reader_card(plan, material.origin, reports, marks, own_marks, parameters)
    folder.finish(averaged, trust.to_json(), card)
    return ReaderRun(folder.path, reports, marks, own_marks)


def trust_of(answers: Sequence[LineAnswer], right: Sequence[bool]) -> Trust:
    """Returns the trust that fits answers to held-out strings.

    From fewer than `CURVED` strings no error of 1 % can be told, so there is no curve then, and the
    threshold is by the confidence alone.
    """
    every = [(answer.score, good) for answer, good in zip(answers, right, strict=True)]
    read = [pair for answer, pair in zip(answers, every, strict=True) if answer.text]
    pairs = read if len(read) >= LEAST_STRINGS else every
    trust = fit_trust([score for score, _ in pairs], [good for _, good in pairs])
    return trust if len(pairs) >= CURVED else replace(trust, curve=())


def report_line(report: LineReport, lines: int) -> str:
    """Returns a report as one line of text.

    Args:
        report: how the training stands.
        lines: that are seen in all.
    """
    left = report.seconds * (lines - report.lines) / max(report.lines, 1)
    own = "" if report.own is None else f", yours {100 * report.own:.1f} %"
    return (
        f"{report.lines:,} of {lines:,} lines: loss {report.loss:.3f}, held-out strings right: "
        f"synthetic {100 * report.right:.1f} %{own}; {_minutes(report.seconds)}, "
        f"{_minutes(left)} left"
    )


def _minutes(seconds: float) -> str:
    """Returns a duration as minutes and seconds.

    >>> _minutes(75)
    '1:15'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
