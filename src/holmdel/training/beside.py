"""Curves drawn by a process of its own, which loads matplotlib while this one loads PyTorch.

It waits until it is asked, writes no file, and ends when this process does, however that ends.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holmdel.training.history import Epoch

Process = subprocess.Popen[bytes]
_running: list[Process] = []  # at most one


@contextmanager
def drawing_beside() -> Iterator[Process | None]:
    """Has `draw_curves` ask another process; gives that, or None where it would be no quicker.

    That is where PyTorch is loaded already, or there is one processor.
    """
    if "torch" in sys.modules or (os.cpu_count() or 1) < 2 or _running:
        yield None
        return
    try:
        process = _start()
    except OSError:
        yield None
        return
    _running.append(process)
    try:
        yield process
    finally:
        _running.remove(process)
        process.kill()
        process.communicate()


def draw_curves(epochs: Sequence["Epoch"]) -> dict[str, bytes]:
    """Returns what `history.draw_curves` does, from the other process if one is there."""
    from holmdel.training import history

    files = _ask(_running[0], epochs) if _running else None
    return files or history.draw_curves(epochs)


def _start() -> Process:
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _ask(process: Process, epochs: Sequence["Epoch"]) -> dict[str, bytes] | None:
    """Returns the files that the process draws; None if it is there no longer."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError, ValueError):
        process.stdin.write(json.dumps([epoch.to_json() for epoch in epochs]).encode() + b"\n")
        process.stdin.flush()
        sizes = json.loads(process.stdout.readline())
        files = {ending: process.stdout.read(size) for ending, size in sizes.items()}
        if all(len(files[ending]) == size for ending, size in sizes.items()):
            return files
    return None


def main() -> None:
    """Draws the histories that come as lines of JSON: a line of sizes, then so many bytes each."""
    from holmdel.figures import figure_files, new_figure
    from holmdel.training.history import draw_curves, read_epoch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the training
    figure_files(new_figure()[0])  # loads what the first drawing would
    for line in sys.stdin.buffer:
        files = draw_curves([read_epoch(row, "an epoch") for row in json.loads(line)])
        sizes = {ending: len(content) for ending, content in files.items()}
        sys.stdout.buffer.write(json.dumps(sizes).encode() + b"\n" + b"".join(files.values()))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
