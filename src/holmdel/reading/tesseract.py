"""What Tesseract reads on a form, where its command is installed: the names of fields."""

import shutil
import subprocess
from dataclasses import dataclass

from holmdel.reading.answers import Box, Grey, to_png


@dataclass(frozen=True)
class Words:
    """Words printed in one row: their text, and the box around them."""

    text: str
    box: Box


_TSV = ("page_num", "block_num", "par_num", "line_num")
_SURE = 60  # per cent: Tesseract's confidence in a word
_SECONDS = 60.0  # that Tesseract may take


def words_of(reference: Grey) -> list[Words]:
    """Returns what Tesseract reads on a page; nothing where its command is not installed.

    Args:
        reference: uint8 (h, w).
    """
    command = shutil.which("tesseract")
    if command is None:
        return []
    words = [command, "stdin", "stdout", "--psm", "11", "tsv"]
    try:
        said = subprocess.run(
            words, input=to_png(reference), capture_output=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return _rows(said.stdout.decode(errors="replace"))


def _rows(table: str) -> list[Words]:
    """Returns the words of Tesseract's table, those of a line together."""
    head, *rows = (row.split("\t") for row in table.splitlines() or [""])
    lines: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        word = dict(zip(head, row, strict=False))
        if float(word.get("conf", -1)) >= _SURE and word.get("text", "").strip():
            lines.setdefault(tuple(word.get(key, "") for key in _TSV), []).append(word)
    return [_joined(words) for words in lines.values()]


def _joined(words: list[dict[str, str]]) -> Words:
    boxes = [tuple(int(w[side]) for side in ("left", "top", "width", "height")) for w in words]
    x, y = min(b[0] for b in boxes), min(b[1] for b in boxes)
    right, bottom = max(b[0] + b[2] for b in boxes), max(b[1] + b[3] for b in boxes)
    return Words(" ".join(w["text"] for w in words), (x, y, right - x, bottom - y))
