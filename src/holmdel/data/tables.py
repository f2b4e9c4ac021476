"""CSV files of images: a label and pixels a row, as Kaggle has them, or a path and a label."""

import csv
import math
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holmdel.data.examples import Examples
from holmdel.errors import UserError
from holmdel.images.formats import ENDINGS

LABELS = ("label", "labels", "class", "target", "y", "category")
PATHS = ("path", "file", "filename", "file_name", "image", "img", "image_path", "filepath")
PARTS = ("split", "part", "subset", "set")
NUMBERS = ("", "id", "index", "unnamed: 0")  # of rows, as pandas writes them
FORMS = "label,pixel0,pixel1,... with a square number of pixels, or three times one, or path,label"
_PIXELS = 16  # columns that are pixels, at least


@dataclass(frozen=True)
class _Table:
    """A CSV file: what separates its cells, its header (empty for none), its first row."""

    path: Path
    delimiter: str
    header: list[str]
    first: list[str]

    @property
    def of_pixels(self) -> bool:
        return len(self.first) > _PIXELS

    def column(self, names: tuple[str, ...]) -> int | None:
        """Returns the number of the first column of one of these names."""
        return next((self.header.index(name) for name in names if name in self.header), None)

    def cells(self, columns: int | list[int], kind: type) -> NDArray[Any]:
        """Returns the cells of some columns in all rows below the header.

        Raises:
            UserError: if a row is shorter, or a cell no number.
        """
        try:
            found: NDArray[Any] = np.loadtxt(
                self.path,
                kind,
                comments=None,
                delimiter=self.delimiter,
                skiprows=int(bool(self.header)),
                usecols=columns,
                ndmin=1 if isinstance(columns, int) else 2,
                encoding="utf-8-sig",
                quotechar='"',
            )
        except ValueError as error:
            raise UserError(f"{self.path} is at fault ({error}); expected {FORMS}") from None
        return found


def read_table(path: Path) -> Examples:
    """Returns the examples of a CSV file, and of the test file beside it where there is one.

    Of `train.csv` that is `test.csv`, of `mnist_train.csv` `mnist_test.csv`; one without labels, as
    Kaggle's, is passed over.

    Raises:
        UserError: if it cannot be read, or has another form.
    """
    table = _open(path)
    if table.of_pixels:
        return _with_test_file(table, _read_pixels(table))
    return _read_paths(table)


def _open(path: Path) -> _Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in islice(file, 2) if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read ({error}); expected a CSV file") from None
    if not lines:
        raise UserError(f"{path} is empty; expected {FORMS}")
    delimiter = max(",;\t", key=lines[0].count)
    rows = [*csv.reader(lines, delimiter=delimiter)]
    names = [cell.strip().lower() for cell in rows[0]]
    has_header = any(name in (*LABELS, *PATHS) or name.startswith("pixel") for name in names)
    has_header = has_header or (len(names) > _PIXELS and not all(map(_is_number, names[1:-1])))
    if has_header and len(rows) < 2:
        raise UserError(f"{path} has a header and no rows; expected {FORMS}")
    return _Table(path, delimiter, names if has_header else [], rows[-1 if has_header else 0])


