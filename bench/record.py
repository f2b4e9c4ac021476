"""Where benchmarks keep their figures: lines of results.jsonl, files of results/."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holmdel.benchmark.machine import commit, machine, today
from holmdel.files import write_files

RESULTS = Path(__file__).parent / "results.jsonl"
LOGS = Path(__file__).parent / "logs"


def record(name: str, figures: dict[str, Any]) -> None:
    """Appends one line: the benchmark's name, when, at which commit, on what, and its figures."""
    line = {"name": name, "date": today(), "commit": commit()}
    line |= {"machine": machine()} | figures
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def record_times(around: Mapping[str, Any], goals: Mapping[str, Mapping[str, Any]]) -> None:
    """Appends a line of times to accuracies, and writes each process's beside the others' logs.

    Args:
        around: from `machine.conditions_of`.
        goals: from `time_to_accuracy`.
    """
    lines = [
        f"{goal}, seed {seed}: {seconds:.3f} s from start to end of the process, {accuracy:.4f}"
        for goal, found in goals.items()
        for seed, (seconds, accuracy) in enumerate(
            zip(found["seconds"], found["accuracy"], strict=True)
        )
    ]
    kept = ("date", "commit", "machine", "load", "threads", "engine")
    line = {"name": "time-to-accuracy", **{key: around[key] for key in kept}}
    log = f"time-to-accuracy-{around['date']}-{around['commit']}.log"
    head = ", ".join(f"{key} {line[key]}" for key in kept)
    (LOGS / log).write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line | {"goals": goals, "log": log}) + "\n")


def write_result(
    folder: Path,
    name: str,
    around: Mapping[str, Any],
    figures: Mapping[str, Any],
    images: Mapping[str, bytes],
) -> None:
    """Writes `NAME.json`, and `NAME.png` and `NAME.svg` where there are images.

    Args:
        folder: is made if need be.
        name: of the case.
        around: from `machine.conditions_of`.
        figures: what was measured.
        images: the files' content by their ending.
    """
    text = json.dumps({"name": name, **around, **figures}, indent=1) + "\n"
    write_files(folder / name, {"json": text.encode(), **images})
