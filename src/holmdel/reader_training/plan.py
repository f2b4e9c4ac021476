"""Every setting of a reader's training."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from holmdel.errors import UserError
from holmdel.texts import coerce
from holmdel.training.lines import MOST_PROCESSES, LineSettings
from holmdel.training.settings import kind_of

LINES = 780_000  # from nothing
TUNED_LINES = 16_000  # from a trained reader, the user's and synthetic ones together
REPORTS, TUNED_REPORTS = 50, 12


def _setting(default: Any, says: str, least: float, most: float = math.inf) -> Any:
    """Returns a field that documents itself and knows its range."""
    return field(default=default, metadata={"help": says, "least": least, "most": most})


@dataclass(frozen=True, kw_only=True)
class ReaderPlan:
    """Every setting of a reader's training; frozen, and saved with the run.

    The defaults train from nothing; `_TUNED` has those for a user's lines.
    """

    lines: int = _setting(LINES, "lines that are seen in all", 1)
    batch_size: int = _setting(32, "lines a step, over all processes", 1)
    lr: float = _setting(2e-3, "largest learning rate", 1e-9)
    weight_decay: float = _setting(1e-3, "of AdamW", 0)
    average: float = _setting(0.999, "decay of the running average of the weights", 0, 0.99999)
    seed: int = _setting(0, "of the weights, the strings and the order", 0)
    processes: int = _setting(1, "side by side; one a core if not given", 1, MOST_PROCESSES)
    held_out: int = _setting(2_000, "synthetic strings to judge by and to fit the trust to", 20)
    mix: float = _setting(0.5, "part of the lines that are the user's, with --strings", 0, 1)

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            least, most = setting.metadata["least"], setting.metadata["most"]
            if not least <= value <= most:
                end = f" to {most:g}" if most < math.inf else " up"
                raise UserError(
                    f"{setting.name} was given as {value:g}; expected a number from {least:g}{end}"
                )
        if self.batch_size < self.processes:
            raise UserError(
                f"batch_size was given as {self.batch_size} for {self.processes} processes; "
                "expected a line a process at least"
            )

    def line_settings(self, reports: int) -> LineSettings:
        """Returns what the training itself takes, with so many reports in all."""
        bare = LineSettings(
            lines=self.lines,
            batch_size=self.batch_size // self.processes,
            lr=self.lr,
            weight_decay=self.weight_decay,
            average=self.average,
            seed=self.seed,
            processes=self.processes,
        )
        return LineSettings(**{**vars(bare), "report": max(1, bare.steps // reports)})


_TUNED = {"lines": TUNED_LINES, "lr": 1e-3, "average": 0.99, "mix": 0.7}


def make_plan(given: Mapping[str, Any], *, tuned: bool = False) -> ReaderPlan:
    """Returns the plan that settings make.

    Args:
        given: settings by name; texts are read as the setting's type.
        tuned: a trained reader learns the user's lines.

    Raises:
        UserError: for an unknown setting, or a value outside its range.
    """
    known = {setting.name: setting for setting in fields(ReaderPlan)}
    values: dict[str, Any] = {"processes": _cores()} | (_TUNED if tuned else {})
    for name, value in given.items():
        if name not in known:
            raise UserError(
                f"there is no setting {name!r} of a reader's training; choose from "
                f"{', '.join(known)}, strings, model, show, data_root"
            )
        values[name] = coerce(name, value, kind_of(known[name].type))
    return ReaderPlan(**values)


def _cores() -> int:
    """Returns how many cores this process may use, at most 8."""
    if hasattr(os, "sched_getaffinity"):
        return min(8, len(os.sched_getaffinity(0)))
    return min(8, os.cpu_count() or 1)
