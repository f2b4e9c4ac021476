"""Weights in several files, as large models have them: an index in JSON says which are where."""

import re
from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from holmdel.errors import UserError
from holmdel.exchange.weights import Weights
from holmdel.schema import read_json

ENDING = ".index.json"
LONGEST = 200  # characters of a file's name
_PART = re.compile(r"(.*)-\d+-of-(\d+)(\.\w+)")


def is_index(head: bytes) -> bool:
    """Tells whether a file begins as JSON, and not as safetensors, whose length may be a `{`."""
    return head.startswith(b"{") and head[8:9] != b"{"


def index_in(folder: Path) -> Path | None:
    """Returns the index of weights in a folder; None where there is none."""
    return next(iter(sorted(folder.glob(f"*{ENDING}"))), None)


def refuse_part(path: str | Path) -> None:
    """Raises a UserError for one of several files, which says what to give in its place."""
    part = _PART.fullmatch(Path(path).name)
    if part and int(part[2]) > 1:
        raise UserError(
            f"{path} is one of {int(part[2])} files of weights; give the index of them all, "
            f"{part[1]}{part[3]}{ENDING}"
        )


def read(path: str | Path, read_part: Callable[[Path], Weights]) -> Weights:
    """Returns the weights of all files that an index names, which lie beside it.

    Args:
        path: the index: `weight_map`, a file for each name.
        read_part: what reads one of them.

    Raises:
        UserError: if it is no such index, or a file is missing or lacks what the index says.
    """
    index = read_json(Path(path).read_text(encoding="utf-8", errors="replace"), str(path))
    files = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(files, dict) or not all(isinstance(file, str) for file in files.values()):
        raise UserError(f"{path} is JSON and no index of weights; give the file of the weights")
    parts: dict[str, dict[str, Tensor]] = {}
    for file in dict.fromkeys(files.values()):
        if not _is_name(file):
            raise UserError(f"{path} names {file[:80]!r}, which does not lie beside it")
        parts[file] = read_part(Path(path).parent / file).tensors
    missing = [name for name, file in files.items() if name not in parts[file]]
    if missing:
        file = files[missing[0]]
        raise UserError(f"{path} says that {missing[0][:80]!r} is in {file}; it is not")
    tensors = {name: parts[file][name] for name, file in files.items()}
    return Weights(str(path), f"{len(parts)} files of weights", tensors, ordered=False)


def _is_name(file: str) -> bool:
    """Tells whether a text can be the name of a file in the same folder."""
    return Path(file).name == file and file.isprintable() and len(file) <= LONGEST
