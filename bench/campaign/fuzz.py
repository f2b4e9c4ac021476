"""Damaged files and texts at every door: an answer or a sentence, soon, and in little memory.

    python -m campaign.fuzz KIND SEED FIRST COUNT FOLDER

is the process in which they are opened; `fuzz` starts it, and anew where a case ends it.
"""

import contextlib
import ctypes
import gc
import json
import os
import random
import resource
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SLOW = 1.0  # seconds of processor time, from which a refusal is a fault
LARGE = 300_000_000  # bytes above what the process held before
MARK = "executed"  # a folder that is made where something in a pickle is called
HUNG = 60.0  # seconds in which a case must end
MOST_MEMORY = 8 << 30
FAILED = 1  # how Python ends where an exception is not caught; a case's are
SHARES = {
    "classifier": 10, "classifier-header": 6, "reader": 6, "reader-header": 4, "state": 2,
    "state-header": 2, "config": 2, "metrics": 2, "calibration": 6, "weights": 10,
    "weights-torch": 6, "weights-pickled": 4, "weights-index": 2, "weights-part": 2,
    "weights-tensorflow": 2, "weights-hdf5": 0.2, "exported": 1, "image": 16, "pdf": 2,
    "cheques": 6, "template": 4, "truth": 6, "settings": 4, "csv": 4, "npz": 3, "parquet": 2,
    "idx": 3, "pattern": 6, "codes": 4, "answers": 6, "command-line": 1,
}  # fmt: skip


def fuzz(
    kind: str, seed: int, count: int, folder: Path, found: Path, first: int = 0
) -> dict[str, Any]:
    """Returns what so many damaged files of a kind did.

    Args:
        kind: of `doors.DOORS`.
        seed: of the damage; the same gives the same files.
        count: how many.
        folder: an empty one, or one that another kind has used.
        found: where files that do what they should not are kept.
        first: the number of the first case.
    """
    totals: Counter[str] = Counter()
    faults: list[dict[str, Any]] = []
    slowest = most = 0.0
    after, end = first, first + count
    while after < end:
        for line in _process(kind, seed, after, end - after, folder):
            after = line["case"] + 1
            totals[line["result"]] += 1
            slowest, most = max(slowest, line["seconds"]), max(most, line["bytes"])
            if line["result"] not in ("answered", "refused"):
                faults.append(line)
        if after < end:  # the process is gone
            faults.append({"case": after, "result": "died or hung", "said": _last(folder)})
            totals["died or hung"] += 1
            after += 1
    for fault in faults:
        _keep(kind, seed, fault, folder, found)
    return {
        "cases": count,
        **totals,
        "slowest_seconds": round(slowest, 2),
        "most_megabytes": round(most / 1e6),
        "faults": faults,
    }


def _process(kind: str, seed: int, first: int, count: int, folder: Path) -> Iterator[Any]:
    """Gives what a process says of its cases, until it ends or hangs.

    Raises:
        RuntimeError: if the campaign itself failed there, and no case of it.
    """
    words = [sys.executable, "-m", "campaign.fuzz", kind, *map(str, (seed, first, count, folder))]
    home = {"HOME": str(folder), "XDG_CACHE_HOME": str(folder / "cache")}
    home |= {"XDG_CONFIG_HOME": str(folder / "config")}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=(folder / "errors").open("w"), env=os.environ | home
    ) as process:
        assert process.stdout
        for line in process.stdout:
            with contextlib.suppress(ValueError):
                yield json.loads(line)
        status = process.wait()
    with (folder / "errors").open("a") as errors:
        errors.write(f"\nended with {status}\n" if status else "")
    if status == FAILED:
        raise RuntimeError((folder / "errors").read_text())


def _last(folder: Path) -> str:
    """Returns how a process ended, and the last that it said."""
    return " ".join((folder / "errors").read_text().split())[-300:]


def _keep(kind: str, seed: int, fault: dict[str, Any], folder: Path, found: Path) -> None:
    """Keeps the file of a case."""
    words = [sys.executable, "-m", "campaign.fuzz", kind, str(seed), str(fault["case"]), "0"]
    subprocess.run([*words, str(folder)], check=True, stdout=subprocess.DEVNULL)
    found.mkdir(parents=True, exist_ok=True)
    (folder / "case").replace(found / f"{kind}-{seed}-{fault['case']}")


