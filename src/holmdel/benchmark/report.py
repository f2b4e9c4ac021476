"""What stands around the figures, and the files they are written to."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holmdel.benchmark.comparison import peak
from holmdel.benchmark.machine import commit, load_of_others, machine, today, versions
from holmdel.benchmark.rounds import Conditions
from holmdel.checkpoint import write_files

BUSY = 0.5  # of a core, taken by others


def surroundings(conditions: Conditions) -> dict[str, Any]:
    """Returns machine, load, threads, engine, FMA peak, versions, commit and date, JSON-ready.

    The load is in cores, before the measurement, so of others.
    """
    return {
        "machine": machine(),
        "load": load_of_others(),
        "threads": conditions.threads,
        "engine": _engine(),
        "peak_gflops": peak(conditions.threads),
        "versions": versions(),
        "commit": commit(),
        "date": today(),
    }


def _engine() -> str:
    from holmdel import engine

    return str(engine.status())


def head(around: Mapping[str, Any]) -> str:
    """Returns the first lines for people: the engine, the machine, the versions."""
    found = around["peak_gflops"]
    peak_line = f"FMA peak {found:,.0f} GFLOP/s" if found else "FMA peak not measured"
    versions_line = ", ".join(f"{name} {version}" for name, version in around["versions"].items())
    commit_line = f", commit {around['commit']}" if around["commit"] else ""
    lines = [
        f"{around['engine']}; {peak_line} on {around['threads']} threads",
        f"{around['machine']}; {versions_line}{commit_line}",
    ]
    if (load := around["load"]) is not None and load > BUSY:
        lines.append(f"others keep {load:g} cores busy here: figures will scatter, ratios too")
    return "\n".join(lines)


def write_result(
    folder: Path,
    name: str,
    around: Mapping[str, Any],
    figures: Mapping[str, Any],
    pictures: dict[str, bytes],
) -> None:
    """Writes `NAME.json`, and `NAME.png` and `NAME.svg` where there are pictures.

    Args:
        folder: is made if need be.
        name: of the case.
        around: from `surroundings`.
        figures: what was measured.
        pictures: the files' content by their ending.

    Raises:
        UserError: if a file cannot be written.
    """
    text = json.dumps({"name": name, **around, **figures}, indent=1) + "\n"
    write_files(folder / name, {"json": text.encode(), **pictures})
