"""Training over several workers: they see the batches of one, and end with its weights."""

import copy
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import holmdel as library
from holmdel.errors import UserError
from holmdel.training.callbacks import Callback, Stopped
from holmdel.training.group import ALONE
from holmdel.training.history import Epoch
from holmdel.training.shared_layers import Shared, share_layers

FEW = {"batch_size": 16, "limit": 90, "engine": "torch", "dead_after": 0, "seed": 3}


class AfterEpochs(Callback):
    """Stops a training, so that its state stays there as it is computed."""

    def __init__(self, count: int) -> None:
        self.count = count

    def epoch(self, history: list[Epoch]) -> None:
        if len(history) == self.count:
            raise Stopped


def weights_after(folder: str, network: str, workers: int, **settings: object) -> dict:
    """Returns the weights of three epochs, as precise as they were computed."""
    with pytest.raises(Stopped):
        library.train(
            network,
            "digits",
            out=folder,
            epochs=4,
            workers=workers,
            callbacks=AfterEpochs(3),
            **FEW | settings,
        )
    saved = load_file(Path(folder) / "resume.safetensors")
    return {name: value for name, value in saved.items() if name.startswith("network/")}


def farthest(one: dict, other: dict) -> float:
    return max(float((one[name].double() - other[name].double()).abs().max()) for name in one)


# Not by AdamW, which makes steps of the rounding that a bias before a batch norm has as a gradient;
# and deep networks without batch norms, which make values of the rounding in a dead channel.
MODERN = {"recipe": "modern", "optimizer": "sgd", "lr": 0.1, "augment": "affine+elastic"}
MODERN |= {"average": 0.9, "label_smoothing": 0.1}
DEEP = {"width": 0.05, "limit": 34, "batch_size": 12, "clip": 1.0, "augment": "shift"}


@pytest.mark.parametrize(
    ("network", "workers", "settings"),
    [
        (
            "lenet",
            2,
            {**MODERN, "batch_size": 11, "limit": 93},
        ),  # batches do not divide
        pytest.param("lenet", 3, MODERN, marks=pytest.mark.exhaustive),
        pytest.param("nin", 2, DEEP, marks=pytest.mark.exhaustive),  # dropout
        pytest.param("googlenet", 2, DEEP, marks=pytest.mark.exhaustive),
    ],
)
def test_workers_take_the_steps_of_one(network, workers, settings):
    settings = {**settings, "precision": "float64"}
    one = weights_after("one", network, 1, **settings)
    several = weights_after("several", network, workers, **settings)
    assert torch.float64 in {weight.dtype for weight in one.values()}
    assert farthest(one, several) < 1e-10


def test_a_copy_of_shared_layers_is_what_they_were_before():
    layers = (nn.BatchNorm2d(3, affine=False), nn.BatchNorm1d(4, momentum=None), nn.Dropout(0.3))
    network = nn.Sequential(*layers).double().eval()
    network[0].running_mean += 0.5
    share_layers(network, Shared(ALONE))
    copied = copy.deepcopy(network)
    assert [type(layer) for layer in copied] == [nn.BatchNorm2d, nn.BatchNorm1d, nn.Dropout]
    assert (copied[1].momentum, copied[2].p) == (None, 0.3)
    assert not any(module.training for module in copied.modules())
    assert (copied[0].running_mean == 0.5).all()
    assert copied[0].running_mean.dtype == torch.float64
    assert copied[0].running_mean is not network[0].running_mean


@pytest.mark.exhaustive
def test_going_on_with_another_number_of_workers_ends_with_the_same_weights():
    settings = {**MODERN, "precision": "float64"}
    with pytest.raises(Stopped):
        library.train(
            "lenet",
            "digits",
            out="run",
            epochs=3,
            workers=2,
            callbacks=AfterEpochs(1),
            **FEW | settings,
        )
    library.train("lenet", "digits", out="run", resume=True, workers=1)
    library.train("lenet", "digits", out="one", epochs=3, **FEW | settings)
    one, gone_on = (load_file(Path(name) / "model.safetensors") for name in ("one", "run"))
    assert farthest(one, gone_on) < 1e-6  # they are saved in float32


def test_a_mistake_of_workers_is_one_sentence():
    with pytest.raises(UserError, match="batch_size was given as 1 for 2 workers"):
        library.train("lenet", "digits", out="run", workers=2, **FEW | {"batch_size": 1})
    with pytest.raises(UserError, match="workers was given as 0"):
        library.train("lenet", "digits", out="run", workers=0)
    with pytest.raises(
        UserError, match=r"workers was given as 99999; expected at most \d+ on this"
    ):
        library.train("lenet", "digits", out="run", workers=99999, engine="torch")


def place_of(rank: int, port: int) -> dict[str, str]:
    """Returns the environment that torchrun gives one of two workers: it names its place."""
    place = {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank)}
    return place | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}


@pytest.mark.exhaustive
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_a_worker_that_is_killed_ends_the_training_and_it_goes_on(holmdel, start):
    words = ("train", "lenet", "--data", "digits", "--recipe", "modern", "--epochs", "6")
    words += ("--limit", "600", "--out", "run")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    workers = [start(*words, **place_of(rank, port)) for rank in (0, 1)]
    assert workers[0].stdout is not None
    workers[0].stdout.readline()
    time.sleep(0.3)
    workers[1].send_signal(signal.SIGKILL)
    _, errors = workers[0].communicate(timeout=60)
    workers[1].communicate()
    assert workers[0].returncode == 2
    assert "another worker of the training ended" in errors
    assert "go on with --resume" in errors
    assert holmdel(*words, "--resume").status == 0
    assert len(Path("run/metrics.jsonl").read_text().splitlines()) == 6


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize(
    "words",
    [
        ("train", "lenet", "--data", "digits", "--epochs", "400", "--workers", "2"),
        pytest.param(
            ("train", "reader", "--lines", "100000", "--processes", "2"),
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_the_other_processes_of_a_training_that_is_killed_end_with_it(start, words):
    """Killed while they wait for one another, for which they would wait many minutes."""
    training = start(*words, "--out", "run", OMP_NUM_THREADS="1")
    while not spawned(training.pid) and training.poll() is None:
        time.sleep(0.1)
    assert training.poll() is None
    training.kill()
    training.communicate(timeout=60)  # which waits for all that may still write to the pipes


def spawned(parent: int) -> bool:
    """Tells whether a process has started another by `multiprocessing`."""
    words = ["ps", "-A", "-ww", "-o", "ppid=", "-o", "args="]
    listed = subprocess.run(words, capture_output=True, text=True, check=True)
    lines = (line.split(maxsplit=1) for line in listed.stdout.splitlines())
    return any(int(of) == parent and "spawn_main" in words for of, words in lines)
