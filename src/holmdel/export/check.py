"""Whether a file answers as the network does, and what is kept of that."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from holmdel.errors import UserError
from holmdel.export.subject import Subject
from holmdel.files import refuse_folder, write_bytes

TOLERANCE = 1e-4  # of a logit in float32
KEPT = "export.json"


@dataclass(frozen=True)
class Report:
    """An exported file, compared with the network.

    Attributes:
        format: such as `onnx`.
        files: the names of the files.
        bytes: of all of them together.
        runtime: what ran the file, and its version.
        images: what it was compared on.
        difference: the largest between two logits.
        equal: the share of images of which both name the same class, 0..1.
        facts: what else is known of the file.
    """

    format: str
    files: tuple[str, ...]
    bytes: int
    runtime: str
    images: str
    difference: float
    equal: float
    facts: dict[str, Any]

    def sentence(self) -> str:
        """Returns what was found, as the command line says it."""
        said = (
            f"{self.images} in {self.runtime}: largest difference of a logit "
            f"{self.difference:.1e}, equal classes {self.equal:.2%}"
        )
        if "accuracy" in self.facts:
            (before, after), (large, small) = self.facts["accuracy"], self.facts["size"]
            if self.facts["labelled"]:
                said += f"\naccuracy {before:.2%} before and {after:.2%} after, "
            else:
                said += f"\nno labelled images are here: {after:.2%} are named as before, "
            said += f"{large:,} bytes before and {small:,} after"
        if photos := self.facts.get("photographs"):
            said += f"\n{photos['equal']} of {photos['count']} photographs are framed as "
            said += f"by predict, to the pixel; grey values off by at most {photos['off']} of 255"
        return said


def compared(given: Tensor, expected: Tensor) -> tuple[float, float]:
    """Returns the largest difference of two logits, and the share of equal classes."""
    difference = float((given - expected).abs().max())
    return difference, float((given.argmax(1) == expected.argmax(1)).double().mean())


def refuse_difference(
    difference: float, runtime: str, layers: Callable[[], str], tolerance: float = TOLERANCE
) -> None:
    """Raises a UserError for a file that answers otherwise.

    Args:
        difference: the largest of a logit.
        runtime: what ran the file.
        layers: gives the name of the layer where the difference begins.
        tolerance: what may be.
    """
    if not difference <= tolerance:  # nor where it is no number
        raise UserError(
            f"the file answers otherwise in {runtime}: logits are off by {difference:.1e}, more "
            f"than {tolerance:.0e}, beginning in the layer {layers()}; nothing was written"
        )


def first_different(given: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> str:
    """Returns the first layer whose values differ; the one that differs most where none does much.

    Args:
        given: what each layer gave in the file.
        expected: what it gave in the network, in the order in which they ran.
    """
    far = {}
    for name, value in expected.items():
        if name in given:
            scale = max(1.0, float(value.abs().max()))
            far[name] = float((given[name].reshape(value.shape) - value).abs().max()) / scale
            if not far[name] <= TOLERANCE / 10:
                return name
    return max(far, key=lambda name: far[name], default="of the input")


def refuse_existing_files(files: list[Path], force: bool) -> None:
    """Raises a UserError where one of the files is there already."""
    for file in files:
        refuse_folder(file)
        if file.exists() and not force:
            raise UserError(f"{file} exists already; choose another --out, or give --force")


def written(
    subject: Subject,
    form: str,
    files: dict[Path, bytes],
    logits: Tensor,
    runtime: str,
    layer: Callable[[], str] = lambda: "of the output",
) -> Report:
    """Writes files that have been run; returns how they compare.

    Args:
        subject: what is exported.
        form: the format.
        files: the contents by path.
        logits: the files' answers to the subject's images.
        runtime: what ran them.
        layer: gives the name of the layer where a difference begins.

    Raises:
        UserError: for files that answer otherwise, or cannot be written.
    """
    difference, equal = compared(logits, subject.logits)
    refuse_difference(difference, runtime, layer)
    names, size = tuple(path.name for path in files), sum(map(len, files.values()))
    report = Report(form, names, size, runtime, subject.source, difference, equal, {})
    write_all(files, report)
    return report


@contextmanager
def needing(what: str, install: str) -> Iterator[None]:
    """Raises a UserError for a package that is imported within and not installed.

    Args:
        what: the files that need it.
        install: how it is installed.
    """
    try:
        yield
    except ImportError as error:
        raise UserError(f"{error.name} is not installed; {what} need it: {install}") from None


def write_all(contents: Mapping[Path, bytes], report: Report) -> None:
    """Writes the files, and what is known of them into `export.json` beside them.

    Raises:
        UserError: if one cannot be written.
    """
    for path, content in contents.items():
        write_bytes(path, content)
    first = next(iter(contents))
    kept = first.parent / KEPT
    write_bytes(
        kept, (json.dumps(_known(kept) | {first.name: asdict(report)}, indent=2) + "\n").encode()
    )


def _known(kept: Path) -> dict[str, Any]:
    """Returns what `export.json` says of other files."""
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def tensors(values: Mapping[str, Any]) -> dict[str, Tensor]:
    """Returns arrays as tensors."""
    return {name: torch.as_tensor(value) for name, value in values.items()}
