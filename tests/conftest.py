"""Fixtures of all tests: an empty home, the command line as a function, a run, real data."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from holmdel.alphabet import ALPHABETS
from holmdel.checkpoint import Header, save_line_model, save_model
from holmdel.cli.app import run
from holmdel.images import ImageContract
from holmdel.networks import build
from holmdel.networks.line import LineNetwork


def pytest_configure() -> None:
    """Shares the cores out among pytest-xdist's workers; the processes tests start inherit it.

    More threads than cores make the engine's threads wait for one another: trainings of seconds
    then take minutes.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    threads = max(1, (os.cpu_count() or 1) // workers)
    os.environ["OMP_NUM_THREADS"] = str(threads)
    torch.set_num_threads(threads)


class Result(NamedTuple):
    """What a command left: its exit status, standard output and standard error."""

    status: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives each test an empty home and working folder, so that none touches the user's."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def holmdel(capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Returns the command line as a function of its words."""

    def call(*words: object) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            run([str(word) for word in words])
        said = capsys.readouterr()
        return Result(int(exit_.value.code or 0), said.out, said.err)

    return call


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[str]]:
    """Returns what starts the command line in a process, with more in its environment by name."""

    def call(*words: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "holmdel", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )

    return call


@pytest.fixture
def without_torch(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Returns what runs the command line where there is no PyTorch, as exported files do."""
    absent = ("torch", "matplotlib", "openpyxl", "pypdfium2", "onnx", "sklearn")

    def call(*words: object, besides: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Runs a command; `besides` are further modules that are not there."""
        folder = tmp_path / "absent"
        for name in (*absent, *besides):
            folder.mkdir(exist_ok=True)
            said = f"raise ModuleNotFoundError('there is no {name}', name={name!r})"
            (folder / f"{name}.py").write_text(said)
        command = [sys.executable, "-m", "holmdel", *map(str, words)]
        first = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
        env = os.environ | {"PYTHONPATH": first}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=env)

    return call


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """Returns a run folder with an untrained LeNet of the classes a to j."""
    torch.manual_seed(0)
    header = Header(network="lenet", options={}, classes=tuple("abcdefghij"), image=ImageContract())
    save_model(tmp_path / "run" / "model.safetensors", build("lenet"), header)
    return tmp_path / "run"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The file of an untrained reader: it sees a digit in any picture, the same in the same."""
    torch.manual_seed(0)
    path = tmp_path / "line.safetensors"
    network = LineNetwork(alphabet=ALPHABETS[0])
    with torch.no_grad():
        network[-2].bias.view(2, -1)[:, 11:] -= 4  # all but digits and the point
    save_line_model(path, network, None)
    return path


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Returns the folder of real data sets that HOLMDEL_DATA names, or skips the test."""
    root = os.environ.get("HOLMDEL_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("needs real data: set HOLMDEL_DATA to a data root")
    return Path(root).resolve()
