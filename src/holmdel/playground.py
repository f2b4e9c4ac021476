"""`holmdel.serve`: the playground from Python, and in a notebook below the cell."""

import atexit
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from torch import nn

from holmdel.checkpoint import save_model
from holmdel.classifier import Classifier
from holmdel.errors import UserError
from holmdel.training.run import Run

_HEIGHT = 760  # CSS pixels of the frame in a notebook
_LEAVE = 20.0  # seconds in which a server ends


class Playground:
    """A playground that runs in a process of its own, until `stop()` or the end of this one.

    Shown in a notebook, it is a frame below the cell.

    Attributes:
        url: where it is.
        height: of the frame, in pixels.
    """

    def __init__(
        self, process: "subprocess.Popen[str]", url: str, height: int, folder: Path
    ) -> None:
        assert process.stderr is not None
        self.url = url
        self.height = height
        self._process = process
        self._folder = folder  # of models that were in memory
        # What the server says is read on, so that its pipe never fills.
        self._reading = threading.Thread(target=process.stderr.read, daemon=True)
        self._reading.start()
        atexit.register(self.stop)

    def __repr__(self) -> str:
        """Returns where it is."""
        return f"the playground at {self.url}; stop() ends it"

    def _repr_html_(self) -> str:
        """Returns the frame that a notebook shows."""
        return (
            f'<iframe src="{self.url}" title="Holmdel" width="100%" height="{self.height}" '
            f'style="border: 1px solid #8888; border-radius: 8px"></iframe>'
        )

    def stop(self) -> None:
        """Ends the server; a second call does nothing."""
        atexit.unregister(self.stop)
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_LEAVE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._reading.join()
        if self._process.stderr:
            self._process.stderr.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def serve(*models: Any, port: int = 0, height: int = _HEIGHT) -> Playground:
    """Starts the playground with models, or with a network of one's own.

    In a notebook, `holmdel.serve(net)` in the last line of a cell shows it below.

    Args:
        models: each a `torch.nn.Module`, a class of them, a Classifier, a Run, a run folder, a
            `.safetensors` file, the name of a model that ships, or `FILE.py:NAME`; those that ship
            if there is none.
        port: the port to listen on; 0 for a free one.
        height: of the frame in a notebook, in pixels.

    Raises:
        UserError: for a model that cannot be served, or where the extra `serve` is not installed.
    """
    folder = Path(tempfile.mkdtemp(prefix="holmdel-serve-"))
    try:
        names = [_kept(model, folder, at) for at, model in enumerate(models)]
        return Playground(*_started([*names, "--port", str(port)]), height, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _started(words: list[str]) -> tuple["subprocess.Popen[str]", str]:
    """Returns a server that answers requests, and its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "holmdel", "serve", *words, "--grpc-port", "none", "--framed"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    if not said.startswith("{"):
        process.kill()
        process.wait()
        process.stderr.close()
        raise UserError(said.strip().removeprefix("holmdel: ") or "the server did not start")
    return process, json.loads(said)["url"]


def _kept(model: Any, folder: Path, at: int) -> str:
    """Returns what the command line calls a model; one in memory is written to a file first."""
    if isinstance(model, str | Path):
        return str(model)
    if isinstance(model, Run):
        return str(model.folder)
    if not isinstance(model, Classifier):
        from holmdel.server.own_models import own_classifier

        if not isinstance(model, nn.Module) and not callable(model):
            raise UserError(
                f"a {type(model).__name__} was given to serve; expected a torch.nn.Module, a "
                "model, or its name"
            )
        model = own_classifier(model)
    name = model.header.network if at == 0 else f"{model.header.network}-{at + 1}"
    path = folder / f"{name}.safetensors"
    save_model(path, model.network, model.header)
    return str(path)
