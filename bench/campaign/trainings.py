"""The trainings that are killed: each in a process forked from this one, as kills.py asks.

A line of JSON on standard input asks for one, a line on standard output says how it ended. It runs
with one thread (OMP_NUM_THREADS=1), for others would be missing in the children.
"""

import ctypes
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import holmdel
from holmdel import data
from holmdel.checkpoint import load_line_model, save_line_model
from holmdel.data import idx
from holmdel.networks.line import LineNetwork
from holmdel.reader_training import train_reader
from holmdel.training.callbacks import Callback

CLASSIFIER = {"epochs": 2, "batch_size": 32, "limit": 64, "validation": 0.5, "dead_after": 0}
MODERN = CLASSIFIER | {"recipe": "modern", "average": 0.9}
READER: dict[str, Any] = {"lines": 32, "batch_size": 8, "processes": 1, "held_out": 24}
TINY = (4, 4, 8, 8, 8, 8, 8)  # channels
MINE = """import torch
class Net(torch.nn.Sequential):
    def __init__(self):
        super().__init__(torch.nn.Flatten(), torch.nn.Linear(784, 20), torch.nn.Tanh(),
                         torch.nn.Linear(20, 10))
"""
KILL, FULL = 0, 1  # modes of points.c


def classifier(network: str, **settings: Any) -> Callable[[Path, Path], None]:
    """Returns a training of a classifier."""

    def train(folder: Path, material: Path) -> None:
        given = str(material / network) if ".py" in network else network
        holmdel.train(given, "digits", out=folder, resume=True, callbacks=Callback(), **settings)

    return train


def reader(folder: Path, material: Path) -> None:
    """Trains a small reader on made lines."""
    model = material / "reader.safetensors"
    train_reader(out=folder, resume=True, data_root=material, model=model, **READER)


TRAININGS: dict[str, Callable[[Path, Path], None]] = {
    "lenet, recipe book, native engine": classifier("lenet", **CLASSIFIER),
    "lenet, recipe book, PyTorch": classifier("lenet", engine="torch", **CLASSIFIER),
    "lenet, recipe modern, averaged": classifier("lenet", **MODERN),
    "a network from a file": classifier("net.py:Net", **CLASSIFIER),
    "reader": reader,
}


def prepare(material: Path) -> None:
    """Writes what the trainings learn from."""
    digits = data.load("digits")
    for name, split in (("train", digits.train), ("t10k", digits.test)):
        raw = material / "MNIST" / "raw"
        idx.write(raw / f"{name}-images-idx3-ubyte", split.images[:, 0].numpy())
        idx.write(raw / f"{name}-labels-idx1-ubyte", split.labels.numpy().astype("uint8"))
    (material / "net.py").write_text(MINE)
    torch.manual_seed(0)
    save_line_model(material / "reader.safetensors", LineNetwork(TINY), None)
    load_line_model(material / "reader.safetensors")


def child(asked: dict[str, Any], material: Path) -> None:
    """Trains and ends the process: 0, 2 for a sentence, 1 for anything else; or is killed."""
    points = ctypes.CDLL(None)
    folder = Path(asked["folder"])
    log = os.open(f"{folder}.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    status = 1
    points.points_watch(str(folder).encode(), ctypes.c_long(asked["at"]), asked["mode"])
    try:
        TRAININGS[asked["training"]](folder, material)
        status = 0
    except holmdel.UserError as error:
        os.write(2, f"UserError: {error}\n".encode())
        status = 2
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    count = Path(f"{folder}.count")
    count.write_text(str(points.points_asked()))
    os._exit(status)


def wait(pid: int, seconds: float | None) -> int:
    """Returns how a process ended; it is killed after so many seconds."""
    if seconds is not None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.002)
        os.kill(pid, 9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def main() -> None:
    """Answers until standard input ends."""
    material = Path(sys.argv[1])
    prepare(material)
    for number, train in enumerate(TRAININGS.values()):  # loads all that the children need
        train(material / f"first-{number}", material)
    for line in sys.stdin:
        asked = json.loads(line)
        began = time.perf_counter()
        pid = os.fork()
        if not pid:
            child(asked, material)
        status = wait(pid, asked.get("seconds"))
        print(json.dumps({"status": status, "took": time.perf_counter() - began}), flush=True)


if __name__ == "__main__":
    main()
