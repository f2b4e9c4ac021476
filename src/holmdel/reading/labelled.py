"""A folder of pictures of strings, and what stands on each."""

import csv
from dataclasses import dataclass
from pathlib import Path

from holmdel.errors import UserError

TRUTH = "truth.tsv"
_COLUMNS = ("file", "digits")


@dataclass(frozen=True)
class LabelledString:
    """A picture of one string.

    Attributes:
        path: the picture.
        text: its digits, in reading order.
        status: `read` or `reject`, where a person looked at what had been read; else None.
    """

    path: Path
    text: str
    status: str | None = None


def read_labelled(folder: str | Path) -> list[LabelledString]:
    """Returns the strings of a labelled folder, in the order of its `truth.tsv`.

    `truth.tsv` has a head with the columns `file` and `digits`, and perhaps others; the pictures
    lie in the folder or in its folder `images`.

    Raises:
        UserError: if there is no `truth.tsv`, a column or a picture is missing, or what is given as
            digits has none or other characters.
    """
    folder = Path(folder)
    path = folder / TRUTH
    strings = [
        LabelledString(
            _picture(folder, row["file"] or "", place),
            _digits(row["digits"], place),
            row.get("status"),
        )
        for place, row in _rows(path)
    ]
    if not strings:
        raise UserError(f"{path} has no line below its head; expected a file and its digits a line")
    return strings


def _rows(path: Path) -> list[tuple[str, dict[str, str | None]]]:
    """Returns each line below the head, with the words that name it."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
            head = reader.fieldnames or ()
            if missing := [name for name in _COLUMNS if name not in head]:
                raise UserError(
                    f"{path} has no column {' nor '.join(missing)}; expected a first line with "
                    "`file` and `digits`, separated by tabs"
                )
            return [(f"{path}, line {reader.line_num}", row) for row in reader]
    except FileNotFoundError:
        raise UserError(
            f"there is no file {path}; expected one with a line a picture: its file, a tab, its "
            "digits"
        ) from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read ({error}); expected tabs and UTF-8") from None


def _picture(folder: Path, name: str, place: str) -> Path:
    for path in (folder / name, folder / "images" / name):
        if path.is_file():
            return path
    raise UserError(f"{place}: there is no picture {name!r} in {folder} or {folder / 'images'}")


def _digits(text: str | None, place: str) -> str:
    if not text or not (text.isascii() and text.isdigit()):
        raise UserError(f"{place}: the digits are given as {text or ''!r}; expected 0 to 9 alone")
    return text
