"""A run folder: one training at a time, and whole whenever a training was killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import holmdel as library
from holmdel.errors import UserError
from holmdel.training.callbacks import Callback, Stopped

SMALL = {"epochs": 1, "limit": 64}


class Second(Callback):
    """Starts another training in the folder of the first, while that runs."""

    def __init__(self, *, resume: bool) -> None:
        self.resume = resume
        self.said = ""

    def between_batches(self, snapshot) -> None:
        with pytest.raises(UserError) as refused:
            library.train("lenet", "digits", out="run", resume=self.resume, **SMALL)
        self.said = str(refused.value)


def test_a_second_training_in_a_folder_is_told():
    second = Second(resume=True)
    library.train("lenet", "digits", out="run", callbacks=second, **SMALL)
    assert second.said == (
        "run is in use by another training; wait for its end, or choose another --out"
    )
    library.train("lenet", "digits", out="run", resume=True)  # it is free again


def test_a_folder_is_free_when_its_process_is_gone():
    program = (
        "import sys, pathlib, holmdel.files as f; f.lock(pathlib.Path('run')); print(flush=True)"
    )
    held = [sys.executable, "-c", program + "; sys.stdin.read()"]
    pipe = subprocess.PIPE
    with subprocess.Popen(held, stdin=pipe, stdout=pipe) as process:
        process.stdout.readline()
        with pytest.raises(UserError, match="run is in use by another training"):
            library.train("lenet", "digits", out="run", **SMALL)
        process.kill()
    library.train("lenet", "digits", out="run", **SMALL)


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("half", [".config.json.abc.part", ".tmpB9nEs1"])
def test_a_folder_of_half_a_first_file_is_as_good_as_none(resume, half):
    """The second is what safetensors writes to, to be renamed to the first."""
    Path("run").mkdir()
    Path("run", half).write_text("{")
    library.train("lenet", "digits", out="run", resume=resume, **SMALL)
    assert not list(Path("run").glob(".*"))


def test_a_folder_with_something_else_in_it_is_left_alone():
    Path("run").mkdir()
    Path("run/.hidden").write_text("mine")
    for resume in (False, True):
        with pytest.raises(UserError, match="run exists already; it holds no training to go on"):
            library.train("lenet", "digits", out="run", resume=resume, **SMALL)


def test_a_setting_that_a_config_lacks_is_named():
    modern = SMALL | {"recipe": "modern"}
    with pytest.raises(Stopped):
        library.train("lenet", "digits", out="run", callbacks=Stop(), **modern)
    config = json.loads(Path("run/config.json").read_text())
    del config["options"]["activation"]
    Path("run/config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"gone on with \(it has no activation\)"):
        library.train("lenet", "digits", out="run", resume=True, **modern)


class Stop(Callback):
    """Stops a training before its first batch."""

    def between_batches(self, snapshot) -> None:
        raise Stopped


def test_the_code_of_a_network_is_kept_however_early_a_training_was_killed():
    """It is written behind `config.json`, so that a kill may come between them."""
    code = "from torch import nn\nNet = lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 10))\n"
    Path("mine.py").write_text(code)
    with pytest.raises(Stopped):
        library.train("mine.py:Net", "digits", out="run", callbacks=Stop(), **SMALL)
    Path("run/mine.py").unlink()
    library.train("mine.py:Net", "digits", out="run", resume=True)
    assert Path("run/mine.py").read_text() == code


KILLED = """
import os, sys
import holmdel

def train(kill_at):
    asked = 0
    def hook(event, arguments):
        nonlocal asked
        asked += event in ("os.rename", "os.remove")
        if kill_at and asked == kill_at:
            os._exit(9)
    sys.addaudithook(hook)
    holmdel.train("lenet", "digits", out=sys.argv[1], resume=True, epochs=2, batch_size=32,
        limit=64, validation=0.5, dead_after=0)
    os._exit(0)

def forked(kill_at):
    child = os.fork()
    if not child:
        train(kill_at)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

for kill_at in map(int, sys.argv[2:]):
    print(forked(kill_at), flush=True)
"""


def ended(folder: Path) -> dict[str, object]:
    """Returns what a run left, without what its clock says."""
    rows = [json.loads(row) for row in (folder / "metrics.jsonl").read_text().splitlines()]
    kept = ("epoch", "loss", "train_acc", "val_acc", "test_acc", "test_loss", "lr")
    return {
        "files": sorted(path.name for path in folder.iterdir()),
        "metrics": [{name: row.get(name) for name in kept} for row in rows],
        **{path.name: path.read_bytes() for path in folder.glob("*.safetensors")},
    }


def run(folder: str, *kills: int) -> list[int]:
    """Trains in processes that are killed at the n-th renaming or removal; 0 is never."""
    words = [sys.executable, "-c", KILLED, folder, *map(str, kills)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")
@pytest.mark.exhaustive
def test_a_run_killed_at_any_renaming_ends_as_an_unbroken_one():
    assert run("unbroken", 0) == [0]
    for point in range(1, 32):
        first, last = run(f"killed{point}", point, 0)
        assert (first, last) in ((9, 0), (0, 0))
        assert ended(Path(f"killed{point}")) == ended(Path("unbroken"))
