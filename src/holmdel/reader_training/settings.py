"""Every setting of a reader's training."""

import os
from collections.abc import Mapping
from typing import Any

from holmdel.errors import UserError
from holmdel.settings import READER, TUNED_READER, ReaderSettings

MOST_PROCESSES = 64  # distinct streams and seeds a step
REPORTS, TUNED_REPORTS = 50, 12


class ReaderPlan(ReaderSettings):
    """The settings of a reader's training, and what follows from them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.batch_size < self.processes:
            raise UserError(
                f"batch_size was given as {self.batch_size} for {self.processes} processes; "
                "expected a line a process at least"
            )

    @property
    def lines_per_process(self) -> int:
        """How many lines a process sees a step."""
        return self.batch_size // self.processes

    @property
    def steps(self) -> int:
        """How many steps there are in all."""
        return max(1, self.lines // self.lines_per_step)

    @property
    def lines_per_step(self) -> int:
        """How many lines all processes see a step."""
        return self.lines_per_process * self.processes


def make_plan(given: Mapping[str, Any], *, tuned: bool = False) -> ReaderPlan:
    """Returns the plan that settings make.

    Args:
        given: settings by name; texts are read as the setting's type.
        tuned: a trained reader learns the user's lines.

    Raises:
        UserError: for an unknown setting, or a value outside its range.
    """
    values: dict[str, Any] = {"processes": _cores()} | (TUNED_READER if tuned else {})
    for name, value in given.items():
        if name not in READER:
            raise UserError(
                f"there is no setting {name!r} of a reader's training; choose from "
                f"{', '.join(READER)}, strings, model, show, data_root"
            )
        values[name] = READER[name].read(value)
    return ReaderPlan(**values)


def _cores() -> int:
    """Returns how many cores this process may use, at most 8."""
    if hasattr(os, "sched_getaffinity"):
        return min(8, len(os.sched_getaffinity(0)))
    return min(8, os.cpu_count() or 1)
