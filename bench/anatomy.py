"""How long `holmdel.inspect` takes for VGG-16 at 3x224x224, and how much memory.

Each run is a process of its own; what importing torch needs is said beside it.

    python bench/anatomy.py [--record]
"""

import argparse
import json
import statistics
import subprocess
import sys

from record import record

RUNS = 5
INSPECT = """
import json, resource, sys, time
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kilobytes on Linux
import torch
import_mb = peak()
import holmdel
began = time.perf_counter()
first = holmdel.inspect
loaded = time.perf_counter() - began
began = time.perf_counter()
anatomy = first("vgg16", "3x224x224", classes=1000)
seconds = time.perf_counter() - began
assert anatomy.totals.parameters == 138_357_544
print(json.dumps([seconds, loaded, import_mb, peak()]))
"""


def measure() -> list[float]:
    """Returns seconds of the call and of loading holmdel, megabytes with torch alone and in all."""
    words = [sys.executable, "-c", INSPECT]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    return [float(value) for value in json.loads(done.stdout)]


def main() -> None:
    """Prints and, if asked, records the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--record", action="store_true")
    words = parser.parse_args()
    measure()  # warms the disk
    runs = zip(*(measure() for _ in range(RUNS)), strict=True)
    seconds, loading, torch_mb, peak_mb = (statistics.median(column) for column in runs)
    print(
        f"inspect vgg16: {seconds:.2f} s, {loading:.2f} s to load holmdel before; "
        f"{peak_mb:.0f} MB at its peak, {peak_mb - torch_mb:.0f} MB beyond torch"
    )
    if words.record:
        figures = {"seconds": round(seconds, 3), "loading_seconds": round(loading, 3)}
        figures |= {"peak_mb": round(peak_mb), "beyond_torch_mb": round(peak_mb - torch_mb)}
        record("anatomy", figures)


if __name__ == "__main__":
    main()
