"""`holmdel train reader`: from digits, and a user's own lines, to the run folder of a reader."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from holmdel.alphabet import DIGITS
from holmdel.checkpoint import load_line_model, save_line_model
from holmdel.errors import UserError
from holmdel.files import write_bytes
from holmdel.networks.line import LineNetwork, widened
from holmdel.reader_training.batches import LabelledLine, Source
from holmdel.reader_training.ctc import LineProgress, fit_lines, join_lines
from holmdel.reader_training.figures import COLUMNS, ROWS, draw_line_curves, draw_sheet
from holmdel.reader_training.own_lines import (
    MixedSource,
    hold_out,
    load_grey,
    refuse_unlearnable,
)
from holmdel.reader_training.run import (
    HeldOut,
    LineReport,
    Origin,
    ReaderRun,
    config_of,
    reader_card,
    report_line,
    reports_of,
    resumed_plan,
)
from holmdel.reader_training.settings import REPORTS, TUNED_REPORTS, ReaderPlan, make_plan
from holmdel.reader_training.synthesis.source import StringSource, find_digits
from holmdel.reading.labelled import LabelledString, read_labelled
from holmdel.reading.line import LineAnswer, LineReader
from holmdel.reading.model_file import model_file
from holmdel.reading.patterns import parse_pattern
from holmdel.reading.trust import GROWTH, LEAST_STRINGS, Trust, fit_trust
from holmdel.shapes import parameter_count
from holmdel.training.folder import RunFolder
from holmdel.training.group import Group, joined, launched

if TYPE_CHECKING:
    from holmdel.data.download import Progress

WATCHED = 500  # held-out synthetic strings that are read at every report
CURVED = 100  # with so many strings the curve reaches down to an error of 1 %

Told = Callable[[str], None]


@dataclass(frozen=True)
class HeldOutStrings:
    """Strings that nothing is learned from."""

    images: list[NDArray[np.uint8]]
    texts: list[str]

    def answers(self, network: LineNetwork, views: int | None = None) -> list[LineAnswer]:
        """Returns what a network reads."""
        return LineReader(network).answers(self.images, parse_pattern("digits"), views)

    def right(self, answers: Sequence[LineAnswer]) -> list[bool]:
        """Returns which answers have all digits right."""
        return [answer.text == text for answer, text in zip(answers, self.texts, strict=True)]

    def accuracy(self, network: LineNetwork, views: int | None = None) -> float:
        """Returns the part of the strings that a network reads right."""
        return float(np.mean(self.right(self.answers(network, views))))


def made_strings(unseen: StringSource, count: int) -> HeldOutStrings:
    """Returns the first strings of a source, of other digits and writers than those learned."""
    samples = list(islice(unseen(0), count))
    texts = ["".join(c for c in sample.text if c in DIGITS) for sample in samples]
    return HeldOutStrings([sample.image for sample in samples], texts)


@dataclass(frozen=True)
class _Material:
    """What is learned, and what is held out."""

    origin: Origin
    source: Source
    unseen: StringSource
    held: list[LabelledString]

    def own(self) -> HeldOutStrings | None:
        """Returns the user's lines that are held out, if there are any."""
        if not self.held:
            return None
        return HeldOutStrings(
            [load_grey(line) for line in self.held], [line.text for line in self.held]
        )


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
    given = _given(strings, model)
    workers = launched()
    if workers.count > 1:
        settings["processes"] = workers.count
    with joined(workers, torch.device("cpu")), RunFolder(Path(out)) as folder:
        if not workers.first:
            return _join(folder, workers, data_root)
        if resume and folder.started():
            if not folder.finished():
                folder.hold()
            plan, data = resumed_plan(folder, settings, given)
            given |= {"strings": tuple(data["strings"]), "model": data["model"]}
            if folder.finished():
                workers.told()
                return ReaderRun(folder.path, reports_of(folder))
        else:
            folder.refuse_existing()
            plan = make_plan(settings, tuned="strings" in given)
        if given.get("strings") and given.get("model") is None:
            given["model"] = str(model_file(None))
        material = _prepare(plan, data_root, told, progress, **given)
        options = folder.config()["options"] if folder.started() else {}
        network = _network(material.origin, plan, options)
        begun = folder.state.read_bytes() if folder.state.is_file() else None
        if not folder.started():
            folder.create(config_of(plan, material.origin, network))
        workers.told((plan, given, options, begun))
        return _train(folder, plan, material, network, told)


def _join(folder: RunFolder, workers: Group, data_root: str | Path | None) -> ReaderRun:
    """Trains beside worker 0, which alone looks at the folder and writes it."""
    said = workers.told()
    if said is not None:
        plan, given, options, begun = said
        material = _prepare(plan, data_root, lambda sentence: None, None, **given)
        network = _network(material.origin, plan, options)
        with tempfile.NamedTemporaryFile(suffix=folder.state.suffix) as file:
            file.write(begun or b"")
            file.flush()
            join_lines(network, material.source, plan, Path(file.name) if begun else None)
    return ReaderRun(folder.path, [])


