"""Where and with what figures were measured."""

import datetime
import os
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path

from holmdel.version import __version__

STAT = Path("/proc/stat")
ASLEEP = 0.5  # seconds


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
    """Returns how many cores were busy while this process slept a little; None if unknown."""
    if not STAT.is_file():
        return None
    before = _ticks()
    time.sleep(ASLEEP)
    busy, every = (later - early for later, early in zip(_ticks(), before, strict=True))
    return round((os.cpu_count() or 1) * busy / max(1, every), 2)


def _ticks() -> tuple[int, int]:
    """Returns the ticks that all cores worked since the machine was started, and all ticks."""
    line = STAT.read_text(encoding="utf-8").partition("\n")[0]
    ticks = [int(word) for word in line.split()[1:9]]  # user, nice, system, idle, iowait, ...
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


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
    for name in ("torch", "onnx", "onnxruntime", "jax", "keras"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def today() -> str:
    """Returns the date, such as 2026-01-31."""
    return datetime.date.today().isoformat()
