"""The model card of a reader: a README for whoever finds the weights."""

from collections.abc import Sequence
from dataclasses import dataclass

from holmdel.reader_training.folder import LineReport, Origin
from holmdel.reader_training.plan import ReaderPlan, make_plan


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


def reader_card(
    plan: ReaderPlan,
    origin: Origin,
    reports: Sequence[LineReport],
    made: HeldOut,
    own: HeldOut | None,
    parameters: int,
) -> str:
    """Returns the model card of a finished training as Markdown.

    Args:
        plan: its settings.
        origin: what it was trained on.
        reports: how it went.
        made: on synthetic strings, of other people's digits.
        own: on the user's lines, if there were any.
        parameters: of the network.
    """
    last = reports[-1]
    writers = "QMNIST's writers" if origin.writers else "writers not known"
    rows = [
        ("network", f"fully convolutional, LeNet's idea along a line; {parameters:,} parameters"),
        ("synthetic strings", f"MNIST's training digits, {writers}, and drawn shapes of digits"),
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
    lines = ["# A reader of handwritten digit strings", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in rows]
    lines += [
        "",
        "The synthetic strings were composed from MNIST's digits and from strokes drawn for shapes "
        "that MNIST hardly has, on computed paper. Those held out are made in the same way, from "
        "MNIST's test digits and other seeds; they say nothing of real paper.",
        "",
        f"Confidences were fitted to {trusted}.",
        "",
        "Reproduce it:",
        "",
        f"    {command(plan, origin)}",
        "",
        "Use it: `holmdel read PICTURE --model THIS_FOLDER`.",
        "",
        "![curves](curves.png)",
        "",
    ]
    return "\n".join(lines)


def command(plan: ReaderPlan, origin: Origin) -> str:
    """Returns the command line that trains this reader again."""
    usual = make_plan({"processes": plan.processes}, tuned=bool(origin.strings))
    words = ["holmdel train reader", *(f"--strings {folder}" for folder in origin.strings)]
    if origin.strings and origin.model:
        words.append(f"--model {origin.model}")
    for name, value in vars(plan).items():
        if name == "processes" or value != getattr(usual, name):
            words.append(f"--{name.replace('_', '-')} {value}")
    return " ".join(words)


def _right(held: HeldOut) -> str:
    before = "" if held.before is None else f" (before: {100 * held.before:.1f} %)"
    return f"{100 * held.right:.1f} % of {held.count:,} held out{before}"
