"""Asks pip-audit for known faults of the packages that the tests ran with; `make audit` runs it.

    python bench/audit.py

The exit status is 1 where a fault is known. What the index at hand cannot say is printed, and is
no fault: a mirror of files alone knows no faults, and without a network there is no index.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
MOST = 10  # names of packages that a line has


def asked() -> str:
    """Returns pip-audit's report, empty where there is none; pip-audit is installed first."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip += ["-c", str(CONSTRAINTS), "pip-audit"]
    if subprocess.run(pip, check=False, capture_output=True).returncode:
        return ""
    words = ["-r", str(CONSTRAINTS), "--no-deps", "--disable-pip", "--format", "json"]
    run = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", *words]
    return subprocess.run(run, check=False, capture_output=True, text=True).stdout


def judged(report: str) -> tuple[list[str], list[str], int]:
    """Returns the known faults, the packages that could not be judged, and how many were.

    Args:
        report: of pip-audit, in JSON; empty where no index answered.
    """
    packages: list[dict[str, Any]] = json.loads(report)["dependencies"] if report.strip() else []
    faults = [
        f"{one['name']} {one['version']}: {fault['id']}, mended in "
        f"{', '.join(fault['fix_versions']) or 'no version'}"
        for one in packages
        for fault in one.get("vulns", ())
    ]
    unknown = [one["name"] for one in packages if "skip_reason" in one]
    return faults, unknown, len(packages) - len(unknown)


def said(report: str) -> tuple[int, str]:
    """Returns the exit status, and what to print."""
    faults, unknown, known = judged(report)
    lines = list(faults)
    if not known:
        lines.append("skipped: audit of the packages (no index at hand knows their faults)")
    elif unknown:
        more = f" and {len(unknown) - MOST} others" if len(unknown) > MOST else ""
        lines.append(f"not judged by the index at hand: {', '.join(unknown[:MOST])}{more}")
    if known:
        lines.append(f"{known} packages judged, {len(faults)} known faults")
    return int(bool(faults)), "\n".join(lines)


def main() -> None:
    """Prints what is known of the packages."""
    status, text = said(asked())
    print(text)
    sys.exit(status)


if __name__ == "__main__":
    main()
