"""What a step and an all-reduce cost, and how far two workers are from one."""

import contextlib
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors.torch import load_file

import holmdel
from holmdel.images.pages import DocumentPage
from holmdel.reading.chunks import CHUNK
from holmdel.reading.stream import ReaderSettings
from holmdel.training import launch
from holmdel.training.callbacks import Callback, Stopped
from holmdel.training.group import joined, launched
from holmdel.training.history import Epoch

STEPS = 20  # each an epoch of one batch
LINES, WARM = 320, 64  # lines read, and those before the clock is read
EXAMPLES = 1_437  # of the digits' training split
SIZES = (61_706, 1_000_000, 6_000_000)  # numbers of an all-reduce: LeNet's, and more


class After(Callback):
    """Stops a training after its steps, so that its state stays there as it is computed."""

    def epoch(self, history: list[Epoch]) -> None:
        """Stops at the last step."""
        if len(history) == STEPS:
            raise Stopped


def weights(folder: Path, network: str, workers: int, **settings: Any) -> dict[str, torch.Tensor]:
    """Returns the weights after `STEPS` steps."""
    given: dict[str, Any] = {"epochs": STEPS + 1, "engine": "torch", "dead_after": 0}
    given |= {"limit": 64, "batch_size": 64, "callbacks": After(), **settings}
    with contextlib.suppress(Stopped):
        holmdel.train(network, "digits", out=folder, workers=workers, **given)
    saved = load_file(folder / "resume.safetensors")
    trained = {"weight", "bias"}
    return {k: v.double() for k, v in saved.items() if k.rpartition(".")[2] in trained}


def difference(network: str, **settings: Any) -> float:
    """Returns the largest difference of a weight between two workers and one."""
    with tempfile.TemporaryDirectory() as folder:
        one = weights(Path(folder) / "one", network, 1, **settings)
        two = weights(Path(folder) / "two", network, 2, **settings)
    return max(float((one[name] - two[name]).abs().max()) for name in one)


def all_reduce(folder: str) -> None:
    """Measures all-reduces among workers; worker 0 leaves the seconds of each size in a file."""
    with joined(launched(), torch.device("cpu")) as group:
        found = []
        for size in SIZES:
            numbers = torch.zeros(size)
            dist.all_reduce(numbers)
            began = time.perf_counter()
            for _ in range(20):
                dist.all_reduce(numbers)
            found.append((time.perf_counter() - began) / 20)
        if group.first:
            torch.save(found, Path(folder) / "seconds")


def measure() -> dict[str, Any]:
    """Returns the figures of training."""
    modern = {"recipe": "modern", "average": 0.9, "optimizer": "sgd", "lr": 0.1}
    adamw = {**modern, "optimizer": "adamw", "lr": 5e-3}
    found: dict[str, Any] = {}
    for name, settings in (("book", {}), ("modern by sgd", modern), ("modern by AdamW", adamw)):
        for precision in ("float64", "float32"):
            far = difference("lenet", precision=precision, **settings)
            found[f"lenet, {name}, {precision}: difference after {STEPS} steps"] = far
    with tempfile.TemporaryDirectory() as folder:
        with launch.workers(2, all_reduce, {"folder": folder}):
            all_reduce(folder)
        seconds = torch.load(Path(folder) / "seconds")
    for size, each in zip(SIZES, seconds, strict=True):
        found[f"all-reduce of {size:,} numbers, 2 workers, ms"] = round(each * 1000, 3)
    return found | costs()


def costs() -> dict[str, Any]:
    """Returns what a line and an example cost one core, by processor time."""
    from scale import make_lines

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        make_lines(Path(folder) / "scans", LINES)
        reader = ReaderSettings(lines=True).worker()
        scans: list[str | Path | bytes | DocumentPage] = [
            str(path) for path in sorted((Path(folder) / "scans").iterdir())
        ]
        list(reader.read_each(scans[:WARM]))
        began = time.process_time()
        for first in range(WARM, LINES, CHUNK):
            list(reader.read_each(scans[first : first + CHUNK]))
        line = (time.process_time() - began) / (LINES - WARM)
        began = time.process_time()
        given: dict[str, Any] = {"epochs": 2, "engine": "torch", "batch_size": 64}
        run = holmdel.train("resnet8", "digits", out=Path(folder) / "run", **given)
        example = (time.process_time() - began) / (2 * EXAMPLES)
    assert run.history
    return {
        "reading a line, ms of processor time": round(line * 1000, 3),
        "resnet8, 28x28, an example, ms of processor time": round(example * 1000, 3),
    }


if __name__ == "__main__":
    print(measure())