def show_samples(
    path: Path,
    *,
    strings: Sequence[str | Path] = (),
    data_root: str | Path | None = None,
    progress: "Progress | None" = None,
    **settings: Any,
) -> None:
    """Writes a sheet of what a training would learn from, as a PNG file.

    Args and Raises: as `train_reader`.
    """
    plan = make_plan(settings, tuned=bool(strings))
    material = _prepare(plan, data_root, lambda said: None, progress, **_given(strings, None))
    samples = [LabelledLine(*sample) for sample in islice(material.source(0), ROWS * COLUMNS)]
    sheet = draw_sheet([sample.image for sample in samples], [s.text for s in samples])
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
    unseen = StringSource(test, plan.seed, unseen=True).reseeded("held out")
    people = "a writer a line (QMNIST)" if train.writers else "writers not known (no QMNIST)"
    told(f"strings of {len(train.specimens().labels):,} digits of MNIST, {people}, and drawn ones")
    origin = Origin(str(train.images.parent), train.writers is not None, strings, model)
    if not strings:
        return _Material(origin, made, unseen, [])
    mine = [string for folder in strings for string in read_labelled(folder)]
    taken, held = hold_out(mine)
    left_out = refuse_unlearnable(taken)
    told(
        f"{len(taken) - left_out:,} lines to learn and {len(held):,} held out"
        + (f"; {left_out:,} too wide or too narrow for their digits" if left_out else "")
    )
    return _Material(origin, MixedSource(tuple(taken), made, plan.seed, plan.mix), unseen, held)


def _network(origin: Origin, plan: ReaderPlan, options: dict[str, Any]) -> LineNetwork:
    """Returns the network to begin with, of the layers that a training began with."""
    if origin.model is not None:
        return widened(load_line_model(model_file(origin.model))[0])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        return LineNetwork(**options)


def _train(
    folder: RunFolder, plan: ReaderPlan, material: _Material, network: LineNetwork, told: Told
) -> ReaderRun:
    made, own = made_strings(material.unseen, plan.held_out), material.own()
    before = own.accuracy(network) if own else None
    if before is not None:
        told(f"before: {100 * before:.1f} % of your held-out lines right")
    watched = HeldOutStrings(made.images[:WATCHED], made.texts[:WATCHED])

    def report(at: LineProgress) -> None:
        lines = at.step * plan.lines_per_step
        if not np.isfinite(at.loss):
            raise UserError(f"the loss is no number after {lines:,} lines; try a smaller --lr")
        right = watched.accuracy(at.network, views=1)
        mine = own.accuracy(at.network, views=1) if own else None
        found = LineReport(lines, at.loss, right, mine, at.seconds)
        _write_report(folder, found, at.network)
        told(report_line(found, plan.steps * plan.lines_per_step))

    every = max(1, plan.steps // (TUNED_REPORTS if own else REPORTS))
    averaged = fit_lines(network, material.source, plan, report, folder.state, every=every)
    found, trust = _measured(made, averaged)
    mine = None
    if own is not None:
        mine, trust = _measured(own, averaged, before)
        _refuse_worse(folder, mine)
    reports = reports_of(folder)
    folder.write_curves(lambda: _curves(reports), always=True)
    save_line_model(folder.model, averaged, trust.to_json())
    parameters = parameter_count(averaged)
    folder.finish(reader_card(plan, material.origin, reports[-1], found, mine, parameters))
    return ReaderRun(folder.path, reports, found, mine)


def _refuse_worse(folder: RunFolder, own: HeldOut) -> None:
    """Leaves no reader that has forgotten what the one before it knew.

    Raises:
        UserError: if fewer of the user's held-out lines are right than before.
    """
    if own.before is not None and own.right < own.before:
        folder.model.unlink(missing_ok=True)
        raise UserError(
            f"the training made the reader worse: {100 * own.right:.1f} % of your {own.count} "
            f"held-out lines are right, {100 * own.before:.1f} % were before; no reader was left "
            f"in {folder.path}; give more lines, or a smaller --lr or --mix"
        )


def _write_report(folder: RunFolder, report: LineReport, network: LineNetwork) -> None:
    """Writes what a report changes: metrics, model, curves if they are due.

    Reports of lines that are seen again after a kill give way.
    """
    reports = [old for old in reports_of(folder) if old.lines < report.lines] + [report]
    folder.write_metrics([asdict(one) for one in reports])
    save_line_model(folder.model, network, None)
    folder.write_curves(lambda: _curves(reports))


def _curves(reports: Sequence[LineReport]) -> dict[str, bytes]:
    own = [report.own for report in reports]
    return draw_line_curves(
        [report.lines for report in reports],
        [report.loss for report in reports],
        {
            "synthetic strings, held out": [report.right for report in reports],
            "own lines, held out": [] if None in own else own,
        },
    )


def _measured(
    strings: HeldOutStrings, network: LineNetwork, before: float | None = None
) -> tuple[HeldOut, Trust]:
    """Returns how a network reads held-out strings, and the trust that fits that."""
    answers = strings.answers(network)
    right = strings.right(answers)
    return HeldOut(len(answers), float(np.mean(right)), before), trust_of(answers, right)


def trust_of(answers: Sequence[LineAnswer], right: Sequence[bool]) -> Trust:
    """Returns the trust that fits answers to held-out strings.

    From fewer than `CURVED` strings no error of 1 % can be told, so there is no curve then, and the
    threshold is by the confidence alone.
    """
    every = [
        (replace(answer, fit=1).claim(GROWTH), good)
        for answer, good in zip(answers, right, strict=True)
    ]
    read = [pair for answer, pair in zip(answers, every, strict=True) if answer.text]
    pairs = read if len(read) >= LEAST_STRINGS else every
    scores, good = zip(*pairs, strict=True)
    trust = fit_trust(scores, good, growth=GROWTH)
    return trust if len(pairs) >= CURVED else replace(trust, curve=())
