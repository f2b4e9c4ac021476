"""The run folder: what a training of any kind leaves behind; a kill at any moment loses little.

One training at a time holds it. `config.json` comes first, then with every report `metrics.jsonl`,
`model.safetensors` and `resume.safetensors`, the curves now and then, and at the end `README.md`,
the model card.
"""

import itertools
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from holmdel.errors import UserError
from holmdel.files import lock, refuse_existing, sweep, write_bytes, write_files
from holmdel.schema import Setting, read_json, read_record
from holmdel.version import versions

Row = TypeVar("Row")
CURVES_SHARE = 0.02  # of the run's time, at most, goes into drawing the curves again
CURVES_SECONDS = 0.5  # that a drawing takes, before one has been measured


class RunFolder:
    """Reads and writes the files of one run.

    Args:
        path: the folder.

    Attributes:
        state: the file of the resume state; there until the training is done.
        model: the file of the weights.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state = path / "resume.safetensors"
        self.model = path / "model.safetensors"
        self._config = path / "config.json"
        self._metrics = path / "metrics.jsonl"
        self._handle: int | None = None
        self._drawn = time.perf_counter()
        self._draw_seconds = CURVES_SECONDS

    def refuse_existing(self) -> None:
        """Raises a UserError if there is such a file, or such a folder with something in it."""
        go_on = "choose another --out, or go on with --resume"
        no_training = "it holds no training to go on with; choose another --out"
        refuse_existing(self.path, go_on if self.started() else no_training)

    def __enter__(self) -> "RunFolder":
        return self

    def __exit__(self, *error: object) -> None:
        """Lets other trainings in."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def hold(self) -> None:
        """Keeps other trainings out until the end of `with`, and clears what a killed one left.

        Raises:
            UserError: if another training holds the folder, or it cannot be made.
        """
        self._handle = lock(self.path)
        sweep(self.path)

    def create(self, config: Mapping[str, Any]) -> None:
        """Makes and holds the folder and writes `config.json`, the versions added.

        Raises:
            UserError: if it cannot be written, or another training was quicker.
        """
        self.hold()
        self.refuse_existing()
        text = json.dumps({**config, "versions": versions()}, indent=2) + "\n"
        write_bytes(self._config, text.encode())

    def started(self) -> bool:
        """Tells whether a training has begun here."""
        return self._config.is_file()

    def finished(self) -> bool:
        """Tells whether the training here is done."""
        return self.model.is_file() and not self.state.is_file() and self.started()

    def config(self) -> dict[str, Any]:
        """Returns `config.json`.

        Raises:
            UserError: if it cannot be read, or is not of a training.
        """
        try:
            config = read_json(_text(self._config), "it")
            read_record(config, _CONFIG, "it", more=True)
        except UserError as error:
            raise self._other(str(error)) from None
        assert isinstance(config, dict)
        return config

    def _other(self, why: str) -> UserError:
        """Returns the sentence for a `config.json` that is not of a training of ours."""
        return UserError(
            f"{self._config} is not of a training that can be gone on with ({why}); start "
            "anew in another folder"
        )

    def refuse_changes(self, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """Raises a UserError for the first of the settings that is not what it was at the start.

        And for one that `config.json` lacks.
        """
        for name, value in now.items():
            if name not in was:
                raise self._other(f"it has no {name}")
            if value != was[name]:
                raise UserError(
                    f"{self.path} was started with {name} {_shown(was[name])} and cannot go on "
                    f"with {_shown(value)}; leave {name} as it was, or start anew in another folder"
                )

    def write_metrics(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes `metrics.jsonl`, a line a row."""
        write_bytes(self._metrics, "".join(json.dumps(row) + "\n" for row in rows).encode())

    def metrics(self, read: Callable[[Any, str], Row]) -> list[Row]:
        """Returns the rows of `metrics.jsonl`; none where it is not there yet.

        Args:
            read: makes a row of what JSON gave and of words that name it.

        Raises:
            UserError: if it cannot be read; the sentence names the line.
        """
        if not self._metrics.is_file():
            return []
        places = (f"{self._metrics}, line {number}" for number in itertools.count(1))
        lines = _text(self._metrics).splitlines()
        return [read(read_json(row, place), place) for row, place in zip(lines, places)]  # noqa: B905

    def write_curves(self, draw: Callable[[], dict[str, bytes]], *, always: bool = False) -> None:
        """Writes `curves.png` and `curves.svg`, unless the last drawing is too recent.

        Args:
            draw: returns the content of the files by their ending.
            always: however recent it is.
        """
        began = time.perf_counter()
        if always or began - self._drawn > self._draw_seconds / CURVES_SHARE:
            write_files(self.path / "curves", draw())
            self._drawn, self._draw_seconds = began, time.perf_counter() - began

    def finish(self, card: str) -> None:
        """Writes the model card and removes the resume state: the training is done."""
        write_bytes(self.path / "README.md", card.encode())
        self.state.unlink(missing_ok=True)


_CONFIG = (
    Setting(name="options", type="object"),
    Setting(name="settings", type="object"),
    Setting(name="data", type="object"),
)


def _text(path: Path) -> str:
    """Returns the text of a file of a run."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error})") from None


def model_card(
    title: str,
    rows: Sequence[tuple[str, str]],
    command: str,
    use: str,
    paragraphs: Sequence[str] = (),
) -> str:
    """Returns the model card as Markdown: a README for whoever finds the weights.

    Args:
        title: what the model is.
        rows: of its table, a name and a value each.
        command: trains it again.
        use: how to use it, a sentence.
        paragraphs: what else should be known.
    """
    table = ["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)]
    parts = [f"# {title}", "\n".join(table), *paragraphs, "Reproduce it:", f"    {command}"]
    return "\n\n".join([*parts, f"Use it: {use}", "![curves](curves.png)"]) + "\n"


def command_line(
    words: Sequence[str], settings: Mapping[str, Any], usual: Mapping[str, Any]
) -> str:
    """Returns a command line: the words, and the settings that are not the usual ones."""
    flags = [
        f"--{name.replace('_', '-')} {value}"
        for name, value in settings.items()
        if name not in usual or value != usual[name]
    ]
    return " ".join([*words, *flags])


def _shown(value: object) -> str:
    """Returns a value as a sentence has it."""
    return (", ".join(map(str, value)) or "none") if isinstance(value, tuple) else repr(value)
