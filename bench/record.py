"""Appends a benchmark's figures to results.jsonl, with date, commit and machine."""

import json
from pathlib import Path
from typing import Any

from holmdel.benchmark.machine import commit, machine, today

RESULTS = Path(__file__).parent / "results.jsonl"


def record(name: str, figures: dict[str, Any]) -> None:
    """Appends one line: the benchmark's name, when, at which commit, on what, and its figures."""
    line = {"name": name, "date": today(), "commit": commit()}
    line |= {"machine": machine()} | figures
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
