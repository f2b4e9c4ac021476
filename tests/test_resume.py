"""Resuming a stopped training gives the same weights as a training that was not stopped."""

import signal
import sys
import time
from pathlib import Path

import pytest

import holmdel as library
from holmdel.checkpoint import save_model
from holmdel.training.callbacks import Callback, Stopped

MODERN = {"recipe": "modern", "epochs": 4, "batch_size": 16, "limit": 600, "average": 0.9}
RUN = (
    *("lenet", "--data", "digits", "--recipe", "modern", "--epochs", "4", "--batch-size", "16"),
    *("--limit", "600", "--average", "0.9"),
)


def weights(folder: str | Path) -> bytes:
    return (Path(folder) / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns the folder of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("unbroken") / "run"
    library.train("lenet", "digits", out=folder, **MODERN)
    return folder


@pytest.mark.parametrize(
    "moments", [(0.05,), pytest.param((0.0, 0.05, 0.25), marks=pytest.mark.exhaustive)]
)
def test_killed_at_any_moment_a_run_ends_with_the_same_weights(holmdel, start, unbroken, moments):
    for after in moments:  # seconds after a line was printed
        process = start("train", *RUN, "--out", "killed", "--resume")
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(after)
        process.kill()
        process.communicate()
    Path("killed/.model.safetensors.abc.part").write_bytes(b"half a model")
    assert holmdel("train", *RUN, "--out", "killed", "--resume").status == 0
    assert weights("killed") == weights(unbroken)
    names = sorted(p.name for p in Path("killed").iterdir())
    assert names == sorted(p.name for p in unbroken.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_saves_and_says_how_to_go_on(holmdel, start, unbroken):
    process = start("train", *RUN, "--out", "stopped")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "go on with: holmdel train lenet --data digits --out stopped --resume" in errors
    assert holmdel("train", "lenet", "--data", "digits", "--out", "stopped", "--resume").status == 0
    assert weights("stopped") == weights(unbroken)


def test_two_processes_with_other_hash_seeds_get_the_same_weights(start):
    words = (*RUN, "--epochs", "1", "--limit", "300")
    runs = [
        start("train", *words, "--out", f"run{seed}", PYTHONHASHSEED=seed) for seed in ("1", "2")
    ]
    for process in runs:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    assert weights("run1") == weights("run2")


def test_another_seed_gives_other_weights():
    for seed in (0, 1):
        library.train("lenet", "digits", out=f"run{seed}", limit=64, epochs=1, seed=seed)
    assert weights("run0") != weights("run1")


def test_a_finished_run_is_not_trained_again(holmdel):
    first = holmdel("train", "lenet", "--data", "digits", "--epochs", 1, "--out", "run")
    before = weights("run")
    again = holmdel("train", "lenet", "--data", "digits", "--out", "run", "--resume")
    assert again.status == 0
    assert again.out.splitlines()[-2:] == first.out.splitlines()[-2:]
    assert weights("run") == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("lenet", "--lr", "0.5"), "was started with lr 0.9 and cannot go on with 0.5; leave lr"),
        (("lenet5",), "was started with network 'lenet' and cannot go on with 'lenet5'"),
        (("lenet", "--data", "mnist"), "was started with data 'digits' and cannot go on with"),
    ],
)
def test_going_on_with_something_else_is_told(holmdel, words, sentence):
    holmdel("train", "lenet", "--data", "digits", "--epochs", 1, "--limit", 64, "--out", "run")
    data = () if "--data" in words else ("--data", "digits")
    done = holmdel("train", *words, *data, "--out", "run", "--resume")
    assert done.status == 2
    assert sentence in done.err


def test_a_state_of_something_else_is_told(holmdel):
    holmdel("train", "lenet", "--data", "digits", "--epochs", 1, "--limit", 64, "--out", "run")
    Path("run/resume.safetensors").write_bytes(b"rubbish")
    done = holmdel("train", "lenet", "--data", "digits", "--out", "run", "--resume")
    assert done.status == 2
    assert "cannot be read as safetensors" in done.err


class Hand(Callback):
    """Waits between two batches, or takes a snapshot and stops the training.

    Args:
        stop_at: after which batch it stops the training, counted from 1; 0 for never.
        hold_at: after which batch it waits for `HOLD` seconds.
    """

    HOLD = 1.0

    def __init__(self, *, stop_at: int = 0, hold_at: int = 0) -> None:
        self.stop_at, self.hold_at = stop_at, hold_at
        self.asked = 0
        self.seen = None
        self.ends: list[float] = []  # of the epochs, in seconds

    def epoch(self, history) -> None:
        self.ends.append(time.perf_counter())

    def between_batches(self, snapshot) -> None:
        self.asked += 1
        if self.asked == self.hold_at:
            time.sleep(self.HOLD)
        if self.asked == self.stop_at:
            self.seen = snapshot()
            raise Stopped


SMALL = {"recipe": "modern", "epochs": 2, "batch_size": 64, "limit": 256, "calibrate": False}


def test_a_program_stops_a_training_between_two_batches():
    library.train("lenet", "digits", out="unbroken", **SMALL)
    hand = Hand(stop_at=6)  # in the second epoch
    with pytest.raises(Stopped):
        library.train("lenet", "digits", out="run", callbacks=hand, **SMALL)
    run = library.train("lenet", "digits", out="run", resume=True)
    assert len(run.history) == 2
    assert weights("run") == weights("unbroken")


def test_a_program_looks_at_a_training_as_it_is():
    """At the end of the first epoch it sees what is written then: no batch norm is in it."""
    hand = Hand(stop_at=4)
    with pytest.raises(Stopped):
        library.train("lenet", "digits", out="run", callbacks=hand, **SMALL)
    one = Hand(stop_at=5)  # the model of the first epoch is written before the fifth batch
    with pytest.raises(Stopped):
        library.train("lenet", "digits", out="other", callbacks=one, **SMALL)
    save_model(Path("looked.safetensors"), *hand.seen)
    assert Path("looked.safetensors").read_bytes() == weights("other")
    assert not hand.seen[0].training


def test_what_a_program_holds_up_is_no_time_of_the_training():
    """However slow the machine: the second epoch takes no more than what passes but the wait."""
    hand = Hand(hold_at=6)  # in the second epoch
    run = library.train("lenet", "digits", out="run", callbacks=hand, **SMALL)
    first, second = hand.ends
    assert run.history[1].seconds < second - first - Hand.HOLD
