"""What more cores would do, computed from what one machine was measured to do.

    python bench/scale.py model > part of docs/scale.md

Reading: images are independent, so cores add up until something shared is full: the store, or the
driver, which hands out parts. Training: a step is the computation of a share, and an all-reduce,
which with a ring takes 2 (W - 1) / W of the gradient's bytes through each link, and a latency each
way round.
"""

from typing import Any

CORES = (16, 256, 4_096)
LINE_BYTES = 2_000  # of an image of a line, compressed; a page has 100,000 and more
STORE = 5e9  # bytes a second that a store gives to all readers together: an assumption
PARTS = 100.0  # parts a second that one driver hands out: an assumption
PART = 512  # images
LINK = 1.25e9  # bytes a second of a network link of 10 Gbit/s
LATENCY = 50e-6  # seconds of a message between machines
BATCH = 4_096  # examples of a step that all share
# An example is taken to cost what resnet8's does on 28x28; of deep ones it costs more.
NETWORKS = {"resnet8": 77_706, "nin": 1_992_166, "alexnet": 46_764_746}


def page(found: dict[str, Any]) -> str:
    """Returns the tables as Markdown.

    Args:
        found: the results of `bench/scale.py train`.
    """
    rate = 1000 / found["reading a line, ms of processor time"]
    example = found["resnet8, 28x28, an example, ms of processor time"] / 1000
    lines = ["| cores | lines a second | a million lines | what is full first |"]
    lines.append("| ---: | ---: | ---: | --- |")
    for cores in CORES:
        speed, full = reading(rate, cores)
        lines.append(f"| {cores:,} | {speed:,.0f} | {_time(1e6 / speed)} | {full} |")
    names = [f"{name} ({count:,} numbers)" for name, count in NETWORKS.items()]
    lines += ["", f"| workers | {' | '.join(names)} |", "| ---: |" + " ---: |" * len(names)]
    for cores in CORES:
        parts = [f"{training(example, cores, count):.0%}" for count in NETWORKS.values()]
        lines.append(f"| {cores:,} | {' | '.join(parts)} |")
    return "\n".join(lines)


def reading(rate: float, cores: int) -> tuple[float, str]:
    """Returns lines a second of so many cores, and what keeps them from more."""
    limits = {
        "the cores": rate * cores,
        "the store": STORE / LINE_BYTES,
        "the driver": PARTS * PART,
    }
    full = min(limits, key=lambda name: limits[name])
    return limits[full], full


def training(example: float, workers: int, numbers: int) -> float:
    """Returns the part of a step that is computation, 0..1: what is left of W times the speed."""
    compute = BATCH / workers * example
    ring = 2 * (workers - 1) / workers * numbers * 4 / LINK + 2 * (workers - 1) * LATENCY
    return compute / (compute + ring)


def _time(seconds: float) -> str:
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.0f} s"
