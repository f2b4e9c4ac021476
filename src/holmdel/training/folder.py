"""The run folder: what a training of any kind leaves behind; a kill at any moment loses little.

`config.json` comes first, then with every report `metrics.jsonl`, `model.safetensors` and
`resume.safetensors`, the curves now and then, and at the end `README.md`, the model card.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from holmdel.errors import UserError
from holmdel.files import refuse_existing, sweep, write_bytes, write_files
from holmdel.version import versions

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
        self._drawn = time.perf_counter()
        self._draw_seconds = CURVES_SECONDS

    def refuse_existing(self) -> None:
        """Raises a UserError if there is such a file, or such a folder with something in it."""
        refuse_existing(self.path, "choose another --out, or go on with --resume")

    def create(self, config: Mapping[str, Any]) -> None:
        """Makes the folder and writes `config.json`, the versions added.

        Raises:
            UserError: if it cannot be written.
        """
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
            UserError: if it cannot be read.
        """
        try:
            config: dict[str, Any] = json.loads(self._config.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self._config} cannot be read ({error}); start anew in another folder"
            ) from None
        return config

    def sweep(self) -> None:
        """Removes what a writer that was killed left half-written."""
        sweep(self.path)

    def refuse_changes(self, was: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        """Raises a UserError for the first of the settings that is not what it was at the start."""
        for name, value in now.items():
            if value != was[name]:
                raise UserError(
                    f"{self.path} was started with {name} {_shown(was[name])} and cannot go on "
                    f"with {_shown(value)}; leave {name} as it was, or start anew in another folder"
                )

    def write_metrics(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Writes `metrics.jsonl`, a line a row."""
        write_bytes(self._metrics, "".join(json.dumps(row) + "\n" for row in rows).encode())

    def metrics(self) -> list[dict[str, Any]]:
        """Returns the rows of `metrics.jsonl`; none where it is not there yet."""
        if not self._metrics.is_file():
            return []
        return [json.loads(row) for row in self._metrics.read_text(encoding="utf-8").splitlines()]

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
