"""The fields of a form, as Python and as TOML."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holmdel.errors import UserError
from holmdel.reading.patterns import parse_pattern

DECIMALS = 5  # of a share of the page
_MOST_CELLS = 100

Shares = tuple[float, float, float, float]


@dataclass(frozen=True)
class TemplateField:
    """A place on a form in which something is written.

    Attributes:
        name: unlike the other fields' names.
        box: x, y, width and height as shares of the page, 0..1.
        pattern: what may be written; see `Reader`.
        cells: how many printed cells side by side the box has, for a digit each; 1 is a plain box.
        required: whether an empty field is a mistake of whoever filled in the form.
    """

    name: str
    box: Shares
    pattern: str = "digits"
    cells: int = 1
    required: bool = False

    def within(self, shape: Sequence[int]) -> tuple[float, float, float, float]:
        """Returns the box in the pixels of a picture (H, W)."""
        x, y, w, h = self.box
        return x * shape[1], y * shape[0], w * shape[1], h * shape[0]


HEAD = """\
# The fields of a form, for `holmdel read --template`. Edit it as you like.
# name      the field's name in the answers
# box       left, top, width and height as shares of the page, from 0 to 1
# pattern   what may be written: digits, digits:5, digits:1-8, amount, an expression, ...
# cells     how many printed cells side by side the box has, for a digit each; 1 is a plain box
# required  whether an empty field is a mistake of whoever filled in the form

version = {version}
reference = {reference}
sha256 = "{sha256}"
width = {width}  # of the reference, in pixels
height = {height}
"""


def to_entry(field: TemplateField) -> str:
    """Returns a field as a table of TOML."""
    shares = ", ".join(f"{share:.{DECIMALS}f}" for share in field.box)
    return (
        f"\n[[field]]\nname = {quoted(field.name)}\nbox = [{shares}]\n"
        f"pattern = {quoted(field.pattern)}\ncells = {field.cells}\n"
        f"required = {str(field.required).lower()}\n"
    )


def quoted(text: str) -> str:
    """Returns a text as TOML's basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def parse_toml(path: Path) -> dict[str, Any]:
    """Returns what a TOML file holds.

    Raises:
        UserError: if there is none, or it is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(
            f"there is no template {path}; `holmdel template new FORM` writes one"
        ) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror or error})") from None
    except ValueError as error:  # no UTF-8, or no TOML
        raise UserError(f"{path} is no TOML file ({error}); expected a template") from None


def check_keys(
    values: Mapping[str, Any], needed: Sequence[str], others: Sequence[str], where: str
) -> None:
    """Refuses a table that lacks a key or has an unknown one."""
    for key in needed:
        if key not in values:
            raise UserError(f"{where} lacks the key {key!r}")
    for key in values:
        if key not in (*needed, *others):
            known = ", ".join((*needed, *others))
            raise UserError(f"{where} has the unknown key {key!r}; expected {known}")


def read_field(entry: Any, number: int, path: Path) -> TemplateField:
    """Returns a field of a TOML file.

    Raises:
        UserError: for the first mistake, with the field's name and the key.
    """
    where = f"{path}, field {number}"
    if not isinstance(entry, dict):
        raise UserError(f"{where} was given as {entry!r}; expected a table [[field]]")
    check_keys(entry, ("name", "box"), ("pattern", "cells", "required"), where)
    name = entry["name"]
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise UserError(f"{where}: name was given as {name!r}; expected a text")
    where = f"{path}, field {name!r}"
    pattern, cells = entry.get("pattern", "digits"), entry.get("cells", 1)
    required = entry.get("required", False)
    if type(cells) is not int or not 1 <= cells <= _MOST_CELLS:
        raise UserError(
            f"{where}: cells was given as {cells!r}; expected a number from 1 to {_MOST_CELLS}"
        )
    if type(required) is not bool:
        raise UserError(f"{where}: required was given as {required!r}; expected true or false")
    if not isinstance(pattern, str):
        raise UserError(f"{where}: pattern was given as {pattern!r}; expected a text")
    try:
        parse_pattern(pattern)
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    return TemplateField(name, _read_box(entry["box"], where), pattern, cells, required)


def _read_box(box: Any, where: str) -> Shares:
    fits = isinstance(box, list) and len(box) == 4
    if not fits or not all(type(share) in (int, float) for share in box):
        raise UserError(f"{where}: box was given as {box!r}; expected [left, top, width, height]")
    x, y, w, h = (float(share) for share in box)
    if not (x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= 1 and y + h <= 1):
        raise UserError(
            f"{where}: box was given as {box!r}, which is not within the page; expected shares of "
            "it from 0 to 1"
        )
    return x, y, w, h
