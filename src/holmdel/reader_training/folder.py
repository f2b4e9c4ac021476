"""The run folder of a reader's training; a kill at any moment loses about a minute of it."""

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from holmdel.checkpoint import refuse_existing, sweep, write_bytes, write_files
from holmdel.errors import UserError
from holmdel.lines import save_line_model
from holmdel.networks.line import LineNetwork
from holmdel.reader_training.figures import draw_line_curves
from holmdel.reader_training.plan import ReaderPlan, make_plan
from holmdel.version import __version__

_CURVES_SHARE = 0.02  # of the time, at most, goes into redrawing the curves


@dataclass(frozen=True)
class LineReport:
    """How a training stood once.

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


class ReaderFolder:
    """Reads and writes the files of one training.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = path / "resume.safetensors"
        self.model = path / "model.safetensors"
        self._card = path / "README.md"
        self._config = path / "config.json"
        self._metrics = path / "metrics.jsonl"
        self._drawn, self._draw_seconds = time.perf_counter(), 0.5

    def refuse_existing(self) -> None:
        """Raises a UserError if there is such a file, or such a folder with something in it."""
        refuse_existing(self.path, "choose another --out, or go on with --resume")

    def create(self, plan: ReaderPlan, origin: Origin, network: LineNetwork) -> None:
        """Makes the folder and writes `config.json`.

        Raises:
            UserError: if it cannot be written.
        """
        config = {
            "network": "reader",
            "options": network.options,
            "settings": asdict(plan),
            "data": asdict(origin),
            "seed": plan.seed,
            "versions": {
                "holmdel": __version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
        }
        write_bytes(self._config, (json.dumps(config, indent=2) + "\n").encode())

    def started(self) -> bool:
        """Tells whether a training has begun here."""
        return self._config.is_file()

    def finished(self) -> bool:
        """Tells whether the training here is done."""
        return self._card.is_file() and self.model.is_file() and not self.state.is_file()

    def begun(self, given: Mapping[str, Any], origin: Mapping[str, Any]) -> tuple[ReaderPlan, Any]:
        """Returns plan and data of the training here; sweeps up after a killed writer.

        Another number of processes may go on with it, and then ends with other bits.

        Args:
            given: settings that are given now.
            origin: fields of an `Origin` that are given now.

        Raises:
            UserError: if what is given now differs from what the training was begun with.
        """
        sweep(self.path)
        try:
            config = json.loads(self._config.read_text(encoding="utf-8"))
            was, data = dict(config["settings"]), config["data"]
            ReaderPlan(**was)
        except (OSError, ValueError, KeyError, TypeError):
            raise UserError(
                f"{self._config} is not of a reader's training; start anew in another folder"
            ) from None
        tuned = bool(data["strings"])
        now = {name: getattr(make_plan(given, tuned=tuned), name) for name in given}
        before = was | data
        for name, value in [*now.items(), *origin.items()]:
            kept = tuple(before[name]) if isinstance(before[name], list) else before[name]
            if value != kept and name != "processes":
                raise UserError(
                    f"{self.path} was started with {name} {_said(kept)} and cannot go on with "
                    f"{_said(value)}; leave {name} as it was, or start anew in another folder"
                )
        return ReaderPlan(**(was | now)), data

    def add(self, report: LineReport, network: LineNetwork) -> list[LineReport]:
        """Writes what a report changes: metrics, model, curves if they are due.

        Returns all reports; those of lines that are seen again after a kill give way.
        """
        reports = [old for old in self.reports() if old.lines < report.lines] + [report]
        self._metrics.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(asdict(one)) + "\n" for one in reports)
        write_bytes(self._metrics, text.encode())
        save_line_model(self.model, network, None)
        if time.perf_counter() - self._drawn > self._draw_seconds / _CURVES_SHARE:
            self._draw(reports)
        return reports

    def reports(self) -> list[LineReport]:
        """Returns the reports so far."""
        if not self._metrics.is_file():
            return []
        lines = self._metrics.read_text(encoding="utf-8").splitlines()
        return [LineReport(**json.loads(line)) for line in lines]

    def finish(self, network: LineNetwork, trust: dict[str, Any], card: str) -> None:
        """Writes the model as it is to stay, the last curves and the card; removes the state."""
        self._draw(self.reports())
        save_line_model(self.model, network, trust)
        write_bytes(self._card, card.encode())
        self.state.unlink(missing_ok=True)

    def _draw(self, reports: list[LineReport]) -> None:
        self._drawn = time.perf_counter()
        own = [report.own for report in reports]
        files = draw_line_curves(
            [report.lines for report in reports],
            [report.loss for report in reports],
            {
                "synthetic strings, held out": [report.right for report in reports],
                "own lines, held out": [] if None in own else own,
            },
        )
        write_files(self.path / "curves", files)
        self._draw_seconds = time.perf_counter() - self._drawn


def _said(value: object) -> str:
    """Returns a value as it was given."""
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)