class Worker:
    """Opens damaged files, one after the other, and says of each what it did."""

    def __init__(self, kind: str, seed: int, folder: Path) -> None:
        from campaign import doors, seeds

        marker = folder / "prepared"
        if not marker.exists():
            seeds.prepared(folder)
            marker.write_text("")
        os.chdir(folder)
        self.kind, self.seed, self.folder = kind, seed, folder
        self.door, self.opened = doors.DOORS[kind], doors.opened
        self.make = seeds.damages(kind, folder)
        self.truth: object = None
        if self.door.same:
            self.truth = self.opened(kind, self.write(seeds.undamaged(kind, folder)))

    def write(self, content: bytes) -> Path:
        """Returns the file with this content."""
        path = self.folder / self.door.name
        path.write_bytes(content)
        return path

    def content(self, case: int) -> bytes:
        """Returns the damaged file of a number."""
        return self.make(random.Random(f"{self.kind} {self.seed} {case}"))

    def judge(self, path: Path) -> dict[str, Any]:
        """Returns whether a file was answered, refused, or did what it should not."""
        from holmdel.errors import UserError

        try:
            answer = self.opened(self.kind, path)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            where = f"{Path(place.filename).name}:{place.lineno}"
            said = f"{type(error).__name__}: {str(error)[:200]} ({where})"
            return {"result": "traceback", "said": said}
        if (self.folder / MARK).exists():
            (self.folder / MARK).rmdir()
            return {"result": "called what a pickle names"}
        if isinstance(answer, UserError):
            ours = "\n" not in str(answer) and len(str(answer)) < 2_000
            return {"result": "refused" if ours else "no sentence", "said": str(answer)[:200]}
        if self.door.same and answer != self.truth:
            return {"result": "accepted with other content"}
        return {"result": "answered"}

    def run(self, case: int) -> dict[str, Any]:
        """Returns what a case did; of two tries where one cost much, as first uses import much."""
        found = self.once(case)
        return self.once(case) if found["result"] in ("slow", "large") else found

    def once(self, case: int) -> dict[str, Any]:
        """Returns what a case did, how long it took and how much memory."""
        path = self.write(self.content(case))
        before = forget()
        began = time.process_time() + _children()
        judged = self.judge(path)
        seconds = time.process_time() + _children() - began
        grown = max(0, peak() - before)
        if judged["result"] in ("answered", "refused"):
            judged["result"] = _cost(judged["result"], seconds, grown)
        if judged["result"] in ("answered", "refused"):
            judged.pop("said", None)
        return {"case": case, "seconds": seconds, "bytes": grown, **judged}


def _cost(result: str, seconds: float, grown: int) -> str:
    if result == "refused" and seconds > SLOW:
        return "slow"
    return "large" if result == "refused" and grown > LARGE else result


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def forget() -> int:
    """Lets the peak of this process's memory begin anew; returns it, in bytes."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> int:
    """Returns the most memory that this process has held since `forget`, in bytes."""
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.partition("VmHWM:")[2].split()[0])


def main() -> None:
    """Opens cases FIRST to FIRST + COUNT; of COUNT 0 only writes the first as FOLDER/case."""
    kind, *numbers, folder = sys.argv[1:]
    seed, first, count = map(int, numbers)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    worker = Worker(kind, seed, Path(folder).resolve())
    if not count:
        (worker.folder / "case").write_bytes(worker.content(first))
        return
    gc.freeze()
    for case in range(first, first + count):
        signal_after(HUNG)
        answers.write(json.dumps(worker.run(case)) + "\n")
        answers.flush()
    signal_after(0)


def signal_after(seconds: float) -> None:
    """Ends the process if the next case takes so long; 0 for no limit."""
    ctypes.CDLL(None).alarm(int(seconds))


def campaign(
    seed: int, cases: int, work: Path, found: Path, tell: Callable[[str], None], only: str = ""
) -> dict[str, Any]:
    """Returns what so many damaged files did in all, by kind."""
    chosen = {kind: share for kind, share in SHARES.items() if only in kind}
    results = {}
    for kind, share in chosen.items():
        began = time.perf_counter()
        count = max(1, round(cases * share / sum(chosen.values())))
        results[kind] = fuzz(kind, seed, count, work, found)
        seconds = time.perf_counter() - began
        tell(f"{kind}: {json.dumps(results[kind] | {'wall_seconds': round(seconds)})}")
    return results


if __name__ == "__main__":
    main()
