"""Appends a benchmark's figures to results.jsonl, with date, commit and machine."""

import datetime
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results.jsonl"


def record(name: str, figures: dict[str, Any]) -> None:
    """Appends one line: the benchmark's name, when, at which commit, on what, and its figures."""
    line = {"name": name, "date": datetime.date.today().isoformat(), "commit": commit()}
    line |= {"machine": machine()} | figures
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def commit() -> str:
    """Returns the short hash of the commit that is checked out, `+` if files differ from it."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    dirty = git("status", "--porcelain", "--untracked-files=no", "--", "../src")
    return git("rev-parse", "--short", "HEAD") + ("+" if dirty else "")


def machine() -> str:
    """Returns the processor and how many cores this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((ln.partition(": ")[2] for ln in lines if ln.startswith("model name")), model)
    return f"{cores} cores, {model}"
