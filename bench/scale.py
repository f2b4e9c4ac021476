"""What Ray and torch.distributed cost on this machine, and what many cores would do.

    python bench/scale.py read [--count 20000]   this machine's two processes and Ray's two
                                                 workers in turns; then a node and the job killed,
                                                 on clusters of two and three nodes
    python bench/scale.py train                  two workers beside one: the difference of a weight,
                                                 the cost of a step and of an all-reduce
    python bench/scale.py model                  what 16, 256 and 4,096 cores would do, computed

Each writes its figures into bench/results/scale.json. `read` needs the extra `ray`: its cluster is
a head and nodes of one processor each, all on this machine.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from holmdel import data
from holmdel.benchmark.machine import machine, today

RESULTS = Path(__file__).parent / "results" / "scale.json"
TURNS = 4  # of one and the other reading a part of the lines
STORE = 100 * 2**20  # bytes of a node's object store
Figures = dict[str, Any]


def make_lines(folder: Path, count: int) -> list[Path]:
    """Writes lines of two to four digits of MNIST's test split; returns folders of a turn each."""
    digits = data.load("mnist").test.images[:, 0].numpy()
    draw = np.random.default_rng(0)
    turns = [folder / str(turn) for turn in range(TURNS)]
    for turn in turns:
        turn.mkdir(parents=True)
    for number in range(count):
        chosen = digits[draw.integers(0, len(digits), draw.integers(2, 5))]
        ink = np.concatenate(list(chosen[:, :, 4:24]), axis=1)
        paper = np.full((44, ink.shape[1] + 40), 235, np.uint8)
        paper[8:36, 20:-20] -= (ink * 0.8).astype(np.uint8)
        Image.fromarray(paper).save(turns[number * TURNS // count] / f"{number:06}.png")
    return turns


def read_here(scans: Path, out: Path) -> Figures:
    """Returns the rate of two processes, from the first hundredth of the answers on."""
    count = len(list(scans.iterdir()))
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


def read_over_ray(scans: Path, out: Path, nodes: int = 2) -> Figures:
    """Returns the rate of a worker a node, from the first parts on, and the memory of workers."""
    with _cluster(nodes) as cluster:
        began = time.monotonic()
        status = _job(scans, out, cluster).wait()
        ended = time.monotonic()
    assert status == 0, f"the job over Ray ended with {status}"
    return {**_of_parts(out, nodes), "seconds": round(ended - began, 1)}


def read_among_deaths(scans: Path, out: Path, nodes: int) -> Figures:
    """Reads; a third through a node is killed, two thirds through the job, which is started again.

    Returns how many inputs were done at each death, and the memory of workers.
    """
    count = len(list(scans.iterdir()))
    with _cluster(nodes) as cluster:
        job = _job(scans, out, cluster)
        at_first = _wait(job, out, count // 3)
        cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
        at_second = _wait(job, out, 2 * count // 3)
        job.kill()
        job.wait()
        cluster.add_node(num_cpus=1, object_store_memory=STORE)  # in place of the dead one
        status = _job(scans, out, cluster, "--resume").wait()
    assert status == 0, f"the job that was started again ended with {status}"
    memory = {name: found for name, found in _of_parts(out, nodes).items() if "MB" in name}
    return {"node killed at": at_first, "job killed at": at_second, **memory}


_READ = [sys.executable, "-m", "holmdel", "read"]


@contextlib.contextmanager
def _cluster(nodes: int) -> Iterator[Any]:
    """Gives a cluster of a head without processors and nodes of one, all on this machine."""
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 (Ray's own spelling)
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False}
    cluster: Any = Cluster(initialize_head=True, head_node_args=head)
    for _ in range(nodes):
        cluster.add_node(num_cpus=1, object_store_memory=STORE)
    yield cluster
    cluster.shutdown()


def _job(scans: Path, out: Path, cluster: Any, *more: str) -> subprocess.Popen[bytes]:
    words = [str(scans), "--lines", "--out", f"{out}/", "--ray", cluster.address, *more]
    return subprocess.Popen([*_READ, *words])


def _wait(job: subprocess.Popen[bytes], out: Path, count: int) -> int:
    """Waits until so many inputs are done, or the job has ended; returns how many are."""
    done = 0
    while done < count and job.poll() is None:
        time.sleep(0.2)
        done = sum(_done(path)["inputs"] for path in _parts(out))
    return done


def _parts(out: Path) -> list[Path]:
    return sorted((out / "_job" / "done").glob("*.json"))


def _done(path: Path) -> Figures:
    found: Figures = json.loads(path.read_text())
    return found


def _of_parts(out: Path, nodes: int) -> Figures:
    """Returns the rate between the first part of each worker and the last, and the memory."""
    times = sorted(((p.stat().st_mtime, _done(p)) for p in _parts(out)), key=lambda pair: pair[0])
    lines = sum(one["inputs"] for _, one in times[nodes:])
    rate = lines / (times[-1][0] - times[nodes - 1][0])
    first: dict[str, float] = {}
    for _, one in times:
        first.setdefault(one["worker"], one["memory"])
    return {
        "lines a second": round(rate, 1),
        "MB a worker after its first part": max(first.values()),
        "MB a worker at the end": max(one["memory"] for _, one in times),
    }


def lines_of(*outs: Path) -> list[str]:
    """Returns the lines of files, and of folders of parts, in their order."""
    files = [
        path for out in outs for path in (sorted(out.glob("part-*")) if out.is_dir() else [out])
    ]
    return [line for path in files for line in path.read_text().splitlines()]


def lost_and_twice(here: list[str], there: list[str]) -> Figures:
    """Returns how many lines of one run are not in another, how many only there or there again."""
    one, other = Counter(here), Counter(there)
    lost, more = (one - other).total(), (other - one).total()
    return {"lines lost": lost, "lines twice or others": more, "same order": here == there}


def in_turns(top: Path, turns: list[Path]) -> None:
    """Reads folders on this machine and over Ray, in turns, and says what came of it."""
    here: list[Figures] = []
    over: list[Figures] = []
    for number, scans in enumerate(turns):
        for ray in (number % 2 == 1, number % 2 == 0):  # the other one begins each time
            if ray:
                over.append(read_over_ray(scans, top / f"{scans.name}-ray"))
            else:
                here.append(read_here(scans, top / f"{scans.name}.jsonl"))
    rates = [[one["lines a second"] for one in found] for found in (here, over)]
    ones, rays = ([top / f"{scans.name}{end}" for scans in turns] for end in (".jsonl", "-ray"))
    record(
        {
            "reading, two processes, lines a second": rates[0],
            "reading, two workers of Ray": {
                "lines a second": rates[1],
                **{name: [one[name] for one in over] for name in over[0] if "MB" in name},
                **lost_and_twice(lines_of(*ones), lines_of(*rays)),
                "over two processes": round(_harmonic(rates[1]) / _harmonic(rates[0]), 3),
            },
        }
    )


def _harmonic(rates: list[float]) -> float:
    """Returns the rate over turns of as many lines each."""
    return len(rates) / sum(1 / rate for rate in rates)


def measure_reading(count: int) -> None:
    """Measures reading, and says it."""
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder)
        turns = make_lines(top / "scans", count)
        record({"reading, lines": count})
        in_turns(top, turns)
        ones = lines_of(*(top / f"{scans.name}.jsonl" for scans in turns))
        for nodes in (2, 3):
            out = top / f"killed-{nodes}"
            found = read_among_deaths(top / "scans", out, nodes)
            compared = lost_and_twice(ones, lines_of(out))
            record({f"reading, deaths among {nodes} nodes": {**found, **compared}})


def record(figures: Figures) -> None:
    """Adds figures to the results, and prints them."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known |= {"date": today(), "machine": machine()}
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
