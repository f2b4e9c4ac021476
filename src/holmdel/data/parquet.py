"""Parquet files with encoded images, as the Hugging Face hub has them (extra: parquet)."""

import json
from pathlib import Path
from typing import Any

from holmdel.data.examples import Examples
from holmdel.data.tables import LABELS, PATHS, numbered
from holmdel.errors import UserError

FORM = "a column of encoded images (image) and one of labels (label)"


def read_parquet(train: list[Path], test: list[Path]) -> Examples:
    """Returns the examples of Parquet files.

    Args:
        train: files of training images; at least one.
        test: files of test images; may be empty.

    Raises:
        UserError: if pyarrow is not installed, a file cannot be read, or it has other columns.
    """
    images: list[bytes] = []
    texts: list[str] = []
    for path in (*train, *test):
        more, names = _read(path)
        images += more
        texts += names
        if path == train[-1]:
            first_test = len(images)
    labels, classes = numbered(texts)
    origin = str(train[0]) if len(train) + len(test) == 1 else str(train[0].parent)
    return Examples(classes, images, labels, first_test if test else None, origin)


def _read(path: Path) -> tuple[list[bytes], list[str]]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import read_table
    except ImportError:
        raise UserError(
            f"{path} is a Parquet file, and pyarrow, which reads it, is not installed; install it "
            "with: pip install 'holmdel[parquet]'"
        ) from None
    try:
        table = read_table(path)
    except (OSError, ArrowException) as error:
        raise UserError(f"{path} cannot be read as Parquet ({error})") from None
    names = {name.lower(): name for name in table.column_names}
    image = next((names[name] for name in PATHS if name in names), None)
    label = next((names[name] for name in LABELS if name in names), None)
    if image is None or label is None:
        raise UserError(f"{path} has the columns {', '.join(table.column_names)}; expected {FORM}")
    held = table.column(image).to_pylist()
    encoded = [one.get("bytes") if isinstance(one, dict) else one for one in held]
    images = [one for one in encoded if isinstance(one, bytes)]
    if len(images) < len(encoded):
        raise UserError(f"{path} has no encoded images in its column {image!r}; expected {FORM}")
    known = _class_names(table.schema.metadata or {}, label)
    values = table.column(label).to_pylist()
    return images, [known[value] if known else str(value) for value in values]


def _class_names(metadata: dict[bytes, bytes], label: str) -> list[str]:
    """Returns the names of the classes that the hub's metadata hold for a column, if any."""
    try:
        about: Any = json.loads(metadata.get(b"huggingface", b"{}"))
        names = about["info"]["features"][label]["names"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return [str(name) for name in names]
