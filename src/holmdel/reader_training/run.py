"""A run of a reader's training: how it went, what its folder holds, and its model card."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from holmdel.errors import UserError
from holmdel.networks.line import LineNetwork
from holmdel.reader_training.settings import ReaderPlan, make_plan
from holmdel.schema import Setting, read_record, schema
from holmdel.settings import LINE_OPTIONS, READER
from holmdel.training.folder import RunFolder, command_line, model_card


@dataclass(frozen=True)
class LineReport:
    """How a training stood once: a line of `metrics.jsonl`.

    Attributes:
        lines: seen so far.
        loss: mean since the report before, nats a character.
        right: the part of held-out synthetic strings whose digits are all right.
        own: the same of the user's held-out lines; None without such.
        seconds: of training so far.
    """

    lines: int
    loss: float
    right: float
    own: float | None
    seconds: float


@dataclass(frozen=True)
class Origin:
    """What a reader is trained on, and from where.

    Attributes:
        digits: the folder of MNIST.
        writers: whether QMNIST says who wrote them.
        strings: the user's labelled folders.
        model: the reader that is begun from; None for fresh weights.
    """

    digits: str
    writers: bool
    strings: tuple[str, ...] = ()
    model: str | None = None


@dataclass(frozen=True)
class HeldOut:
    """How a reader does on strings that it has not learned from.

    Attributes:
        count: of strings.
        right: the part whose digits are all right.
        before: the same before the training; None if it began from nothing.
    """

    count: int
    right: float
    before: float | None = None


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
    reports: list[LineReport] = field(repr=False)
    made: HeldOut | None = None
    own: HeldOut | None = None


def reports_of(folder: RunFolder) -> list[LineReport]:
    """Returns the reports of a training so far."""
    fields = schema(LineReport).values()
    return folder.metrics(lambda row, place: LineReport(**read_record(row, fields, place)))


def config_of(plan: ReaderPlan, origin: Origin, network: LineNetwork) -> dict[str, Any]:
    """Returns the `config.json` of a training that begins."""
    return {
        "network": "reader",
        "options": network.options,
        "settings": asdict(plan),
        "data": asdict(origin),
        "seed": plan.seed,
    }


def resumed_plan(
    folder: RunFolder, given: Mapping[str, Any], origin: Mapping[str, Any]
) -> tuple[ReaderPlan, dict[str, Any]]:
    """Returns plan and data of the training in a folder.

    Another number of processes may go on with it, and then ends with other bits.

    Args:
        folder: where a training has begun.
        given: settings that are given now.
        origin: fields of an `Origin` that are given now.

    Raises:
        UserError: if what is given now differs from what the training was begun with.
    """
    try:
        config = folder.config()
        was = read_record(config["settings"], READER.values(), "settings")
        data = read_record(config["data"], _ORIGIN, "data")
        read_record(config["options"], LINE_OPTIONS, "options")
        ReaderPlan(**was)
    except UserError as error:
        raise UserError(
            f"{folder.path} is not of a reader's training ({error}); start anew in another folder"
        ) from None
    tuned = bool(data["strings"])
    now = {name: getattr(make_plan(given, tuned=tuned), name) for name in given}
    processes = now.pop("processes", was["processes"])
    folder.refuse_changes(was | data | {"strings": tuple(data["strings"])}, now | dict(origin))
    return ReaderPlan(**(was | {"processes": processes})), data


_ORIGIN = (
    Setting(name="digits", type="str"),
    Setting(name="writers", type="bool"),
    Setting(name="strings", type="list"),
    Setting(name="model", type="str", optional=True),
)


def reader_card(
    plan: ReaderPlan,
    origin: Origin,
    last: LineReport,
    made: HeldOut,
    own: HeldOut | None,
    parameters: int,
) -> str:
    """Returns the model card of a finished training as Markdown.

    Args:
        plan: its settings.
        origin: what it was trained on.
        last: how it went in the end.
        made: on synthetic strings, of other people's digits.
        own: on the user's lines, if there were any.
        parameters: of the network.
    """
    writers = "QMNIST's writers" if origin.writers else "writers not known"
    rows = [
        ("network", f"fully convolutional, LeNet's idea along a line; {parameters:,} parameters"),
        ("synthetic strings", f"MNIST's training digits, {writers}; shapes and fonts' hands"),
        ("lines seen", f"{last.lines:,} in {last.seconds / 60:.1f} minutes"),
        ("begun from", origin.model or "nothing"),
        ("settings", ", ".join(f"{name} {value}" for name, value in vars(plan).items())),
        ("loss", f"{last.loss:.4f} nats a character at the end"),
        ("synthetic strings right", _right(made)),
    ]
    if own is not None:
        rows.insert(2, ("own lines", ", ".join(origin.strings)))
        rows.append(("own lines right", _right(own)))
    trusted = "the user's held-out lines" if own else "held-out synthetic strings"
    paragraphs = [
        "The synthetic strings were composed from MNIST's digits, from strokes drawn for shapes "
        "that MNIST hardly has, and from outlines of 63 handwriting fonts (SIL Open Font License "
        "and Apache License 2.0; `hands.LICENSE.md` in the package names them), on computed paper, "
        "some in combs, boxes and frames. Those held out are made in the same way, from MNIST's "
        "test digits, eight other fonts and other seeds; they say nothing of real paper.",
        f"Confidences were fitted to {trusted}.",
    ]
    use = "`holmdel read IMAGE --model THIS_FOLDER`."
    title = "A reader of handwritten digit strings"
    return model_card(title, rows, _command(plan, origin), use, paragraphs)


def _command(plan: ReaderPlan, origin: Origin) -> str:
    """Returns the command line that trains this reader again."""
    usual = vars(make_plan({}, tuned=bool(origin.strings))) | {"processes": None}
    words = ["holmdel train reader", *(f"--strings {folder}" for folder in origin.strings)]
    if origin.strings and origin.model:
        words.append(f"--model {origin.model}")
    return command_line(words, vars(plan), usual)


def _right(held: HeldOut) -> str:
    before = "" if held.before is None else f" (before: {100 * held.before:.1f} %)"
    return f"{100 * held.right:.1f} % of {held.count:,} held out{before}"


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