def _with_test_file(table: _Table, train: Examples) -> Examples:
    """Returns the examples with those of the test file beside it."""
    path = table.path
    other = path.with_name(path.name.replace("train", "test"))
    if other == path or not other.is_file():
        return train
    beside = _open(other)
    if len(beside.first) != len(table.first):
        note = f"passed over: {other}, which has no labels"
        return replace(train, notes=(*train.notes, note))
    test = _read_pixels(beside)
    lacking = [name for name in test.classes if name not in train.classes]
    if lacking:
        raise UserError(f"{other} has the labels {', '.join(lacking)}, which {path} has not")
    renumbered = [train.classes.index(test.classes[label]) for label in test.labels]
    return replace(
        train,
        images=[*train.images, *test.images],
        labels=[*train.labels, *renumbered],
        first_test=len(train.labels),
        origin=f"{path} and {other.name}",
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_pixels(table: _Table) -> Examples:
    at = table.column(LABELS)
    beside = [number for number, name in enumerate(table.header) if name in NUMBERS]
    columns = [number for number in range(len(table.first)) if number not in beside]
    at = columns[0] if at is None else at
    columns.remove(at)
    pixels = table.cells(columns, np.float32)
    for channels in (1, 3):
        side = math.isqrt(len(columns) // channels)
        if channels * side * side == len(columns):
            shape = (side, side) if channels == 1 else (side, side, channels)
            images = as_pixels(pixels.reshape(-1, *shape), table.path)
            labels, classes = numbered(_texts(table, at))
            return Examples(classes, [*images], labels, None, str(table.path))
    raise UserError(f"{table.path} has {len(columns)} columns beside the label; expected {FORMS}")


def _texts(table: _Table, column: int) -> list[str]:
    """Returns the labels in a column; 3.0 and 3e+00, as programs write whole numbers, as 3.

    Raises:
        UserError: if a row has none.
    """
    texts = [str(text).strip() for text in table.cells(column, str)]
    bare = next((row for row, text in enumerate(texts) if text.lower() in ("", "nan")), None)
    if bare is not None:
        raise UserError(f"{table.path} has no label in row {bare + 1}; expected {FORMS}")
    if all(text.removeprefix("-").isdigit() for text in texts) or not all(map(_is_number, texts)):
        return texts
    values = [float(text) for text in texts]
    return [str(int(value)) for value in values] if all(map(float.is_integer, values)) else texts


def as_pixels(values: NDArray[np.float32], path: object) -> NDArray[np.uint8]:
    """Returns values of 0..255, or of 0..1 where none is larger, as uint8.

    Raises:
        UserError: for others.
    """
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255:
        raise UserError(f"{path} has pixels outside 0 to 255; expected 0 to 255, or 0 to 1")
    whole = values.max() > 1
    return np.rint(values if whole else values * 255).astype(np.uint8)


def _read_paths(table: _Table) -> Examples:
    at, label_at = _columns(table)
    folder, origin = table.path.parent, str(table.path)
    images = [folder / str(text).strip() for text in table.cells(at, str)]
    labels, classes = numbered(_texts(table, label_at))
    part = table.column(PARTS)
    if part is None:
        return Examples(classes, images, labels, None, origin)
    said = [str(text).strip().lower() for text in table.cells(part, str)]
    testing = [text in ("test", "testing", "val", "valid") for text in said]
    order = sorted(range(len(said)), key=testing.__getitem__)
    first = testing.count(False) if any(testing) else None
    return Examples(
        classes, [images[row] for row in order], [labels[row] for row in order], first, origin
    )


def _columns(table: _Table) -> tuple[int, int]:
    """Returns which columns hold the path and the label."""
    at, label_at = table.column(PATHS), table.column(LABELS)
    if at is not None and label_at is not None:
        return at, label_at
    endings = [cell.strip().lower().endswith(ENDINGS) for cell in table.first]
    if not table.header and len(endings) == 2 and any(endings):
        return endings.index(True), endings.index(False)
    named = ", ".join(table.header or table.first)
    raise UserError(f"{table.path} has the columns {named}; expected {FORMS}")


def numbered(texts: list[str]) -> tuple[list[int], tuple[str, ...]]:
    """Returns the label of each text, and the classes: numbers by size, texts as text.

    >>> numbered(["10", "9", "10"])
    ([1, 0, 1], ('9', '10'))
    """
    known = {*texts}
    numbers = all(text.removeprefix("-").isdigit() for text in known)
    classes = sorted(known, key=int) if numbers else sorted(known)
    places = {text: place for place, text in enumerate(classes)}
    return [places[text] for text in texts], tuple(classes)
