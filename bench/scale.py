"""What Ray and torch.distributed cost on this machine, and what many cores would do.

    python bench/scale.py read [--count 20000]   this machine's two processes beside Ray's two
                                                 workers, and a node that is killed in the middle
    python bench/scale.py train                  two workers beside one: the difference of a weight,
                                                 the cost of a step and of an all-reduce
    python bench/scale.py model                  what 16, 256 and 4,096 cores would do, computed

Each writes its figures into bench/results/scale.json. `read` needs the extra `ray`: its cluster is
a head and two nodes of one processor each, all on this machine.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results" / "scale.json"
STORE = 100 * 2**20  # bytes of a node's object store
Figures = dict[str, Any]


def make_lines(folder: Path, count: int) -> None:
    """Writes images of lines of three to five printed digits, the same ones each time."""
    from PIL import Image, ImageDraw

    draw = random.Random(0)
    folder.mkdir()
    for number in range(count):
        page = Image.new("L", (draw.randint(110, 200), 40), 230)
        text = str(draw.randint(100, 99_999))
        ImageDraw.Draw(page).text((10, 4), text, fill=20, font_size=26)
        page.save(folder / f"{number:06}.png")


def read_here(scans: Path, out: Path, count: int) -> Figures:
    """Returns the rate of two processes, from the first hundredth of the answers on."""
    began = time.monotonic()
    job = subprocess.Popen([*_READ, str(scans), "--lines", "--jobs", "2", "--out", str(out)])
    first: tuple[float, int] | None = None
    while job.poll() is None:
        time.sleep(0.1)
        done = out.read_bytes().count(b"\n") if first is None and out.exists() else 0
        if first is None and done >= count // 100:
            first = time.monotonic(), done
    ended = time.monotonic()
    assert first is not None
    rate = (count - first[1]) / (ended - first[0])
    return {"lines a second": round(rate, 1), "seconds": round(ended - began, 1)}


def read_over_ray(scans: Path, out: Path, count: int, *, kill: bool) -> Figures:
    """Returns the rate of two workers, from the first part on, and the most that one has held."""
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 (Ray's own spelling)
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
    cluster: Any = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=STORE) for _ in range(2)]
    began = time.monotonic()
    words = [*_READ, str(scans), "--lines", "--out", str(out), "--ray", cluster.address]
    job = subprocess.Popen(words)
    while job.poll() is None:
        time.sleep(0.2)
        lines = sum(_done(path)["inputs"] for path in _parts(out)) if kill else 0
        if lines > count // 2:
            kill = False
            cluster.remove_node(nodes[0], allow_graceful=False)
    ended = time.monotonic()
    cluster.shutdown()
    return {**_of_parts(out, count), "seconds": round(ended - began, 1)}


_READ = [sys.executable, "-m", "holmdel", "read"]


def _parts(out: Path) -> list[Path]:
    return sorted((out / "_job" / "done").glob("*.json"))


def _done(path: Path) -> Figures:
    found: Figures = json.loads(path.read_text())
    return found


def _of_parts(out: Path, count: int) -> Figures:
    """Returns the rate between the first part of each worker and the last, and the memory."""
    times = sorted(((p.stat().st_mtime, _done(p)) for p in _parts(out)), key=lambda pair: pair[0])
    skipped = 2  # a first part of each worker
    lines = count - sum(one["inputs"] for _, one in times[:skipped])
    rate = lines / (times[-1][0] - times[skipped - 1][0])
    memory = [one["memory"] for _, one in times]
    return {
        "lines a second": round(rate, 1),
        "MB a worker after its first part": max(memory[:skipped]),
        "MB a worker at the end": max(memory),
    }


def lost_and_twice(one: Path, parts: Path) -> Figures:
    """Returns how many lines of one file are not in the parts, and how many are there again."""
    here = Counter(one.read_text().splitlines())
    there = Counter(
        line
        for part in sorted(parts.glob("part-*.jsonl"))
        for line in part.read_text().splitlines()
    )
    lost, more = here - there, there - here
    return {"lines lost": lost.total(), "lines twice or others": more.total()}


def measure_reading(count: int) -> None:
    """Measures reading, and says it."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        make_lines(top / "scans", count)
        record({"reading, lines": count})
        here = read_here(top / "scans", top / "one.jsonl", count)
        record({"reading, two processes": here})
        ray = read_over_ray(top / "scans", top / "ray", count, kill=False)
        ratio = round(ray["lines a second"] / here["lines a second"], 3)
        compared = lost_and_twice(top / "one.jsonl", top / "ray")
        record({"reading, two workers of Ray": {**ray, **compared, "over two processes": ratio}})
        killed = read_over_ray(top / "scans", top / "killed", count, kill=True)
        compared = lost_and_twice(top / "one.jsonl", top / "killed")
        record({"reading, a node killed in the middle": {**killed, **compared}})


def record(figures: Figures) -> None:
    """Adds figures to the results, and prints them."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**known, **figures}, indent=2) + "\n")
    print(json.dumps(figures), flush=True)


def main() -> None:
    """Measures what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("read", "train", "model"))
    parser.add_argument("--count", type=int, default=20_000, help="lines to read")
    given = parser.parse_args()
    if given.what == "read":
        measure_reading(given.count)
    elif given.what == "train":
        import scale_training

        record(scale_training.measure())
    else:
        import scale_model

        print(scale_model.page(json.loads(RESULTS.read_text())))


if __name__ == "__main__":
    main()
