"""How long `holmdel --help` takes, and how much memory `holmdel train lenet` needs.

python bench/footprint.py [--record]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from record import record

RUNS = 11


def help_seconds() -> float:
    """Returns the median seconds of `holmdel --help`, after one that warms the disk."""
    words = [sys.executable, "-m", "holmdel", "--help"]
    times = []
    for _ in range(RUNS + 1):
        began = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


def peak_megabytes() -> float:
    """Returns the peak resident memory of an epoch of `holmdel train lenet` on Fashion-MNIST."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "holmdel", "train", "lenet", "--epochs", "1"]
        pid = os.spawnv(os.P_NOWAIT, sys.executable, [*words, "--out", f"{folder}/run"])
        _, status, usage = os.wait4(pid, 0)
        if status:
            sys.exit("holmdel train failed")
        return usage.ru_maxrss / 1024  # kilobytes on Linux


def main() -> None:
    """Prints and, if asked, records both figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true")
    words = parser.parse_args()
    seconds, megabytes = help_seconds(), peak_megabytes()
    print(f"holmdel --help: {seconds:.2f} s; train lenet: {megabytes:.0f} MB at its peak")
    if words.record:
        record("footprint", {"help_seconds": round(seconds, 3), "peak_mb": round(megabytes)})


if __name__ == "__main__":
    main()
