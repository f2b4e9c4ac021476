"""Every setting of a reader's training."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holmdel.errors import UserError
from holmdel.schema import check_fields, schema, setting
from holmdel.training.lines import MOST_PROCESSES, LineSettings

LINES = 780_000  # from nothing
TUNED_LINES = 16_000  # from a trained reader, the user's and synthetic ones together
REPORTS, TUNED_REPORTS = 50, 12


@dataclass(frozen=True, kw_only=True)
class ReaderPlan:
    """Every setting of a reader's training; frozen, and saved with the run.

    The defaults train from nothing; `_TUNED` has those for a user's lines.
    """

    lines: int = setting(LINES, "lines to train on, in all", least=1)
    batch_size: int = setting(32, "lines per step, over all processes", least=1)
    lr: float = setting(2e-3, "largest learning rate", least=1e-9)
    weight_decay: float = setting(1e-3, "weight decay of AdamW", least=0)
    average: float = setting(
        0.999, "decay of the running average of the weights", least=0, most=0.99999
    )
    seed: int = setting(0, "seed of the weights, the strings and the order", least=0)
    processes: int = setting(
        1, "processes side by side; one per core if not given", least=1, most=MOST_PROCESSES
    )
    held_out: int = setting(
        2_000, "synthetic strings to judge by and to fit the trust to", least=20
    )
    mix: float = setting(
        0.5, "fraction of the lines that are your own, with --strings", least=0, most=1
    )

    def __post_init__(self) -> None:
        check_fields(self)
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
    known = schema(ReaderPlan)
    values: dict[str, Any] = {"processes": _cores()} | (_TUNED if tuned else {})
    for name, value in given.items():
        if name not in known:
            raise UserError(
                f"there is no setting {name!r} of a reader's training; choose from "
                f"{', '.join(known)}, strings, model, show, data_root"
            )
        values[name] = known[name].read(value)
    return ReaderPlan(**values)


def _cores() -> int:
    """Returns how many cores this process may use, at most 8."""
    if hasattr(os, "sched_getaffinity"):
        return min(8, len(os.sched_getaffinity(0)))
    return min(8, os.cpu_count() or 1)
