"""The run folder: what a training leaves behind; a kill at any moment loses little of it."""

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from holmdel.checkpoint import (
    Header,
    load_model,
    refuse_existing,
    save_model,
    sweep,
    write_bytes,
    write_files,
)
from holmdel.errors import UserError
from holmdel.settings import TrainSettings
from holmdel.training.batchnorm import folded
from holmdel.training.card import model_card
from holmdel.training.curves import draw_curves
from holmdel.training.report import Epoch
from holmdel.training.settings import Plan, plan
from holmdel.version import __version__

CURVES_SHARE = 0.02  # of the run's time, at most, goes into redrawing the curves
CURVES_SECONDS = 0.5  # that a drawing takes, before one has been measured


@dataclass(frozen=True)
class Run:
    """A training that is done, or was stopped.

    Attributes:
        folder: where it is.
        settings: what it was trained by.
        history: the epochs done.
        network: the trained network, in eval mode, on the CPU, as `model.safetensors` holds it.
        header: what must be known to use it.
        device: where it was trained, such as `cpu`.
        test_acc: accuracy on the test split after the last epoch, 0..1.
    """

    folder: Path
    settings: TrainSettings
    history: list[Epoch]
    network: nn.Module
    header: Header
    device: str
    test_acc: float

    @property
    def loss(self) -> float:
        """The mean training loss of the last epoch."""
        return self.history[-1].loss

    @property
    def train_acc(self) -> float:
        """The training accuracy of the last epoch, 0..1."""
        return self.history[-1].train_acc

    @property
    def examples_per_sec(self) -> float:
        """Examples trained on over the time in forward, backward and step: the book's figure."""
        return _rate(self.history, [epoch.examples_per_sec for epoch in self.history])

    @property
    def wall_examples_per_sec(self) -> float:
        """Examples trained on over the whole time of the epochs."""
        return _rate(self.history, [epoch.wall_examples_per_sec for epoch in self.history])

    def summary(self) -> str:
        """Returns the book's two lines."""
        return (
            f"loss {self.loss:.3f}, train acc {self.train_acc:.3f}, test acc {self.test_acc:.3f}\n"
            f"{self.examples_per_sec:.1f} examples/sec on {self.device}"
        )


def _rate(history: list[Epoch], rates: list[float]) -> float:
    """Returns the rate over all epochs: each has as many examples, so their harmonic mean."""
    return len(history) / sum(1 / rate for rate in rates)


class RunFolder:
    """Reads and writes the files of one run.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = path / "resume.safetensors"
        self.model = path / "model.safetensors"
        self._config = path / "config.json"
        self._drawn = time.perf_counter()
        self._draw_seconds = CURVES_SECONDS

    def refuse_existing(self) -> None:
        """Raises a UserError if there is such a file, or such a folder with something in it."""
        refuse_existing(self.path, "choose another --out, or go on with --resume")

    def create(self, work: Plan, data: dict[str, Any], header: Header, engine: str) -> None:
        """Makes the folder and writes `config.json`.

        Args:
            work: what is to be done.
            data: name and sizes of the data set.
            header: goes into the model file.
            engine: the line that says what computes.

        Raises:
            UserError: if it cannot be written.
        """
        config = {
            "network": work.network,
            "options": header.options,
            "settings": asdict(work.settings),
            "data": data,
            "classes": header.classes,
            "image": header.image.to_json(),
            "seed": work.settings.seed,
            "engine": engine,
            "versions": {
                "holmdel": __version__,
                "torch": torch.__version__,
                "python": platform.python_version(),
            },
        }
        self._write(self._config, json.dumps(config, indent=2) + "\n")

    def started(self) -> bool:
        """Tells whether a training has begun here."""
        return self._config.is_file()

    def finished(self) -> bool:
        """Tells whether the training here is done."""
        return self.model.is_file() and not self.state.is_file() and self.started()

    def config(self) -> dict[str, Any]:
        """Returns `config.json`.

        Raises:
            UserError: if it cannot be read.
        """
        try:
            config: dict[str, Any] = json.loads(self._config.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self._config} cannot be read ({error}); start anew in another folder"
            ) from None
        return config

    def plan(self, network: str, data: str, given: Mapping[str, Any]) -> Plan:
        """Returns the plan that the run here was started with; sweeps up after a killed writer.

        Another engine may go on with it, and then ends with other bits.

        Raises:
            UserError: if what is given now differs from it.
        """
        sweep(self.path)
        config = self.config()
        if "settings" not in config:
            raise UserError(f"{self.path} holds no training to go on with; choose another --out")
        options = {k: tuple(v) if isinstance(v, list) else v for k, v in config["options"].items()}
        began = Plan(config["network"], options, TrainSettings(**config["settings"]))
        was = {"network": began.network, "data": config["data"]["name"]}
        now: dict[str, Any] = {"network": network, "data": data}
        if network == began.network:
            same = plan(network, data, {**asdict(began.settings), **options, **given})
            began = replace(began, settings=replace(began.settings, engine=same.settings.engine))
            was |= asdict(began.settings) | began.options
            now |= asdict(same.settings) | same.options
        for name, value in now.items():
            if value != was[name]:
                raise UserError(
                    f"{self.path} was started with {name} {was[name]!r} and cannot go on with "
                    f"{value!r}; leave {name} as it was, or start anew in another folder"
                )
        return began

    def write_epoch(self, history: list[Epoch], network: nn.Module, header: Header) -> None:
        """Writes what an epoch changes: metrics, model, and the curves if they are due."""
        lines = [json.dumps(epoch.to_json()) + "\n" for epoch in history]
        self._write(self.path / "metrics.jsonl", "".join(lines))
        save_model(self.model, folded(network), header)
        if time.perf_counter() - self._drawn > self._draw_seconds / CURVES_SHARE:
            self.write_curves(history)

    def write_best(self, network: nn.Module, header: Header) -> None:
        """Writes `best.safetensors`."""
        save_model(self.path / "best.safetensors", folded(network), header)

    def write_curves(self, history: list[Epoch]) -> None:
        """Writes `curves.png` and `curves.svg`."""
        self._drawn = time.perf_counter()
        write_files(self.path / "curves", draw_curves(history))
        self._draw_seconds = time.perf_counter() - self._drawn

    def finish(
        self, network: nn.Module, header: Header, history: list[Epoch], test_acc: float
    ) -> None:
        """Writes the model as it is to stay, the last curves and the card; removes the state."""
        save_model(self.model, network, header)
        self.write_curves(history)
        card = model_card(self.config(), history, test_acc)
        self._write(self.path / "README.md", card)
        self.state.unlink(missing_ok=True)

    def history(self) -> list[Epoch]:
        """Returns the epochs of `metrics.jsonl`."""
        text = (self.path / "metrics.jsonl").read_text(encoding="utf-8")
        blank = dict.fromkeys(Epoch.__dataclass_fields__)
        return [Epoch(**(blank | json.loads(line))) for line in text.splitlines()]

    def load(self, settings: TrainSettings) -> Run:
        """Returns the finished run in this folder."""
        network, header = load_model(self.model)
        history = self.history()
        last = history[-1]
        assert last.test_acc is not None
        return Run(self.path, settings, history, network, header, settings.device, last.test_acc)

    def _write(self, path: Path, text: str) -> None:
        write_bytes(path, text.encode())
