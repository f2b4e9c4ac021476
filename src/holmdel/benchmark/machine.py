"""Where and with what figures were measured."""

import datetime
import os
import platform
import subprocess
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from holmdel import engine
from holmdel.errors import UserError
from holmdel.version import __version__

BUSY = 0.5  # of a core, taken by others
_COMPARED = (
    "torch", "onnx", "onnxruntime", "openvino", "ai-edge-litert", "executorch", "ncnn", "jax",
    "keras",
)  # fmt: skip


def cores() -> int:
    """Returns how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> str:
    """Returns how many cores this process may use, and the processor."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
        model = next((ln.partition(": ")[2] for ln in lines if ln.startswith("model name")), model)
    return f"{cores()} cores, {model}"


def load_of_others() -> float | None:
    """Returns how many cores others kept busy in the last minute; None if the system cannot say."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


def commit() -> str | None:
    """Returns the short hash of the commit that is checked out, `+` if the package differs from it.

    None where the package does not lie in a checkout of its own.
    """
    package = Path(__file__).parents[1]
    if not (package.parents[1] / ".git").exists():
        return None

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=package, capture_output=True, text=True)
        return done.stdout.strip()

    dirty = git("status", "--porcelain", "--untracked-files=no", "--", ".")
    return git("rev-parse", "--short", "HEAD") + ("+" if dirty else "")


def versions() -> dict[str, str]:
    """Returns the versions of Python, Holmdel and what it is compared with, as far as installed."""
    found = {"python": platform.python_version(), "holmdel": __version__}
    for name in _COMPARED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def today() -> str:
    """Returns the date, such as 2026-01-31."""
    return datetime.date.today().isoformat()


def conditions_of(threads: int) -> dict[str, Any]:
    """Returns what stands beside every figure, JSON-ready.

    Machine, load of others (in cores, before the measurement), threads, engine, FMA peak
    (GFLOP/s), versions, commit and date.
    """
    return {
        "machine": machine(),
        "load": load_of_others(),
        "threads": threads,
        "engine": str(engine.status()),
        "peak_gflops": peak(threads),
        "versions": versions(),
        "commit": commit(),
        "date": today(),
    }


def peak(threads: int) -> float | None:
    """Returns the float32 GFLOP/s that the processor reaches; None without a native engine."""
    try:
        return engine.peak(threads)
    except UserError:
        return None


def head(around: Mapping[str, Any]) -> str:
    """Returns `conditions_of` as the first lines for people."""
    found, load = around["peak_gflops"], around["load"]
    peak_words = f"FMA peak {found:,.0f} GFLOP/s" if found else "FMA peak not measured"
    versions_words = ", ".join(f"{name} {number}" for name, number in around["versions"].items())
    commit_words = f", commit {around['commit']}" if around["commit"] else ""
    busy = "\nothers keep {load:g} cores busy here: figures will scatter, ratios too"
    return (
        f"{around['engine']}; {peak_words} on {around['threads']} threads\n"
        f"{around['machine']}; {versions_words}{commit_words}"
    ) + (busy.format(load=load) if load is not None and load > BUSY else "")
